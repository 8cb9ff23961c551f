"""A clock that stands still until a test moves it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class FakeHandle:
    """One call on a :class:`FakeClock`."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """Implements ``serving.clock.Clock``; due calls run in order, none is skipped."""

    def __init__(self, start: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._now = start
        self._wall = wall
        self._order = itertools.count()
        self._calls: list[tuple[float, int, FakeHandle]] = []

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._wall

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeHandle:
        handle = FakeHandle(callback)
        heapq.heappush(self._calls, (when, next(self._order), handle))
        return handle

    def advance(self, seconds: float) -> None:
        """Move time forward, running each due call at its own time."""
        end = self._now + seconds
        while self._calls and self._calls[0][0] <= end:
            when, _, handle = heapq.heappop(self._calls)
            self._wall += max(0.0, when - self._now)
            self._now = max(self._now, when)
            if handle.callback is not None:
                handle.callback()
        self._wall += end - self._now
        self._now = end

    @property
    def pending(self) -> int:
        """How many calls wait that were not cancelled."""
        return sum(1 for _, _, handle in self._calls if handle.callback is not None)
