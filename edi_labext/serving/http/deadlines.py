"""How long a connection may take: one look at all of them per second, no timer per request.

The stages of a connection and what ends it:

========  =====================================================  ============================
QUIET     between two requests, nothing is being answered        ``keep_alive_idle``; before
                                                                 the first one ``header_wait``
HEAD      part of a request line or header has come              ``header_wait`` in all
BODY      the head has come, the body has not                    ``body_idle`` since its last
                                                                 byte, ``request_total`` in all
LEAVING   a last answer is out, nothing more is read             ``linger``
========  =====================================================  ============================
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

from ..clock import Clock, Handle
from ..settings import Settings


class Stage(enum.IntEnum):
    """Where the reading side of a connection is."""

    QUIET = 0
    HEAD = 1
    BODY = 2
    LEAVING = 3


class Watched(Protocol):
    """A connection as the sweep sees it."""

    def on_sweep(self, now: float) -> None:
        """Look at the connection's deadlines; ``now`` is monotonic seconds."""


class Deadlines:
    """The sweep over all connections. It costs nothing while there are none.

    Attributes
    ----------
    now:
        Monotonic seconds at the last sweep. Connections stamp with it what happens to them, so
        stamps cost no call and are exact to one ``sweep_interval``.
    """

    def __init__(self, clock: Clock, interval: float) -> None:
        self._clock = clock
        self._interval = interval
        self._watched: set[Watched] = set()
        self._next: Handle | None = None
        self.now = clock.now()

    def add(self, connection: Watched) -> None:
        """Watch ``connection`` from now on."""
        self._watched.add(connection)
        if self._next is None:
            self.now = self._clock.now()
            self._arm()

    def discard(self, connection: Watched) -> None:
        """Forget ``connection``; harmless when it is not watched."""
        self._watched.discard(connection)
        if not self._watched and self._next is not None:
            self._next.cancel()
            self._next = None

    def _arm(self) -> None:
        sweep: Callable[[], None] = self._sweep
        self._next = self._clock.call_at(self._clock.now() + self._interval, sweep)

    def _sweep(self) -> None:
        self._next = None
        self.now = self._clock.now()
        try:
            for connection in tuple(self._watched):
                connection.on_sweep(self.now)
        finally:
            # Whatever one connection does, the others stay watched.
            if self._watched and self._next is None:
                self._arm()


def is_overdue(
    settings: Settings, stage: Stage, *, first: bool, now: float, since: float, began: float
) -> bool:
    """Tell whether a connection has used up the time of its stage.

    Parameters
    ----------
    first:
        Whether no request has been answered on it yet.
    now:
        Monotonic seconds.
    since:
        When the stage began, or in ``BODY`` when the last byte of the body came.
    began:
        When the request began; only read in ``BODY``.
    """
    waited = now - since
    if stage is Stage.BODY:
        return waited >= settings.body_idle or now - began >= settings.request_total
    if stage is Stage.HEAD or (stage is Stage.QUIET and first):
        return waited >= settings.header_wait
    if stage is Stage.QUIET:
        return waited >= settings.keep_alive_idle
    return waited >= settings.linger
