"""How a deployment runs: EDI's *ModelAppProfile*, with the defaults observed after a deploy.

Source of names, defaults and ranges: ``reference/rest-api.md`` section 8 (schema version 1.2).
Where that names no upper bound, the one here only keeps nonsense out. Times are in seconds; -1
means "no limit" where it is allowed.

The JSON Schema of :class:`Profile` drives the form: each field has a title, a description, and

``section``
    ``gpu``, ``resources``, ``kernels``, ``timeouts``, ``batching``, ``environment`` or ``advanced``
``rule``
    what is allowed, to be put behind "Must be"
``unit``
    ``s`` or absent
``unlimited``
    the value that means "no limit", where there is one
``readOnly``
    set where a change is refused

What a document may hold is checked by :mod:`.profile_check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr

from .allocation import ResourceAllocation, Security
from .description import EnvironmentVariable
from .profile_field import (
    TOLERANT,
    NoLimitOrPositive,
    ProfileSection,
    Seconds,
    field,
    text,
    whole,
)

#: ``no`` hides GPUs, ``shared`` packs several kernels on one, ``exclusive`` is one GPU per kernel.
GpuMode = Literal["no", "shared", "exclusive"]

#: What each GPU mode means, one sentence for people.
GPU_SENTENCES: dict[str, str] = {
    "no": "Kernels run on CPUs alone and see no GPU.",
    "shared": "Several kernels are packed on one GPU and share its memory.",
    "exclusive": "Each kernel has one whole GPU to itself and works on one task at a time.",
}

_DAY = 86_400
_WEEK = 7 * _DAY


class Policy(ProfileSection):
    """Scheduling of kernels and tasks."""

    name: str = text("capacity", "Scheduling policy", "Name of EDI's scheduling policy.")
    schedule_interval: int = whole(
        3,
        1,
        _DAY,
        "Schedule interval",
        section="kernels",
        about="How often the wanted number of kernels is computed.",
        extra={"unit": "s", "advanced": True},
    )
    kernel_min: int = whole(
        1,
        0,
        1_000,
        "Kernels at least",
        section="kernels",
        about="Kernels that run even without load; at 0 the first request starts one.",
    )
    kernel_max: Annotated[int, NoLimitOrPositive] = field(
        100,
        "Kernels at most",
        section="kernels",
        about="Upper bound of kernels; -1 is no limit.",
        rule="-1 for no limit, or a whole number from 1 to 10000",
        extra={"unlimited": -1},
        ge=-1,
        le=10_000,
    )
    kernel_delay_release_time: int = whole(
        60,
        1,
        _WEEK,
        "Release delay",
        section="kernels",
        about="How long a kernel that is not needed waits before it ends.",
        extra={"unit": "s"},
    )
    task_execution_timeout: Annotated[Seconds, NoLimitOrPositive] = field(
        60,
        "Request timeout",
        section="timeouts",
        about="How long one request may take, waiting included; -1 is no limit.",
        rule=f"-1 for no limit, or a number of seconds above 0 and up to {_DAY}",
        extra={"unit": "s", "unlimited": -1},
        ge=-1,
        le=_DAY,
    )
    task_batch_size: int = whole(
        1,
        1,
        1_000,
        "Batch size",
        section="batching",
        about="Most requests handed to a kernel in one call.",
    )
    task_pipe_size: int = whole(
        1,
        1,
        1_000,
        "Pipe size",
        section="batching",
        about="Requests that wait at a kernel ahead of time.",
    )
    task_parallel_size: int = whole(
        1,
        1,
        1_000,
        "Parallel requests",
        section="batching",
        about="Calls that a kernel works on at once.",
    )
    stream_number_per_group: int = whole(
        0,
        0,
        1_000,
        "Streams per group",
        section="batching",
        about="gRPC streams per resource group.",
        extra={"advanced": True},
    )
    stream_discard_slow_tasks: bool = field(
        True,
        "Discard slow stream tasks",
        section="batching",
        about="gRPC streams only: older tasks are dropped once newer ones are done.",
        rule="true or false",
        extra={"advanced": True},
    )


class KernelProfile(ProfileSection):
    """What each kernel process gets."""

    working_directory: str = text("${REDHARE_TOP}/work", "Working directory")
    connection_timeout: Seconds = field(
        90,
        "Start timeout",
        section="timeouts",
        about="How long a kernel may take until it reports that it is ready.",
        rule=f"a number of seconds above 0 and up to {_DAY}",
        extra={"unit": "s"},
        gt=0,
        le=_DAY,
    )
    log_directory: str = text("${REDHARE_TOP}/logs", "Log directory")
    run_as: str = text("", "Run as", "User of the kernel process.")
    umask: str = field(
        "022",
        "File mode mask",
        section="advanced",
        about="Octal.",
        rule="three octal digits such as 022",
        pattern="^0?[0-7]{3}$",
    )
    gpu: GpuMode = field(
        "no",
        "GPU",
        section="gpu",
        about="At most one GPU per kernel.",
        rule="no, shared or exclusive",
        extra={"sentences": GPU_SENTENCES},
    )
    envs: list[EnvironmentVariable] = Field(
        default_factory=lambda: [EnvironmentVariable(name="DLIM_MK_LOG_LEVEL", value="INFO")],
        title="Environment variables",
        description="Variables of each kernel process. Anybody who may see the profile sees them.",
        json_schema_extra={"section": "environment", "rule": "a list of names and values"},
    )


class Profile(ProfileSection):
    """A whole profile; fields that EDI has and this does not are kept and written back.

    ``create_time`` and ``last_update_time`` are text (:func:`~.profile_time.profile_time`) and set
    by the service.
    """

    schema_version: str = text("1.2", "Schema version", read_only=True)
    type: str = text("inference", "Type", read_only=True)
    name: str = text("", "Name", read_only=True)
    create_time: str = text("", "Created", read_only=True)
    last_update_time: str = text("", "Changed", read_only=True)
    replica: int = whole(
        1,
        1,
        100,
        "Replicas",
        section="kernels",
        about="Copies of the serving service.",
        extra={"advanced": True},
    )
    policy: Policy = Field(default_factory=Policy)
    security: Security = Field(default_factory=Security)
    resource_allocation: ResourceAllocation = Field(default_factory=ResourceAllocation)
    kernel: KernelProfile = Field(default_factory=KernelProfile)

    _as_read: bool = PrivateAttr(default=False)

    @classmethod
    def tolerate(cls, document: Mapping[str, Any]) -> Self:
        """Return a whole profile; a value that this schema does not allow stays as it came."""
        return cls.model_validate(document, strict=True, context=TOLERANT)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Return a profile of whatever EDI, refusing nothing; see :meth:`tolerate`.

        What is not in the document is not in :meth:`to_wire` either.
        """
        profile = cls.tolerate(document)
        profile._as_read = True
        return profile

    def to_wire(self) -> dict[str, object]:
        """Return the JSON object: whole, or what :meth:`read` was given."""
        return self.model_dump(mode="json", exclude_unset=self._as_read, warnings=False)

    def runs_like(self, other: Profile) -> bool:
        """Tell whether both are the same but for the time of the last change."""
        return self == other.model_copy(update={"last_update_time": self.last_update_time})
