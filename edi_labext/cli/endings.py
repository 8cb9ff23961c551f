"""How a command ends when it does not end well: what is said on stderr, and the exit code.

0 done · 1 the service, or something on the way to it, refused or failed · 2 wrong use, found
before anything was sent · 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

import click

from ..errors import Cancelled, EdiError, NotConfigured, NotFound
from . import output

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

_WRONG_USE_CODES = frozenset({"environment_not_found"})


class Refused(Exception):
    """Ends the command with exit code 1 and one line, to the letter."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


class WrongUse(Exception):
    """Ends the command with exit code 2: what was given cannot be used; nothing was sent."""

    def __init__(self, error: EdiError) -> None:
        super().__init__(error.message)
        self.error = error


@contextlib.contextmanager
def wrong_use() -> Iterator[None]:
    """Make errors about what was given on the command line end with exit code 2."""
    try:
        yield
    except EdiError as error:
        raise WrongUse(error) from None


@contextlib.contextmanager
def about(name: str) -> Iterator[None]:
    """Say in dlim's words that there is no deployment ``name``, wherever that is found out."""
    try:
        yield
    except NotFound:
        raise Refused(f"Model <{name}> doesn't exist.") from None


def ending_of(error: Exception) -> int:
    """Tell ``error`` on stderr and return the exit code."""
    match error:
        case Refused():
            output.note(error.line)
            return FAILED
        case WrongUse():
            _tell(error.error)
            return WRONG_USE
        case Cancelled():
            _tell(error)
            return INTERRUPTED
        case EdiError():
            _tell(error)
            wrong = isinstance(error, NotConfigured) or error.code in _WRONG_USE_CODES
            return WRONG_USE if wrong else FAILED
        case click.UsageError():
            _tell_usage(error)
            return error.exit_code
        case click.ClickException():
            output.note(f"Error: {error.format_message()}")
            return error.exit_code
    output.note(f"Error: {_unforeseen(error)}")
    output.note("Hint: This is a fault of edi. Please report it with what you did.")
    return FAILED


def _tell(error: EdiError) -> None:
    output.note(f"Error: {error.message}")
    told = (error.detail or "").splitlines()
    # A service may name all wrong fields, with or without having put them into words.
    told = told or [f"{item['field']}: {item['message']}" for item in error.fields or ()]
    for line in told:
        output.note(f"  {line}")
    if error.hint:
        output.note(f"Hint: {error.hint}")


def _tell_usage(error: click.UsageError) -> None:
    context = error.ctx
    if context is not None:
        output.note(context.get_usage())
        output.note(f'Try "{context.command_path} --help".')
    output.note(f"Error: {error.format_message()}")


def _unforeseen(error: Exception) -> str:
    """Return the error with the place where it arose, but without values of variables."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    # What is missing from an installation is no secret; the text of another error might be.
    what = f": {error}" if isinstance(error, ImportError) else ""
    return f"unexpected {type(error).__name__}{place}{what}."
