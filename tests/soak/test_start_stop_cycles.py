"""Start and stop again and again: descriptors, threads and children stay where they were."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.engine_process import EngineProcess


def census(engine: EngineProcess) -> dict[str, int]:
    """Return what the engine's process holds."""
    process = Path(f"/proc/{engine.process.pid}")
    children = [
        file.read_text().split() for file in (process / "task").glob("*/children") if file.exists()
    ]
    return {
        "descriptors": len(os.listdir(process / "fd")),
        "threads": len(os.listdir(process / "task")),
        "children": sum(map(len, children)),
    }


def rss(engine: EngineProcess) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def cycle(engine: EngineProcess, cycles: int) -> dict[str, int]:
    assert engine.deploy("cycled").status_code == 200

    def once(*, ask: bool) -> None:
        assert engine.start_model("cycled").status_code == 200
        if ask:
            assert engine.infer("cycled", "x").text == "x"
        assert engine.stop_model("cycled").status_code == 200
        engine.wait_for("cycled", "stopped")

    for _ in range(5):
        once(ask=True)
    before, memory = census(engine), rss(engine)
    for number in range(cycles):
        # Every fourth is stopped before it is ready.
        once(ask=number % 4 != 0)
    after = census(engine)
    for what in before:
        assert abs(after[what] - before[what]) <= 2, (before, after)
    assert not engine.kernel_pids()
    return {**after, "KiB more": rss(engine) - memory}


def test_20_cycles_leave_nothing_behind(engine: EngineProcess) -> None:
    cycle(engine, 20)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_500_cycles_leave_nothing_behind(engine: EngineProcess) -> None:
    held = cycle(engine, 500)
    print("500 cycles:", held)
    assert held["KiB more"] < 10 * 1024
