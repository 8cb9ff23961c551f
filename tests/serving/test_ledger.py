from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.examples import examples

from edi_labext.models import NO_GPU
from edi_labext.serving.ledger import Demand, Grant, Ledger, Shortage


def ledger(count: int) -> Ledger:
    made = Ledger()
    made.stock([f"GPU-{number}" for number in range(count)])
    return made


def granted(outcome: Grant | Shortage) -> Grant:
    assert isinstance(outcome, Grant), outcome
    return outcome


def refused(outcome: Grant | Shortage) -> str:
    assert isinstance(outcome, Shortage), outcome
    return outcome.reason


def test_without_a_gpu_the_words_are_the_ones_of_the_models() -> None:
    empty = Ledger()
    for mode in ("exclusive", "shared"):
        assert refused(empty.reserve(Demand("a", mode, 1))) == NO_GPU[mode]
    assert NO_GPU["exclusive"] == (
        "This machine has no GPU that edi can use; the profile asks for an exclusive GPU "
        "(kernel.gpu). Set kernel.gpu to no, or run it where there is a GPU."
    )


def test_exclusive_is_one_whole_gpu_for_each_kernel() -> None:
    gpus = ledger(3)
    first = granted(gpus.reserve(Demand("a", "exclusive", 2)))
    assert first.gpus == ("GPU-0", "GPU-1")
    reason = refused(gpus.reserve(Demand("b", "exclusive", 2)))
    assert reason.startswith("1 of this machine's 3 GPUs is free; the profile asks for 2 GPUs")
    assert gpus.grants == (first,)
    # Nothing was set aside for the one that was refused.
    assert granted(gpus.reserve(Demand("c", "exclusive", 1))).gpus == ("GPU-2",)
    reason = refused(gpus.reserve(Demand("d", "exclusive", 4)))
    assert "has 3 GPUs; the profile asks for 4" in reason
    assert "policy.kernel_min to 3 or less" in reason
    assert "All 3 GPUs" in refused(gpus.reserve(Demand("e", "shared", 1)))
    assert "only GPU is in use" in refused(_used_up().reserve(Demand("e", "exclusive", 1)))


def _used_up() -> Ledger:
    gpus = ledger(1)
    granted(gpus.reserve(Demand("a", "exclusive", 1)))
    return gpus


def test_shared_kernels_are_packed_and_leave_whole_gpus_free() -> None:
    gpus = ledger(2)
    first = granted(gpus.reserve(Demand("a", "shared", 5, "edi-a")))
    second = granted(gpus.reserve(Demand("b", "shared", 1, "edi-b")))
    assert first.gpus == second.gpus == ("GPU-0",)
    assert granted(gpus.reserve(Demand("c", "exclusive", 1))).gpus == ("GPU-1",)
    # Shared GPUs are no exclusive ones, while anybody is left on them.
    gpus.release(first)
    assert isinstance(gpus.reserve(Demand("d", "exclusive", 1)), Shortage)
    gpus.release(second)
    assert granted(gpus.reserve(Demand("d", "exclusive", 1))).gpus == ("GPU-0",)


def test_a_pack_stays_together() -> None:
    gpus = ledger(2)
    blocked = granted(gpus.reserve(Demand("x", "exclusive", 1)))
    first = granted(gpus.reserve(Demand("a", "shared", 1, "team")))
    gpus.release(blocked)
    assert granted(gpus.reserve(Demand("b", "shared", 9, "team"))).gpus == first.gpus == ("GPU-1",)


def test_kernels_have_distinct_gpus_until_they_are_gone() -> None:
    grant = granted(ledger(2).reserve(Demand("a", "exclusive", 2)))
    assert [grant.place("k1", {"k1"}), grant.place("k2", {"k1", "k2"})] == ["GPU-0", "GPU-1"]
    with pytest.raises(RuntimeError):
        grant.place("k3", {"k1", "k2", "k3"})
    assert grant.place("k3", {"k2", "k3"}) == "GPU-0"
    shared = granted(ledger(1).reserve(Demand("b", "shared", 9)))
    assert {shared.place(f"k{n}", {"k0"}) for n in range(9)} == {"GPU-0"}


def test_who_waits_hears_of_a_release_first_come_first_served() -> None:
    gpus = ledger(1)
    grant = granted(gpus.reserve(Demand("a", "exclusive", 1)))
    told: list[str] = []

    def wait(owner: str) -> None:
        def again() -> None:
            if isinstance(gpus.reserve(Demand(owner, "exclusive", 1)), Grant):
                told.append(owner)

        assert isinstance(gpus.reserve(Demand(owner, "exclusive", 1)), Shortage)
        gpus.wait(owner, again)

    for owner in ("b", "c", "d"):
        wait(owner)
    gpus.forget("b")
    gpus.forget("nobody")
    gpus.release(grant)
    assert told == ["c"]
    gpus.release(gpus.grants[0])
    assert told == ["c", "d"]


def test_mistakes_are_loud() -> None:
    gpus = ledger(2)
    grant = granted(gpus.reserve(Demand("a", "shared", 1)))
    with pytest.raises(RuntimeError):
        gpus.reserve(Demand("a", "exclusive", 1))
    gpus.release(grant)
    with pytest.raises(RuntimeError):
        gpus.release(grant)
    again = granted(gpus.reserve(Demand("a", "shared", 1)))
    with pytest.raises(RuntimeError):
        gpus.release(grant)
    assert gpus.grants == (again,)


def test_known_gpus_stay_as_they_are() -> None:
    gpus = ledger(1)
    grant = granted(gpus.reserve(Demand("a", "exclusive", 1)))
    gpus.stock(["GPU-0", "GPU-1"])
    assert gpus.grants == (grant,)
    assert granted(gpus.reserve(Demand("b", "exclusive", 1))).gpus == ("GPU-1",)


class Reservations(RuleBasedStateMachine):
    """Whatever is asked for and given back, nobody has what another has alone."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 3
        self.ledger = ledger(self.total)
        self.held: dict[str, Grant] = {}

    @rule(
        owner=st.sampled_from("abcdef"),
        mode=st.sampled_from(["exclusive", "shared"]),
        kernels=st.integers(1, 4),
        pack=st.sampled_from(["x", "y"]),
    )
    def reserve(self, owner, mode, kernels, pack) -> None:
        if owner in self.held:
            return
        before = self.ledger.grants
        outcome = self.ledger.reserve(Demand(owner, mode, kernels, pack))
        if isinstance(outcome, Grant):
            self.held[owner] = outcome
        else:
            assert outcome.reason.endswith(".")
            assert self.ledger.grants == before
            free = self.total - len({gpu for grant in before for gpu in grant.gpus})
            shared = any(grant.demand.mode == "shared" for grant in before)
            assert free < kernels if mode == "exclusive" else not free and not shared

    @rule(owner=st.sampled_from("abcdef"))
    def release(self, owner) -> None:
        if owner in self.held:
            self.ledger.release(self.held.pop(owner))

    @invariant()
    def alone_is_alone(self) -> None:
        assert set(self.ledger.grants) == set(self.held.values())
        users = Counter(gpu for grant in self.held.values() for gpu in grant.gpus)
        packs: dict[str, set[str]] = {}
        for grant in self.held.values():
            if grant.demand.mode == "exclusive":
                assert len(grant.gpus) == len(set(grant.gpus)) == grant.demand.kernels
                assert all(users[gpu] == 1 for gpu in grant.gpus)
            else:
                packs.setdefault(grant.demand.pack, set()).update(grant.gpus)
        assert all(len(gpus) == 1 for gpus in packs.values())


TestReservations = Reservations.TestCase
TestReservations.settings = settings(
    max_examples=examples(60), stateful_step_count=25, deadline=None
)
