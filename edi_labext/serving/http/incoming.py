"""The request that a connection is reading, counted against the limits as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import TooLarge
from .errors import HeadersTooLarge

if TYPE_CHECKING:
    from ..settings import Settings
    from .gate import Admitted

#: Headers of a request that has a body.
_BODY_HEADERS = frozenset((b"content-length", b"transfer-encoding"))


class Incoming:
    """One request, from its first byte to its last.

    The ``add_…`` methods raise :class:`~edi_labext.errors.EdiError` when a limit is passed.

    Attributes
    ----------
    began:
        Monotonic seconds of the first byte.
    method, target, version, headers:
        The head, as the gate takes it. Method and version are known once the head is complete.
    admitted:
        The gate's verdict; ``None`` until there is one, and when the request was turned away.
    received:
        Bytes of the body so far.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_head_bytes",
        "_settings",
        "_stuck_bytes",
        "admitted",
        "began",
        "headers",
        "method",
        "received",
        "target",
        "version",
    )

    def __init__(self, settings: Settings, began: float) -> None:
        self._settings = settings
        self._head_bytes = 0
        self._stuck_bytes = 0
        self._chunks = 0
        self._body: bytes | bytearray = b""
        self.began = began
        self.method = b""
        self.target = b""
        self.version = ""
        self.headers: list[tuple[bytes, bytes]] = []
        self.admitted: Admitted | None = None
        self.received = 0

    def add_header(self, name: bytes, value: bytes) -> None:
        """Keep a header of the head; of a trailer only the size counts."""
        settings = self._settings
        self._head_bytes += len(name) + len(value) + 4
        if (
            self._head_bytes > settings.header_bytes_limit
            or len(self.headers) >= settings.header_count_limit
        ):
            raise self._headers_too_large()
        if not self.method:
            self.headers.append((name.lower(), value))

    def has_the_head_of(self, other: Incoming) -> bool:
        """Tell whether the gate would see what it saw of ``other``; both heads are complete."""
        return (
            self.headers == other.headers
            and self.target == other.target
            and self.method == other.method
            and self.version == other.version
        )

    def add_chunk(self) -> None:
        """Count a chunk: each costs more than its bytes."""
        self._chunks += 1
        if self._chunks > self._settings.chunk_limit:
            raise TooLarge(
                f"The body came in more than {self._settings.chunk_limit} chunks.",
                code="too_many_chunks",
                hint="Send it with Content-Length.",
            )

    def count_body(self, admitted: Admitted, size: int) -> None:
        """Count bytes of the body, whoever keeps them."""
        self._stuck_bytes = 0
        self.received += size
        if self.received > admitted.body_limit:
            raise TooLarge(
                f"The body has more than {admitted.body_limit} bytes.", code="body_too_large"
            )

    def keep_body(self, piece: bytes) -> None:
        """Keep a piece of the body; a body in one piece is never copied."""
        if not self._body:
            self._body = piece
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += piece

    def count_stuck(self, size: int) -> None:
        """Count bytes that brought the request no further.

        So does an endless header, trailer or chunk extension: the parser keeps or skips it
        without a word until it ends.
        """
        self._stuck_bytes += size
        if self._stuck_bytes > self._settings.header_bytes_limit:
            raise self._headers_too_large()

    def take_body(self) -> bytes:
        """Return the body that was kept, and forget it."""
        body, self._body = self._body, b""
        return bytes(body)

    @property
    def has_body(self) -> bool:
        """Whether the head announces a body, be it an empty one."""
        return any(name in _BODY_HEADERS for name, _ in self.headers)

    def has_more_than(self, size: int) -> bool:
        """Tell whether more than ``size`` bytes of the body are still to come, or may be."""
        length = self.admitted.length if self.admitted else None
        return length is None or length - self.received > size

    def _headers_too_large(self) -> HeadersTooLarge:
        settings = self._settings
        return HeadersTooLarge(
            f"The headers have more than {settings.header_bytes_limit} bytes, or there are more "
            f"than {settings.header_count_limit}."
        )
