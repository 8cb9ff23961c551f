"""How many requests, and how much of them, came in lately."""

from __future__ import annotations

from typing import Final

#: How far back the rates look, in seconds.
WINDOW: Final = 10


class Throughput:
    """A ring of one bucket a second. Counting costs the same whatever the load; no timer runs."""

    __slots__ = ("_at", "_requests", "_second", "_sizes")

    def __init__(self) -> None:
        self._requests = [0] * WINDOW
        self._sizes = [0] * WINDOW
        self._second = 0
        self._at = 0

    def count(self, now: float, size: int) -> None:
        """Count a request of ``size`` bytes.

        Parameters
        ----------
        now:
            Monotonic seconds, never less than before.
        """
        second = int(now)
        if second != self._second:
            self._turn(second)
        self._requests[self._at] += 1
        self._sizes[self._at] += size

    def rates(self, now: float) -> tuple[float, float]:
        """Return requests and bytes per second, over the last 9 to 10 seconds.

        They are the whole seconds and what has gone by of the present one.
        """
        self._turn(int(now))
        span = WINDOW - 1 + now - self._second
        return sum(self._requests) / span, sum(self._sizes) / span

    def _turn(self, second: int) -> None:
        """Empty the buckets from the last one used up to that of ``second``."""
        for later in range(max(self._second + 1, second - WINDOW + 1), second + 1):
            self._requests[later % WINDOW] = self._sizes[later % WINDOW] = 0
        self._second = second
        self._at = second % WINDOW
