"""The few disk operations on which durability rests, in one object.

Everything that must survive a crash goes through a :class:`Disk`, so that a test can hand in one
that fails, stops the process, or keeps a record at the n-th operation. All calls block: they are
made in the store's thread or in an archive worker, never on the loop.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sqlite3
from pathlib import Path

from ...errors import EdiError, OutOfSpace, StorageFailure, Unavailable

#: Modes of everything in a store: nobody but the owner, under any umask.
DIRECTORY_MODE = 0o700
FILE_MODE = 0o600

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Disk:
    """The real disk. Paths are inside one store, which lies on one filesystem."""

    def make_directory(self, path: Path | bytes, *, dir_fd: int | None = None) -> None:
        """Create one directory of mode 0700; its parent is not synced."""
        os.mkdir(path, DIRECTORY_MODE, dir_fd=dir_fd)
        # mkdir's mode is cut by the umask; a directory of ours must be usable under any.
        os.chmod(path, DIRECTORY_MODE, dir_fd=dir_fd)

    def create_file(
        self, path: Path | bytes, *, mode: int = FILE_MODE, dir_fd: int | None = None
    ) -> int:
        """Create a file that must not exist, and return its descriptor for writing."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        fd = os.open(path, flags, mode, dir_fd=dir_fd)
        os.fchmod(fd, mode)
        return fd

    def write(self, fd: int, data: bytes) -> None:
        """Write all of ``data``."""
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    def sync(self, fd: int) -> None:
        """Return once the file or directory is on stable storage."""
        os.fsync(fd)

    def sync_filesystem(self, fd: int) -> bool:
        """Return once everything on the filesystem that holds ``fd`` is on stable storage.

        Errors of writing since ``fd`` was opened are raised (Linux 5.8 and newer). False, with
        nothing done, where the system has no such call.
        """
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            return False
        if syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return True

    def rename(self, source: Path, target: Path) -> None:
        """Move a file or directory within the store."""
        source.rename(target)

    def commit(self, connection: sqlite3.Connection) -> None:
        """Make the open transaction durable (``synchronous`` is FULL)."""
        connection.execute("COMMIT")

    def remove_tree(self, path: Path) -> None:
        """Remove a directory and all that is in it; links are removed, not followed."""
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            return
        except PermissionError:
            # A kernel may have left directories behind that even their owner cannot change.
            path.chmod(DIRECTORY_MODE)
            for folder, names, _ in os.walk(path):
                for name in names:
                    inner = Path(folder, name)
                    if not inner.is_symlink():
                        inner.chmod(DIRECTORY_MODE)
            shutil.rmtree(path)

    def remove_file(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def remove_directory(self, path: Path) -> None:
        """Remove a directory, which must be empty."""
        path.rmdir()

    def sync_directory(self, path: Path) -> None:
        """Make the entries of a directory durable: what was created, renamed or removed in it."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.sync(fd)
        finally:
            os.close(fd)

    def sync_file(self, path: Path) -> None:
        """Make a file durable that something else has written."""
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            self.sync(fd)
        finally:
            os.close(fd)

    def write_file(self, path: Path, data: bytes) -> None:
        """Create ``path`` with ``data``, durable but for its directory entry."""
        fd = self.create_file(path)
        try:
            self.write(fd, data)
            self.sync(fd)
        finally:
            os.close(fd)


def is_media_failure(error: BaseException) -> bool:
    """Tell whether the disk itself failed, so that nothing more may be trusted to it.

    After a failed fsync the kernel marks the pages clean: a second try would succeed without
    having written anything.
    """
    if isinstance(error, OSError):
        return error.errno == errno.EIO
    if isinstance(error, sqlite3.Error):
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        return primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return False


def storage_error(error: OSError | sqlite3.Error, doing: str, where: Path) -> EdiError:
    """Return what people are told when the disk or the database refused.

    Parameters
    ----------
    doing:
        What was attempted, to follow "could not": ``"write the package"``.
    where:
        The directory or file concerned.
    """
    if isinstance(error, OSError):
        full = error.errno in _FULL
        reason = error.strerror or type(error).__name__
    else:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Unavailable(
                f"Another program holds the database of the store {where}.",
                code="store_busy",
                hint="End that program, or try again in a moment.",
                retry_after=1.0,
            )
        full = code == sqlite3.SQLITE_FULL
        reason = str(error)
    if full:
        return OutOfSpace(
            f"There is no space left to {doing} in {where}.",
            hint="Undeploy what is no longer needed, or free space on that disk.",
        )
    return StorageFailure(
        f"Could not {doing} in {where}: {reason}.",
        hint="Check that the disk is healthy and that this user may write there.",
    )
