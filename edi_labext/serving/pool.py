"""Which kernels of one deployment exist: decides, and does nothing itself.

Events of the outside go in with the time, actions come out; there is no clock, no process and no
loop in here. Events may come late, twice or in any order: one that does not fit is ignored.
``Launch`` begins a kernel and ``Swept`` ends it; only what has been swept is forgotten, and only
then is it replaced. The words are those of :mod:`.lifecycle`.
"""

from __future__ import annotations

from collections.abc import Callable

from .backoff import Backoff
from .kernel_life import DYING, ON_THE_WAY, KernelLife
from .lifecycle import Action, Event, Failure, KernelPolicy, KernelState, Launch, Ready, Swept

#: Seconds that a kernel must have been ready for past failures to be forgotten.
STABLE_AFTER = 60.0

#: States by how much is lost with a kernel, most first.
_BY_USE = (KernelState.READY, KernelState.DRAINING, *reversed(ON_THE_WAY), *DYING)


class Pool:
    """The kernels of one deployment.

    Parameters
    ----------
    policy:
        Times.
    new_id:
        Returns a name for each new kernel, never the same twice.

    Notes
    -----
    Failed kernels are replaced as :class:`.backoff.Backoff` says, while starts fail only one at a
    time. A kernel that has returned from a task or has been ready for 60 s ends the series of
    failures: what it does then is the work of its clients, not of a loop.
    """

    def __init__(self, policy: KernelPolicy, new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._new_id = new_id
        self._kernels: dict[str, KernelLife] = {}
        self._stable: set[str] = set()
        self._wanted = 0
        self._failure: Failure | None = None
        self._backoff = Backoff()

    # --- what it knows ----------------------------------------------------------------------

    @property
    def wanted(self) -> int:
        """Kernels there should be."""
        return self._wanted

    @property
    def ready(self) -> int:
        """Kernels that take tasks."""
        return self._count(KernelState.READY)

    @property
    def starting(self) -> int:
        """Kernels on their way to be ready."""
        return self._count(*ON_THE_WAY)

    @property
    def failure(self) -> Failure | None:
        """The last failure, until a kernel becomes ready, none is wanted or it is tried again."""
        return self._failure

    @property
    def failed_starts(self) -> int:
        """Starts that failed in a row."""
        return self._backoff.failed_starts

    @property
    def failures(self) -> int:
        """Kernels that failed in a row without having been of use."""
        return self._backoff.failures

    @property
    def gave_up(self) -> bool:
        """Whether too many kernels failed in a row, so that nothing is launched any more.

        Ends with ``want(0)``, with :meth:`try_again`, or when a late kernel becomes ready.
        """
        return self._backoff.gave_up

    @property
    def next_try(self) -> float | None:
        """When a missing kernel is launched, ``None`` if none is missing or may be launched."""
        return self._backoff.not_before if self._may_launch() else None

    @property
    def kernels(self) -> dict[str, KernelState]:
        """State of each kernel, oldest first."""
        return {kernel.id: kernel.state for kernel in self._kernels.values()}

    def why(self, kernel_id: str) -> str | None:
        """Return why a kernel ends, as far as is known; ``None`` once it is swept."""
        kernel = self._kernels.get(kernel_id)
        return None if kernel is None else kernel.reason

    def next_wake(self) -> float | None:
        """Return when :meth:`wake` is to be called if nothing happens before."""
        times = [k.deadline for k in self._kernels.values() if k.deadline is not None]
        if (next_try := self.next_try) is not None:
            times.append(next_try)
        return min(times, default=None)

    # --- what happens to it -----------------------------------------------------------------

    def want(self, now: float, count: int) -> list[Action]:
        """Set how many kernels there should be; 0 forgets all failures."""
        if count < 0:
            raise ValueError("the number of kernels cannot be negative")
        self._settle(now)
        self._wanted = count
        if count == 0:
            self._backoff = Backoff()
            self._failure = None
        return self._reconcile(now)

    def try_again(self, now: float) -> list[Action]:
        """Forget the failures and launch at once what is missing.

        Whoever asks for it waits for what comes of it, and must not be told the old failure as the
        new one's.
        """
        self._settle(now)
        self._backoff = Backoff()
        self._failure = None
        return self._reconcile(now)

    def wake(self, now: float) -> list[Action]:
        """Do what is due at ``now``; harmless when nothing is."""
        self._settle(now)
        actions: list[Action] = []
        for kernel in self._kernels.values():
            if kernel.deadline is not None and kernel.deadline <= now:
                actions += kernel.on_deadline(now)
        return actions + self._reconcile(now)

    def handle(self, now: float, event: Event) -> list[Action]:
        """Take one event in."""
        self._settle(now)
        kernel = self._kernels.get(event.kernel)
        if kernel is None:
            return []
        if isinstance(event, Swept):
            self._remove(kernel, now, worked=event.worked)
            return self._reconcile(now)
        actions = kernel.on_event(now, event)
        if isinstance(event, Ready) and kernel.state is KernelState.READY:
            self._failure = None
            self._backoff.started()
        return actions + self._reconcile(now)

    # --- bringing wanted and present together -----------------------------------------------

    def _reconcile(self, now: float) -> list[Action]:
        actions: list[Action] = []
        staying = [kernel for kernel in self._kernels.values() if not kernel.asked_to_end]
        # Those that end anyway go first, then those that are not ready, the newest before others.
        staying.sort(key=lambda kernel: _BY_USE.index(kernel.state))
        while len(staying) > self._wanted:
            actions += staying.pop().release(now)
        while self._may_launch() and self._backoff.not_before <= now:
            kernel = KernelLife(self._new_id(), self._policy, now, self._backoff.round)
            self._kernels[kernel.id] = kernel
            actions.append(Launch(kernel.id))
        return actions

    def _may_launch(self) -> bool:
        # One that ends unasked keeps its place until it is swept: what it held is free only then.
        staying = sum(not kernel.asked_to_end for kernel in self._kernels.values())
        return (
            not self._backoff.gave_up
            and staying < self._wanted
            and not (self._backoff.failed_starts and self.starting)
        )

    def _remove(self, kernel: KernelLife, now: float, *, worked: bool) -> None:
        del self._kernels[kernel.id]
        self._stable.discard(kernel.id)
        if kernel.asked_to_end:
            return
        if worked:
            self._backoff.settled()
        never_ready = kernel.ready_since is None
        self._failure = Failure(kernel.reason, kernel.exit_code, now, never_ready)
        # One that was overdue was slow, not broken.
        if not kernel.was_overdue:
            self._backoff.failed(now, kernel.launched_in, never_ready=never_ready)

    def _settle(self, now: float) -> None:
        """End the series of failures when a kernel has been ready for long enough."""
        for kernel in self._kernels.values():
            if (
                kernel.state is KernelState.READY
                and kernel.id not in self._stable
                and kernel.ready_since is not None
                and now - kernel.ready_since >= STABLE_AFTER
            ):
                self._stable.add(kernel.id)
                self._backoff.settled()

    def _count(self, *states: KernelState) -> int:
        return sum(kernel.state in states for kernel in self._kernels.values())
