"""One inference on a connection: the task that answers itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from ...errors import EdiError
from ..task import Task
from .errors import error_response

if TYPE_CHECKING:
    from .credentials import Identity
    from .protocol import DoorProtocol

#: All of an answer's head that does not depend on the answer.
_ANSWER_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: application/json\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"content-length: %d\r\n"
)


class Exchange(Task):
    """A task that came through the door and writes its outcome to the connection it came from."""

    __slots__ = ("_caller", "_connection", "keep_alive")

    def __init__(
        self,
        connection: DoorProtocol,
        caller: Identity | None,
        body: bytes,
        *,
        keep_alive: bool,
    ) -> None:
        super().__init__(body)
        self._caller = caller
        self._connection: DoorProtocol | None = connection
        self.keep_alive = keep_alive

    def deliver_answer(self, data: bytes) -> None:
        """Send what the kernel set as output, byte for byte."""
        if self._connection is not None:
            self._connection.finish(self, answer(data, close=not self.keep_alive))

    def deliver_error(self, error: EdiError) -> None:
        """Send ``error`` with its status."""
        if self._connection is not None:
            told = failure(error, caller=self._caller, close=not self.keep_alive)
            self._connection.finish(self, told)

    def hang_up(self) -> None:
        """Forget the connection: the caller is gone and no outcome can reach it."""
        self._connection = None


def answer(data: bytes, *, close: bool) -> bytes:
    """Return the complete bytes of a 200 with ``data`` as its body."""
    head = _ANSWER_HEAD % len(data)
    return b"".join((head, b"connection: close\r\n\r\n" if close else b"\r\n", data))


def failure(
    error: BaseException,
    *,
    close: bool,
    caller: Identity | None = None,
    head_only: bool = False,
) -> bytes:
    """Return the complete bytes of an answer that tells ``error``.

    Parameters
    ----------
    caller:
        See :func:`.errors.error_response`.
    head_only:
        Leave the body out, as an answer to ``HEAD`` must.
    """
    status, body, extra = error_response(error, caller=caller)
    headers: Mapping[str, str] = {
        "content-type": "application/json",
        **extra,
        "content-length": str(len(body)),
        **({"connection": "close"} if close else {}),
    }
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
    return b"".join(
        (STATUS_LINE[status], lines.encode("latin-1"), b"\r\n", b"" if head_only else body)
    )
