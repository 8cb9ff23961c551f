"""One poll of an environment for all tabs, told to them as "changed, revision n".

Runs only while somebody looks: a visible tab renews a lease. Without one, what is on its way is
followed to its end; then the environment is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

#: Seconds between looks while something is on its way.
HURRIED = 2.0
#: Seconds between looks while nothing changes.
STEADY = 5.0
#: Longest pause after failures, in seconds.
LONGEST = 60.0
#: Seconds for which a tab that renewed its lease counts as looking.
LEASE_SECONDS = 60.0
#: Seconds in which changes of our own are gathered, so that many of them cost one look.
GATHER = 0.1
#: Seconds for which something on its way is followed although nobody looks.
UNSEEN_SECONDS = 600.0
#: Most tabs that are told apart; more of them share the oldest one's place.
MAX_LEASES = 256


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look found.

    Attributes
    ----------
    revision:
        Digest of everything that a tab would show.
    moving:
        Whether something is on its way: a job runs, a deployment starts or stops.
    failed:
        Whether the EDI could not be asked.
    """

    revision: str
    moving: bool = False
    failed: bool = False


class Timer(Protocol):
    """The part of an event loop that tells and keeps the time."""

    def time(self) -> float:
        """Return monotonic seconds."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call ``callback`` in ``delay`` seconds, unless the handle is cancelled."""


class Watcher:
    """Looks at one environment and announces what has changed.

    Belongs to the event loop: call it there only.

    Parameters
    ----------
    look:
        Asks the environment; never two calls at the same time.
    announce:
        Takes each new revision.
    log:
        Gets the traceback of an unforeseen error.
    timer:
        The event loop, or a test's clock.
    jitter:
        Returns a number from 0 to 1; a parameter for tests.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Sight]],
        announce: Callable[[str], None],
        *,
        log: logging.Logger,
        timer: Timer,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._look = look
        self._announce = announce
        self._log = log
        self._timer = timer
        self._jitter = jitter
        self._leases: dict[str, float] = {}
        self._seen_until = float("-inf")
        self._sight: Sight | None = None
        self._failures = 0
        self._next: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._flight: asyncio.Task[None] | None = None
        self._again = False
        self._closed = False

    @property
    def awake(self) -> bool:
        """Whether it looks, or is about to."""
        return self._flight is not None or self._next is not None

    @property
    def revision(self) -> str | None:
        """Revision of the last look, ``None`` before the first."""
        return self._sight.revision if self._sight else None

    def renew(self, tab: str) -> None:
        """Count ``tab`` as looking for the next :data:`LEASE_SECONDS`."""
        now = self._timer.time()
        self._leases.pop(tab, None)
        if len(self._leases) >= MAX_LEASES:
            del self._leases[next(iter(self._leases))]
        self._leases[tab] = now + LEASE_SECONDS
        self._seen_until = max(self._seen_until, now + LEASE_SECONDS)
        if not self.awake:
            self._schedule(0.0)

    def changed(self) -> None:
        """Look soon, since this server has changed something there."""
        self._seen_until = max(self._seen_until, self._timer.time())
        if self._flight is not None:
            # It may have begun before the change.
            self._again = True
        elif self._next is None or self._next_at > self._timer.time() + GATHER:
            self._schedule(GATHER)

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        self._unschedule()
        if self._flight is not None:
            self._flight.cancel()

    def _schedule(self, pause: float) -> None:
        self._unschedule()
        if not self._closed:
            self._next_at = self._timer.time() + pause
            self._next = self._timer.call_later(pause, self._begin)

    def _unschedule(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _begin(self) -> None:
        self._next = None
        self._flight = asyncio.get_running_loop().create_task(self._turn())

    async def _turn(self) -> None:
        known = self.revision
        try:
            self._sight = await self._look()
            if self._sight.revision != known:
                self._announce(self._sight.revision)
        except Exception:
            if self._failures == 0:
                self._log.exception("EDI: an environment could not be looked at")
            self._failures += 1
        else:
            self._failures = self._failures + 1 if self._sight.failed else 0
        finally:
            self._flight = None
        again, self._again = self._again, False
        if again:
            self._schedule(GATHER)
        elif self._is_wanted():
            self._schedule(self._pause())

    def _is_wanted(self) -> bool:
        now = self._timer.time()
        for tab in [tab for tab, until in self._leases.items() if until <= now]:
            del self._leases[tab]
        return bool(self._leases) or (self._is_moving and now < self._seen_until + UNSEEN_SECONDS)

    def _pause(self) -> float:
        if self._failures == 0:
            return HURRIED if self._is_moving else STEADY
        longest = min(LONGEST, STEADY * 2.0 ** min(self._failures - 1, 10))
        # Servers that lost an EDI together must not all come back to it together.
        return longest * (1 - self._jitter() / 4)

    @property
    def _is_moving(self) -> bool:
        return self._sight is not None and self._sight.moving
