"""A background engine ends once nothing has been started for a while."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.fake_clock import FakeClock

from edi_labext.serving.idle_end import IdleEnd

HALF_AN_HOUR = 1800.0


class Engine:
    """What :class:`IdleEnd` sees of an engine, with the time of its end."""

    def __init__(self, limit: float = HALF_AN_HOUR) -> None:
        self.clock = FakeClock()
        self.begun = self.clock.now()
        self.used = False
        self.ends: list[float] = []
        self.idle = IdleEnd(
            self.clock,
            limit,
            in_use=lambda: self.used,
            end=lambda: self.ends.append(self.clock.now() - self.begun),
        )
        self.idle.begin()


@pytest.mark.parametrize("limit", [1.0, 59.0, 1000.0, HALF_AN_HOUR, 604_800.0])
def test_it_ends_exactly_at_the_limit_when_nothing_was_ever_started(limit: float) -> None:
    engine = Engine(limit)
    engine.clock.advance(limit - 0.01)
    assert engine.ends == []
    engine.clock.advance(0.02)
    assert engine.ends == [pytest.approx(limit)]
    engine.clock.advance(10 * limit)
    assert len(engine.ends) == 1
    assert engine.clock.pending == 0


def test_it_stays_as_long_as_something_is_started() -> None:
    engine = Engine()
    engine.used = True
    engine.clock.advance(100 * HALF_AN_HOUR)
    assert engine.ends == []
    engine.used = False
    engine.clock.advance(HALF_AN_HOUR - 60.01)
    assert engine.ends == []
    engine.clock.advance(60.02)
    assert len(engine.ends) == 1


def test_it_counts_anew_after_each_use() -> None:
    engine = Engine()
    for _ in range(5):
        engine.used = False
        engine.clock.advance(HALF_AN_HOUR - 61)
        engine.used = True
        engine.clock.advance(61)
    assert engine.ends == []


def test_it_can_be_taken_back() -> None:
    engine = Engine()
    engine.idle.cancel()
    engine.idle.cancel()
    engine.clock.advance(10 * HALF_AN_HOUR)
    assert (engine.ends, engine.clock.pending) == ([], 0)


def test_a_background_engine_does(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib\n"
        "from edi_labext.serving.process import run\n"
        "from edi_labext.serving.settings import Settings\n"
        f"settings = Settings(store=pathlib.Path({str(tmp_path / 'store')!r}),\n"
        "                    owner='background', background_idle=1)\n"
        "asyncio.run(run(settings))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline()
        assert process.wait(10) == 0
    assert not (tmp_path / "store" / "engine.json").exists()
