"""Files that a command writes: never half, and never over another without being told to."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from ..errors import Conflict, InvalidInput, StorageFailure, echo_path
from .endings import WrongUse

Result = TypeVar("Result")


def refuse_unwritable(path: Path, *, force: bool) -> None:
    """Find out before any work what :func:`write_file` would refuse.

    Raises
    ------
    WrongUse
        It is a folder, there already without ``force``, or its folder is not there.
    """
    what = echo_path(os.fspath(path))
    if path.is_dir():
        raise WrongUse(InvalidInput(f"{what} is a folder.", hint="Name a file."))
    if os.path.lexists(path) and not force:
        raise WrongUse(
            Conflict(f"{what} is there already.", code="exists", hint="Use -f to replace it.")
        )
    if not path.absolute().parent.is_dir():
        raise WrongUse(InvalidInput(f"The folder of {what} does not exist."))


def write_file(path: Path, write: Callable[[BinaryIO], Result], *, force: bool) -> Result:
    """Call ``write`` with a file that becomes ``path`` once it is whole, and return its result.

    A link is followed: what it leads to is replaced.

    Raises
    ------
    WrongUse
        See :func:`refuse_unwritable`.
    StorageFailure
        It cannot be written; nothing is left of it.
    """
    refuse_unwritable(path, force=force)
    target = path.resolve()
    part: str | None = None
    try:
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            result = write(file)
            file.flush()
            os.fchmod(handle, 0o666 & ~_umask())
        if force:
            os.replace(part, target)  # noqa: PTH105 - both are text here
            part = None
        else:
            # Fails if somebody made the file meanwhile, which a rename would not.
            os.link(part, target)
    except FileExistsError:
        refuse_unwritable(path, force=False)
        raise
    except OSError as error:
        raise StorageFailure(
            f"{echo_path(os.fspath(path))} cannot be written: {error.strerror or 'no reason'}."
        ) from None
    finally:
        if part is not None:
            with contextlib.suppress(OSError):
                Path(part).unlink()
    return result


def _umask() -> int:
    """Return the process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
