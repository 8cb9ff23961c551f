"""How far an action is: one display that changes in a notebook, lines in a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from IPython import display as ipython

from .tables import escape, printable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

#: Seconds after which a terminal gets a further line for a long step.
LINE_EVERY = 5.0
#: Seconds after which a notebook's display says for how long a step has lasted.
PATIENT = 2.0


class Board(Protocol):
    """Where progress is shown."""

    def show(self, message: str, fraction: float | None, *, phase: str = "") -> None:
        """Show a step; ``fraction`` is 0 to 1, ``None`` when nobody knows."""

    def tick(self) -> None:
        """Do what is due while nothing new is shown; called about twice a second."""

    def finish(self, what: str, ending: str) -> None:
        """Show the end: ``ending`` is ``Done``, ``Cancelled`` or ``Failed``."""


def board_for(shell: InteractiveShell) -> Board:
    """Return a board that suits the shell: a notebook's kernel, or a terminal."""
    return NotebookBoard() if is_notebook(shell) else TerminalBoard()


def is_notebook(shell: InteractiveShell) -> bool:
    """Tell whether ``shell`` is a notebook's kernel."""
    return getattr(shell, "kernel", None) is not None


def tell(shell: InteractiveShell, text: str) -> None:
    """Tell something that is no result: on stderr, but in a notebook, where that looks alarming."""
    if is_notebook(shell):
        show: Any = ipython.display  # untyped
        show(_Line(text, 1.0, is_end=True))
    else:
        print(printable(text), file=sys.stderr)


class TerminalBoard:
    """Plain lines: one per step, and one now and then within a long one."""

    def __init__(self) -> None:
        self._phase = ""
        self._shown = ""
        self._at = 0.0
        self._started = time.monotonic()

    def show(self, message: str, fraction: float | None, *, phase: str = "") -> None:
        """Print a line for a new step, a new message, or after a while."""
        now = time.monotonic()
        is_news = phase != self._phase or (fraction is None and message != self._shown)
        if is_news or (now - self._at > LINE_EVERY and message != self._shown):
            print(printable(message), flush=True)
            self._phase, self._shown, self._at = phase, message, now

    def tick(self) -> None:
        """Print nothing."""

    def finish(self, what: str, ending: str) -> None:
        """Print the end."""
        print(_ended(what, ending, self._started), flush=True)


class NotebookBoard:
    """One display that is updated, and ends as a single line."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = _Line("", None)
        self._started = self._since = time.monotonic()

    def show(self, message: str, fraction: float | None, *, phase: str = "") -> None:
        """Update the display."""
        if message != self._last.message:
            self._since = time.monotonic()
        self._update(_Line(message, fraction))

    def tick(self) -> None:
        """Tell for how long the last step has lasted."""
        waited = time.monotonic() - self._since
        if self._last.message and waited >= PATIENT:
            self._update(_Line(self._last.message, self._last.fraction, waited))

    def finish(self, what: str, ending: str) -> None:
        """Leave one line."""
        self._update(_Line(_ended(what, ending, self._started), 1.0, is_end=True))

    def _update(self, line: _Line) -> None:
        self._last = line
        if self._handle is None:
            show: Any = ipython.display  # untyped
            self._handle = show(line, display_id=True)
        else:
            self._handle.update(line)


class _Line:
    def __init__(
        self,
        message: str,
        fraction: float | None,
        waited: float = 0.0,
        *,
        is_end: bool = False,
    ) -> None:
        self.message = message
        self.fraction = fraction
        self.waited = waited
        self.is_end = is_end

    def __repr__(self) -> str:
        after = f" ({self.waited:.0f} s)" if self.waited else ""
        return printable(self.message + after)

    def _repr_html_(self) -> str:
        if self.is_end:
            return f"<span>{escape(repr(self))}</span>"
        value = "" if self.fraction is None else f' value="{self.fraction:.2f}" max="1"'
        return (
            f'<span role="status"><progress{value} aria-label="progress"></progress> '
            f"{escape(repr(self))}</span>"
        )


def _ended(what: str, ending: str, started: float) -> str:
    return f"{ending}: {what} ({time.monotonic() - started:.1f} s)"
