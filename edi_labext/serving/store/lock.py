"""One engine per store: a lock that the operating system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ...errors import Conflict
from .disk import FILE_MODE


class StoreLock:
    """Holds ``<store>/lock`` from construction to :meth:`release`.

    The file holds the pid of its owner, for messages only: no process is judged or signalled by
    it. Children do not inherit the descriptor, but a process forked without exec shares the lock.

    Raises
    ------
    Conflict
        ``store_in_use`` with the owner's pid.
    OSError
        When the file cannot be made, or its filesystem knows no locks.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        try:
            os.fchmod(self._fd, FILE_MODE)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise Conflict(
                    f"The store {path.parent} is in use by another serving engine (pid {owner}).",
                    code="store_in_use",
                    hint="Use that engine, stop it with `edi serve --stop`, or set EDI_STORE to "
                    "another directory.",
                ) from None
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(self._fd)
            raise

    def release(self) -> None:
        """Let another engine have the store. The file stays, since removing it would race."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)
