"""When to try again after a failure; pure, with the time passed in."""

from __future__ import annotations

#: Longest pause between two tries, in seconds.
LONGEST_PAUSE = 60.0
#: Failed starts in a row after which there is no further try.
MAX_FAILED_STARTS = 6


class Backoff:
    """The series of failures of one deployment's kernels.

    Pauses are 1, 2, 4 ... 60 s. The first replacement of a kernel that had been ready is free.
    Kernels that fail together count once: each carries the :attr:`round` in which it was
    launched, and a failure ends the round.
    """

    def __init__(self) -> None:
        self.round = 0
        self.gave_up = False
        self.failed_starts = 0
        self.not_before = float("-inf")
        # Position in the series: 0 is the free replacement, n the pause of 2 ** (n - 1) s.
        self._position = 0

    def failed(self, now: float, launched_in: int, *, never_ready: bool) -> None:
        """Count the failure of a kernel that was launched in round ``launched_in``."""
        if launched_in != self.round:
            return
        self.round += 1
        if never_ready:
            self.failed_starts += 1
            self.gave_up = self.failed_starts >= MAX_FAILED_STARTS
            self._position = max(self._position, 1)
        pause = min(LONGEST_PAUSE, 2.0 ** (self._position - 1)) if self._position else 0.0
        self._position += 1
        self.not_before = now + pause

    def started(self) -> None:
        """Note a kernel that became ready: failed starts are no longer in a row."""
        self.failed_starts = 0
        self.gave_up = False

    def settled(self) -> None:
        """Begin a new series, since a kernel has proved stable; a pause that runs goes on."""
        self._position = 0
