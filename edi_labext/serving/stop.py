"""One stop of a deployment, from refusing new tasks until every kernel is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import Unavailable

if TYPE_CHECKING:
    from .clock import Clock, Handle
    from .dispatcher import TaskQueue


class Stop:
    """First the queue drains, for at most ``grace`` seconds, then the kernels end.

    It goes on whether or not anybody waits for it.

    Parameters
    ----------
    name:
        The deployment, for messages.
    clock, queue:
        Time, and what is drained.
    grace:
        Seconds for accepted tasks.
    end_kernels:
        Called once, when the queue has nothing more for the kernels.

    Attributes
    ----------
    ending:
        Whether the kernels end by now.
    wanted_next:
        Kernels that are wanted when it is over.
    over:
        Set by the supervisor when no kernel is left, or when it is called off.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        queue: TaskQueue,
        *,
        grace: float,
        end_kernels: Callable[[], None],
    ) -> None:
        self.ending = False
        self.wanted_next = 0
        self.over = asyncio.Event()
        self._name = name
        self._clock = clock
        self._queue = queue
        self._grace = grace
        self._end_kernels = end_kernels
        self._alarm: Handle | None = None

    def begin(self) -> None:
        """Refuse new tasks and wait for the accepted ones."""
        self._alarm = self._clock.call_at(self._clock.now() + self._grace, self.end)
        self._queue.drain(self.end)

    def call_off(self) -> None:
        """Take new tasks again; only while :attr:`ending` is not set."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._queue.reopen()
        self.over.set()

    def end(self) -> None:
        """Give up what is not answered yet, and end the kernels."""
        if self.ending:
            return
        self.ending = True
        if self._alarm is not None:
            self._alarm.cancel()
        self._queue.close(
            Unavailable(
                f"Model <{self._name}> was stopped before this request was answered.",
                code="stopped",
            )
        )
        self._end_kernels()
