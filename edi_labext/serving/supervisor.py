"""Does what a deployment's pool decides, and tells the pool what came of it."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import KernelFailure, Unavailable
from .kernel_run import KernelFacts, KernelRun
from .lifecycle import (
    Action,
    Attach,
    Detach,
    Drained,
    Event,
    Failure,
    KernelPolicy,
    Kill,
    Launch,
    Overdue,
    Ready,
    Returned,
    Shutdown,
    Swept,
    Terminate,
)
from .pool import Pool
from .stop import Stop

if TYPE_CHECKING:
    from .clock import Clock, Handle
    from .dispatcher import TaskQueue
    from .launchers.base import Launcher, LaunchSpec
    from .link import KernelLink
    from .logs.book import LogBook
    from .logs.pump import LogPump
    from .queue_policy import QueuePolicy

__all__ = ["Failure", "KernelFacts", "KernelPolicy", "Supervisor"]

#: Lines of the kernel's log that the error of a lost task carries.
FAILURE_LOG_LINES = 20


class Supervisor:
    """The kernels of one deployment.

    Parameters
    ----------
    name:
        The deployment.
    clock, launcher, pump, book:
        Parts of the engine.
    queue:
        Gets the links of ready kernels. Its ``on_overdue`` is to call :meth:`overdue`.
    make_spec:
        Returns what to launch for a kernel of that id.
    prepare:
        Awaited before each ``make_spec``; may block the launch of that kernel alone.
    context_text:
        Returns the model description that a new kernel is told, as JSON text.
    policy:
        Times; see :meth:`adopt`.
    on_change:
        Called after anything here may have changed.
    spawn:
        Runs a coroutine in the engine's task group.
    new_id:
        Returns a new kernel id.
    """

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        launcher: Launcher,
        pump: LogPump,
        book: LogBook,
        queue: TaskQueue,
        make_spec: Callable[[str], LaunchSpec],
        context_text: Callable[[], str],
        policy: KernelPolicy,
        on_change: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        new_id: Callable[[], str] | None = None,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._name = name
        self._clock = clock
        self._launcher = launcher
        self._pump = pump
        self._book = book
        self._queue = queue
        self._make_spec = make_spec
        self._prepare = prepare
        self._context_text = context_text
        self._policy = policy
        self._on_change = on_change
        self._spawn = spawn
        self._new_id = new_id or (lambda: f"{name}-{secrets.token_hex(4)}")
        self._pool = Pool(policy, self._new_id)
        self._runs: dict[str, KernelRun] = {}
        self._events: deque[Callable[[], list[Action]]] = deque()
        self._working = False
        self._alarm: tuple[float, Handle] | None = None
        self._failure: tuple[Failure, Failure] | None = None
        self._stop: Stop | None = None
        self._queue_closed = False

    # --- what it knows ----------------------------------------------------------------------

    @property
    def ready(self) -> int:
        """Kernels that take tasks."""
        return self._pool.ready

    @property
    def wanted(self) -> int:
        """Kernels there should be, 0 while stopping."""
        return self._pool.wanted if self._stop is None else self._stop.wanted_next

    @property
    def stopping(self) -> bool:
        """Whether a stop is under way."""
        return self._stop is not None

    @property
    def failure(self) -> Failure | None:
        """Why the last kernel ended, until one is ready; ``since`` in Unix seconds."""
        failure = self._pool.failure
        if failure is None:
            return None
        if self._failure is None or self._failure[0] is not failure:
            shown = self._clock.wall() - (self._clock.now() - failure.since)
            self._failure = failure, replace(failure, since=shown)
        return self._failure[1]

    @property
    def gave_up(self) -> bool:
        """Whether no further start is tried until somebody wants kernels again."""
        return self._pool.gave_up

    @property
    def next_try(self) -> float | None:
        """Seconds until a missing kernel is launched, ``None`` if no try is planned."""
        next_try = self._pool.next_try
        return None if next_try is None else max(0.0, next_try - self._clock.now())

    @property
    def kernels(self) -> list[KernelFacts]:
        """All kernels that are not gone, oldest first."""
        states = self._pool.kernels
        return [run.facts(states[run.id]) for run in self._runs.values() if run.id in states]

    # --- what others ask for ----------------------------------------------------------------

    def adopt(self, policy: KernelPolicy, tasks: QueuePolicy) -> None:
        """Go by other policies from now on, and take new tasks; for a new start.

        Nothing is wanted and no failure is known afterwards. Only while there is no kernel, none
        on its way, and no stop under way.
        """
        if self._runs or self._stop is not None:
            raise RuntimeError("a policy cannot change under running kernels")
        self._policy = policy
        self._pool = Pool(policy, self._new_id)
        self._set_alarm()
        self._queue_closed = False
        self._queue.reopen(tasks)

    def want(self, count: int) -> None:
        """Set how many kernels there should be.

        A stop that still drains is called off; one whose kernels end already is followed by a new
        start. If the pool had given up, it tries again.
        """
        if self._stop is not None:
            if self._stop.ending or not count:
                self._stop.wanted_next = count
                return
            self._stop.call_off()
            self._stop = None
        if count and self._queue_closed:
            self._queue_closed = False
            self._queue.reopen()
        if count and self._pool.gave_up:
            self._do(lambda: self._pool.try_again(self._clock.now()))
        self._do(lambda: self._pool.want(self._clock.now(), count))

    async def stop(self) -> None:
        """Answer what was accepted, then end all kernels; returns when every process is gone.

        Accepted tasks have ``stop_grace`` seconds, unless there is no kernel that could answer
        them. The caller may be cancelled; the stop goes on. It returns early if kernels are wanted
        again before any of them ends.
        """
        stop = self._begin_stop()
        if stop is not None:
            await stop.over.wait()

    def overdue(self, link: KernelLink) -> None:
        """Take note that a task has timed out in the kernel of ``link``."""
        run = self._runs.get(link.kernel_id)
        if run is None:
            return
        self._note_return(run)
        run.overdue_after = run.outcomes
        self._tell(Overdue(run.id))

    # --- stopping ---------------------------------------------------------------------------

    def _begin_stop(self) -> Stop | None:
        if self._stop is not None:
            self._stop.wanted_next = 0
        elif self._pool.wanted or self._runs:
            self._stop = Stop(
                self._name,
                self._clock,
                self._queue,
                grace=self._policy.stop_grace,
                end_kernels=self._end_kernels,
            )
            self._stop.begin()
            self._settle()
        return self._stop

    def _end_kernels(self) -> None:
        self._queue_closed = True
        self._do(lambda: self._pool.want(self._clock.now(), 0))

    def _settle(self) -> None:
        """See to what follows from the present state; nothing, mostly."""
        if self._runs:
            return
        stop = self._stop
        if stop is None:
            if self._pool.gave_up and not self._queue_closed:
                self._queue_closed = True
                self._queue.close(self._given_up())
        elif not stop.ending:
            # Nobody is left to answer, and the next try may be a minute away.
            stop.end()
        else:
            self._stop = None
            stop.over.set()
            if stop.wanted_next:
                self.want(stop.wanted_next)

    def _given_up(self) -> Unavailable:
        reason = self._pool.failure.reason if self._pool.failure else "its kernels do not start"
        return Unavailable(
            f"Model <{self._name}> has failed: {reason}.",
            code="deployment_failed",
            hint="Mend what its log says, deploy it again and start it.",
        )

    # --- pool: events in, actions out -------------------------------------------------------

    def _tell(self, event: Event) -> None:
        self._do(lambda: self._handle(event))

    def _do(self, step: Callable[[], list[Action]]) -> None:
        """Run one step of the pool and its actions; steps that those cause follow after it."""
        self._events.append(step)
        if self._working:
            return
        self._working = True
        try:
            while self._events:
                for action in self._events.popleft()():
                    self._perform(action)
        finally:
            self._working = False
        self._set_alarm()
        self._settle()
        self._on_change()

    def _handle(self, event: Event) -> list[Action]:
        if isinstance(event, Swept):
            return self._on_swept(event)
        if isinstance(event, Ready) and self._pool.kernels.get(event.kernel):
            run = self._runs[event.kernel]
            took = self._clock.now() - run.launched
            self._remark(run.id, f"ready after {took:.2f} s, Python {run.link.python_version}")
        return self._pool.handle(self._clock.now(), event)

    def _on_swept(self, event: Swept) -> list[Action]:
        now = self._clock.now()
        run = self._runs.pop(event.kernel)
        reason = self._pool.why(run.id) or "the kernel ended"
        tail = self._book.tail(FAILURE_LOG_LINES, run.id)
        if run.attached:
            self._queue.lost(run.link, lambda: _failure(reason, tail))
        actions = self._pool.handle(now, event)
        self._remark(run.id, reason + self._what_next(now))
        return actions

    def _what_next(self, now: float) -> str:
        if self._pool.gave_up:
            return f"; giving up after {self._pool.failures} failures in a row"
        next_try = self._pool.next_try
        return f"; next try in {next_try - now:.3g} s" if next_try and next_try > now else ""

    def _wake(self) -> None:
        self._alarm = None
        for run in list(self._runs.values()):
            self._note_return(run)
        self._do(lambda: self._pool.wake(self._clock.now()))

    def _note_return(self, run: KernelRun) -> None:
        """Tell the pool when a kernel has answered since its task timed out."""
        if run.overdue_after is None or run.outcomes == run.overdue_after:
            return
        run.overdue_after = None
        self._tell(Returned(run.id))
        if run.link.overdue:
            # It has returned from that one, and is late with the next.
            run.overdue_after = run.outcomes
            self._tell(Overdue(run.id))

    def _set_alarm(self) -> None:
        when = self._pool.next_wake()
        if self._alarm is not None:
            if self._alarm[0] == when:
                return
            self._alarm[1].cancel()
        self._alarm = None if when is None else (when, self._clock.call_at(when, self._wake))

    def _perform(self, action: Action) -> None:
        if isinstance(action, Launch):
            self._launch(action.kernel)
            return
        run = self._runs.get(action.kernel)
        if run is None:
            return
        match action:
            case Attach():
                run.attached = True
                self._queue.attach(run.link)
            case Detach():
                self._queue.detach(run.link)
                if (self._stop is not None and self._stop.ending) or not run.link.outstanding:
                    self._tell(Drained(run.id))
            case Shutdown():
                run.shutdown()
            case Terminate():
                self._remark(run.id, "sending SIGTERM")
                run.terminate()
            case Kill():
                self._remark(run.id, "sending SIGKILL")
                run.kill()

    def _launch(self, kernel_id: str) -> None:
        run = KernelRun(
            kernel_id,
            clock=self._clock,
            launcher=self._launcher,
            pump=self._pump,
            book=self._book,
            report=self._tell,
        )
        self._runs[kernel_id] = run
        self._remark(kernel_id, "launching")
        self._spawn(run.launch(self._make_spec, self._context_text, self._prepare))

    def _remark(self, kernel_id: str, text: str) -> None:
        self._book.append(kernel_id, "engine", f"kernel {kernel_id}: {text}")
        self._pump.call(self._book.flush)


def _failure(reason: str, tail: list[str]) -> KernelFailure:
    return KernelFailure(
        f"{reason[:1].upper()}{reason[1:]}.",
        code="kernel_died",
        hint="The last lines of its log say more." if tail else None,
        detail="\n".join(tail) or None,
    )
