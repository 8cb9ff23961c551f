"""The end of an engine that nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock, Handle

#: Seconds between two looks, at most: how exactly the limit is kept.
_LONGEST_PAUSE = 60.0
_LOOKS_PER_LIMIT = 10


class IdleEnd:
    """Ends a background engine once nothing has been started for a while.

    It looks now and then instead of being told, so that nothing else has to know of it. A use that
    begins and ends between two looks goes unseen, which costs at most a pause.

    Parameters
    ----------
    clock:
        Time of the engine.
    limit:
        Seconds without use after which it ends.
    in_use:
        Whether something is started.
    end:
        Called once, when the limit is reached.
    """

    def __init__(
        self,
        clock: Clock,
        limit: float,
        *,
        in_use: Callable[[], bool],
        end: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._in_use = in_use
        self._end = end
        self._pause = min(_LONGEST_PAUSE, limit / _LOOKS_PER_LIMIT)
        self._used = clock.now()
        self._handle: Handle | None = None

    def begin(self) -> None:
        """Count from now on."""
        self._used = self._clock.now()
        self._wait()

    def cancel(self) -> None:
        """Count no more; harmless when repeated."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait(self) -> None:
        left = self._used + self._limit - self._clock.now()
        when = self._clock.now() + min(self._pause, left)
        self._handle = self._clock.call_at(when, self._look)

    def _look(self) -> None:
        now = self._clock.now()
        if self._in_use():
            self._used = now
        elif now - self._used >= self._limit:
            self._handle = None
            self._end()
            return
        self._wait()
