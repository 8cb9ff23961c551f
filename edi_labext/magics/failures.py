"""Failures as a notebook shows them: one line, and what to do next in words of ``%edi``."""

from __future__ import annotations

import argparse

from ..errors import EdiError, NotFound
from .line import did_you_mean
from .session import Session

#: How our engine, and an EDI that gives no code, say that there is no such deployment.
_NO_DEPLOYMENT = frozenset({"no_such_model", NotFound.code})


def in_one_line(error: EdiError) -> EdiError:
    """Return ``error`` as it was, but shown by IPython without a traceback.

    It stays the error it is, so that code around ``run_line_magic`` can tell one from another.
    """

    def render() -> list[str]:
        text = f"{type(error).__name__}: {error.message}"
        lines = [f"{text} {error.hint}" if error.hint else text]
        if error.fields:
            lines += (f"  {problem['field']}: {problem['message']}" for problem in error.fields)
        elif error.detail:
            lines += (f"  {line}" for line in error.detail.splitlines())
        return lines

    # IPython asks an exception for this before it makes a traceback.
    error._render_traceback_ = render  # type: ignore[attr-defined]
    return error


def with_next_step(error: EdiError, arguments: argparse.Namespace, session: Session) -> EdiError:
    """Return ``error``; one about an unknown deployment names the one that was probably meant."""
    name = getattr(arguments, "name", None)
    if isinstance(error, NotFound) and error.code in _NO_DEPLOYMENT and name:
        guess = did_you_mean(name, session.names(arguments.env)).removeprefix(": ").capitalize()
        error.hint = guess if guess != "." else "%edi list shows those there are."
    return error
