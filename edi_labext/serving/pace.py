"""How fast one kernel works, as seen from the engine."""

from __future__ import annotations

from typing import Final

#: How much work may be written to a kernel before it asks for it, in seconds.
AHEAD: Final = 0.001

#: How fast the estimate follows what is measured, upward and downward. Upward is faster: work
#: taken for shorter than it is holds up the tasks behind it.
_RISE: Final = 0.5
_FALL: Final = 0.125


class Pace:
    """A moving average of a kernel's seconds per batch.

    Attributes
    ----------
    work:
        Seconds per batch, 0.0 before the first.
    since:
        Monotonic seconds when the kernel began what it does now, as far as can be seen.
    completed:
        Batches completed since the last :meth:`measure`.
    ahead:
        How many batches of such work fit into :data:`AHEAD`.
    """

    __slots__ = ("ahead", "completed", "since", "work")

    def __init__(self) -> None:
        self.work = 0.0
        self.since = 0.0
        self.completed = 0
        self.ahead = 0

    def measure(self, now: float) -> None:
        """Take the time since the last outcome for the work of the batches just completed."""
        if not self.completed:
            return
        sample = (now - self.since) / self.completed
        work = self.work
        if work > 0.0:
            work += (sample - work) * (_RISE if sample > work else _FALL)
        else:
            work = sample
        self.work = work
        self.ahead = int(AHEAD / work) if work > 0.0 else 0
        self.completed = 0
        self.since = now

    def is_late(self, now: float) -> bool:
        """Tell whether what the kernel does now takes longer than :data:`AHEAD` already.

        Then it is not as fast as its past says.
        """
        return now - self.since >= AHEAD
