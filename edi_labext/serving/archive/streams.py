"""From the bytes of a body to the bytes of a tar archive. Pure: iterators in, iterators out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain

from ...errors import InvalidInput, TooLarge, UnsupportedMedia
from .limits import ArchiveLimits
from .refusals import corrupt, expands_too_large, not_an_archive, trailing_data

#: Most bytes that come out of the decompressor at once: bounds memory, whatever is fed to it.
_PIECE = 256 << 10
#: As much as must be seen to tell formats apart: one tar header.
_HEAD = 512

_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"\x04\x22\x4d\x18": "lz4",
}


def open_tar(blocks: Iterator[bytes], limits: ArchiveLimits) -> Iterator[bytes]:
    """Return the pieces of the tar archive that ``blocks`` hold, decompressed if need be.

    The format is told by its first bytes, since clients send a gzip as ``mnist.tar``
    (``reference/rest-api.md`` section 5).

    Raises
    ------
    UnsupportedMedia
        For other archive formats.
    InvalidInput
        ``not_an_archive``; while iterating ``corrupt_archive`` and ``trailing_data``.
    TooLarge
        While iterating: ``file_too_large``, ``expands_too_large``.
    """
    counted = _at_most(blocks, limits.packed)
    head = b""
    while len(head) < _HEAD:
        block = next(counted, None)
        if block is None:
            break
        head += block
    if not head:
        raise not_an_archive("The package is empty: 0 bytes.")
    rest = chain((head,), counted)
    if head.startswith(_GZIP):
        return _gunzip(rest, limits)
    if head[257:262] == b"ustar" or not head.strip(b"\0"):
        return rest
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            raise UnsupportedMedia(
                f"The package is a {name} file.", hint="Send a .tar.gz or .tar file."
            )
    raise not_an_archive("The package is neither a tar nor a gzip file.")


def _at_most(blocks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > limit:
            raise TooLarge(
                f"The package has more than {limit} bytes.",
                code="file_too_large",
                hint="Leave large files out and fetch them when the kernel starts.",
            )
        yield block


def _gunzip(blocks: Iterator[bytes], limits: ArchiveLimits) -> Iterator[bytes]:
    """Decompress exactly one gzip member; zlib checks its length and CRC-32."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    packed = expanded = 0
    complete = False
    for block in blocks:
        if complete and block:
            raise _behind_gzip(block)
        packed += len(block)
        pending, piece = block, b""
        # A full piece may mean that more is held back inside, even with nothing left to feed.
        while not complete and (pending or len(piece) == _PIECE):
            try:
                piece = inflater.decompress(pending, _PIECE)
            except zlib.error:
                raise corrupt("its compressed data cannot be read") from None
            pending = inflater.unconsumed_tail
            complete = inflater.eof
            expanded += len(piece)
            if expanded > limits.ratio_from and expanded > packed * limits.ratio:
                raise expands_too_large(limits.expanded)
            if piece:
                yield piece
        if inflater.unused_data:
            raise _behind_gzip(inflater.unused_data)
    if not complete:
        raise corrupt("it ends in the middle")


def _behind_gzip(data: bytes) -> InvalidInput:
    if data.startswith(_GZIP):
        return trailing_data("A second gzip member follows the first.")
    return trailing_data("Data follow the end of the gzip stream.")


class ByteSource:
    """Reads a known number of bytes at a time out of pieces of any length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0

    def some(self, most: int) -> bytes:
        """Return 1 to ``most`` bytes as they come, or ``b""`` at the end."""
        while self._at >= len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._piece, self._at = piece, 0
        start = self._at
        self._at = min(len(self._piece), start + most)
        if start == 0 and self._at == len(self._piece):
            return self._piece
        return self._piece[start : self._at]

    def up_to(self, count: int) -> bytes:
        """Return ``count`` bytes, fewer only at the end."""
        first = self.some(count) if count else b""
        if len(first) == count:
            return first
        got = [first]
        missing = count - len(first)
        while missing and (piece := self.some(missing)):
            got.append(piece)
            missing -= len(piece)
        return b"".join(got)

    def exactly(self, count: int) -> bytes:
        """Return ``count`` bytes; ``corrupt_archive`` when fewer are left."""
        data = self.up_to(count)
        if len(data) < count:
            raise corrupt("it ends in the middle")
        return data
