"""What runs: EDI's *ModelInstance* (``reference/rest-api.md`` section 8)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from .base import TolerantModel

#: Values of ``ModelInstance.state``: start accepted but not there yet, there, not started.
InstanceState = Literal["not-available", "enabled", "disabled"]


class Container(TolerantModel):
    """One kernel. ``container_status`` is ``IDLE`` when it is ready and unused.

    WMLA 1.2 calls ``finished_task`` ``finish_task``.
    """

    container_uid: str = ""
    container_host: str = ""
    container_status: str = ""
    running_task: int = 0
    finished_task: int = 0
    failed_task: int = 0
    total_task: int = 0

    @model_validator(mode="before")
    @classmethod
    def _know_the_old_name(cls, value: Any) -> Any:
        return renamed(value, "finish_task", "finished_task")


class ServingService(TolerantModel):
    """One serving pod (replica).

    ``client_number`` are the callers that wait for an answer, ``pending_tasks`` the requests that
    wait for a kernel. The rates are requests, and bytes of their bodies, per second; on our engine
    over the last 10 s.

    WMLA 1.2 calls ``pending_tasks`` ``pending_number``. ``gpu_packid`` names the pack of kernels
    that share a GPU; seen with ``gpu_mode`` ``shared``.
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

    @model_validator(mode="before")
    @classmethod
    def _know_the_old_name(cls, value: Any) -> Any:
        return renamed(value, "pending_number", "pending_tasks")


class ModelInstance(TolerantModel):
    """The answer of ``GET /model/{name}/instance``.

    ``instances`` is absent unless ``state`` is ``enabled``. ``state`` is open text when read, so
    that a value of a newer EDI does not break the list.
    """

    name: str
    state: InstanceState | str
    instances: list[ServingService] | None = None


def renamed(value: Any, old: str, new: str) -> Any:
    """Return what was read, with the field that an older release calls ``old`` as ``new`` too."""
    if isinstance(value, dict) and old in value and new not in value:
        return {**value, new: value[old]}
    return value
