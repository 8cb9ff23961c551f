"""The sweep, with a clock that tests move."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_clock import FakeClock

from edi_labext.serving.http.deadlines import Deadlines, Stage, is_overdue
from edi_labext.serving.settings import Settings

SETTINGS = Settings(store=Path("store"))


class Connection:
    def __init__(self, *, broken: bool = False) -> None:
        self.seen: list[float] = []
        self.broken = broken

    def on_sweep(self, now: float) -> None:
        self.seen.append(now)
        if self.broken:
            raise RuntimeError


def test_no_connection_no_timer():
    clock = FakeClock(start=0)
    deadlines = Deadlines(clock, 1.0)
    assert clock.pending == 0
    connection = Connection()
    deadlines.add(connection)
    clock.advance(3.5)
    assert connection.seen == [1, 2, 3]
    assert deadlines.now == 3
    deadlines.discard(connection)
    deadlines.discard(connection)
    assert clock.pending == 0
    clock.advance(100)
    deadlines.add(connection)
    assert deadlines.now == 103.5
    clock.advance(1)
    assert connection.seen == [1, 2, 3, 104.5]


def test_one_timer_for_all():
    clock = FakeClock()
    deadlines = Deadlines(clock, 1.0)
    for _ in range(100):
        deadlines.add(Connection())
    assert clock.pending == 1


def test_connections_may_leave_during_a_sweep():
    clock = FakeClock(start=0)
    deadlines = Deadlines(clock, 1.0)

    class Leaving(Connection):
        def on_sweep(self, now: float) -> None:
            super().on_sweep(now)
            deadlines.discard(self)

    first, second = Leaving(), Leaving()
    deadlines.add(first)
    deadlines.add(second)
    clock.advance(5)
    assert first.seen == second.seen == [1]
    assert clock.pending == 0


def test_a_fault_does_not_end_the_sweep():
    clock = FakeClock(start=0)
    deadlines = Deadlines(clock, 1.0)
    deadlines.add(Connection(broken=True))
    with pytest.raises(RuntimeError):
        clock.advance(1)
    assert clock.pending == 1


@pytest.mark.parametrize(
    ("stage", "first", "limit"),
    [
        (Stage.QUIET, True, SETTINGS.header_wait),
        (Stage.QUIET, False, SETTINGS.keep_alive_idle),
        (Stage.HEAD, True, SETTINGS.header_wait),
        (Stage.HEAD, False, SETTINGS.header_wait),
        (Stage.BODY, False, SETTINGS.body_idle),
        (Stage.LEAVING, False, SETTINGS.linger),
    ],
)
def test_stages(stage, first, limit):
    for waited, overdue in ((limit - 0.01, False), (limit, True)):
        assert overdue == is_overdue(
            SETTINGS, stage, first=first, now=1000 + waited, since=1000, began=1000
        )


def test_body_that_goes_on_for_ever():
    now = 1000 + SETTINGS.request_total
    assert is_overdue(SETTINGS, Stage.BODY, first=False, now=now, since=now, began=1000)
    assert not is_overdue(SETTINGS, Stage.BODY, first=False, now=now, since=now, began=1001)
