"""What of a profile the engine acts on, in the words of its own parts; the rest is only kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ..models import DEFAULT_RESOURCES, Profile, parse_resources
from .ledger import Demand
from .lifecycle import KernelPolicy
from .queue_policy import QueuePolicy

_RESOURCES: Final = "resource_allocation.kernel.resources"

#: Dotted paths of the fields, or of the parts of one, that have an effect at the next start.
HONOURED: Final = (
    "policy.kernel_min",
    "policy.task_execution_timeout",
    "policy.task_batch_size",
    "policy.task_pipe_size",
    "policy.task_parallel_size",
    "resource_allocation.kernel.gpu_pack_id",
    f"{_RESOURCES}.mem",
    "kernel.connection_timeout",
    "kernel.working_directory",
    "kernel.log_directory",
    "kernel.umask",
    "kernel.gpu",
    "kernel.envs",
)

#: Facts of the service itself; they are no wish that could be granted or not.
_FACTS: Final = frozenset({"schema_version", "type", "name", "create_time", "last_update_time"})
_NOTHING: Final = object()
#: A kernel returns this long after its task has timed out, at least, in seconds.
_OVERDUE_GRACE: Final = 30.0


def queue_policy(profile: Profile, *, limit: int) -> QueuePolicy:
    """Return how tasks are handed out; ``limit`` is how many may wait."""
    policy = profile.policy
    timeout = policy.task_execution_timeout
    return QueuePolicy(
        limit=limit,
        batch_size=policy.task_batch_size,
        # Who has a whole GPU works on one task at a time (reference/kernel-api.md section 4).
        parallel_size=1 if profile.kernel.gpu == "exclusive" else policy.task_parallel_size,
        pipe_size=policy.task_pipe_size,
        timeout=None if timeout < 0 else timeout,
    )


def kernel_policy(profile: Profile, *, stop_grace: float) -> KernelPolicy:
    """Return how long kernels may take; ``stop_grace`` in seconds."""
    return KernelPolicy(
        connection_timeout=profile.kernel.connection_timeout,
        overdue_grace=max(_OVERDUE_GRACE, profile.policy.task_execution_timeout),
        stop_grace=stop_grace,
    )


def gpu_demand(profile: Profile, name: str) -> Demand | None:
    """Return the GPUs that deployment ``name`` asks for, ``None`` if it asks for none."""
    mode = profile.kernel.gpu
    if mode == "no":
        return None
    # One that starts its first kernel only on demand has its GPU all the same.
    return Demand(name, mode, max(1, profile.policy.kernel_min), gpu_pack(profile, name))


def memory_demand(profile: Profile) -> int | None:
    """Return the MB that each kernel asks for, ``None`` if nobody has said it.

    What every new profile has is nobody's wish, and small machines serve small kernels too.
    """
    text = profile.resource_allocation.kernel.resources
    return None if text == DEFAULT_RESOURCES else parse_resources(text).mem


def gpu_pack(profile: Profile, name: str) -> str:
    """Return the name of the pack in which its kernels share a GPU."""
    return profile.resource_allocation.kernel.gpu_pack_id or f"edi-{name}"


def only_kept(profile: Profile) -> list[str]:
    """Return the fields that differ from a new profile's and have no effect here, sorted."""
    usual = dict(_leaves(Profile().to_wire()))
    return sorted(
        path
        for path, value in _leaves(profile.to_wire())
        if path not in HONOURED
        and path not in _FACTS
        and _without_parts_that_count(path, usual.get(path, _NOTHING))
        != _without_parts_that_count(path, value)
    )


def _without_parts_that_count(path: str, value: Any) -> Any:
    # How much of a machine is asked for is a text of several parts; one of them is acted on.
    return replace(parse_resources(value), mem=None) if path == _RESOURCES else value


def _leaves(value: Mapping[str, Any], way: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(item, f"{way}{key}.")
        else:
            yield f"{way}{key}", item
