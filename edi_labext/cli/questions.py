"""Questions to the person at the terminal; without one, nobody is asked and nothing hangs."""

from __future__ import annotations

import sys

from . import output
from .endings import Refused

_YES, _NO = ("y", "yes"), ("n", "no")


def require_yes(question: str, *, unasked: str) -> None:
    """Return if the person says yes.

    Parameters
    ----------
    question:
        Without the choices.
    unasked:
        The line to end with when stdin is no terminal. dlim's own for ``deploy`` is the question
        with ``EOF``, its read error.

    Raises
    ------
    Refused
        They said no, or there is nobody to ask.
    """
    if sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        raise Refused(unasked)
    while True:
        output.prompt(f"{question} (y|n): ")
        line = sys.stdin.readline()
        answer = line.strip().lower()
        if answer in _YES:
            return
        if not line:
            output.note("EOF")
        if not line or answer in _NO:
            raise Refused("Nothing was changed.")
