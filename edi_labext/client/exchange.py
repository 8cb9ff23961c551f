"""Requests to one EDI with its token: refusals become errors, a renewed token is used at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import EdiError, UpstreamUnauthorized, UpstreamUnreachable
from .answers import refusal, retry_after
from .retries import NEVER, PASSING, RetryPolicy
from .tokens import token_expiry
from .transport import MAX_ANSWER, READ_TIMEOUT, Network, RawAnswer, Transport
from .upload import Upload


class Exchange:
    """Sends the requests of an :class:`~.edi_client.EdiClient`.

    Parameters
    ----------
    base_url, token:
        As there.
    network:
        How requests get there.
    retry:
        When a question (``GET``) is asked again.

    Attributes
    ----------
    permitted, forbidden:
        Permissions that requests so far have shown to be there, or not.
    """

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str],
        network: Network,
        retry: RetryPolicy = NEVER,
    ) -> None:
        parts = urlsplit(base_url)
        self._base_path = parts.path.rstrip("/")
        self._token = token
        self._retry = retry
        self.transport = Transport(f"{parts.scheme}://{parts.netloc}", network)
        self.permitted: set[str] = set()
        self.forbidden: set[str] = set()

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
        return self.require(answer, permission)

    def require(self, answer: RawAnswer, permission: str | None) -> RawAnswer:
        """Return a successful answer, raise the error that any other one stands for."""
        self.note(answer, permission)
        if answer.status >= 400:
            raise self.refused(answer, permission)
        return answer

    def note(self, answer: RawAnswer, permission: str | None) -> None:
        """Remember what the answer tells of a permission."""
        if permission is None:
            return
        if answer.status == 403:
            self.forbidden.add(permission)
            self.permitted.discard(permission)
        elif answer.status < 300:
            self.permitted.add(permission)
            self.forbidden.discard(permission)

    def refused(self, answer: RawAnswer, permission: str | None) -> EdiError:
        """Return the error for a refusal; for a refused token it says the way out."""
        error = refusal(answer, host=self.host, permission=permission)
        advice = getattr(self._token, "advice", None)
        if isinstance(error, UpstreamUnauthorized) and answer.status == 401:
            ended = self._ended()
            if ended is not None:
                error.message = f"{error.message} The token expired at {ended}."
                error.args = (error.message,)
            if advice:
                error.hint = advice if ended else f"It may have expired. {advice}"
        return error

    def _ended(self) -> str | None:
        """Return when the token at hand ended, as it says of itself; ``None`` if it has not."""
        known: Callable[[], str | None] | None = getattr(self._token, "known", None)
        try:
            token = known() if known is not None else None
        except EdiError:
            return None
        ends = None if token is None else token_expiry(token)
        if ends is None or ends > time.time():
            return None
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(max(0.0, ends)))

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
        """Send, and send again where that is safe.

        After a 401 nothing was done, so every request is sent once more if the source has another
        token by then. A question is repeated when its connection died (an idle one may be closed
        by the other side at the very moment it is used), and for as long as the policy allows when
        the service is in trouble.

        WMLA's inference host takes the token as ``Bearer`` alone, its console host as
        ``X-Auth-Token``, so inference sends both; our engine refuses two tokens in one request.
        """
        token = self._token()
        timeouts: dict[str, float] = {"read_timeout": read_timeout}
        if connect_timeout is not None:
            timeouts["connect_timeout"] = connect_timeout
        is_question, is_renewed, was_reset = method == "GET", False, False
        repeat, waited = 0, 0.0
        if is_question:
            self._retry.budget.earn()
        while True:
            sent = {**headers, "X-Auth-Token": token}
            if bearer and not self.transport.is_local:
                sent["Authorization"] = f"Bearer {token}"
            answer: RawAnswer | None = None
            failure: UpstreamUnreachable | None = None
            try:
                answer = self.transport.exchange(
                    method, path, sent, body=body, limit=limit, secret=token, **timeouts
                )
            except UpstreamUnreachable as error:
                if not is_question or error.code != "upstream_reset":
                    raise
                failure = error
            if failure is not None and not was_reset:
                was_reset = True
                continue
            if answer is not None and answer.status == 401 and not is_renewed:
                is_renewed = True
                renewed = self._renew(token)
                if renewed != token and (not isinstance(body, Upload) or body.rewind()):
                    token = renewed
                    continue
            if is_question and (answer is None or answer.status in PASSING):
                asked = None if answer is None else retry_after(answer)
                pause = self._retry.pause(repeat, waited, asked)
                if pause is not None:
                    self._retry.wait(pause)
                    repeat, waited = repeat + 1, waited + pause
                    continue
            if answer is None:
                assert failure is not None
                raise failure
            return answer

    def _renew(self, rejected: str) -> str:
        renew: Callable[[str], str] | None = getattr(self._token, "renew", None)
        return self._token() if renew is None else renew(rejected)
