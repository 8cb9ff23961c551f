"""Time, injected: the only place of the engine that asks the operating system for it.

(The kernel host has its own, since it runs in the user's interpreter.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

#: Monotonic seconds, for threads that have no loop.
monotonic: Callable[[], float] = time.monotonic


class Handle(Protocol):
    """A call that was put on a clock and can be taken back."""

    def cancel(self) -> None:
        """Take the call back; harmless when it has run."""


class Clock(Protocol):
    """What the engine knows of time."""

    def now(self) -> float:
        """Return monotonic seconds, for durations and deadlines."""

    def wall(self) -> float:
        """Return Unix seconds UTC, for display only: it may jump."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        """Call ``callback`` on the loop once :meth:`now` has reached ``when``."""


class LoopClock:
    """The clock of a running asyncio loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """See :meth:`Clock.now`."""
        # Not the loop's own time: uvloop's moves in steps of a millisecond, and the work of a
        # kernel is measured in microseconds.
        return time.monotonic()

    def wall(self) -> float:
        """See :meth:`Clock.wall`."""
        return time.time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        """See :meth:`Clock.call_at`."""
        return self._loop.call_later(max(0.0, when - time.monotonic()), callback)
