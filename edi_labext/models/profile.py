"""How a deployment runs: EDI's *ModelAppProfile*, with the defaults observed after a deploy.

Source of names and defaults: ``reference/rest-api.md`` section 8 (schema version 1.2).
Times are in seconds; -1 means "no limit" where it is allowed.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import WireModel
from .description import EnvironmentVariable

#: ``no`` hides GPUs, ``shared`` packs several kernels on one, ``exclusive`` is one GPU per kernel.
GpuMode = Literal["no", "shared", "exclusive"]


class Policy(WireModel):
    """Scheduling of kernels and tasks."""

    name: str = "capacity"
    schedule_interval: int = 3
    kernel_min: int = 1
    kernel_max: int = 100
    kernel_delay_release_time: int = 60
    task_execution_timeout: float = 60
    task_batch_size: int = 1
    task_pipe_size: int = 1
    task_parallel_size: int = 1
    stream_number_per_group: int = 0
    stream_discard_slow_tasks: bool = True


class KernelProfile(WireModel):
    """What each kernel process gets."""

    working_directory: str = "${REDHARE_TOP}/work"
    connection_timeout: float = 90
    log_directory: str = "${REDHARE_TOP}/logs"
    run_as: str = ""
    umask: str = "022"
    gpu: GpuMode = "no"
    envs: list[EnvironmentVariable] = Field(
        default_factory=lambda: [EnvironmentVariable(name="DLIM_MK_LOG_LEVEL", value="INFO")]
    )


class Profile(WireModel):
    """The part of a profile that the product acts on; everything else is kept as it came."""

    schema_version: str = "1.2"
    type: str = "inference"
    name: str
    replica: int = 1
    policy: Policy = Field(default_factory=Policy)
    kernel: KernelProfile = Field(default_factory=KernelProfile)
