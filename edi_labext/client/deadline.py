"""Connections whose answers have to be complete in time, however slowly they trickle in.

A read timeout alone begins anew with every byte, so a server that sends one header letter every
few seconds could hold a thread for hours.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _Reader(io.RawIOBase):
    """The receiving end of a socket, until a point in time."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._file: Any = sock.makefile("rb", buffering=0)
        self._patience = sock.gettimeout()
        self.extend()

    def extend(self) -> None:
        """Give the next part of the answer as much time as the first."""
        self._deadline = None if self._patience is None else time.monotonic() + self._patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        count: int | None = self._file.readinto(buffer)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer with one deadline for its head and one for its body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._reader = _Reader(sock)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        self._reader.extend()


class _Plain(HTTPConnection):
    response_class = _Response


class _Secure(HTTPSConnection):
    response_class = _Response

    def _tunnel(self) -> None:
        try:
            super()._tunnel()
        except http.client.HTTPException as error:
            failure = type(error).__name__
        else:
            return
        # As the library itself tells of a proxy's refusal, so that it is known to be the proxy's.
        self.close()
        raise OSError(f"Tunnel connection failed: {failure}")


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure

    def _validate_conn(self, conn: Any) -> None:
        # urllib3 would warn of a certificate that is not checked at every connection, in its own
        # words; whoever switched the check off is told once, by name of the environment.
        if conn.is_closed:
            conn.connect()


#: For ``PoolManager.pool_classes_by_scheme``.
POOL_CLASSES = {"http": _PlainPool, "https": _SecurePool}
