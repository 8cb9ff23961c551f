"""Deployments as people see them, whichever EDI they live on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, Field

from ..client import EdiClient
from ..errors import EdiError, UpstreamUnauthorized
from ..models import (
    Container,
    DeploymentState,
    DeploymentStatus,
    ModelDescription,
    ModelInstance,
    Profile,
)
from .next_profile import NextProfiles

#: Calls at once when the states of a list are asked for.
FAN_OUT = 8
#: Lines of the log that a failed deployment shows.
LOG_LINES = 20

# A kernel that works for somebody reports another status than IDLE; which, is not documented.
_READY_STATUSES = frozenset({"IDLE", "BUSY", "RUNNING"})
_CONNECTION_TIMEOUT = Profile(name="default").kernel.connection_timeout


class Deployment(BaseModel):
    """One row of the list.

    Attributes
    ----------
    state, reason:
        See :class:`~edi_labext.models.DeploymentStatus`.
    since:
        Unix seconds UTC at which ``state`` was entered, 0 when the EDI does not tell.
    kernels_ready, kernels_wanted:
        Numbers of kernels.
    pending_tasks:
        Requests that wait or run.
    size:
        Sum of the package's files in bytes.
    create_time, started_at:
        Unix seconds UTC; ``started_at`` 0 means never.
    service_uri:
        Address for inference, ``""`` while stopped.
    log_tail:
        The last lines of the log, at most 20, only when ``state`` is ``failed``.
    gpu:
        ``no``, ``shared`` or ``exclusive``; ``""`` when the EDI does not tell, as WMLA while it is
        stopped.
    profile_changed:
        Whether the saved profile is another than the one that runs, as far as the EDI tells.
    next_profile:
        Whether a profile waits on this machine for the next start.
    """

    name: str
    state: DeploymentState
    reason: str = ""
    since: float = 0.0
    kernels_ready: int = 0
    kernels_wanted: int = 0
    pending_tasks: int = 0
    runtime: str = ""
    kernel_path: str = ""
    tag: str = ""
    creator: str = ""
    size: int = 0
    create_time: int = 0
    started_at: int = 0
    service_uri: str = ""
    log_tail: list[str] = Field(default_factory=list)
    gpu: str = ""
    profile_changed: bool = False
    next_profile: bool = False


def list_deployments(client: EdiClient, *, fan_out: int = FAN_OUT) -> list[Deployment]:
    """Return all deployments with their states, in the order of the EDI.

    A deployment whose state cannot be asked for has the state ``unknown`` and says why; one that
    was removed meanwhile is left out.

    Parameters
    ----------
    fan_out:
        Most states that are asked for at once.

    Raises
    ------
    EdiError
        The list itself could not be had.
    """
    models = client.list_models()
    if not models:
        return []
    client.capabilities()  # Asked once here rather than by every thread at the same time.
    waiting = NextProfiles.of(client).names()
    if len(models) == 1:
        return [_row(client, models[0], waiting)]
    with ThreadPoolExecutor(min(fan_out, len(models)), thread_name_prefix="edi-state") as pool:
        return list(pool.map(lambda model: _row(client, model, waiting), models))


def get_deployment(client: EdiClient, name: str) -> Deployment:
    """Return one deployment; raises :class:`~edi_labext.errors.NotFound`."""
    row = combine(client.get_model(name), observe(client, name))
    row.next_profile = name in NextProfiles.of(client).names()
    return row


def observe(client: EdiClient, name: str) -> DeploymentStatus:
    """Return the state of a deployment: as the engine tells it, or read off EDI's instance.

    Raises
    ------
    NotFound
    """
    status = client.status(name)
    if status is not None:
        return status
    instance = client.instance(name)
    started_at = 0
    if instance.state == "enabled" and not _containers(instance):
        started_at = client.get_model(name).started_at
    return interpret(instance, started_at=started_at, now=time.time())


def interpret(instance: ModelInstance, *, started_at: int, now: float) -> DeploymentStatus:
    """Read a state off the instance of an EDI that tells no more (``design.md`` section 4).

    ``failed`` is never claimed, since such an EDI does not tell failed from slow.

    Parameters
    ----------
    started_at, now:
        Unix seconds; they only serve to say for how long there has been no kernel.
    """
    kernels = _containers(instance)
    ready = sum(1 for kernel in kernels if _is_ready(kernel))
    state: DeploymentState
    reason = ""
    match instance.state:
        case "disabled":
            state = "stopped"
        case "not-available":
            state, reason = "starting", "The service is being set up."
        case "enabled" if ready:
            state = "ready"
        case "enabled":
            state, reason = "starting", "The kernel is starting."
            waited = now - started_at
            if started_at > 0 and waited > _CONNECTION_TIMEOUT:
                reason = f"No kernel for {waited:.0f} s."
        case other:
            state, reason = "unknown", f"The EDI calls its state {ascii(other)[:40]}."
    return DeploymentStatus(
        name=instance.name,
        state=state,
        reason=reason,
        kernels_ready=ready,
        kernels_wanted=max(len(kernels), 1 if state in ("starting", "ready") else 0),
        pending_tasks=sum(service.pending_tasks for service in instance.instances or ()),
        gpu=_gpu(instance),
    )


def combine(model: ModelDescription, status: DeploymentStatus) -> Deployment:
    """Put what a deployment is and how it does into one row."""
    return Deployment(
        **model.model_dump(include=_FROM_MODEL),
        **status.model_dump(include=_FROM_STATUS),
        log_tail=status.log_tail[-LOG_LINES:] if status.state == "failed" else [],
    )


_FROM_STATUS = set(Deployment.model_fields) & set(DeploymentStatus.model_fields) - {
    "name",
    "log_tail",
}
_FROM_MODEL = set(Deployment.model_fields) & set(ModelDescription.model_fields)


def _row(client: EdiClient, model: ModelDescription, waiting: frozenset[str]) -> Deployment:
    try:
        status = observe(client, model.name)
    except UpstreamUnauthorized:
        raise
    except EdiError as error:
        status = DeploymentStatus(name=model.name, state="unknown", reason=error.message)
    row = combine(model, status)
    row.next_profile = model.name in waiting
    return row


def _containers(instance: ModelInstance) -> Sequence[Container]:
    return [kernel for service in instance.instances or () for kernel in service.isd_container]


def _gpu(instance: ModelInstance) -> str:
    """Return the GPU mode that runs, ``""`` when the instance does not tell."""
    told = (
        service for service in instance.instances or () if "gpu_mode" in service.model_fields_set
    )
    return next((service.gpu_mode for service in told), "")


def _is_ready(kernel: Container) -> bool:
    return kernel.container_status.upper() in _READY_STATUSES or kernel.running_task > 0
