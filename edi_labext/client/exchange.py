"""Requests to one EDI with its token: refusals become errors, a renewed token is used at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import UpstreamUnreachable
from .answers import refusal
from .transport import MAX_ANSWER, READ_TIMEOUT, RawAnswer, Transport
from .upload import Upload


class Exchange:
    """Sends the requests of an :class:`~.edi_client.EdiClient`; parameters as there."""

    def __init__(
        self, base_url: str, token: Callable[[], str], *, trust_proxies: bool, verify: bool | str
    ) -> None:
        parts = urlsplit(base_url)
        self._base_path = parts.path.rstrip("/")
        self._token = token
        self.transport = Transport(
            f"{parts.scheme}://{parts.netloc}", trust_proxies=trust_proxies, verify=verify
        )

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return self.transport.host

    def path(self, *segments: str) -> str:
        """Return the path of a route below the base path."""
        return "/".join((self._base_path, *(quote(segment, safe="") for segment in segments)))

    def call(
        self,
        method: str,
        path: str,
        permission: str | None,
        *,
        headers: dict[str, str] | None = None,
        body: Any = None,
        connect_timeout: float | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> RawAnswer:
        """Send a management request; everything but success raises."""
        answer = self.send(
            method,
            path,
            headers=headers or {},
            body=body,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        if answer.status >= 400:
            raise refusal(answer, host=self.host, permission=permission)
        return answer

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        bearer: bool = False,
        body: Any = None,
        connect_timeout: float | None = None,
        read_timeout: float = READ_TIMEOUT,
        limit: int = MAX_ANSWER,
    ) -> RawAnswer:
        """Send, and send again once where that is safe: a new token, or a connection that died.

        An idle connection may be closed by the other side at the very moment it is used, which
        says nothing about the request; only reads are repeated.

        WMLA's inference host takes the token as ``Bearer`` alone, its console host as
        ``X-Auth-Token``, so inference sends both; our engine refuses two tokens in one request.
        """
        token = self._token()
        timeouts: dict[str, float] = {"read_timeout": read_timeout}
        if connect_timeout is not None:
            timeouts["connect_timeout"] = connect_timeout
        for last in (False, True):
            sent = {**headers, "X-Auth-Token": token}
            if bearer and not self.transport.is_local:
                sent["Authorization"] = f"Bearer {token}"
            try:
                answer = self.transport.exchange(
                    method, path, sent, body=body, limit=limit, secret=token, **timeouts
                )
            except UpstreamUnreachable as error:
                if last or method != "GET" or error.code != "upstream_reset":
                    raise
                continue
            if answer.status != 401 or last or isinstance(body, Upload):
                return answer
            renewed = self._token()
            if renewed == token:
                return answer
            token = renewed
        raise AssertionError("unreachable")
