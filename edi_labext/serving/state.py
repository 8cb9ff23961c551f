"""The state of a deployment as people see it, and EDI's view of what runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..models import Container, DeploymentState, Profile, ServingService
from .honoured import gpu_pack

if TYPE_CHECKING:
    from .dispatcher import TaskQueue
    from .kernel_run import KernelFacts
    from .supervisor import Supervisor


def started_state(supervisor: Supervisor, *, at_zero: bool) -> tuple[DeploymentState, str]:
    """Return state and reason of a deployment that is started and waits for nothing.

    Parameters
    ----------
    at_zero:
        Whether it has no kernel because nobody has asked yet.
    """
    if supervisor.ready:
        return "ready", ""
    failure = supervisor.failure
    if failure is None:
        if at_zero:
            return "ready", "No kernel runs; the first request starts one."
        return "starting", "The kernel is starting."
    reason = f"{failure.reason[:1].upper()}{failure.reason[1:]}."
    if supervisor.gave_up:
        return "failed", f"{reason} It was tried several times; start it to try again."
    if failure.never_ready:
        return "failed", reason
    return "starting", f"{reason} It is being replaced."


def serving_service(
    profile: Profile,
    queue: TaskQueue,
    kernels: Sequence[KernelFacts],
    *,
    rates: tuple[float, float],
    name: str,
    uid: str,
    job_id: str,
    host: str,
) -> ServingService:
    """Return the one serving service of deployment ``name``.

    Parameters
    ----------
    profile:
        That it runs by.
    rates:
        Requests and bytes of requests per second.
    uid, job_id, host:
        ``isd_uid``, ``pj_jobid``, ``container_host``.
    """
    gpu = profile.kernel.gpu
    return ServingService(
        isd_uid=uid,
        pj_jobid=job_id,
        gpu_mode=gpu,
        gpu_packid=gpu_pack(profile, name) if gpu == "shared" else None,
        client_number=queue.waiting + queue.running,
        pending_tasks=queue.waiting,
        request_per_sec=round(rates[0], 3),
        data_size_per_sec=round(rates[1], 3),
        isd_container=[
            Container(
                container_uid=kernel.kernel_id,
                container_host=host,
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
