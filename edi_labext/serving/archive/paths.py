"""Which names an archive's entries may have. Pure: nothing here touches the disk."""

from __future__ import annotations

import re
import unicodedata

from .limits import ArchiveLimits
from .refusals import bad_path, too_many_entries

_DRIVE = re.compile(r"[A-Za-z]:")
#: Control characters, halves of surrogate pairs, line and paragraph separators.
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}

Parts = tuple[str, ...]


def split_path(raw: bytes, limits: ArchiveLimits) -> Parts:
    """Return the components of an entry's name, ``()`` for the root of the archive.

    ``.`` and empty components are dropped, as every tar program does.

    Raises
    ------
    InvalidInput
        ``unsafe_path`` for what would leave the folder on any platform, ``invalid_path`` for
        what is too long, too deep, not UTF-8 or not printable.
    """
    if len(raw) > limits.path:
        raise bad_path("invalid_path", raw, f"is longer than {limits.path} bytes")
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_path("invalid_path", raw, "has a name that is not UTF-8 text") from None
    if not path:
        raise bad_path("invalid_path", path, "has no name")
    plain = path.isascii() and path.isprintable()
    if not plain and any(unicodedata.category(char) in _UNPRINTABLE for char in path):
        raise bad_path("invalid_path", path, "has a control character in its name")
    if path.startswith("/") or "\\" in path or _DRIVE.match(path):
        raise bad_path("unsafe_path", path, "is not a relative path with forward slashes")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if ".." in parts:
        raise bad_path("unsafe_path", path, "leaves the folder")
    if len(parts) > limits.depth:
        raise bad_path("invalid_path", path, f"lies more than {limits.depth} folders deep")
    for part in parts:
        if len(part.encode()) > limits.name:
            raise bad_path("invalid_path", path, f"has a name longer than {limits.name} bytes")
    return parts


def _key(path: str) -> str:
    """Return what two names share that some filesystem takes for the same."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


class Names:
    """Every file and directory of one archive, to find the ones that meet.

    Two entries meet when their paths are equal but for letter case or Unicode normal form, since
    on some filesystems the second would overwrite the first.
    """

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._seen: dict[str, tuple[str, bool]] = {}
        self._declared: set[str] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def claim(self, parts: Parts, *, directory: bool) -> None:
        """Take a path for one entry, and the directories above it that are not taken yet.

        A directory may be named after entries inside it, but only once.
        """
        self._take_parents(parts)
        path = "/".join(parts)
        key = _key(path)
        earlier = self._seen.get(key)
        if earlier is not None and (
            not directory or earlier != (path, True) or path in self._declared
        ):
            raise bad_path("duplicate_path", path, f"has the same path as {earlier[0]!a}")
        if directory:
            self._declared.add(path)
        if earlier is None:
            self._add(key, path, directory=directory)

    def _take_parents(self, parts: Parts) -> None:
        for count in range(len(parts) - 1, 0, -1):
            path = "/".join(parts[:count])
            key = _key(path)
            earlier = self._seen.get(key)
            if earlier == (path, True):
                return  # its own parents were taken with it
            if earlier is not None:
                raise bad_path("duplicate_path", path, f"has the same path as {earlier[0]!a}")
            self._add(key, path, directory=True)

    def _add(self, key: str, path: str, *, directory: bool) -> None:
        if len(self._seen) >= self._limits.entries:
            raise too_many_entries(self._limits.entries)
        self._seen[key] = (path, directory)
