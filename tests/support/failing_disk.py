"""Disks that fail or stop the process at the n-th operation."""

from __future__ import annotations

import errno
import os
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
    "remove_file",
    "remove_directory",
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
        try:
            return real(self, *arguments, **options)
        finally:  # behind an operation that fails by itself, too
            self.after(name, arguments, options.get("dir_fd"))

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
