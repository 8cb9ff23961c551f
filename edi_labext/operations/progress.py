"""How an action tells what it does, and how it is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import Cancelled

#: The steps of an action.
Phase = Literal["check", "pack", "upload", "update", "start", "stop", "undeploy"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an action is.

    Attributes
    ----------
    phase:
        The step.
    fraction:
        Share of that step that is done, 0 to 1, or ``None`` when nobody knows.
    message:
        One sentence for people, without a full stop.
    """

    phase: Phase
    fraction: float | None
    message: str


#: Takes each new :class:`Progress`, in the thread of the action.
Report = Callable[[Progress], None]


def quiet(progress: Progress) -> None:
    """Take a report and do nothing with it."""


class Cancellation:
    """A wish to end an action, given by one thread and met by another."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the action to end at its next checkpoint; harmless when repeated."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def checkpoint(self) -> None:
        """Raise :class:`~edi_labext.errors.Cancelled` if somebody asked."""
        if self._event.is_set():
            raise Cancelled("Cancelled.")

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until somebody asks; then raise like :meth:`checkpoint`."""
        self._event.wait(seconds)
        self.checkpoint()
