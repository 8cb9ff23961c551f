"""Writes the entries of an archive into one new directory, and nowhere else.

All work is relative to open directory descriptors: no path is ever resolved from the root of the
filesystem, no link is followed (none is created either), and no file that exists is opened.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType

from ..store.disk import DIRECTORY_MODE, FILE_MODE, Disk
from .limits import ArchiveLimits, Deadline
from .paths import Names, Parts
from .refusals import bad_path
from .tar_reader import TarEntry, TarReader

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

#: From this many files and folders on, syncing the whole filesystem is cheaper than each of them.
_MANY = 256


class Extractor:
    """Fills ``root``, an empty directory that nobody else writes to.

    A context manager: it holds one descriptor for each folder on the way to the current one.

    Attributes
    ----------
    size:
        Bytes written so far, the sum of the lengths of all regular files.
    files:
        Regular files made so far.
    """

    def __init__(
        self, root: Path, *, limits: ArchiveLimits, disk: Disk, deadline: Deadline | None = None
    ) -> None:
        self._disk = disk
        self._deadline = deadline
        self._names = Names(limits)
        self._fds = [os.open(root, _OPEN_DIRECTORY)]
        self._open: Parts = ()
        self.size = 0
        self.files = 0

    def __enter__(self) -> Extractor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._fds:
            os.close(self._fds.pop())

    @property
    def root(self) -> int:
        """Descriptor of the directory that is filled."""
        return self._fds[0]

    def extract(self, reader: TarReader) -> None:
        """Write every entry. On an error what was written so far is left for the caller."""
        for entry in reader.entries():
            self._check_time()
            if not entry.parts:
                continue
            self._names.claim(entry.parts, directory=entry.directory)
            try:
                if entry.directory:
                    self._enter(entry.parts)
                else:
                    self._write(entry, reader)
            except OSError as error:
                raise _refusal_of_name(error, entry.parts) or error from None

    def sync(self) -> None:
        """Make all files and folders durable.

        Kept apart from writing, so that an archive that is refused costs no wait for the disk.
        Many small files are synced at one stroke: one by one, each would cost a flush of the
        disk's cache (20,000 of them took 35 s).
        """
        if len(self._names) > _MANY and self._disk.sync_filesystem(self.root):
            return
        for _, _, files, folder in os.fwalk(".", topdown=False, dir_fd=self.root):
            for name in files:
                self._check_time()
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    self._disk.sync(fd)
                finally:
                    os.close(fd)
            self._disk.sync(folder)

    def _write(self, entry: TarEntry, reader: TarReader) -> None:
        *folders, name = entry.parts
        self._enter(tuple(folders))
        mode = DIRECTORY_MODE if entry.executable else FILE_MODE
        fd = self._disk.create_file(name.encode(), mode=mode, dir_fd=self._fds[-1])
        try:
            for piece in reader.contents():
                self._check_time()
                self._disk.write(fd, piece)
                self.size += len(piece)
        finally:
            os.close(fd)
        self.files += 1

    def _enter(self, parts: Parts) -> None:
        """Make ``parts`` the open directory, creating what is missing."""
        common = 0
        for old, new in zip(self._open, parts, strict=False):
            if old != new:
                break
            common += 1
        while len(self._open) > common:
            os.close(self._fds.pop())
            self._open = self._open[:-1]
        for name in parts[common:]:
            raw = name.encode()
            try:
                fd = os.open(raw, _OPEN_DIRECTORY, dir_fd=self._fds[-1])
            except FileNotFoundError:
                self._disk.make_directory(raw, dir_fd=self._fds[-1])
                fd = os.open(raw, _OPEN_DIRECTORY, dir_fd=self._fds[-1])
            self._fds.append(fd)
            self._open = (*self._open, name)

    def _check_time(self) -> None:
        if self._deadline is not None:
            self._deadline.check()


def _refusal_of_name(error: OSError, parts: Parts) -> Exception | None:
    """Return the refusal of a name that this very filesystem cannot hold, if that is the case."""
    path = "/".join(parts)
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
        return bad_path("invalid_path", path, "has a name that the store's disk cannot hold")
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return bad_path("duplicate_path", path, "has the same path as an earlier one")
    return None
