"""The queue of one deployment: which task goes to which kernel, and when.

Plain calls on the loop; per request nothing is made but the task. Invariant at any time:
``submitted == answered + failed + timed_out + cancelled + waiting + running``
(``refused`` ones were never submitted). An idle kernel and a waiting task never coexist, except
while a kernel lingers.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ..errors import EdiError, Overloaded, TaskTimeout, Unavailable
from .clock import Clock, Handle
from .link import AHEAD, KernelLink
from .task import Task

_log = logging.getLogger(__name__)

#: How long a kernel waits for a fuller batch after a batch of several tasks, in seconds.
LINGER: Final = 0.001

#: Bounds of the advice in an ``Overloaded``, in seconds.
_RETRY_MIN: Final = 1.0
_RETRY_MAX: Final = 60.0


@dataclass(frozen=True)
class QueuePolicy:
    """How a deployment's tasks are handed out; names and defaults of EDI's profile.

    Attributes
    ----------
    limit:
        Most tasks that may wait.
    batch_size:
        Most tasks per call of the kernel.
    parallel_size:
        Batches that a kernel is taken to work on at once.
    pipe_size:
        Tasks that a kernel may hold however long they take; 1 keeps slow kernels to one.
    timeout:
        Seconds from submission to answer; None is no limit.
    """

    limit: int = 100
    batch_size: int = 1
    parallel_size: int = 1
    pipe_size: int = 1
    timeout: float | None = 60.0

    @property
    def depth(self) -> int:
        """Batches that a kernel may hold whatever its speed."""
        return max(self.parallel_size, -(-self.pipe_size // self.batch_size))


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
        # What waits, first first; tasks that are done stay until they reach the front.
        self._waiting: deque[Task] = deque()
        self._links: dict[KernelLink, None] = {}
        self._idle: list[KernelLink] = []  # a stack: kernels not needed stay cold
        self._lingering: dict[KernelLink, Handle] = {}
        self.waiting = 0
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
            raise self._unavailable(self._refusal)
        idle = self._idle
        if not idle and self.waiting >= self._limit:
            self.refused += 1
            raise self._overloaded()
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
            link.since = now
            self.running += 1
            link.send((task,))
            return
        self._waiting.append(task)
        self.waiting += 1
        if not self._links:
            self._on_demand()
        elif self._lingering:
            self._end_linger_early(now)
        elif self.waiting >= self._batch_size:
            self._send_ahead(now)

    def cancel(self, task: Task) -> None:
        """Forget the client of ``task``: it is never sent, or its answer is dropped."""
        if task.done or task not in self._tasks:
            return
        task.abandon()
        self.cancelled += 1
        if task.link is None:
            self._drop_waiting(task)
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

        The oldest ``parallel_size`` batches may have been running: they fail with ``failure()``.
        What is behind them was not begun and goes back to the front of the queue, once.
        """
        self.detach(link)
        begun = set(islice(link.batches, self._parallel))
        failed: list[Task] = []
        again: list[Task] = []
        for task in link.take_back():
            leader = task.leader or task
            task.link = task.leader = None
            if task.done:
                del self._tasks[task]
            elif leader in begun or task.requeued:
                del self._tasks[task]
                failed.append(task)
            else:
                task.requeued = True
                again.append(task)
        self.running -= len(failed) + len(again)
        self.failed += len(failed)
        if again:
            # Two lost kernels may hand theirs back in any order, so sort rather than prepend.
            self.waiting += len(again)
            again.extend(self._waiting)
            self._waiting = deque(sorted(again, key=_by_number))
            self._spread()
        for task in failed:
            self._deliver_error(task, failure())
        self._check_drained()

    # --- life -------------------------------------------------------------------------------

    def drain(self, callback: Callable[[], None]) -> None:
        """Refuse new tasks and call ``callback`` once nothing waits or runs, maybe at once."""
        self._refusal = Unavailable(
            f"Deployment {self._name} is stopping.", code="stopping", hint="Start it again."
        )
        self._draining.append(callback)
        for link in list(self._lingering):  # nobody else will come
            self._end_linger(link)
        self._check_drained()

    def close(self, error: EdiError) -> None:
        """Fail every task with ``error`` now and refuse new ones with the same words."""
        self._refusal = error
        tasks = [task for task in self._tasks if not task.done]
        self._tasks = {task: None for task in self._tasks if task.link is not None}
        self._waiting.clear()
        self.failed += len(tasks)
        self.waiting = 0
        self.running = 0
        for task in tasks:
            self._deliver_error(task, error)
        self._check_drained()

    def reopen(self, policy: QueuePolicy | None = None) -> None:
        """Take new tasks again, after :meth:`drain` or :meth:`close`, maybe by a new policy."""
        self._refusal = None
        self._draining.clear()
        if policy is not None:
            self._adopt(policy)

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
        link.measure(now)
        if link not in self._links:
            return
        if link.last_size > 1 and not link.tasks and not self._draining:
            # Those who were answered together tend to come back together.
            target = min(self._batch_size, self.waiting + link.last_size)
            if self.waiting < target:
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
            if not self.waiting:
                self._idle.append(link)
                return
            link.since = now
            link.stage(self._take())
        elif self.waiting < self._batch_size:
            return
        room = self._room(link) - len(link.batches)
        while room > 0 and self.waiting >= self._batch_size:
            link.stage(self._take())
            room -= 1
        link.flush()

    def _room(self, link: KernelLink) -> int:
        """Return how many batches ``link`` may hold: those running and 1 ms of work ahead."""
        return max(self._depth, self._parallel + link.ahead())

    def _send_ahead(self, now: float) -> None:
        """Write a full batch to the busy kernel with the fewest, if any has room.

        A kernel that has not been heard of for longer than :data:`AHEAD` is not as fast as its
        past says, and gets nothing ahead of time.
        """
        best: KernelLink | None = None
        fewest = 0
        for link in self._links:
            held = len(link.batches)
            room = self._room(link) if now - link.since < AHEAD else self._depth
            if held < room and (best is None or held < fewest):
                best, fewest = link, held
        if best is not None:
            best.send(self._take())

    def _take(self) -> list[Task]:
        """Remove one batch from what waits, which is not nothing."""
        batch: list[Task] = []
        waiting = self._waiting
        room = min(self._batch_size, self.waiting)
        self.waiting -= room
        self.running += room
        while room:
            task = waiting.popleft()
            if not task.done:
                batch.append(task)
                room -= 1
        return batch

    def _spread(self) -> None:
        """Bring what waits and who is idle together."""
        now = self._now()
        while self.waiting and self._idle:
            self._feed(self._idle.pop(), now)
        if self.waiting and self._lingering:
            self._end_linger_early(now)

    def _end_linger_early(self, now: float) -> None:
        """End the oldest linger if what waits has reached its target."""
        link = next(iter(self._lingering))
        if self.waiting >= link.linger_target:
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
        overdue: list[KernelLink] = []
        failed: list[tuple[Task, EdiError]] = []
        for task in expired:
            link = task.link
            if link is not None:
                task.overdue = True
                link.overdue += 1
                if link.overdue == 1:
                    overdue.append(link)
            if task.done:
                continue
            self.timed_out += 1
            failed.append((task, self._timeout_error(task)))
            if link is None:
                self._drop_waiting(task)
            else:
                self.running -= 1
        for task, error in failed:
            self._deliver_error(task, error)
        for link in overdue:
            self._on_overdue(link)
        self._check_drained()

    def _drop_waiting(self, task: Task) -> None:
        """Take ``task`` out of what waits; its entry goes when many such have gathered."""
        del self._tasks[task]
        self.waiting -= 1
        if len(self._waiting) > 2 * self.waiting + 64:
            self._waiting = deque(waiting for waiting in self._waiting if waiting in self._tasks)

    def _check_drained(self) -> None:
        if self._draining and not self.waiting and not self.running:
            callbacks, self._draining = self._draining, []
            for callback in callbacks:
                callback()

    # --- words ------------------------------------------------------------------------------

    def _deliver_error(self, task: Task, error: EdiError) -> None:
        try:
            task.fail(error)
        except Exception:
            _log.exception("An error of deployment %s could not be delivered", self._name)

    def _unavailable(self, reason: EdiError) -> Unavailable:
        return Unavailable(
            reason.message,
            code=reason.code,
            hint=reason.hint,
            detail=reason.detail,
            retry_after=reason.retry_after,
        )

    def _overloaded(self) -> Overloaded:
        rate = sum(self._batch_size / link.work for link in self._links if link.work > 0.0)
        wait = self.waiting / rate if rate else _RETRY_MIN
        return Overloaded(
            f"The queue of deployment {self._name} is full: {self.waiting} tasks wait.",
            hint="Send again later, or let the deployment have more kernels.",
            retry_after=min(max(wait, _RETRY_MIN), _RETRY_MAX),
        )

    def _timeout_error(self, task: Task) -> TaskTimeout:
        limit = f"{self._timeout:g} s (task_execution_timeout)"
        if task.link is None:
            return TaskTimeout(
                f"No kernel of deployment {self._name} was free within {limit}.",
                hint="Look at the deployment's state, or let it have more kernels.",
            )
        return TaskTimeout(
            f"The kernel of deployment {self._name} did not answer within {limit}.",
            hint="Look at the log of the deployment, or raise the timeout in its profile.",
        )


def _by_number(task: Task) -> int:
    return task.number
