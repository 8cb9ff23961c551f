"""The body of an upload."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ..errors import StorageFailure

#: Seconds that an upload's answer may take: the other side unpacks before it answers.
UPLOAD_TIMEOUT = 600.0
#: Seconds that one write may take. While a body is sent, urllib3 applies the connect timeout to
#: each write, and the disk of the other side may well pause for longer than one waits to connect.
WRITE_TIMEOUT = 30.0

_BLOCK = 256 << 10


class Upload:
    """A body of known length, sent in blocks, which can be stopped between two of them.

    It has what requests asks of a streamed body: a length, a ``read``, and that it can be iterated.

    Parameters
    ----------
    file:
        Read from where it stands.
    size:
        Bytes to send.
    progress, checkpoint:
        As for :meth:`~edi_labext.client.EdiClient.deploy`.
    as_form:
        Send it as the field ``userfile`` of a ``multipart/form-data`` form, which is what WMLA
        2.3.0 takes (``reference/rest-api.md`` section 5), instead of as the body itself.
    """

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        progress: Callable[[int, int], None] | None,
        checkpoint: Callable[[], None] | None,
        *,
        as_form: bool = False,
    ) -> None:
        self._file = file
        self._start = file.tell() if file.seekable() else None
        self._size = size
        self._progress = progress
        self._checkpoint = checkpoint
        self.content_type = "application/octet-stream"
        self._head = self._tail = b""
        if as_form:
            # Long enough by chance not to be in the package.
            boundary = f"edi-{secrets.token_hex(24)}"
            self.content_type = f"multipart/form-data; boundary={boundary}"
            self._head = (
                f"--{boundary}\r\n"
                'Content-Disposition: form-data; name="userfile"; filename="package.tar.gz"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._sent = 0
        self._before = self._head
        self._after = self._tail

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(_BLOCK):
            yield block

    def rewind(self) -> bool:
        """Begin anew, after an answer that says that nothing was done; tell whether that works."""
        if self._start is None:
            return False
        self._file.seek(self._start)
        self._sent = 0
        self._before, self._after = self._head, self._tail
        return True

    def read(self, count: int) -> bytes:
        """Return the next block; told by urllib3 how large it may be."""
        # Once everything is on its way, only the answer tells what became of it.
        if self._checkpoint is not None and self._sent < self._size:
            self._checkpoint()
        if self._before:
            block, self._before = self._before[:count], self._before[count:]
            return block
        if self._progress is not None:
            # Asked for the next block, so the one before is on its way.
            self._progress(self._sent, self._size)
        block = self._file.read(min(count, self._size - self._sent))
        self._sent += len(block)
        if not block and self._sent < self._size:
            raise StorageFailure(f"The package ended after {self._sent} of {self._size} bytes.")
        if not block:
            block, self._after = self._after[:count], self._after[count:]
        return block
