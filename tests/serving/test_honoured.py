from __future__ import annotations

import pytest

from edi_labext.models import DEFAULT_RESOURCES, Profile
from edi_labext.serving.honoured import (
    HONOURED,
    gpu_demand,
    kernel_policy,
    memory_demand,
    only_kept,
    queue_policy,
)
from edi_labext.serving.ledger import Demand
from edi_labext.serving.lifecycle import KernelPolicy
from edi_labext.serving.queue_policy import QueuePolicy


def profile(**values: object) -> Profile:
    """Return a profile with other values; ``__`` parts the steps."""
    document = Profile(name="digits").to_wire()
    for path, value in values.items():
        *way, last = path.split("__")
        place: dict = document
        for step in way:
            place = place[step]
        place[last] = value
    return Profile.model_validate(document)


def test_a_new_profile_is_the_engines_defaults() -> None:
    assert queue_policy(profile(), limit=100) == QueuePolicy()
    assert kernel_policy(profile(), stop_grace=30) == KernelPolicy(overdue_grace=60)
    assert gpu_demand(profile(), "digits") is None
    assert only_kept(profile()) == []


def test_tasks() -> None:
    some = profile(
        policy__task_batch_size=4,
        policy__task_parallel_size=3,
        policy__task_pipe_size=2,
        policy__task_execution_timeout=-1,
    )
    assert queue_policy(some, limit=7) == QueuePolicy(7, 4, 3, 2, None)
    assert kernel_policy(some, stop_grace=1).overdue_grace == 30
    alone = some.model_copy(update={"kernel": some.kernel.model_copy(update={"gpu": "exclusive"})})
    assert queue_policy(alone, limit=7).parallel_size == 1


@pytest.mark.parametrize(
    ("count", "pack", "demand"),
    [
        (3, "", Demand("digits", "shared", 3, "edi-digits")),
        (0, "team", Demand("digits", "shared", 1, "team")),
    ],
)
def test_gpus(count: int, pack: str, demand: Demand) -> None:
    some = profile(
        kernel__gpu="shared",
        policy__kernel_min=count,
        resource_allocation__kernel__gpu_pack_id=pack,
    )
    assert gpu_demand(some, "digits") == demand


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        (DEFAULT_RESOURCES, None),
        ("mem=5", 5),
        ("ncpus=1,mem=4g,mem_limit=8g", 4096),
        ("mem_limit=9", None),
        ("ncpus=2", None),
    ],
)
def test_memory(text: str, memory: int | None) -> None:
    assert memory_demand(profile(resource_allocation__kernel__resources=text)) == memory


def test_what_is_only_kept_is_named() -> None:
    some = profile(
        create_time="then",
        replica=2,
        policy__kernel_max=5,
        policy__kernel_min=2,
        kernel__envs=[],
        kernel__run_as="ada",
        newer={"x": 1},
        resource_allocation__kernel__resources="mem=5",
    )
    assert only_kept(some) == [
        "kernel.run_as",
        "newer.x",
        "policy.kernel_max",
        "replica",
        "resource_allocation.kernel.resources",
    ]
    assert "policy.kernel_min" in HONOURED


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        (DEFAULT_RESOURCES, False),
        (DEFAULT_RESOURCES.replace("mem=1024", "mem=4g"), False),
        (DEFAULT_RESOURCES.replace("ncpus=0.5", "ncpus=1"), True),
        (DEFAULT_RESOURCES.replace("mem_limit=4096", "mem_limit=9g"), True),
        ("mem=1024", True),
    ],
)
def test_only_the_memory_that_is_asked_for_counts(text: str, is_kept: bool) -> None:
    kept = only_kept(profile(resource_allocation__kernel__resources=text))
    assert kept == (["resource_allocation.kernel.resources"] if is_kept else [])
