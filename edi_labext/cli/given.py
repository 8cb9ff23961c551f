"""What a command is given to read: a file, or stdin for ``-``."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import InvalidInput, TooLarge, echo_path
from .endings import WrongUse


def read_given(path: str, *, limit: int) -> bytes:
    """Return the bytes of a file, or of stdin for ``-``.

    Parameters
    ----------
    limit:
        Most bytes that are taken.

    Raises
    ------
    WrongUse
        It cannot be read, or is larger.
    """
    what = describe(path)
    try:
        if path == "-":
            # None when it was closed before we were started.
            data = sys.stdin.buffer.read(limit + 1) if sys.stdin is not None else b""
        else:
            with Path(path).open("rb") as file:
                data = file.read(limit + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is no file"
        raise WrongUse(
            InvalidInput(f"{what} cannot be read: {reason}.", code="unreadable")
        ) from None
    if len(data) > limit:
        raise WrongUse(TooLarge(f"{what} has more than the {limit:,} bytes that are taken."))
    return data


def describe(path: str) -> str:
    """Return how messages call the file ``path``."""
    return "stdin" if path == "-" else echo_path(path)
