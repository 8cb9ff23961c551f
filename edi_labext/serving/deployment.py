"""One deployment: its record, its queue, its kernels, and the rules of its life.

The state that is shown is computed from the desired state in the store and from what the
supervisor sees; it is never kept a second time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import Conflict, EdiError, Unavailable
from ..models import (
    Container,
    DeploymentState,
    DeploymentStatus,
    ModelDescription,
    ModelInstance,
    ServingService,
)
from .dispatcher import TaskQueue
from .kernel_environment import kernel_environment
from .launchers.base import LaunchSpec
from .logs.book import LogBook
from .queue_policy import QueuePolicy
from .supervisor import FAILURE_LOG_LINES, KernelPolicy, Supervisor

if TYPE_CHECKING:
    from .clock import Clock
    from .launchers.base import Launcher
    from .link import KernelLink
    from .logs.pump import LogPump
    from .settings import Settings
    from .store import Record, Store
    from .task import Task

#: Lines of the log that a status carries.
LOG_TAIL_LINES = 100
#: States in which a request is not even queued.
_REFUSING: frozenset[DeploymentState] = frozenset({"stopped", "stopping", "failed"})


@dataclass(frozen=True)
class Surroundings:
    """What every deployment of an engine shares."""

    settings: Settings
    clock: Clock
    store: Store
    launcher: Launcher
    pump: LogPump
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    #: Address that ``service_uri`` starts with, such as ``http://127.0.0.1:9000/dlim/v1/``.
    rest_server: Callable[[], str]


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
        settings = surroundings.settings
        profile = self.record.profile
        timeout = profile.policy.task_execution_timeout
        self.queue = TaskQueue(
            surroundings.clock,
            QueuePolicy(
                limit=settings.queue_limit,
                batch_size=profile.policy.task_batch_size,
                parallel_size=profile.policy.task_parallel_size,
                pipe_size=profile.policy.task_pipe_size,
                timeout=None if timeout < 0 else timeout,
            ),
            name=name,
            on_overdue=self._on_overdue,
        )
        self._book = LogBook(settings.store / "logs", name, surroundings.clock.wall)
        self._supervisor = Supervisor(
            name=name,
            clock=surroundings.clock,
            launcher=surroundings.launcher,
            pump=surroundings.pump,
            book=self._book,
            queue=self.queue,
            make_spec=self._make_spec,
            context_text=lambda: self.description().model_dump_json(exclude_none=True),
            policy=KernelPolicy(
                connection_timeout=profile.kernel.connection_timeout,
                overdue_grace=max(30.0, timeout),
                stop_grace=settings.stop_grace,
            ),
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
        description = self.record.description
        if not self.started:
            return description
        uri = f"{self._around.rest_server()}inference/{self.name}"
        return description.model_copy(update={"service_uri": uri})

    def instance(self) -> ModelInstance:
        """Return EDI's *ModelInstance* with its three observed states.

        ``not-available`` until the first kernel process exists, ``enabled`` while it is started
        and, for a short while, while its kernels still end after a stop, then ``disabled``.
        """
        kernels = self._supervisor.kernels
        if not self.started and not kernels:
            return ModelInstance(name=self.name, state="disabled")
        if not kernels and not self._supervisor.failure:
            return ModelInstance(name=self.name, state="not-available")
        service = ServingService(
            isd_uid=self._isd_uid,
            pj_jobid=self._job_id,
            gpu_mode=self.record.profile.kernel.gpu,
            client_number=self.queue.waiting + self.queue.running,
            pending_tasks=self.queue.waiting,
            isd_container=[
                Container(
                    container_uid=kernel.kernel_id,
                    container_host=self._around.settings.host,
                    container_status="BUSY" if kernel.running else "IDLE",
                    running_task=kernel.running,
                    finished_task=kernel.finished,
                    failed_task=kernel.failed,
                    total_task=kernel.total,
                )
                for kernel in kernels
                if kernel.ready
            ],
        )
        return ModelInstance(name=self.name, state="enabled", instances=[service])

    def status(self) -> DeploymentStatus:
        """Return the state as people see it, with the reason and the last log lines."""
        state, reason = self._state()
        failure = self._supervisor.failure
        return DeploymentStatus(
            name=self.name,
            state=state,
            reason=reason,
            exit_code=failure.exit_code if failure else None,
            since=self._since,
            kernels_ready=self._supervisor.ready,
            kernels_wanted=self._supervisor.wanted,
            pending_tasks=self.queue.waiting + self.queue.running,
            log_tail=self._book.tail(LOG_TAIL_LINES),
        )

    def _state(self) -> tuple[DeploymentState, str]:
        supervisor = self._supervisor
        if not self.started:
            if supervisor.kernels:
                return "stopping", "Accepted requests are answered, then the kernels end."
            return "stopped", ""
        if supervisor.ready:
            return "ready", ""
        failure = supervisor.failure
        if failure is None:
            return "starting", "The kernel is starting."
        reason = _sentence(failure.reason)
        if supervisor.gave_up:
            return "failed", f"{reason} It was tried several times; start it to try again."
        if failure.never_ready:
            return "failed", reason
        return "starting", f"{reason} It is being replaced."

    def _changed(self) -> None:
        state, _ = self._state()
        if state != self._shown:
            self._shown = state
            self._since = self._around.clock.wall()

    # --- what is done with it ---------------------------------------------------------------

    async def start(self) -> None:
        """Want it to run; returns once that is durable, long before a kernel is ready.

        Starting what is started changes nothing, unless its kernels were given up: then they are
        tried again.
        """
        async with self._order:
            if not self.started:
                now = int(self._around.clock.wall())
                description = self.record.description.model_copy(update={"started_at": now})
                await self._around.store.update(
                    self.name, desired="started", description=description
                )
                self._job_id = _pod_name(self.name)
            self.resume()

    def resume(self) -> None:
        """Bring up the kernels of a deployment that the store says is started."""
        self._supervisor.want(self.record.profile.policy.kernel_min)
        self._changed()

    async def stop(self) -> None:
        """Want it not to run; returns once that is durable, the kernels end afterwards."""
        async with self._order:
            if self.started:
                await self._around.store.update(self.name, desired="stopped")
            self._around.spawn(self._supervisor.stop())
            self._changed()

    async def delete(self) -> None:
        """Remove it for good.

        Raises
        ------
        Conflict
            ``started`` while it is started or its kernels still end.
        """
        async with self._order:
            if self.started or self._supervisor.kernels:
                # The words are dlim's (reference/dlim-cli.md section 6).
                raise Conflict(
                    "The model cannot be removed if it's started.",
                    code="started",
                    hint="Stop it first and wait until it is stopped.",
                )
            await self._around.store.delete(self.name)
            self._book.remove()

    async def shut_down(self) -> None:
        """End the kernels with the engine; the store still says what is wanted."""
        await self._supervisor.stop()
        self._book.close()

    def submit(self, task: Task) -> None:
        """Give a request to the queue.

        Raises
        ------
        Conflict
            ``not_started``
        Unavailable
            ``deployment_failed`` with the reason, or ``stopping``
        Overloaded
            when the queue is full
        """
        # The shown state is the one flag that this path looks at: it is in memory and current.
        if self._shown in _REFUSING:
            raise self._refusal()
        self.queue.submit(task)

    def _refusal(self) -> EdiError:
        state, reason = self._state()
        if state == "failed":
            return Unavailable(
                f"Model <{self.name}> has failed: {reason}",
                code="deployment_failed",
                hint="Mend what the log says, deploy it again and start it.",
                detail="\n".join(self._book.tail(FAILURE_LOG_LINES)) or None,
            )
        if state == "stopping":
            return Unavailable(
                f"Model <{self.name}> is stopping.", code="stopping", hint="Start it again."
            )
        return Conflict(
            f"Model <{self.name}> is not started.",
            code="not_started",
            hint=f"Start it first: PUT /dlim/v1/model/{self.name}/operation/start.",
        )

    def _on_overdue(self, link: KernelLink) -> None:
        self._supervisor.overdue(link)

    def _make_spec(self, kernel_id: str) -> LaunchSpec:
        record = self.record
        top = self._around.settings.store
        working_directory = top / "work" / self.name
        working_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LaunchSpec(
            kernel_id=kernel_id,
            interpreter=sys.executable,
            kernel_file=record.directory / record.description.kernel_path,
            working_directory=working_directory,
            environment=kernel_environment(
                record,
                inherited=os.environ,
                store=top,
                job_id=self._job_id,
                kernel_id=kernel_id,
                working_directory=working_directory,
            ),
            umask=int(record.profile.kernel.umask, 8),
        )


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _pod_name(name: str) -> str:
    """Return a name in the form that EDI gives its serving pods (``pj_jobid``)."""
    return f"edi-{name}-{secrets.token_hex(5)}-{secrets.token_hex(3)[:5]}"
