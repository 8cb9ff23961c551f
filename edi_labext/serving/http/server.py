"""The HTTP server: one bound socket, uvicorn around the door, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import math
import socket
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn

from ...errors import Conflict, InvalidInput, echo
from ..clock import Clock
from ..settings import Settings
from ..task import Task
from .credentials import Credentials
from .door import Door
from .gate import Gate
from .protocol import DoorProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

#: Connections that the operating system keeps for us until we accept them. asyncio also tries as
#: many accepts in a row, and logs each that fails for want of descriptors.
_BACKLOG: Final = 128


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the engine's event loop: uvloop's if it is installed, else ``None``."""
    try:
        import uvloop
    except ImportError:
        return None
    return cast("Callable[[], asyncio.AbstractEventLoop]", uvloop.new_event_loop)


def bind(settings: Settings) -> socket.socket:
    """Return a TCP socket bound to the configured address, not listening yet.

    Raises
    ------
    Conflict
        ``port_in_use``
    InvalidInput
        ``invalid_option``: the address or port cannot be bound.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, an answer in
    # two writes waits 40 ms for the acknowledgement of the first.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        where = f"{settings.host} port {settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Something else listens on {where} already.",
                code="port_in_use",
                field="port",
                hint="Leave the port out to get a free one.",
            ) from None
        raise InvalidInput(
            f"The engine cannot listen on {echo(where)}: {error.strerror}.",
            code="invalid_option",
            field="host",
        ) from None
    return sock


class HttpServer:
    """The engine's HTTP side, from binding to the last answer.

    The socket is bound when the object is made, so that the port is known; connections are
    taken while :meth:`serve` runs.

    Parameters
    ----------
    app:
        The ASGI application for all that is no plain inference. Requests reach it only after
        the gate; ``scope["state"]["identity"]`` says who sent them.
    settings, credentials, clock:
        Limits and address, tokens, and the time of the loop that :meth:`serve` will run on.
    submit, cancel:
        See :class:`~.door.Door`.

    Raises
    ------
    Conflict, InvalidInput
        See :func:`bind`.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        credentials: Credentials,
        clock: Clock,
        *,
        submit: Callable[[str, Task], None],
        cancel: Callable[[Task], None],
    ) -> None:
        self._socket = bind(settings)
        self.port: int = self._socket.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        #: Base address of EDI's API, such as ``http://127.0.0.1:40123/dlim/v1/``.
        self.rest_server = f"http://{host}:{self.port}/dlim/v1/"
        self.door = Door(
            settings,
            Gate(settings, credentials, self.port),
            clock,
            submit=submit,
            cancel=cancel,
        )
        config = uvicorn.Config(
            cast("Any", app),
            http=cast("Any", functools.partial(DoorProtocol, self.door)),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            # The engine is on loopback: what a header says about the client is never true.
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=math.ceil(settings.stop_grace),
        )
        self._server = _Server(config)

    async def serve(self) -> None:
        """Serve until :meth:`stop`; returns when every connection is closed.

        Open requests get ``stop_grace`` seconds to be answered.
        """
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()
            self._server.cut()

    @property
    def listening(self) -> asyncio.Event:
        """Set once connections are taken."""
        return self._server.listening

    def stop(self) -> None:
        """Take no new connection, finish what has begun, then end :meth:`serve`."""
        self._server.stopping.set()
        self._server.should_exit = True

    def kill(self) -> None:
        """End :meth:`serve` without waiting for anybody."""
        self._server.force_exit = True
        self.stop()
        self._server.cut()


class _Server(uvicorn.Server):
    """uvicorn without its own signals and without its tick of ten a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the engine: two owners of them fight."""
        yield

    async def main_loop(self) -> None:
        """Wait for the end."""
        self.listening.set()
        await self.stopping.wait()

    def cut(self) -> None:
        """Cut the connections that are left."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
