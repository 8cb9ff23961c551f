"""When to try again after a failure; pure, with the time passed in."""

from __future__ import annotations

#: Longest pause between two tries, in seconds.
LONGEST_PAUSE = 60.0
#: Position in the series after whose pause, the first of the longest ones, comes the last try.
LAST_POSITION = 7


class Backoff:
    """The series of failures of one deployment's kernels.

    Pauses are 1, 2, 4 ... 60 s, then there is no further try. The first replacement of a kernel
    that had been ready is free. Kernels that fail together count once: each carries the
    :attr:`round` in which it was launched, and a failure ends the round.

    Attributes
    ----------
    failures:
        In this series.
    failed_starts:
        Of them the last ones, of kernels that had not even become ready.
    gave_up:
        Whether the series is at its end.
    not_before:
        When the next try is due.
    """

    def __init__(self) -> None:
        self.round = 0
        self.gave_up = False
        self.failures = 0
        self.failed_starts = 0
        self.not_before = float("-inf")
        # Position in the series: 0 is the free replacement, n the pause of 2 ** (n - 1) s.
        self._position = 0

    def failed(self, now: float, launched_in: int, *, never_ready: bool) -> None:
        """Count the failure of a kernel that was launched in round ``launched_in``."""
        if launched_in != self.round:
            return
        self.round += 1
        self.failures += 1
        if never_ready:
            self.failed_starts += 1
            self._position = max(self._position, 1)
        self.gave_up = self._position > LAST_POSITION
        pause = min(LONGEST_PAUSE, 2.0 ** (self._position - 1)) if self._position else 0.0
        self._position += 1
        self.not_before = now + pause

    def started(self) -> None:
        """Note a kernel that became ready: failed starts are no longer in a row."""
        self.failed_starts = 0
        self.gave_up = False

    def settled(self) -> None:
        """Begin a new series, since a kernel has proved its worth; a pause that runs goes on."""
        self._position = 0
        self.failures = 0
