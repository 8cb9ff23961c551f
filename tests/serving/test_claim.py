"""What a deployment asks of the machine, and the words when it is not there."""

from __future__ import annotations

import asyncio

import pytest

from edi_labext.models import NO_GPU
from edi_labext.serving.claim import Claim
from edi_labext.serving.inventory import Gpu, Inventory
from edi_labext.serving.ledger import Demand, Ledger


def claim(memory: int | None, *gpus: Gpu) -> Claim:
    inventory = Inventory(lambda: gpus, environment={}, find_memory=lambda: memory)
    return Claim("digits", inventory, Ledger(), retry=lambda: None)


@pytest.mark.parametrize(
    ("present", "asked", "granted"),
    [(1024, 1024, True), (1024, 1025, False), (1024, None, True), (None, 1 << 30, True)],
)
def test_one_kernel_must_fit_into_the_machine(
    present: int | None, asked: int | None, granted: bool
) -> None:
    some = claim(present)
    assert asyncio.run(some.reserve(None, asked)) is granted
    assert some.shortage == (
        ""
        if granted
        else "This machine has 1024 MB of memory; the profile asks for 1025 MB for each kernel "
        "(mem of resource_allocation.kernel.resources). Set mem to 1024 or less, or run it on a "
        "larger machine."
    )


def test_a_shortage_ends_with_another_profile_or_a_stop() -> None:
    some = claim(1024)
    assert not asyncio.run(some.reserve(None, 2000))
    assert asyncio.run(some.reserve(None, 1000))
    assert some.shortage == ""
    assert not asyncio.run(some.reserve(None, 2000))
    some.forget()
    assert some.shortage == ""


def test_no_gpu_is_taken_by_what_has_no_memory() -> None:
    some = claim(1024, Gpu("GPU-1"))
    demand = Demand("digits", "exclusive", 1)
    assert not asyncio.run(some.reserve(demand, 2000))
    assert asyncio.run(some.reserve(demand, 1000))
    assert some.place("kernel", {"kernel"}) == "GPU-1"
    some.give_back()
    without = claim(1024)
    assert not asyncio.run(without.reserve(demand, 1000))
    assert without.shortage == NO_GPU["exclusive"]
