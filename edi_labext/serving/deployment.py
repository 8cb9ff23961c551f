"""One deployment: its record, its queue, its kernels, and the rules of its life.

The state that is shown is computed from the desired state in the store and from what the
supervisor sees; it is never kept a second time. The profile that kernels run by is the saved one
of the moment when the first of them was wanted.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from ..errors import Conflict, EdiError
from ..models import (
    DeploymentState,
    DeploymentStatus,
    ModelDescription,
    ModelInstance,
    Profile,
)
from . import failures, profile_change
from .claim import Claim
from .dispatcher import TaskQueue
from .edits import Edits
from .honoured import gpu_demand, kernel_policy, memory_demand, only_kept, queue_policy
from .quarters import Quarters
from .state import serving_service, started_state
from .supervisor import FAILURE_LOG_LINES, Supervisor
from .throughput import Throughput

if TYPE_CHECKING:
    from .launchers.base import LaunchSpec
    from .link import KernelLink
    from .store import Record
    from .surroundings import Surroundings
    from .task import Task

#: Lines of the log that a status carries.
LOG_TAIL_LINES = 100
#: States in which a request is not even queued.
_REFUSING: frozenset[DeploymentState] = frozenset({"stopped", "stopping", "pending", "failed"})


class Deployment:
    """One name of the store, alive.

    Parameters
    ----------
    name:
        The deployment's name; its record must be in the store.
    surroundings:
        Shared parts of the engine.
    """

    def __init__(self, name: str, surroundings: Surroundings) -> None:
        self.name = name
        self._around = surroundings
        self._order = asyncio.Lock()
        self._job_id = _pod_name(name)
        self._isd_uid = self.record.description.uid
        self._since = surroundings.clock.wall()
        self._shown: DeploymentState = "stopped"
        #: Deleted, or the engine ends.
        self._over = False
        #: What its kernels run by; ``None`` while there are and will be none.
        self._running: Profile | None = None
        #: Whether its kernels have to end before it starts.
        self._changing = False
        self._claim = Claim(
            name,
            surroundings.inventory,
            surroundings.ledger,
            retry=lambda: surroundings.spawn(self.resume()),
        )
        settings = surroundings.settings
        profile = self.record.profile
        self.queue = TaskQueue(
            surroundings.clock,
            queue_policy(profile, limit=settings.queue_limit),
            name=name,
            on_overdue=self._on_overdue,
            on_demand=self._on_demand,
        )
        self._throughput = Throughput()
        self.quarters = Quarters(surroundings, lambda: self.record)
        #: What may be changed of what is saved.
        self.edits = Edits(
            name,
            surroundings,
            self.quarters,
            self._order,
            is_at_rest=lambda: not self.started and not self._supervisor.kernels,
        )
        self._supervisor = Supervisor(
            name=name,
            clock=surroundings.clock,
            launcher=surroundings.launcher,
            pump=surroundings.pump,
            book=self.quarters.book,
            queue=self.queue,
            prepare=self.quarters.prepare,
            make_spec=self._make_spec,
            context_text=lambda: self.description().model_dump_json(exclude_none=True),
            policy=kernel_policy(profile, stop_grace=settings.stop_grace),
            on_change=self._changed,
            spawn=surroundings.spawn,
            new_id=lambda: f"{self._job_id}-task{secrets.token_hex(2)}-{secrets.token_hex(3)[:5]}",
        )

    # --- what it is -------------------------------------------------------------------------

    @property
    def record(self) -> Record:
        """The deployment as the store knows it."""
        return self._around.store.get(self.name)

    @property
    def started(self) -> bool:
        """Whether somebody wants it to run."""
        return self.record.desired == "started"

    def description(self) -> ModelDescription:
        """Return EDI's *Model*; ``service_uri`` is filled while it is started."""
        shown = {"model_path": str(self.quarters.pod.model_path)}
        if self.started:
            shown["service_uri"] = f"{self._around.rest_server()}inference/{self.name}"
        return self.record.description.model_copy(update=shown)

    def profile(self) -> Profile:
        """Return EDI's *ModelAppProfile*: what it will run by at its next start."""
        record = self.record
        return profile_change.with_times(record.profile, record.description.create_time)

    def instance(self) -> ModelInstance:
        """Return EDI's *ModelInstance* with its three observed states.

        ``not-available`` until the first kernel process exists, ``enabled`` while it is started
        and, for a short while, while its kernels still end after a stop, then ``disabled``.
        """
        kernels = self._supervisor.kernels
        if not self.started and not kernels:
            return ModelInstance(name=self.name, state="disabled")
        if not kernels and not self._supervisor.failure and not self._at_zero:
            return ModelInstance(name=self.name, state="not-available")
        service = serving_service(
            self._running or self.record.profile,
            self.queue,
            kernels,
            rates=self._throughput.rates(self._around.clock.now()),
            name=self.name,
            uid=self._isd_uid,
            job_id=self._job_id,
            host=self._around.settings.host,
        )
        return ModelInstance(name=self.name, state="enabled", instances=[service])

    def status(self) -> DeploymentStatus:
        """Return the state as people see it, with the reason and the last log lines."""
        state, reason = self._state()
        failure = self._supervisor.failure
        saved, running = self.record.profile, self._running
        return DeploymentStatus(
            name=self.name,
            state=state,
            reason=reason,
            exit_code=failure.exit_code if failure else None,
            since=self._since,
            kernels_ready=self._supervisor.ready,
            kernels_wanted=saved.policy.kernel_min
            if state == "pending"
            else self._supervisor.wanted,
            pending_tasks=self.queue.waiting + self.queue.running,
            log_tail=self.quarters.book.tail(LOG_TAIL_LINES),
            gpu=(running or saved).kernel.gpu,
            profile_changed=running is not None and not running.runs_like(saved),
        )

    @property
    def _at_zero(self) -> bool:
        """Whether it runs without a kernel until a request comes."""
        running, supervisor = self._running, self._supervisor
        return (
            running is not None
            and not running.policy.kernel_min
            and not supervisor.wanted
            and not supervisor.kernels
        )

    def _state(self) -> tuple[DeploymentState, str]:
        supervisor = self._supervisor
        if not self.started:
            if supervisor.kernels:
                return "stopping", "Accepted requests are answered, then the kernels end."
            return "stopped", ""
        if self._claim.shortage:
            return "pending", self._claim.shortage
        if self._changing:
            return "starting", "The kernels of its last start end first."
        return started_state(supervisor, at_zero=self._at_zero)

    def _changed(self) -> None:
        state, _ = self._state()
        if state != self._shown:
            self._shown = state
            self._since = self._around.clock.wall()
            if state == "failed" and self.queue.waiting:
                # Those who came before are told at once what those who come now are told.
                self.queue.close(self._refusal(), only_waiting=True)

    # --- start and stop ---------------------------------------------------------------------

    async def start(self) -> None:
        """Want it to run; returns once that is durable, long before a kernel is ready.

        Starting what is started changes nothing, unless its kernels were given up: then they are
        tried again.

        Raises
        ------
        Conflict
            ``no_files``: it was registered without a package.
        """
        async with self.edits.in_order():
            if not self.record.description.size:
                raise failures.no_files(self.name)
            # Of one that is started the kernels go on in what they began with.
            moved = not self.started and self.quarters.runtime != self.quarters.choose()
            if not self.started:
                now = int(self._around.clock.wall())
                description = self.record.description.model_copy(update={"started_at": now})
                await self._around.store.update(
                    self.name, desired="started", description=description
                )
                self._job_id = _pod_name(self.name)
            await self._bring_up(anew=moved)

    async def resume(self) -> None:
        """Bring up the kernels of a deployment that the store says is started."""
        async with self._order:
            if not self._over and self.started:
                await self._bring_up()

    async def stop(self) -> None:
        """Want it not to run; returns once that is durable, the kernels end afterwards."""
        async with self.edits.in_order():
            if self.started:
                await self._around.store.update(self.name, desired="stopped")
            self._changing = False
            self._claim.forget()
            self._around.spawn(self._end())
            self._changed()

    async def delete(self) -> None:
        """Remove it for good.

        Raises
        ------
        Conflict
            ``started`` while it is started or its kernels still end.
        """
        async with self.edits.in_order():
            if self.started or self._supervisor.kernels:
                # The words are dlim's (reference/dlim-cli.md section 6).
                raise Conflict(
                    "The model cannot be removed if it's started.",
                    code="started",
                    hint="Stop it first and wait until it is stopped.",
                )
            await self._around.store.delete(self.name)
            self._over = True
            self._let_go()
            await self.quarters.clear()

    async def shut_down(self) -> None:
        """End the kernels with the engine; the store still says what is wanted."""
        self._over = True
        await self._supervisor.stop()
        self.quarters.book.close()

    async def _bring_up(self, *, anew: bool = False) -> None:
        """Have it run by the saved profile. In order with all else, and only while started.

        Parameters
        ----------
        anew:
            Whether kernels that there still are do not fit, whatever the profile says.
        """
        profile = self.record.profile
        count = profile.policy.kernel_min
        self._changed()
        if self._running is None:
            await self._begin(profile)
        elif (
            anew
            or not self._running.runs_like(profile)
            or (self._supervisor.stopping and not count)
        ):
            # Stopped and started again before the last kernel was gone.
            if not self._changing:
                self._changing = True
                self._around.spawn(self._begin_anew())
        elif not self._at_zero:
            self._supervisor.want(count or 1)
        self._changed()

    async def _begin(self, profile: Profile) -> None:
        before = self._claim.shortage
        demand = gpu_demand(profile, self.name)
        granted = await self._claim.reserve(demand, memory_demand(profile))
        if self._over:  # the engine has ended meanwhile
            return
        if not granted:
            if self._claim.shortage != before:
                self.remark(f"pending: {self._claim.shortage}")
            return
        kept = only_kept(profile)
        self.remark(f"Kept in the profile, without effect here: {', '.join(kept)}" if kept else "")
        settings = self._around.settings
        await self.quarters.move_in(profile)
        self.remark(self.quarters.runtime.remark)
        self._running = profile
        self._supervisor.adopt(
            kernel_policy(profile, stop_grace=settings.stop_grace),
            queue_policy(profile, limit=settings.queue_limit),
        )
        self._supervisor.want(profile.policy.kernel_min)

    async def _begin_anew(self) -> None:
        await self._supervisor.stop()
        async with self._order:
            if self._over or not self._changing:
                return
            self._changing = False
            self._let_go()
            await self._bring_up()

    async def _end(self) -> None:
        await self._supervisor.stop()
        async with self._order:
            if not self._over and not self.started and not self._supervisor.kernels:
                self._let_go()

    def _let_go(self) -> None:
        """Give back what kernels needed, once they are gone."""
        self._running = None
        self._claim.give_back()

    # --- its log ----------------------------------------------------------------------------

    def remark(self, text: str) -> None:
        """Write a line of the engine's own into the log; nothing for no text."""
        self.quarters.remark(self._job_id, text)

    # --- requests and kernels ---------------------------------------------------------------

    def submit(self, task: Task) -> None:
        """Give a request to the queue.

        Raises
        ------
        Conflict
            ``not_started``
        Unavailable
            ``deployment_failed`` with the reason, ``pending`` with what is missing, or ``stopping``
        Overloaded
            when the queue is full
        """
        # The shown state is the one flag that this path looks at: it is in memory and current.
        if self._shown in _REFUSING:
            raise self._refusal()
        size = len(task.body)
        self.queue.submit(task)
        self._throughput.count(task.submitted, size)

    def _refusal(self) -> EdiError:
        state, reason = self._state()
        log_tail = self.quarters.book.tail(FAILURE_LOG_LINES)
        return failures.refusing(self.name, state, reason, log_tail)

    def _on_overdue(self, link: KernelLink) -> None:
        self._supervisor.overdue(link)

    def _on_demand(self) -> None:
        if self._at_zero:
            self._supervisor.want(1)

    def _make_spec(self, kernel_id: str) -> LaunchSpec:
        alive = {kernel.kernel_id for kernel in self._supervisor.kernels}
        gpu = self._claim.place(kernel_id, alive)
        profile = self._running or self.record.profile
        return self.quarters.spec(kernel_id, self._job_id, profile, gpu)


def _pod_name(name: str) -> str:
    """Return a name in the form that EDI gives its serving pods (``pj_jobid``)."""
    return f"edi-{name}-{secrets.token_hex(5)}-{secrets.token_hex(3)[:5]}"
