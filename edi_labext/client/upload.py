"""The body of an upload."""

from __future__ import annotations

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
    """

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        progress: Callable[[int, int], None] | None,
        checkpoint: Callable[[], None] | None,
    ) -> None:
        self._file = file
        self._size = size
        self._sent = 0
        self._progress = progress
        self._checkpoint = checkpoint

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(_BLOCK):
            yield block

    def read(self, count: int) -> bytes:
        """Return the next block; told by urllib3 how large it may be."""
        # Once everything is on its way, only the answer tells what became of it.
        if self._checkpoint is not None and self._sent < self._size:
            self._checkpoint()
        if self._progress is not None:
            # Asked for the next block, so the one before is on its way.
            self._progress(self._sent, self._size)
        block = self._file.read(min(count, self._size - self._sent))
        self._sent += len(block)
        if not block and self._sent < self._size:
            raise StorageFailure(f"The package ended after {self._sent} of {self._size} bytes.")
        return block
