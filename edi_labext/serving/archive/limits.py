"""How much of an archive is read before it is refused, and for how long."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from ...errors import Cancelled, RequestTimeout
from ..clock import Clock


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Upper bounds for one archive; sizes are in bytes.

    Attributes
    ----------
    packed:
        Of the archive as it is sent.
    expanded:
        Sum of the sizes of its regular files.
    entries:
        Headers in the archive, and also files plus directories made from it.
    depth, name, path:
        Path components, and bytes of UTF-8 in one component and in a whole path.
    record, records:
        One metadata record (long name, pax header), and all of them together.
    readme:
        Of ``README.md``, which is kept in memory.
    ratio, ratio_from:
        An archive that expands to more than ``ratio`` times what was read of it is refused, once
        it has expanded to ``ratio_from``: no weights compress that well, but zeros do.
    """

    packed: int = 2 << 30
    expanded: int = 8 << 30
    entries: int = 20_000
    depth: int = 32
    name: int = 255
    path: int = 1024
    record: int = 64 << 10
    records: int = 16 << 20
    readme: int = 1 << 20
    ratio: int = 200
    ratio_from: int = 64 << 20


class Deadline:
    """The moment at which reading must be over; asked by the thread that reads.

    Parameters
    ----------
    clock:
        Only its ``now`` is used, which may be called in any thread.
    seconds:
        From now.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._when = clock.now() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Let the next :meth:`check` end the work: nobody waits for it any more."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise :class:`Cancelled` or :class:`RequestTimeout` when it is time to end."""
        if self._cancelled.is_set():
            raise Cancelled("The upload was given up.")
        if self._clock.now() > self._when:
            raise RequestTimeout(
                f"The package was not read to its end within {self._seconds:g} s.",
                hint="Send it again over a faster connection, or make it smaller.",
            )
