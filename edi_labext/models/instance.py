"""What runs: EDI's *ModelInstance* (``reference/rest-api.md`` section 8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import WireModel

#: Values of ``ModelInstance.state``: start accepted but not there yet, there, not started.
InstanceState = Literal["not-available", "enabled", "disabled"]


class Container(WireModel):
    """One kernel. ``container_status`` is ``IDLE`` when it is ready and unused."""

    container_uid: str = ""
    container_host: str = ""
    container_status: str = ""
    running_task: int = 0
    finished_task: int = 0
    failed_task: int = 0
    total_task: int = 0


class ServingService(WireModel):
    """One serving pod (replica).

    ``client_number`` are the callers that wait for an answer, ``pending_tasks`` the requests that
    wait for a kernel. The rates are requests, and bytes of their bodies, per second; on our engine
    over the last 10 s.

    ``gpu_packid`` names the pack of kernels that share a GPU; seen with ``gpu_mode`` ``shared``.
    """

    isd_uid: str = ""
    pj_jobid: str = ""
    gpu_mode: str = "no"
    gpu_packid: str | None = None
    client_number: int = 0
    pending_tasks: int = 0
    request_per_sec: float = 0.0
    data_size_per_sec: float = 0.0
    isd_container: list[Container] = Field(default_factory=list)


class ModelInstance(WireModel):
    """The answer of ``GET /model/{name}/instance``.

    ``instances`` is absent unless ``state`` is ``enabled``. ``state`` is open text when read, so
    that a value of a newer EDI does not break the list.
    """

    name: str
    state: InstanceState | str
    instances: list[ServingService] | None = None
