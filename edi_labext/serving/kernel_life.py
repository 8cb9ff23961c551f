"""One kernel on its way from launch to sweep: its state, its deadline, and why it ends."""

from __future__ import annotations

import signal

from .launchers.base import KernelExit
from .lifecycle import (
    Action,
    Attach,
    Detach,
    Drained,
    Ending,
    Event,
    Exited,
    KernelPolicy,
    KernelState,
    Kill,
    LinkLost,
    Overdue,
    Ready,
    Returned,
    Shutdown,
    Spawned,
    StartFailed,
    Terminate,
)

#: Seconds that a kernel without connection has to end by itself, so that its own exit is seen.
LINK_LOST_GRACE = 1.0

ON_THE_WAY = (KernelState.LAUNCHING, KernelState.STARTING)
DYING = (KernelState.STOPPING, KernelState.EXITED)


class KernelLife:
    """State machine of one kernel, driven by a :class:`.pool.Pool`.

    Parameters
    ----------
    kernel_id:
        Its name.
    policy:
        Times.
    now:
        When it is launched, in the pool's seconds.
    launched_in:
        The round of failures, see :class:`.backoff.Backoff`.

    Attributes
    ----------
    asked_to_end:
        Whether it is no longer wanted, so that its end is no failure.
    was_overdue:
        Whether it was killed because it did not return from a task.
    ready_since:
        When it became ready.
    deadline:
        When :meth:`on_deadline` is to be called.
    """

    __slots__ = (
        "_cause",
        "_exit",
        "_our_reason",
        "_policy",
        "_rung",
        "_signalled",
        "_spawned",
        "asked_to_end",
        "deadline",
        "id",
        "launched_in",
        "ready_since",
        "state",
        "was_overdue",
    )

    def __init__(self, kernel_id: str, policy: KernelPolicy, now: float, launched_in: int) -> None:
        self.id = kernel_id
        self.state = KernelState.LAUNCHING
        self.launched_in = launched_in
        self.deadline: float | None = now + policy.connection_timeout
        self.asked_to_end = False
        self.was_overdue = False
        self.ready_since: float | None = None
        self._policy = policy
        self._spawned = False
        self._rung: type[Action] = Shutdown
        self._signalled = False
        self._cause: str | None = None
        self._our_reason: str | None = None  # why we end it, if it does not do so itself
        self._exit: KernelExit | None = None

    @property
    def reason(self) -> str:
        """Why it ends or ended: ``the kernel was killed by SIGSEGV``."""
        if self._cause is not None:
            return self._cause
        if self.asked_to_end:
            return "the kernel was stopped"
        if self._our_reason is not None and self._ended_by_us:
            return self._our_reason
        exit_ = self._exit or KernelExit()
        before = " before it was ready" if self.ready_since is None else ""
        memory = ", as happens when memory runs out" if exit_.signal == signal.SIGKILL else ""
        return f"the kernel {exit_.describe()}{before}{memory}"

    @property
    def exit_code(self) -> int | None:
        """Exit code or negative signal number, ``None`` unless it ended by itself."""
        return None if self._exit is None or self._ended_by_us else self._exit.status

    @property
    def _ended_by_us(self) -> bool:
        ours = (signal.SIGTERM, signal.SIGKILL)
        return self._signalled and (self._exit is None or self._exit.signal in ours)

    def on_event(self, now: float, event: Event) -> list[Action]:
        """Take in what happened to this kernel; what does not fit its state is ignored."""
        match event:
            case Spawned():
                return self._on_spawned(now)
            case Ready():
                return self._on_ready(now)
            case StartFailed(reason=reason):
                return self._on_start_failed(now, reason)
            case LinkLost(reason=reason):
                return self._on_link_lost(now, reason)
            case Ending():
                return self._on_ending(now)
            case Overdue():
                if self.state is KernelState.READY and self.deadline is None:
                    self.deadline = now + self._policy.overdue_grace
            case Returned():
                if self.state is KernelState.READY:
                    self.deadline = None
            case Drained():
                if self.state is KernelState.DRAINING:
                    self.state = KernelState.STOPPING
                    self.deadline = now + self._policy.exit_grace
            case Exited(exit=exit_):
                return self._on_exited(exit_)
        return []

    def on_deadline(self, now: float) -> list[Action]:
        """Act on :attr:`deadline` having passed."""
        match self.state:
            case KernelState.LAUNCHING | KernelState.STARTING:
                limit = self._policy.connection_timeout
                self._cause = f"the kernel did not report ready within {limit:g} s"
                return self._end(now, Kill)
            case KernelState.READY:
                limit = self._policy.overdue_grace
                self._cause = f"the kernel did not return {limit:g} s after its task had timed out"
                self.was_overdue = True
                return self._end(now, Kill)
            case KernelState.DRAINING:
                return self._end(now, Terminate)
            case _:
                return self._climb(now)

    def release(self, now: float) -> list[Action]:
        """Begin its end because it is no longer wanted."""
        self.asked_to_end = True
        if self.state is not KernelState.READY:
            # Nothing is lost with it, and while it starts it hears no message.
            return self._end(now, Terminate)
        detach = self._detach()
        self.state = KernelState.DRAINING
        self._rung = Terminate
        self.deadline = now + self._policy.stop_grace + self._policy.exit_grace
        # It answers what it has before it reads that it is to end.
        return [*detach, Shutdown(self.id)]

    def _on_spawned(self, now: float) -> list[Action]:
        if self._spawned:
            return []
        self._spawned = True
        if self.state is KernelState.LAUNCHING:
            self.state = KernelState.STARTING
        elif self.state is KernelState.STOPPING:
            return self._climb(now)
        return []

    def _on_ready(self, now: float) -> list[Action]:
        # Its last words may be read after its exit was seen; it had been ready all the same.
        if self.ready_since is None and self._cause is None:
            self.ready_since = now
        if self.state not in ON_THE_WAY:
            return []
        self.state = KernelState.READY
        self._spawned = True
        self.deadline = None
        return [Attach(self.id)]

    def _on_start_failed(self, now: float, reason: str) -> list[Action]:
        if self.ready_since is not None or self._cause is not None or self.asked_to_end:
            return []
        self._cause = reason
        # It is about to end by itself.
        return self._end(now, Shutdown)

    def _on_link_lost(self, now: float, reason: str) -> list[Action]:
        if self.state in DYING:
            return []
        self._our_reason = reason
        detach = self._detach()
        self.state = KernelState.STOPPING
        self._rung, self.deadline = Terminate, now + LINK_LOST_GRACE
        return detach

    def _on_ending(self, now: float) -> list[Action]:
        if self.state not in (KernelState.READY, KernelState.DRAINING):
            return []
        detach = self._detach()
        self.state = KernelState.STOPPING
        # A thread that it has left may keep the process for ever.
        grace = self._policy.exit_grace
        self._our_reason = f"the kernel was to end by itself and did not within {grace:g} s"
        self._rung, self.deadline = Terminate, now + grace
        return detach

    def _on_exited(self, exit_: KernelExit) -> list[Action]:
        if self.state is KernelState.EXITED:
            return []
        detach = self._detach()
        self.state = KernelState.EXITED
        self.deadline = None
        self._exit = exit_
        return detach

    def _end(self, now: float, rung: type[Action]) -> list[Action]:
        """Begin the way down at ``rung``, with a process or as soon as there is one."""
        if self.state in DYING:
            return []
        detach = self._detach()
        self.state = KernelState.STOPPING
        self._rung = rung
        return detach + self._climb(now)

    def _climb(self, now: float) -> list[Action]:
        """Take the present rung of the ladder and set the time of the next one."""
        self.deadline = None
        if not self._spawned:
            return []
        action = self._rung(self.id)
        self._signalled = self._rung is not Shutdown
        if self._rung is Shutdown:
            self._rung, self.deadline = Terminate, now + self._policy.exit_grace
        elif self._rung is Terminate:
            self._rung, self.deadline = Kill, now + self._policy.terminate_grace
        return [action]

    def _detach(self) -> list[Action]:
        return [Detach(self.id)] if self.state is KernelState.READY else []
