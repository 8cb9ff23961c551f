"""Write a fix: the one place where the checks change a file of the user."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from ...errors import Conflict, OutOfSpace, StorageFailure, echo
from ..beneath import open_subfolder, opened_folder
from .check import check_folder
from .findings import Change

_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def apply_fix(folder: Path, fix_id: str, *, name: str | None = None) -> None:
    """Make the change of one fix that :func:`~.check.check_folder` offers for ``folder``.

    The file is replaced in one step, keeps its mode, and holds either the old or the new content,
    whatever happens. A new file never takes the place of one that is there.

    Parameters
    ----------
    folder:
        The folder.
    fix_id:
        :attr:`~.findings.Fix.id` of a fix.
    name:
        The name that the folder was checked with.

    Raises
    ------
    Conflict
        ``changed_since_check`` when the folder no longer has this fix to offer or the file is not
        as it was; ``not_writable``.
    OutOfSpace, StorageFailure
        It could not be written; the file is as it was.
    NotFound, InvalidInput
        As for :func:`~.check.check_folder`.
    """
    report = check_folder(folder, name=name)
    fixes = (found.fix for found in report.findings if found.fix is not None)
    fix = next((fix for fix in fixes if fix.id == fix_id), None)
    if fix is None:
        raise _changed("The folder")
    try:
        with opened_folder(report.submission.folder) as root:
            _write(root, fix.change)
    except OSError as error:
        raise _not_written(fix.change.path, error) from None


def _write(root: int, change: Change) -> None:
    *folders, name = change.path.split("/")
    with contextlib.ExitStack() as stack:
        parent = os.dup(root)
        stack.callback(os.close, parent)
        for folder in folders:
            parent = open_subfolder(parent, folder)
            stack.callback(os.close, parent)
        mode = 0o666 if change.before is None else _unchanged(parent, name, change)
        with _written(parent, name, change.after, mode, keep=change.before is not None) as new:
            if change.before is None:
                _place(parent, new, name, change.after)
            else:
                os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)
        os.fsync(parent)


def _place(parent: int, new: str, name: str, data: bytes) -> None:
    """Give the new file its name, unless there is something of that name."""
    try:
        # A second name, unlike a change of name, never replaces what is there.
        os.link(new, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # A file system without hard links.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
        with os.fdopen(os.open(name, flags, 0o666, dir_fd=parent), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _unchanged(parent: int, name: str, change: Change) -> int:
    """Return the mode of the file if it still holds what was checked."""
    # For writing too: a file that is protected against it is not replaced behind its back.
    descriptor = os.open(name, os.O_RDWR | _FILE, dir_fd=parent)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        before = change.before or b""
        if not stat.S_ISREG(status.st_mode) or file.read(len(before) + 1) != before:
            raise _changed(echo(change.path))
        return stat.S_IMODE(status.st_mode)


@contextlib.contextmanager
def _written(parent: int, name: str, data: bytes, mode: int, *, keep: bool) -> Iterator[str]:
    """Write a file beside ``name`` and yield what it is called; it does not stay there."""
    # Hidden, so that a package made at this moment leaves it out.
    temporary = f".{name[:100]}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
    descriptor = os.open(temporary, flags, mode if not keep else 0o600, dir_fd=parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if keep:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)


def _not_written(path: str, error: OSError) -> Exception:
    if error.errno in (errno.ENOENT, errno.EEXIST, errno.ELOOP, errno.ENOTDIR, errno.EISDIR):
        return _changed(echo(path))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ETXTBSY):
        return Conflict(
            f"{echo(path)} may not be changed: {error.strerror}.",
            code="not_writable",
            hint="Change its permissions, or mend it by hand.",
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpace(f"There is no room to write {echo(path)}.", hint="Free some space.")
    return StorageFailure(f"{echo(path)} could not be written: {error.strerror}.")


def _changed(what: str) -> Conflict:
    return Conflict(
        f"{what} has changed since it was checked.",
        code="changed_since_check",
        hint="Look at the findings as they are now.",
    )
