"""Open files below a folder without ever leaving it.

A path checked first and opened later may have become a symbolic link in between. Here every step
is taken from the directory descriptor before it and refuses links, so what is read is what was
meant, or nothing.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import Conflict, echo

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextlib.contextmanager
def opened_folder(folder: Path) -> Iterator[int]:
    """Open ``folder`` itself (which may be a link) and yield its descriptor."""
    descriptor = os.open(folder, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_subfolder(parent: int, name: str) -> int:
    """Open the folder ``name`` directly inside ``parent``; a link raises :class:`OSError`."""
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)


@contextlib.contextmanager
def opened_file(root: int, path: str) -> Iterator[tuple[int, os.stat_result]]:
    """Open the regular file ``path`` below ``root``; yield its descriptor and status.

    Raises
    ------
    Conflict
        ``changed_while_packed`` when it is gone, or no longer a plain file without links.
    """
    *folders, name = path.split("/")
    current = os.dup(root)
    try:
        for folder in folders:
            following = open_subfolder(current, folder)
            os.close(current)
            current = following
        descriptor = os.open(name, _FILE, dir_fd=current)
    except OSError as error:
        raise changed(path, error.strerror or "it cannot be opened") from None
    finally:
        os.close(current)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise changed(path, "it is no longer a plain file")
        yield descriptor, status
    finally:
        os.close(descriptor)


def changed(path: str, what: str) -> Conflict:
    """Return the error for a file that is not what it was when the folder was inspected."""
    return Conflict(
        f"{echo(path)} changed while it was packed: {what}.",
        code="changed_while_packed",
        hint="Deploy again when nothing writes to the folder.",
    )
