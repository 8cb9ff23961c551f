from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.examples import examples

from edi_labext.serving.launchers.base import KernelExit
from edi_labext.serving.lifecycle import (
    Action,
    Attach,
    Detach,
    Drained,
    Ending,
    Event,
    Exited,
    KernelPolicy,
    KernelState,
    Kill,
    Launch,
    LinkLost,
    Overdue,
    Ready,
    Returned,
    Shutdown,
    Spawned,
    StartFailed,
    Swept,
    Terminate,
)
from edi_labext.serving.pool import Pool

POLICY = KernelPolicy(connection_timeout=90, overdue_grace=60, stop_grace=30)


def make_pool(policy: KernelPolicy = POLICY) -> Pool:
    numbers = itertools.count(1)
    return Pool(policy, lambda: f"k{next(numbers)}")


class Driven:
    """A pool and its time."""

    def __init__(self, wanted: int = 1, policy: KernelPolicy = POLICY) -> None:
        self.pool = make_pool(policy)
        self.now = 100.0
        self.log: list[tuple[float, Action]] = []
        self.note(self.pool.want(self.now, wanted))

    def note(self, actions: list[Action]) -> list[Action]:
        self.log += [(self.now, action) for action in actions]
        return actions

    def tell(self, *events: Event) -> list[Action]:
        return [a for event in events for a in self.note(self.pool.handle(self.now, event))]

    def pass_time(self, seconds: float) -> list[Action]:
        """Move on, waking the pool whenever it asked for it."""
        end = self.now + seconds
        actions: list[Action] = []
        while (when := self.pool.next_wake()) is not None and when <= end:
            self.now = max(self.now, when)
            actions += self.note(self.pool.wake(self.now))
        self.now = end
        return actions

    def bring_up(self, kernel: str) -> None:
        assert self.tell(Spawned(kernel), Ready(kernel)) == [Attach(kernel)]

    def crash(self, kernel: str, code: int = 3) -> list[Action]:
        return self.tell(
            LinkLost(kernel, "the kernel closed its link"),
            Exited(kernel, KernelExit(code=code)),
            Swept(kernel),
        )

    def launches(self) -> list[float]:
        return [when for when, action in self.log if isinstance(action, Launch)]


def test_a_start():
    driven = Driven()
    assert driven.log == [(100.0, Launch("k1"))]
    assert driven.pool.starting == 1
    driven.bring_up("k1")
    assert (driven.pool.ready, driven.pool.failure, driven.pool.next_wake()) == (1, None, None)


def test_failed_starts_wait_longer_and_longer_up_to_a_minute_and_end():
    driven = Driven()
    for number in range(1, 9):
        assert not driven.pool.gave_up
        driven.tell(Spawned(f"k{number}"))
        driven.crash(f"k{number}")
        driven.pass_time((driven.pool.next_try or driven.now) - driven.now)
    # Each try lasts no time here, so the gaps are the pauses.
    gaps = [after - before for before, after in itertools.pairwise(driven.launches())]
    assert gaps == [1, 2, 4, 8, 16, 32, 60]
    assert driven.pool.gave_up
    assert driven.pool.next_wake() is None
    assert driven.pool.failure.reason == "the kernel exited with code 3 before it was ready"
    assert (driven.pool.failure.exit_code, driven.pool.failure.never_ready) == (3, True)
    assert driven.pool.want(driven.now, 1) == []
    driven.pool.want(driven.now, 0)
    assert driven.pool.want(driven.now, 1) == [Launch("k9")]


def test_try_again_after_giving_up():
    driven = Driven()
    for number in range(1, 9):
        driven.crash(f"k{number}")
        driven.pass_time(60)
    assert driven.pool.gave_up
    assert driven.pool.try_again(driven.now) == [Launch("k9")]
    assert driven.pool.failure is None  # the old one is no answer to the new try
    driven.crash("k9")
    assert driven.pool.failure is not None
    assert not driven.pool.gave_up


def test_a_crash_is_mended_at_once_then_with_pauses_up_to_a_minute():
    driven = Driven()
    pauses = []
    for number in range(1, 9):
        driven.bring_up(f"k{number}")
        before = driven.now
        if driven.crash(f"k{number}") != [Detach(f"k{number}"), Launch(f"k{number + 1}")]:
            driven.pass_time(driven.pool.next_try - driven.now)
        pauses.append(driven.now - before)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60]
    assert not driven.pool.gave_up
    driven.bring_up("k9")
    driven.pass_time(60)
    assert driven.crash("k9") == [Detach("k9"), Launch("k10")]
    assert driven.pool.failures == 1


def test_kernels_that_crash_before_they_are_of_use_end_too():
    driven = Driven()
    for number in range(1, 10):
        assert not driven.pool.gave_up
        driven.bring_up(f"k{number}")
        driven.crash(f"k{number}")
        driven.pass_time((driven.pool.next_try or driven.now) - driven.now)
    assert driven.pool.gave_up
    assert driven.pool.failures == 9
    assert driven.pool.failure.reason == "the kernel exited with code 3"


def test_a_kernel_that_has_worked_is_replaced_at_once_however_often():
    driven = Driven()
    for number in range(1, 101):
        name, following = f"k{number}", f"k{number + 1}"
        driven.bring_up(name)
        driven.tell(LinkLost(name, "closed"), Exited(name, KernelExit(signal=11)))
        assert driven.tell(Swept(name, worked=True)) == [Launch(following)]
    assert len(set(driven.launches())) == 1


def test_kernels_that_fail_together_fail_once():
    driven = Driven(wanted=8)
    for number in range(1, 9):
        driven.tell(Spawned(f"k{number}"))
        driven.crash(f"k{number}")
    assert driven.pool.failed_starts == 1
    assert driven.pool.next_try - driven.now == 1
    assert driven.pass_time(1) == [Launch("k9")]  # one is tried ...
    assert driven.tell(Spawned("k9")) == []
    ready = driven.tell(Ready("k9"))
    assert ready == [Attach("k9"), *(Launch(f"k{n}") for n in range(10, 17))]  # ... then all


def test_reasons():
    closed = "the kernel closed its link"

    def why(*events: Event, seconds: float = 0) -> tuple[str, int | None]:
        driven = Driven()
        driven.tell(Spawned("k1"), *events[:1])
        driven.pass_time(seconds)
        driven.tell(*events[1:], Swept("k1"))
        return driven.pool.failure.reason, driven.pool.failure.exit_code

    started = StartFailed("k1", "the kernel did not start: ModuleNotFoundError: torch")
    assert why(started, Exited("k1", KernelExit(code=1))) == (started.reason, 1)
    assert why(Exited("k1", KernelExit(code=1)), started) == (started.reason, 1)
    assert why(Ready("k1"), LinkLost("k1", closed), Exited("k1", KernelExit(signal=11))) == (
        "the kernel was killed by SIGSEGV",
        -11,
    )
    # Read only after the exit was seen, but it had been ready.
    assert why(Exited("k1", KernelExit(code=3)), Ready("k1")) == (
        "the kernel exited with code 3",
        3,
    )
    assert why(Spawned("k1"), Exited("k1", KernelExit(signal=9)), seconds=91) == (
        "the kernel did not report ready within 90 s",
        None,
    )
    killed = why(Ready("k1"), Exited("k1", KernelExit(signal=9)))
    assert killed == ("the kernel was killed by SIGKILL, as happens when memory runs out", -9)
    # It was alive without a connection, so it was us who ended it.
    lost = LinkLost("k1", "the kernel broke the protocol")
    assert why(lost, Exited("k1", KernelExit(signal=15)), seconds=2) == (lost.reason, None)
    assert why(lost, Exited("k1", KernelExit(code=7)), seconds=0)[1] == 7


def test_a_kernel_that_says_that_it_ends_is_made_to():
    """A thread that it has left behind could keep its process for ever."""
    driven = Driven()
    driven.bring_up("k1")
    assert driven.tell(Ending("k1")) == [Detach("k1")]
    assert driven.pool.ready == 0
    assert driven.pass_time(4.9) == []
    assert driven.pass_time(0.1) == [Terminate("k1")]
    assert driven.pass_time(2) == [Kill("k1")]
    driven.tell(Exited("k1", KernelExit(signal=9)))
    assert driven.tell(Swept("k1", worked=True)) == [Launch("k2")]
    assert driven.pool.failure.reason == ("the kernel was to end by itself and did not within 5 s")


def test_a_kernel_that_says_that_it_ends_mostly_does():
    driven = Driven()
    driven.bring_up("k1")
    driven.tell(Ending("k1"), LinkLost("k1", "closed"), Exited("k1", KernelExit(code=3)))
    assert driven.tell(Swept("k1", worked=True)) == [Launch("k2")]
    assert driven.pool.failure.reason == "the kernel exited with code 3"


def test_a_stop_does_not_wait_for_a_kernel_that_ends_anyway():
    driven = Driven()
    driven.bring_up("k1")
    assert driven.note(driven.pool.want(driven.now, 0)) == [Detach("k1"), Shutdown("k1")]
    assert driven.tell(Ending("k1")) == []
    assert driven.pass_time(5) == [Terminate("k1")]


def test_the_start_deadline_also_counts_while_launching():
    driven = Driven()
    assert driven.pass_time(90) == []
    assert driven.tell(Spawned("k1")) == [Kill("k1")]
    assert driven.tell(Exited("k1", KernelExit(signal=9)), Swept("k1")) == []
    assert driven.pool.failed_starts == 1


def test_an_overdue_kernel_is_killed_and_replaced_and_that_is_no_failed_start():
    driven = Driven()
    driven.bring_up("k1")
    driven.tell(Overdue("k1"))
    assert driven.pass_time(59) == []
    driven.tell(Overdue("k1"))  # said twice, counted from the first
    assert driven.pass_time(1) == [Detach("k1"), Kill("k1")]
    assert driven.tell(Exited("k1", KernelExit(signal=9)), Swept("k1")) == [Launch("k2")]
    assert driven.pool.failed_starts == 0
    assert driven.pool.failure.reason == (
        "the kernel did not return 60 s after its task had timed out"
    )


def test_slow_is_not_broken_so_there_is_no_pause():
    driven = Driven(policy=KernelPolicy(overdue_grace=30))
    for number in range(1, 5):
        driven.bring_up(f"k{number}")
        driven.tell(Overdue(f"k{number}"))
        driven.pass_time(30)
        gone = driven.tell(Exited(f"k{number}", KernelExit(signal=9)), Swept(f"k{number}"))
        assert gone == [Launch(f"k{number + 1}")]


def test_a_kernel_that_returns_late_stays():
    driven = Driven()
    driven.bring_up("k1")
    driven.tell(Overdue("k1"), Returned("k1"))
    assert driven.pass_time(1000) == []
    assert driven.pool.ready == 1


def test_the_ladder_of_a_stop():
    driven = Driven()
    driven.bring_up("k1")
    assert driven.note(driven.pool.want(driven.now, 0)) == [Detach("k1"), Shutdown("k1")]
    driven.tell(Drained("k1"))
    assert driven.pass_time(4.9) == []
    assert driven.pass_time(0.1) == [Terminate("k1")]
    assert driven.pass_time(2) == [Kill("k1")]
    assert driven.pass_time(1000) == []
    driven.tell(Exited("k1", KernelExit(signal=9)), Swept("k1"))
    assert (driven.pool.kernels, driven.pool.failure) == ({}, None)


def test_a_busy_kernel_has_the_stop_grace():
    driven = Driven()
    driven.bring_up("k1")
    driven.note(driven.pool.want(driven.now, 0))
    assert driven.pass_time(34.9) == []
    assert driven.pass_time(0.1) == [Terminate("k1")]


@pytest.mark.parametrize("spawned", [True, False])
def test_a_stop_while_starting_is_quick(spawned):
    driven = Driven()
    if spawned:
        driven.tell(Spawned("k1"))
        assert driven.note(driven.pool.want(driven.now, 0)) == [Terminate("k1")]
    else:
        assert driven.note(driven.pool.want(driven.now, 0)) == []
        assert driven.tell(Spawned("k1")) == [Terminate("k1")]
    assert driven.tell(Ready("k1")) == []  # crossed the signal
    assert driven.pass_time(2) == [Kill("k1")]
    driven.tell(Exited("k1", KernelExit(signal=15)), Swept("k1"))
    assert (driven.pool.kernels, driven.pool.failure, driven.pool.next_wake()) == ({}, None, None)


def test_a_stop_in_backoff():
    driven = Driven()
    driven.crash("k1")
    assert driven.pool.next_try is not None
    assert driven.pool.want(driven.now, 0) == []
    assert driven.pool.next_wake() is None
    # The failure of a kernel that ends after the stop is nobody's any more.
    again = Driven()
    again.pass_time(90)
    again.pool.want(again.now, 0)
    again.tell(Spawned("k1"), Exited("k1", KernelExit(signal=9)), Swept("k1"))
    assert again.pool.failure is None


def test_those_who_are_no_use_go_first():
    driven = Driven(wanted=4)
    driven.bring_up("k2")
    driven.bring_up("k3")
    driven.tell(Spawned("k1"), Spawned("k4"))
    driven.tell(LinkLost("k4", "gone"))
    assert driven.pool.want(driven.now, 3) == []  # k4 ends anyway
    assert driven.pool.want(driven.now, 2) == [Terminate("k1")]
    assert driven.pool.want(driven.now, 1) == [Detach("k3"), Shutdown("k3")]


def test_strangers_are_ignored():
    pool = make_pool()
    for event in (Ready("x"), Swept("x"), Exited("x", KernelExit(code=1)), Overdue("x")):
        assert pool.handle(1.0, event) == []
    assert pool.kernels == {}


class PoolMachine(RuleBasedStateMachine):
    """Any events in any order, for kernels that exist and for those that are long gone."""

    @initialize()
    def begin(self):
        self.pool = make_pool()
        self.now = 0.0
        self.launched: list[str] = []
        self.gone: set[str] = set()
        self.said_ready: set[str] = set()
        self.attached: set[str] = set()
        self.exited: set[str] = set()
        self.signalled: set[str] = set()
        self.last_pause = 0.0

    def take(self, actions: list[Action]):
        for action in actions:
            name = action.kernel
            match action:
                case Launch():
                    assert name not in self.launched
                    self.launched.append(name)
                    continue
                case Attach():
                    assert name in self.said_ready
                    assert name not in self.attached | self.signalled
                    self.attached.add(name)
                case Detach():
                    assert name in self.attached
                    self.attached.remove(name)
                case Shutdown() | Terminate() | Kill():
                    assert name not in self.attached
                    assert name not in self.gone
                    self.signalled.add(name)
            assert name in self.launched

    def tell(self, event: Event):
        if isinstance(event, Ready):
            self.said_ready.add(event.kernel)
        if isinstance(event, Swept):
            self.gone.add(event.kernel)
            self.attached.discard(event.kernel)  # there is nothing left to detach
        before = self.pool.failed_starts
        self.take(self.pool.handle(self.now, event))
        if self.pool.failed_starts > before and self.pool.next_try is not None:
            pause = self.pool.next_try - self.now
            assert pause >= self.last_pause
            self.last_pause = pause
        if not self.pool.wanted:
            self.last_pause = 0.0

    kernels = st.integers(0, 6)
    events = st.sampled_from(
        [
            Spawned,
            Ready,
            Overdue,
            Returned,
            Drained,
            Ending,
            Swept,
            lambda k: StartFailed(k, "broken"),
            lambda k: LinkLost(k, "closed"),
            lambda k: Exited(k, KernelExit(code=3)),
            lambda k: Exited(k, KernelExit(signal=9)),
        ]
    )

    @precondition(lambda self: self.launched)
    @rule(back=kernels, event=events, times=st.integers(1, 2))
    def something_happens(self, back, event, times):
        kernel = self.launched[-1 - back % len(self.launched)]
        for _ in range(times):
            self.tell(event(kernel))

    @precondition(lambda self: self.launched)
    @rule(back=kernels)
    def a_start_fails(self, back):
        kernel = self.launched[-1 - back % len(self.launched)]
        self.tell(Exited(kernel, KernelExit(code=1)))
        self.tell(Swept(kernel))

    @rule(count=st.integers(0, 3))
    def want(self, count):
        self.take(self.pool.want(self.now, count))
        if count == 0:
            self.last_pause = 0.0

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 40.0, 100.0]))
    def time_passes(self, seconds):
        end = self.now + seconds
        for _ in range(100):
            when = self.pool.next_wake()
            if when is None or when > end:
                break
            self.now = max(self.now, when)
            self.take(self.pool.wake(self.now))
            after = self.pool.next_wake()
            assert after is None or after > self.now  # what was due is done
        else:
            raise AssertionError("wakes without end")
        self.now = end
        self.last_pause = 0.0 if self.pool.ready and seconds >= 60 else self.last_pause

    @invariant()
    def holds(self):
        states = self.pool.kernels
        assert set(states) == set(self.launched) - self.gone
        draining = sum(
            s in (KernelState.DRAINING, KernelState.STOPPING, KernelState.EXITED)
            for s in states.values()
        )
        assert self.pool.ready + self.pool.starting <= self.pool.wanted + draining
        assert self.pool.ready == len(self.attached)
        # Quiet input gives no actions.
        when = self.pool.next_wake()
        if when is None or when > self.now:
            assert self.pool.wake(self.now) == []

    def teardown(self):
        """Whatever happened before: nothing wanted becomes nothing there."""
        if not hasattr(self, "pool"):
            return
        self.want(0)
        for _ in range(20):
            for kernel in list(self.pool.kernels):
                self.tell(Spawned(kernel))
            self.time_passes(100.0)
            for kernel in list(self.pool.kernels):
                if self.pool.kernels[kernel] is not KernelState.EXITED:
                    assert kernel in self.signalled
                self.tell(Exited(kernel, KernelExit(signal=9)))
                self.tell(Swept(kernel))
        assert self.pool.kernels == {}
        assert self.pool.next_wake() is None
        assert self.gone >= set(self.launched)


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(
    max_examples=examples(100), stateful_step_count=40, deadline=None
)
