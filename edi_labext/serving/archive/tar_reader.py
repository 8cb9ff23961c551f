"""A strict reader of tar archives: bytes in, entries or a typed refusal out.

It knows POSIX ustar with pax headers and GNU's long names, and yields regular files and
directories only. Where tar programs disagree about what an archive means (sizes given twice,
names given twice, data behind the end), it refuses rather than choosing: an archive has one
meaning here or none. ``tarfile`` is not used, since its filters are not a boundary
(``reliability-security.md`` finding 4).

Format: POSIX.1-2001 "pax Interchange Format", and GNU tar's manual, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import InvalidInput, echo
from .limits import ArchiveLimits
from .paths import Parts, split_path
from .refusals import (
    bad_path,
    corrupt,
    expands_too_large,
    invalid_size,
    not_an_archive,
    too_many_entries,
    trailing_data,
)
from .streams import ByteSource

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
#: Most bytes of a file that are handed out at once.
_PIECE = 256 << 10
#: Zeros taken behind the end mark; tar programs pad to their record size, 10 KiB by default.
_MAX_PADDING = 1 << 20

_POSIX_MAGIC = b"ustar\x0000"
_GNU_MAGIC = b"ustar  \x00"

_REGULAR = (b"0", b"\0")
_DIRECTORY = b"5"
_LINKS = (b"1", b"2")
_PAX, _PAX_GLOBAL = b"x", b"g"
_LONG_NAME, _LONG_LINK = b"L", b"K"
_KINDS = {b"3": "a character device", b"4": "a block device", b"6": "a FIFO", b"S": "a sparse file"}

_OWNER_EXECUTE = 0o100
#: Digits of the longest record length, and of the longest size, that are looked at.
_MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One regular file or directory.

    Attributes
    ----------
    parts:
        Safe components of the path; ``()`` is the root of the archive.
    size:
        Bytes of a file; 0 for a directory.
    executable:
        Whether the owner may execute the file. Nothing else of mode, owner and times is kept.
    """

    parts: Parts
    directory: bool
    size: int
    executable: bool


@dataclass(slots=True)
class _Extended:
    """What a long-name or pax record says about the entry that follows it."""

    path: bytes | None = None
    size: int | None = None
    pending: bool = False


class TarReader:
    """Reads one archive from ``pieces``, once, front to back.

    Raises (from :meth:`entries` and :meth:`contents`)
    ------
    InvalidInput
        With the codes of ``reliability-security.md`` rows 57-71.
    TooLarge
        ``expands_too_large``, ``too_many_entries``.
    """

    def __init__(self, pieces: Iterator[bytes], limits: ArchiveLimits) -> None:
        self._source = ByteSource(pieces)
        self._limits = limits
        self._headers = 0
        self._expanded = 0
        self._records = 0
        self._unread = 0
        self._padding = 0

    def entries(self) -> Iterator[TarEntry]:
        """Yield entry after entry; what was not read of a file's contents is skipped."""
        extended = _Extended()
        while True:
            for _ in self.contents():
                pass
            header = self._source.up_to(_BLOCK)
            if len(header) < _BLOCK:
                raise _ended() if self._headers else not_an_archive("The package is too short.")
            if header == _ZEROS:
                break
            self._headers += 1
            if self._headers > self._limits.entries:
                raise too_many_entries(self._limits.entries)
            self._check_header(header)
            kind = header[156:157]
            if kind in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
                self._read_record(kind, self._record(_size(header)), extended)
                continue
            entry = self._entry(header, kind, extended)
            extended = _Extended()
            if not entry.directory:
                self._unread = entry.size
                self._padding = -entry.size % _BLOCK
            yield entry
        if extended.pending:
            raise corrupt("it ends after a header that announces another entry")
        if self._headers == 0:
            raise InvalidInput("The archive holds no files.", code="empty_archive")
        self._check_end()

    def contents(self) -> Iterator[bytes]:
        """Yield what is left of the contents of the file that was yielded last."""
        while self._unread:
            piece = self._source.some(min(self._unread, _PIECE))
            if not piece:
                raise _ended()
            self._unread -= len(piece)
            yield piece
        if self._padding:
            self._source.exactly(self._padding)
            self._padding = 0

    def _check_header(self, header: bytes) -> None:
        posix = header[257:265] == _POSIX_MAGIC
        if not posix and header[257:265] != _GNU_MAGIC:
            if self._headers == 1:
                raise not_an_archive("The package is not a tar archive.")
            raise corrupt(f"entry {self._headers} has no tar header")
        if _octal(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 0x20:
            raise corrupt(f"the checksum of entry {self._headers} is wrong")

    def _entry(self, header: bytes, kind: bytes, extended: _Extended) -> TarEntry:
        raw = extended.path if extended.path is not None else _name(header)
        shown = echo(raw.decode("utf-8", "backslashreplace"))
        if kind in _LINKS:
            raise InvalidInput(
                f"The archive's entry {shown} is a link.",
                code="links_not_allowed",
                hint="Pack the file that it points to (`tar --dereference`).",
            )
        directory = kind == _DIRECTORY
        if not directory and kind not in _REGULAR:
            raise InvalidInput(
                f"The archive's entry {shown} is {_KINDS.get(kind, 'of an unknown kind')}.",
                code="unsupported_entry",
                hint="Only regular files and folders can be deployed.",
            )
        parts = split_path(raw, self._limits)
        size = _size(header)
        if extended.size is not None:
            if extended.size > self._limits.expanded:
                raise expands_too_large(self._limits.expanded)
            if extended.size != size:
                raise invalid_size(f"two different sizes for {shown}")
        if directory:
            if size:
                raise invalid_size(f"contents for the folder {shown}")
            return TarEntry(parts, directory=True, size=0, executable=False)
        if not parts or raw.endswith(b"/"):
            raise bad_path("invalid_path", raw, "is a file with the name of a folder")
        self._expanded += size
        if self._expanded > self._limits.expanded:
            raise expands_too_large(self._limits.expanded)
        executable = bool((_octal(header[100:108]) or 0) & _OWNER_EXECUTE)
        return TarEntry(parts, directory=False, size=size, executable=executable)

    def _record(self, size: int) -> bytes:
        """Return the contents of a metadata record; its length is checked before it is read."""
        self._records += size
        if size > self._limits.record or self._records > self._limits.records:
            raise InvalidInput(
                f"The archive holds a metadata record of {size} bytes; at most "
                f"{self._limits.record} are read, {self._limits.records} in all.",
                code="metadata_too_large",
                hint="Shorten the paths, or pack without extended attributes.",
            )
        data = self._source.exactly(size)
        self._source.exactly(-size % _BLOCK)
        return data

    def _read_record(self, kind: bytes, data: bytes, extended: _Extended) -> None:
        if kind == _LONG_LINK:
            # Names the target of a link, and links are refused when they come.
            extended.pending = True
            return
        if kind == _LONG_NAME:
            if extended.path is not None:
                raise corrupt("an entry has two long names")
            extended.path = data.partition(b"\0")[0]
            extended.pending = True
            return
        values = _pax_records(data)
        if any(key.startswith(b"GNU.sparse.") for key in values):
            raise InvalidInput("The archive holds a sparse file.", code="unsupported_entry")
        if kind == _PAX_GLOBAL:
            # `git archive` writes the commit here. A path or size for every entry is no use.
            if values.keys() & {b"path", b"size"}:
                raise corrupt("a global header sets path or size")
            return
        if b"path" in values:
            if extended.path is not None:
                raise corrupt("an entry has two long names")
            extended.path = values[b"path"]
        if b"size" in values:
            text = values[b"size"]
            if not text.isdigit() or len(text) > _MAX_DIGITS:
                raise invalid_size(echo(text.decode("utf-8", "backslashreplace")))
            if extended.size is not None:
                raise corrupt("an entry has two extended sizes")
            extended.size = int(text)
        extended.pending = True

    def _check_end(self) -> None:
        """Read on to the end: nothing but zeros may follow, and gzip checks its CRC there."""
        padding = 0
        while piece := self._source.some(_PIECE):
            padding += len(piece)
            if padding > _MAX_PADDING or piece.strip(b"\0"):
                raise trailing_data("Data follow the end of the tar archive.")


def _ended() -> InvalidInput:
    return corrupt("it ends in the middle")


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    if header[257:265] == _POSIX_MAGIC:
        prefix = header[345:500].partition(b"\0")[0]
        if prefix:
            return prefix + b"/" + name
    return name


def _octal(field: bytes) -> int | None:
    """Return the number in an octal text field, ``None`` if it holds something else."""
    text = field.strip(b" \0")
    if not text or text.strip(b"01234567"):
        return None
    return int(text, 8)


def _size(header: bytes) -> int:
    """Return the size field: octal text, or GNU's base 256 for what does not fit into it."""
    field = header[124:136]
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    size = _octal(field)
    if size is None:
        raise invalid_size(echo(field.decode("latin-1")))
    return size


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """Return the values of a pax record: lines of ``<length> <key>=<value>``."""
    values: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + _MAX_DIGITS)
        digits = data[at:space] if space > 0 else b""
        end = at + int(digits) if digits.isdigit() else 0
        if not space < end <= len(data) or data[end - 1 : end] != b"\n":
            raise corrupt("a pax header cannot be read")
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not key or not equals or key in values:
            raise corrupt("a pax header cannot be read")
        values[key] = value
        at = end
    return values
