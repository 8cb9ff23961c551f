"""One poll for all tabs, on a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import heapq
import logging

import pytest

from edi_labext.extension.watcher import (
    GATHER,
    HURRIED,
    LEASE_SECONDS,
    LONGEST,
    MAX_LEASES,
    STEADY,
    UNSEEN_SECONDS,
    Sight,
    Watcher,
)


class Handle:
    """A call that can be taken back."""

    def __init__(self, callback) -> None:
        self.callback = callback

    def cancel(self) -> None:
        self.callback = None


class Clock:
    """An event loop's time, which only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._calls: list[tuple[float, int, Handle]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay, callback):
        handle = Handle(callback)
        heapq.heappush(self._calls, (self.now + delay, id(handle), handle))
        return handle

    async def advance(self, seconds: float) -> None:
        """Let time pass, with every call at its time and what it starts done before the next."""
        end = self.now + seconds
        await settle()
        while self._calls and self._calls[0][0] <= end:
            self.now, _, handle = heapq.heappop(self._calls)
            if handle.callback is not None:
                handle.callback()
                await settle()
        self.now = end


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Room:
    """A watcher of an EDI that the test plays."""

    def __init__(self, jitter: float = 0.0) -> None:
        self.clock = Clock()
        self.sight = Sight("1")
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.looks: list[float] = []
        self.told: list[str] = []
        self.watcher = Watcher(
            self._look,
            self.told.append,
            log=logging.getLogger("test-watcher"),
            timer=self.clock,
            jitter=lambda: jitter,
        )

    async def _look(self) -> Sight:
        self.looks.append(self.clock.now)
        sight, error = self.sight, self.error
        await self.open.wait()
        if error is not None:
            raise error
        return sight

    @property
    def pauses(self) -> list[float]:
        return [
            round(after - before, 6)
            for before, after in zip(self.looks, self.looks[1:], strict=False)
        ]


@pytest.fixture
def run():
    """Run a test's coroutine in a loop, for whose time it does not care."""
    return asyncio.run


def test_nobody_looks_and_nothing_is_asked(run):
    async def main():
        room = Room()
        await room.clock.advance(3600)
        assert room.looks == []
        assert not room.watcher.awake
        assert room.watcher.revision is None

    run(main())


def test_the_first_lease_has_a_look_at_once_and_then_every_five_seconds(run):
    async def main():
        room = Room()
        room.watcher.renew("a")
        await room.clock.advance(STEADY * 3)
        assert room.pauses == [STEADY] * 3
        assert room.looks[0] == 1000.0

    run(main())


def test_many_tabs_cost_what_one_does(run):
    async def main():
        room = Room()
        for tab in range(50):
            room.watcher.renew(f"tab{tab}")
        await room.clock.advance(STEADY)
        assert len(room.looks) == 2

    run(main())


def test_only_another_revision_is_told(run):
    async def main():
        room = Room()
        room.watcher.renew("a")
        await room.clock.advance(STEADY * 2)
        assert room.told == ["1"]
        room.sight = Sight("2")
        await room.clock.advance(STEADY * 2)
        assert room.told == ["1", "2"]
        assert room.watcher.revision == "2"
        room.sight = Sight("1")
        await room.clock.advance(STEADY)
        assert room.told == ["1", "2", "1"]

    run(main())


def test_what_is_on_its_way_is_looked_at_more_often(run):
    async def main():
        room = Room()
        room.sight = Sight("1", moving=True)
        room.watcher.renew("a")
        await room.clock.advance(HURRIED * 2)
        room.sight = Sight("2")
        await room.clock.advance(HURRIED + STEADY)
        assert room.pauses == [HURRIED, HURRIED, HURRIED, STEADY]

    run(main())


def test_it_stops_when_the_last_lease_has_run_out(run):
    async def main():
        room = Room()
        room.watcher.renew("a")
        await room.clock.advance(LEASE_SECONDS - 1)
        assert room.watcher.awake
        await room.clock.advance(STEADY + 1)
        assert not room.watcher.awake
        looks = len(room.looks)
        await room.clock.advance(3600)
        assert len(room.looks) == looks

    run(main())


def test_a_renewed_lease_keeps_it_going_and_a_new_one_wakes_it(run):
    async def main():
        room = Room()
        for _ in range(10):
            room.watcher.renew("a")
            await room.clock.advance(LEASE_SECONDS * 0.9)
        assert set(room.pauses) == {STEADY}
        await room.clock.advance(LEASE_SECONDS * 3)
        assert not room.watcher.awake
        looks = len(room.looks)
        room.watcher.renew("b")
        await room.clock.advance(0)
        assert len(room.looks) == looks + 1
        assert room.told == ["1"]

    run(main())


def test_without_a_lease_what_is_on_its_way_is_followed_to_its_end(run):
    async def main():
        room = Room()
        room.sight = Sight("1", moving=True)
        room.watcher.changed()
        await room.clock.advance(LEASE_SECONDS * 3)
        assert set(room.pauses) == {HURRIED}
        room.sight = Sight("2")
        await room.clock.advance(HURRIED)
        assert room.told == ["1", "2"]
        assert not room.watcher.awake

    run(main())


def test_what_never_arrives_is_not_followed_for_ever(run):
    async def main():
        room = Room()
        room.sight = Sight("1", moving=True)
        room.watcher.renew("a")
        await room.clock.advance(LEASE_SECONDS + UNSEEN_SECONDS - HURRIED)
        assert room.watcher.awake
        await room.clock.advance(HURRIED * 2)
        assert not room.watcher.awake

    run(main())


def test_failures_make_the_pauses_longer_up_to_a_minute_and_one_success_ends_that(run):
    async def main():
        room = Room()
        room.sight = Sight("down", failed=True)
        for _ in range(8):
            room.watcher.renew("a")
            await room.clock.advance(30)
        assert room.pauses == [5.0, 10.0, 20.0, 40.0, LONGEST, LONGEST]
        assert room.told == ["down"]
        room.sight = Sight("up")
        room.watcher.renew("a")
        await room.clock.advance(LONGEST + STEADY)
        assert room.told == ["down", "up"]
        assert room.pauses[-1] == STEADY

    run(main())


def test_jitter_shortens_a_pause_by_a_quarter_at_most(run):
    async def main():
        room = Room(jitter=1.0)
        room.sight = Sight("down", failed=True)
        for _ in range(8):
            room.watcher.renew("a")
            await room.clock.advance(30)
        assert room.pauses[:5] == [3.75, 7.5, 15.0, 30.0, 45.0]

    run(main())


def test_a_burst_of_changes_costs_one_look(run):
    async def main():
        room = Room()
        room.watcher.renew("a")
        await room.clock.advance(1)
        for _ in range(100):
            room.watcher.changed()
        await room.clock.advance(1)
        assert room.pauses == [1 + GATHER]
        assert room.watcher.awake

    run(main())


def test_a_change_during_a_look_is_followed_by_one_more_look(run):
    async def main():
        room = Room()
        room.open.clear()
        room.watcher.renew("a")
        await room.clock.advance(0.5)
        room.watcher.changed()
        room.watcher.changed()
        room.sight = Sight("2")
        assert len(room.looks) == 1
        room.open.set()
        await room.clock.advance(1)
        assert len(room.looks) == 2
        assert room.told == ["1", "2"]

    run(main())


def test_there_are_never_two_looks_at_the_same_time(run):
    async def main():
        room = Room()
        room.open.clear()
        room.watcher.renew("a")
        await room.clock.advance(30)
        room.watcher.renew("b")
        room.watcher.changed()
        await room.clock.advance(3600)
        assert len(room.looks) == 1

    run(main())


def test_the_unforeseen_is_logged_once_and_does_not_end_it(run, caplog):
    async def main():
        room = Room()
        room.error = RuntimeError("a bug")
        room.watcher.renew("a")
        await room.clock.advance(30)
        assert room.pauses == [5.0, 10.0]
        assert room.told == []
        room.error = None
        await room.clock.advance(20)
        assert room.told == ["1"]

    run(main())
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_so_many_tabs_at_most_are_told_apart(run):
    async def main():
        room = Room()
        for tab in range(MAX_LEASES * 3):
            room.watcher.renew(f"tab{tab}")
        assert len(room.watcher._leases) == MAX_LEASES
        await room.clock.advance(LEASE_SECONDS + STEADY)
        assert not room.watcher.awake

    run(main())


def test_closed_it_never_looks_again(run):
    async def main():
        room = Room()
        room.open.clear()
        room.watcher.renew("a")
        await room.clock.advance(0)
        room.watcher.close()
        await settle()
        room.watcher.renew("a")
        room.watcher.changed()
        await room.clock.advance(3600)
        assert len(room.looks) == 1
        assert not room.watcher.awake

    run(main())
