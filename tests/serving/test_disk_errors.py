"""A disk that is full or fails, under a real engine: what is told, and what goes on working."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.engine_process import ECHO, EngineProcess, package
from support.failpoints import Plan
from support.forked_engine import ForkedEngine, Nursery


class Scene:
    """An engine with a deployment that runs and one that does not."""

    def __init__(self, nursery: Nursery, place: Path) -> None:
        self.plan = Plan(place / "plan")
        self.engine = ForkedEngine(nursery, place / "store", plan=self.plan.path)
        self.engine.running("running")
        assert self.engine.deploy("idle", ECHO).status_code == 200

    def names(self) -> list[str]:
        return [model["name"] for model in self.engine.call("GET", "model").json()]

    def act(self, name: str) -> Any:
        engine = self.engine
        match name:
            case "deploy":
                return engine.deploy("new", ECHO, data="d" * 5000)
            case "redeploy":
                data = package("idle", ECHO, data="e" * 5000)
                return engine.call("POST", "deployment/model/idle", data=data)
            case "start":
                return engine.start_model("idle")
            case "runtime":
                attributes = [{"key": "edi-python", "value": sys.executable}]
                body = {"type": "mine", "attributes": attributes, "schema_version": "1"}
                return engine.call("POST", "deployment/runtime", json=body)
        return engine.call("DELETE", "model/idle")

    def reset(self) -> None:
        """Bring back the state before any of the changes."""
        engine = self.engine
        names = self.names()
        if "new" in names:
            assert engine.call("DELETE", "model/new").status_code == 200
        if "idle" not in names:
            assert engine.deploy("idle", ECHO).status_code == 200
        engine.stop_model("idle")
        engine.wait_for("idle", "stopped")
        engine.call("DELETE", "deployment/runtime/mine")

    def check_nothing_left(self) -> None:
        store = self.engine.store
        assert not [*store.glob("staging/*"), *store.glob("trash/*")]
        assert len([*store.glob("repo/*/*")]) == 2 * len(self.names())


@pytest.fixture
def scene(nursery: Nursery, memory_path: Path) -> Iterator[Scene]:
    scene = Scene(nursery, memory_path)
    yield scene
    scene.plan.clear()
    scene.engine.stop()


CHANGES = ["deploy", "redeploy", "start", "delete", "runtime"]


def all_in_soak(short: int) -> pytest.MarkDecorator:
    """Run at every ``short``-th step of the disk, in ``make soak`` at every one."""
    return pytest.mark.parametrize("every", [short, pytest.param(1, marks=pytest.mark.soak)])


@pytest.mark.parametrize("name", CHANGES)
@all_in_soak(3)
def test_a_full_disk_at_any_step_is_507_and_changes_nothing(
    scene: Scene, name: str, every: int
) -> None:
    names = scene.names()
    refused = 0
    for number in range(1, 200, every):
        scene.plan.set("ENOSPC", number)
        answer = scene.act(name)
        steps = scene.plan.steps()
        scene.plan.clear()
        if answer.status_code == 200:
            # What is left to do after the answer may fail without anybody being told: waste.
            if len(steps) < number:
                break
            scene.reset()
            continue
        refused += 1
        assert (answer.status_code, answer.json()["code"]) == (507, "out_of_space"), steps[-1]
        assert answer.json()["hint"]
        assert scene.names() == names, steps[-1]
        scene.check_nothing_left()
        assert scene.engine.infer("running", "still").text == "still"
        # It can be done as soon as there is room, and what is deployed can be removed.
        if number % (5 * every) == 1:
            assert scene.act(name).status_code == 200, steps[-1]
            scene.reset()
    assert refused >= (3 if every == 1 else 1)
    assert len(steps) < number


@pytest.mark.parametrize("name", CHANGES)
@all_in_soak(6)
def test_a_failing_disk_is_told_and_nothing_more_is_trusted_to_it(
    scene: Scene, name: str, every: int
) -> None:
    """Each step takes a new engine, since the failed one changes nothing more."""
    scene.plan.clear()
    assert scene.act(name).status_code == 200
    count = len(scene.plan.steps())
    scene.reset()
    told = 0
    for number in range(1, count, every):
        before = scene.names()
        scene.plan.set("EIO", number)
        answer = scene.act(name)
        steps = scene.plan.steps()
        step = steps[number - 1]
        if answer.status_code == 200:
            # What is left to do after the commit only removes waste.
            assert "commit" in steps[: number - 1], step
        else:
            told += 1
            assert (answer.status_code, answer.json()["code"]) == (500, "storage_error"), step
            assert scene.names() == before
            assert scene.engine.infer("running", "still").text == "still"
        if "staging" not in step and answer.status_code != 200:
            # In staging nothing is lost but the upload: its own files, never opened again.
            again = scene.engine.call("PUT", "model/running/operation/stop")
            assert (again.status_code, again.json()["code"]) == (500, "read_only"), step
            [notice] = capabilities(scene.engine)["notices"]
            assert "failed" in notice
        scene.plan.clear()
        scene.engine.kill()
        scene.engine.start()
        scene.engine.wait_for("running", "ready")
        assert capabilities(scene.engine)["notices"] == []
        # What was not acknowledged may have happened all the same.
        scene.reset()
    assert told


def capabilities(engine: EngineProcess) -> Any:
    url = engine.base.replace("/dlim/v1/", "/edi/v1/capabilities")
    return engine.session.get(url, timeout=20).json()


# --- real limits of the operating system ------------------------------------------------------


def on_a_small_disk(store: Path) -> list[str]:
    """Return a command before a command that gives it a filesystem of 4 MiB at ``store``."""
    mount = 'mount -t tmpfs -o size=4m,mode=700 none "$0" && exec "$@"'
    return ["unshare", "-rm", "sh", "-c", mount, str(store)]


def can_mount(place: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*on_a_small_disk(place), "true"]
    return subprocess.run(command, capture_output=True, timeout=20).returncode == 0


class OnSmallDisk(EngineProcess):
    def start(self) -> None:
        self.store.mkdir(exist_ok=True)
        self.prefix = tuple(on_a_small_disk(self.store))
        super().start()

    def seen(self, path: str) -> Path:
        return Path(f"/proc/{self.process.pid}/root{path}")


def test_on_a_disk_that_is_really_full_the_rest_can_be_undeployed(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("no filesystem can be mounted here")
    engine = OnSmallDisk(tmp_path / "store")
    try:
        engine.running("running")
        blob = "b" * (600 << 10)
        number = 0
        while (answer := engine.deploy(f"d{number}", ECHO, data=blob)).status_code == 200:
            number += 1
            assert number < 10
        assert (answer.status_code, answer.json()["code"]) == (507, "out_of_space")
        # Down to the last block.
        size = 100 << 10
        while size > 100:
            answer = engine.deploy("filler", ECHO, data="f" * size)
            if answer.status_code == 200:
                assert engine.call("DELETE", "model/filler").status_code == 200
                break
            assert answer.status_code == 507, answer.text
            size //= 2
        assert engine.infer("running", "still").text == "still"
        for index in range(number):
            assert engine.call("DELETE", f"model/d{index}").status_code == 200
        assert engine.deploy("again", ECHO, data=blob).status_code == 200
    finally:
        engine.stop()


#: Root may write where the mode forbids it; without this capability it may not.
_WITHOUT_OVERRIDE = """
import ctypes, os, sys
if os.getuid() == 0:
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("part", ["parent", "store", "database"])
def test_a_store_that_cannot_be_written_is_a_clear_error(tmp_path: Path, part: str) -> None:
    store = tmp_path / "parent" / "store"
    store.parent.mkdir()
    closed = {"parent": store.parent, "store": store, "database": store / "store.db"}[part]
    if part != "parent":
        EngineProcess(store).stop()
    command = [sys.executable, "-c", _WITHOUT_OVERRIDE]
    if part == "database":
        # Its mode is mended at a start; its being no file is not.
        closed.unlink()
        closed.mkdir()
    elif part == "store":
        # So is the mode of the store: only the directory above can be taken away.
        store.parent.chmod(0o000)
    else:
        closed.chmod(0o500)
    try:
        ended = subprocess.run(
            [*command, sys.executable, "-m", "edi_labext.serving", "--store", str(store)],
            capture_output=True,
            text=True,
            timeout=20,
        )
    finally:
        store.parent.chmod(0o700)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert str(store) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 3


def test_a_read_only_filesystem_is_a_clear_error(tmp_path: Path) -> None:
    """As an NFS home that was remounted read-only."""
    if not can_mount(tmp_path):
        pytest.skip("no filesystem can be mounted here")
    store = tmp_path / "store"
    store.mkdir()
    mount = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", mount, str(store)]
    ended = subprocess.run(
        [*command, sys.executable, "-m", "edi_labext.serving", "--store", str(store)],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == 1, ended.stderr
    assert "Read-only file system" in ended.stderr
    assert "Traceback" not in ended.stderr
