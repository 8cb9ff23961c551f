from __future__ import annotations

import asyncio
import logging
import sys
import threading
import types
from collections.abc import Sequence
from pathlib import Path

import pytest

from edi_labext.serving.inventory import Gpu, Inventory, ask_driver, machine_memory, visible

TWO = (Gpu("GPU-aaaa-1", "H200", 5), Gpu("GPU-aabb-2", "H200", 5))


def test_what_was_found_is_kept_and_nothing_is_looked_for_again() -> None:
    looks: list[Sequence[Gpu]] = [(), TWO]
    inventory = Inventory(lambda: looks.pop(0), environment={})

    async def run() -> None:
        assert await inventory.gpus() == ()
        assert await inventory.gpus() == TWO
        assert await inventory.gpus() == TWO

    asyncio.run(run())
    assert not looks


def test_those_who_ask_together_cause_one_look() -> None:
    looks: list[int] = []

    def look() -> Sequence[Gpu]:
        looks.append(1)
        return ()

    async def run() -> None:
        inventory = Inventory(look, environment={})
        assert await asyncio.gather(*(inventory.gpus() for _ in range(5))) == [()] * 5

    asyncio.run(run())
    assert len(looks) == 1


def test_a_driver_that_hangs_is_no_gpu_and_holds_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ever = threading.Event()

    async def run() -> None:
        inventory = Inventory(lambda: ever.wait() and (), environment={}, deadline=0.05)  # type: ignore[func-returns-value]
        assert await inventory.gpus() == ()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert "did not answer within 0.05 s" in caplog.text
    ever.set()


def test_a_driver_that_fails_is_no_gpu(caplog: pytest.LogCaptureFixture) -> None:
    def look() -> Sequence[Gpu]:
        raise OSError("libnvidia-ml.so.1 is broken")

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(Inventory(look, environment={}).gpus()) == ()
    assert "is broken" in caplog.text


@pytest.mark.parametrize(
    ("narrowed", "left"),
    [
        (None, TWO),
        ("", ()),
        ("0,1", TWO),
        (" 1 , 0 ", TWO[::-1]),
        ("1,1", TWO[1:]),
        ("1,7,0", TWO[1:]),
        ("-1", ()),
        ("0,-1,1", TWO[:1]),
        ("GPU-aabb", TWO[1:]),
        ("GPU-aa", ()),
        ("GPU-", ()),
        ("MIG-1", ()),
        ("²", ()),
        ("9" * 5000, ()),
    ],
)
def test_an_inherited_choice_narrows(narrowed: str | None, left: tuple[Gpu, ...]) -> None:
    assert visible(TWO, narrowed) == left


class _NVMLError(Exception):
    pass


def binding(**functions: object) -> types.ModuleType:
    """Return a stand-in for ``nvidia-ml-py``."""
    module = types.ModuleType("pynvml")
    vars(module).update(
        {
            "NVMLError": _NVMLError,
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: TWO[index],
            "nvmlDeviceGetUUID": lambda gpu: gpu.uuid.encode(),
            "nvmlDeviceGetName": lambda gpu: gpu.model,
            "nvmlDeviceGetMemoryInfo": lambda gpu: types.SimpleNamespace(total=gpu.memory),
            **functions,
        }
    )
    return module


def test_the_driver_is_asked_by_its_own_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", binding())
    assert tuple(ask_driver()) == TWO


def test_no_binding_and_no_driver_are_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise _NVMLError("Driver Not Loaded")

    monkeypatch.setitem(sys.modules, "pynvml", binding(nvmlInit=no_driver))
    assert ask_driver() == ()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert ask_driver() == ()


# --- memory -----------------------------------------------------------------------------------

MB = 1 << 20


@pytest.mark.parametrize(
    ("told", "files", "expected"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/pod/kernel\n", {"pod/memory.max": f"{7 * MB}\n", "pod/kernel/memory.max": "max"}, 7),
        ("0::/of/the/host\n", {"memory.max": f"{5 * MB}"}, 5),
        ("4:cpu:/\n3:memory:/a\n", {"memory/a/memory.limit_in_bytes": f"{3 * MB + 1}\n"}, 3),
        # What version 1 says when there is no limit.
        ("3:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("", {"memory.max": f"{5 * MB}"}, None),
    ],
)
def test_a_container_has_the_memory_that_it_is_given(
    tmp_path: Path, told: str, files: dict[str, str], expected: int | None
) -> None:
    """``None`` is the machine's own."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(told)
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    whole = machine_memory(tmp_path / "nowhere")
    assert whole
    assert machine_memory(tmp_path) == (whole if expected is None else expected)
