"""The queue of one deployment: which task goes to which kernel, and when.

Plain calls on the loop; per request nothing is made but the task. Invariant at any time:
``submitted == answered + failed + timed_out + cancelled + waiting + running``
(``refused`` ones were never submitted). An idle kernel and a waiting task never coexist, except
while a kernel lingers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ..errors import EdiError
from .clock import Clock, Handle
from .failures import no_answer_in_time, no_kernel_in_time, overloaded, stopping, unavailable
from .link import KernelLink
from .queue_policy import QueuePolicy
from .task import Task
from .waiting_line import WaitingLine

_log = logging.getLogger(__name__)

#: How long a kernel waits for a fuller batch after a batch of several tasks, in seconds.
LINGER: Final = 0.001


def _nothing() -> None:
    """Nobody asked to hear of demand."""


class TaskQueue:
    """Bounded first-in-first-out queue in front of the kernels of one deployment.

    Parameters
    ----------
    clock:
        Time.
    policy:
        Limits; may be changed by :meth:`reopen`.
    name:
        The deployment's, for messages.
    on_overdue:
        Called when a task passes its deadline on a kernel that was not overdue before.
    on_demand:
        Called when a task is submitted and no kernel is attached.
    """

    def __init__(
        self,
        clock: Clock,
        policy: QueuePolicy,
        *,
        name: str,
        on_overdue: Callable[[KernelLink], None],
        on_demand: Callable[[], None] = _nothing,
    ) -> None:
        self._clock = clock
        self._now = clock.now
        self._name = name
        self._on_overdue = on_overdue
        self._on_demand = on_demand
        self._draining: list[Callable[[], None]] = []  # who waits for the end of a drain
        self._refusal: EdiError | None = None
        self._timer: Handle | None = None
        self._number = 0
        # Tasks that wait or that a kernel owes, in the order submitted, so also by deadline.
        # A dict, since they leave from anywhere.
        self._tasks: dict[Task, None] = {}
        self._line = WaitingLine()
        self._links: dict[KernelLink, None] = {}
        self._idle: list[KernelLink] = []  # a stack: kernels not needed stay cold
        self._lingering: dict[KernelLink, Handle] = {}
        self.running = 0
        self.submitted = 0
        self.answered = 0
        self.failed = 0
        self.timed_out = 0
        self.cancelled = 0
        self.refused = 0
        self._adopt(policy)

    def _adopt(self, policy: QueuePolicy) -> None:
        self.policy = policy
        self._limit = policy.limit
        self._batch_size = policy.batch_size
        self._parallel = policy.parallel_size
        self._depth = policy.depth
        self._timeout = policy.timeout

    @property
    def waiting(self) -> int:
        """How many tasks wait for a kernel."""
        return self._line.count

    # --- clients ----------------------------------------------------------------------------

    def submit(self, task: Task) -> None:
        """Send ``task`` to an idle kernel or let it wait.

        Raises
        ------
        Overloaded
            The queue is full; ``retry_after`` says when to come again.
        Unavailable
            The deployment is stopping, stopped or has failed.
        """
        if self._refusal is not None:
            self.refused += 1
            raise unavailable(self._refusal)
        idle = self._idle
        if not idle and self._line.count >= self._limit:
            self.refused += 1
            raise overloaded(self._name, self._line.count, self._rate())
        now = self._now()
        self._number = task.number = self._number + 1
        self.submitted += 1
        self._tasks[task] = None
        task.queue = self
        task.submitted = now
        if self._timeout is not None:
            task.deadline = now + self._timeout
            if self._timer is None:
                self._timer = self._clock.call_at(task.deadline, self._expire)
        if idle:
            link = idle.pop()
            link.pace.since = now
            self.running += 1
            link.send((task,))
            return
        self._line.add(task)
        if not self._links:
            self._on_demand()
        elif self._lingering:
            self._end_linger_early(now)
        elif self._line.count >= self._batch_size:
            self._send_ahead(now)

    def cancel(self, task: Task) -> None:
        """Forget the client of ``task``: it is never sent, or its answer is dropped."""
        if task.done or task not in self._tasks:
            return
        task.abandon()
        self.cancelled += 1
        if task.link is None:
            del self._tasks[task]
            self._line.leave()
        else:
            self.running -= 1  # the kernel still owes it, and the deadline still counts for it
        self._check_drained()

    # --- kernels ----------------------------------------------------------------------------

    def attach(self, link: KernelLink) -> None:
        """Let ``link``, whose kernel is ready and owes nothing, take tasks."""
        if link in self._links or link.state == "closed":
            return
        link.sink = self
        self._links[link] = None
        self._feed(link, self._now())

    def detach(self, link: KernelLink) -> None:
        """Send nothing more to ``link``; it may finish what it has."""
        if link not in self._links:
            return
        del self._links[link]
        linger = self._lingering.pop(link, None)
        if linger is not None:
            linger.cancel()
        if link in self._idle:
            self._idle.remove(link)

    def lost(self, link: KernelLink, failure: Callable[[], EdiError]) -> None:
        """Give up ``link``, whose kernel is gone.

        Batches that may have been running (:meth:`KernelLink.begun`) fail with ``failure()``. What
        is behind them was not begun and goes back to the front of the queue, where it is the first
        to be begun by another; until then its deadline is the only limit.
        """
        self.detach(link)
        begun = link.begun(self._parallel)
        failed: list[Task] = []
        again: list[Task] = []
        for task in link.take_back():
            leader = task.leader or task
            task.link = task.leader = None
            if task.done:
                del self._tasks[task]
            elif leader in begun:
                del self._tasks[task]
                failed.append(task)
            else:
                again.append(task)
        self.running -= len(failed) + len(again)
        self.failed += len(failed)
        if again:
            self._line.put_back(again)
            self._spread()
        for task in failed:
            self._deliver_error(task, failure())
        self._check_drained()

    # --- life -------------------------------------------------------------------------------

    def drain(self, callback: Callable[[], None]) -> None:
        """Refuse new tasks and call ``callback`` once nothing waits or runs, maybe at once."""
        self._refusal = stopping(self._name)
        self._draining.append(callback)
        for link in list(self._lingering):  # nobody else will come
            self._end_linger(link)
        self._check_drained()

    def close(self, error: EdiError, *, only_waiting: bool = False) -> None:
        """Fail every task with ``error`` and refuse new ones so, or fail only what waits."""
        self._refusal = self._refusal if only_waiting else error
        for task in list(self._tasks):
            if task.done or (only_waiting and task.link is not None):
                continue  # its kernel still owes it
            if task.link is None:
                del self._tasks[task]
                self._line.leave()
            else:
                self.running -= 1
            self.failed += 1
            self._deliver_error(task, error)
        self._check_drained()

    def reopen(self, policy: QueuePolicy | None = None) -> None:
        """Take new tasks again, after :meth:`drain` or :meth:`close`, maybe by a new policy."""
        self._refusal = None
        self._draining.clear()
        if policy is None:
            return
        self._adopt(policy)
        if self._timer is not None:
            self._timer.cancel()
        # What kernels still owe goes by the new policy too, so that deadlines stay in order.
        for task in self._tasks:
            task.deadline = None if policy.timeout is None else task.submitted + policy.timeout
        self._expire()

    # --- outcomes, called by links ----------------------------------------------------------

    def on_answer(self, link: KernelLink, task: Task, data: bytes) -> None:
        """See :class:`Sink`."""
        del self._tasks[task]
        if task.done:
            return
        self.running -= 1
        self.answered += 1
        try:
            task.answer(data)
        except Exception:
            _log.exception("An answer of deployment %s could not be delivered", self._name)
        if self._draining:
            self._check_drained()

    def on_failure(self, link: KernelLink, task: Task, error: EdiError) -> None:
        """See :class:`Sink`."""
        del self._tasks[task]
        if task.done:
            return
        self.running -= 1
        self.failed += 1
        self._deliver_error(task, error)
        self._check_drained()

    def on_progress(self, link: KernelLink) -> None:
        """Give ``link`` its next work; see :class:`Sink`."""
        now = self._now()
        link.pace.measure(now)
        if link not in self._links:
            return
        if link.last_size > 1 and not link.tasks and not self._draining:
            # Those who were answered together tend to come back together.
            target = min(self._batch_size, self._line.count + link.last_size)
            if self._line.count < target:
                link.linger_target = target
                self._lingering[link] = self._clock.call_at(
                    now + LINGER, lambda: self._end_linger(link)
                )
                return
        self._feed(link, now)

    # --- handing out ------------------------------------------------------------------------

    def _feed(self, link: KernelLink, now: float) -> None:
        """Write to ``link`` what it may have of what waits; ahead of time only full batches."""
        if not link.tasks:
            if not self._line.count:
                self._idle.append(link)
                return
            link.pace.since = now
            link.stage(self._take())
        elif self._line.count < self._batch_size:
            return
        room = self._room(link) - len(link.batches)
        while room > 0 and self._line.count >= self._batch_size:
            link.stage(self._take())
            room -= 1
        link.flush()

    def _room(self, link: KernelLink) -> int:
        """Return how many batches ``link`` may hold: those running and 1 ms of work ahead."""
        return max(self._depth, self._parallel + link.pace.ahead)

    def _rate(self) -> float:
        """Return how many tasks a second the kernels are good for, 0.0 when none was measured."""
        works = [link.pace.work for link in self._links]
        return sum(self._batch_size / work for work in works if work > 0.0)

    def _send_ahead(self, now: float) -> None:
        """Write a full batch to the busy kernel with the fewest, if any has room.

        A kernel that has not been heard of for longer than :data:`AHEAD` is not as fast as its
        past says, and gets nothing ahead of time.
        """
        best: KernelLink | None = None
        fewest = 0
        for link in self._links:
            held = len(link.batches)
            room = self._room(link) if not link.pace.is_late(now) else self._depth
            if held < room and (best is None or held < fewest):
                best, fewest = link, held
        if best is not None:
            best.send(self._take())

    def _take(self) -> list[Task]:
        """Remove one batch from what waits, which is not nothing."""
        batch = self._line.take(self._batch_size)
        self.running += len(batch)
        return batch

    def _spread(self) -> None:
        """Bring what waits and who is idle together."""
        now = self._now()
        while self._line.count and self._idle:
            self._feed(self._idle.pop(), now)
        if self._line.count and self._lingering:
            self._end_linger_early(now)

    def _end_linger_early(self, now: float) -> None:
        """End the oldest linger if what waits has reached its target."""
        link = next(iter(self._lingering))
        if self._line.count >= link.linger_target:
            self._lingering.pop(link).cancel()
            self._feed(link, now)

    def _end_linger(self, link: KernelLink) -> None:
        linger = self._lingering.pop(link, None)
        if linger is not None:
            linger.cancel()
            self._feed(link, self._now())

    # --- deadlines and leaving --------------------------------------------------------------

    def _expire(self) -> None:
        """Time out what is due, and set the timer for the first of the rest."""
        now = self._now()
        self._timer = None
        expired: list[Task] = []
        for task in self._tasks:
            if task.overdue or task.deadline is None:
                continue
            if task.deadline > now:
                self._timer = self._clock.call_at(task.deadline, self._expire)
                break
            expired.append(task)
        timeout = self._timeout or 0.0
        overdue: list[KernelLink] = []
        for task in expired:  # one by one: an outcome may lead to a call of this queue
            link = task.link
            if link is not None:
                task.overdue = True
                link.overdue += 1
                if link.overdue == 1:
                    overdue.append(link)
                if task.done:
                    continue
                self.running -= 1
                error = no_answer_in_time(self._name, timeout)
            elif task.done:
                continue
            else:
                del self._tasks[task]
                self._line.leave()
                error = no_kernel_in_time(self._name, timeout)
            self.timed_out += 1
            self._deliver_error(task, error)
        for link in overdue:
            self._on_overdue(link)
        self._check_drained()

    def _check_drained(self) -> None:
        if self._draining and not self._line.count and not self.running:
            callbacks, self._draining = self._draining, []
            for callback in callbacks:
                callback()

    def _deliver_error(self, task: Task, error: EdiError) -> None:
        try:
            task.fail(error)
        except Exception:
            _log.exception("An error of deployment %s could not be delivered", self._name)
