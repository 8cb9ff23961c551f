"""Disks that fail, stop the process, or remember, at the n-th operation."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

from edi_labext.serving.store.disk import Disk

#: The operations that change or secure something; the others are made of them.
OPERATIONS = (
    "make_directory",
    "create_file",
    "write",
    "sync",
    "sync_filesystem",
    "rename",
    "commit",
    "remove_tree",
)


class Crash(BaseException):
    """The process is gone: no operation after this one happens."""


class CountingDisk(Disk):
    """Counts the operations and lets a subclass act before and after each."""

    def __init__(self) -> None:
        self.count = 0
        self.armed = True

    def before(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None: ...

    def after(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None: ...


def _wrapped(name: str) -> Any:
    real = getattr(Disk, name)

    def operation(self: CountingDisk, *arguments: Any, **options: Any) -> Any:
        if not self.armed:
            return real(self, *arguments, **options)
        self.count += 1
        self.before(name, arguments, options.get("dir_fd"))
        result = real(self, *arguments, **options)
        self.after(name, arguments, options.get("dir_fd"))
        return result

    return operation


for _name in OPERATIONS:
    setattr(CountingDisk, _name, _wrapped(_name))


class FailingDisk(CountingDisk):
    """Raises ``OSError`` in place of the n-th operation, counted from 1; the others work."""

    def __init__(self, number: int, error: int = errno.ENOSPC) -> None:
        super().__init__()
        self.number = number
        self.error = error

    def before(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        if self.count == self.number:
            raise OSError(self.error, os.strerror(self.error))


class CrashingDisk(CountingDisk):
    """Raises :class:`Crash` before or after the n-th operation, and at all that follow."""

    def __init__(self, number: int, *, after: bool) -> None:
        super().__init__()
        self.number = number
        self.late = after

    def before(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        if self.count > self.number or (self.count == self.number and not self.late):
            raise Crash

    def after(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        if self.count == self.number:
            raise Crash


class WatchingDisk(CountingDisk):
    """Checks at every commit that what was made before it is on stable storage.

    ``unsynced`` are the files and directories with a change that no sync has followed. What only
    staging and trash hold need not last. ``skip`` is the number of a sync that is left out.
    """

    def __init__(self, skip: int = 0) -> None:
        super().__init__()
        self.unsynced: dict[tuple[int, int], str] = {}
        self.faults: list[str] = []
        self.syncs = 0
        self.skip = skip

    def after(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        if name == "write":
            self._changed(Path(os.readlink(f"/proc/self/fd/{arguments[0]}")))
        elif name in ("make_directory", "create_file"):
            if dir_fd is not None:
                self._changed(Path(os.readlink(f"/proc/self/fd/{dir_fd}")))
            else:
                self._changed(arguments[0].parent)
        elif name == "sync":
            self.syncs += 1
            if self.syncs != self.skip:
                self.unsynced.pop(_identity(os.fstat(arguments[0])), None)
        elif name == "sync_filesystem":
            self.unsynced.clear()
        elif name == "rename":
            target = arguments[1]
            if target.parent.name != "trash":
                self._changed(target.parent)
                self._expect_synced(target)

    def before(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        if name == "commit":
            assert isinstance(arguments[0], sqlite3.Connection)
            if self.unsynced:
                self.faults.append(f"not synced before the commit: {self.unsynced.values()}")
            self.unsynced.clear()

    def _changed(self, path: Path) -> None:
        passing = path.name == "staging" or path.parent.name == "staging"
        if not passing or path.suffix == ".json":
            self.unsynced[_identity(path.stat())] = str(path)

    def _expect_synced(self, path: Path) -> None:
        """A name must not appear before what it names is durable."""
        for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
            if _identity(each.stat()) in self.unsynced:
                self.faults.append(f"{each} got its name before it was synced")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
