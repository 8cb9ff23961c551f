"""A real engine, killed at every step on its way to the disk: old or new, never a mix."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine_process import ECHO, package
from support.failing_disk import OPERATIONS
from support.failpoints import Plan
from support.forked_engine import ForkedEngine, Nursery
from support.waiting import until

from edi_labext.serving.store import Disk

#: Of a model, what differs in every run.
_VOLATILE = (
    "uid",
    "model_path",
    "create_time",
    "last_updated_time",
    "started_at",
    "service_uri",
    "size",
)
_JSON = {"Content-Type": "application/json"}


def put(engine: ForkedEngine, path: str, value: object) -> requests.Response:
    return engine.call("PUT", path, data=json.dumps(value), headers=_JSON)


def post(engine: ForkedEngine, path: str, value: object) -> requests.Response:
    return engine.call("POST", path, data=json.dumps(value), headers=_JSON)


def new_profile(engine: ForkedEngine) -> requests.Response:
    profile = engine.call("GET", "model/old/appprofile").json()
    profile["policy"]["kernel_max"] = 5
    return put(engine, "model/old/appprofile", profile)


def new_description(engine: ForkedEngine) -> requests.Response:
    model = engine.call("GET", "model/old").json()
    return put(engine, "model/old", {**model, "tag": "another"})


def runtime(**more: object) -> dict[str, object]:
    attributes = [{"key": "edi-python", "value": "/usr/bin/python3"}]
    return {"type": "mine", "attributes": attributes, "schema_version": "1", **more}


def bare_model(name: str) -> dict[str, object]:
    """What a client sends that has no package yet."""
    texts = {"schema_version": "1", "tag": "", "weight_path": "N/A", "model_path": ""}
    return {"name": name, "size": 0, "runtime": "python", "kernel_path": "kernel.py", **texts}


@dataclass(frozen=True)
class Action:
    """Something that an engine is asked to do, and the state it is asked in."""

    act: Callable[[ForkedEngine], requests.Response]
    started: bool = False
    with_runtime: bool = False


ACTIONS: dict[str, Action] = {
    "deploy": Action(lambda engine: engine.deploy("new", ECHO, data="new")),
    "redeploy": Action(
        lambda engine: engine.call(
            "POST", "deployment/model/old", data=package("old", ECHO, data="newer", more="x")
        )
    ),
    "register": Action(lambda engine: post(engine, "model", bare_model("new"))),
    "start": Action(lambda engine: engine.start_model("old")),
    "stop": Action(lambda engine: engine.stop_model("old"), started=True),
    "profile": Action(new_profile),
    "readme": Action(lambda engine: put(engine, "model/old/readme", {"readme": "# Another\n"})),
    "description": Action(new_description),
    "delete": Action(lambda engine: engine.call("DELETE", "model/old")),
    "create runtime": Action(lambda engine: post(engine, "deployment/runtime", runtime())),
    "change runtime": Action(
        lambda engine: put(engine, "deployment/runtime/mine", runtime(description="another")),
        with_runtime=True,
    ),
    "delete runtime": Action(
        lambda engine: engine.call("DELETE", "deployment/runtime/mine"), with_runtime=True
    ),
}


class Bench:
    """An engine that is brought into one state again and again."""

    def __init__(self, nursery: Nursery, place: Path) -> None:
        self.plan = Plan(place / "plan")
        self.engine = ForkedEngine(nursery, place / "store", plan=self.plan.path)

    def prepare(self, action: Action) -> None:
        """Bring the engine into the state before the action."""
        engine = self.engine
        self.plan.clear()
        for model in engine.call("GET", "model").json():
            name = model["name"]
            engine.stop_model(name)
            engine.wait_for(name, "stopped")
            assert engine.call("DELETE", f"model/{name}").status_code == 200
        engine.call("DELETE", "deployment/runtime/mine")
        assert engine.deploy("old", ECHO, data="old").status_code == 200
        if action.started:
            assert engine.start_model("old").status_code == 200
        if action.with_runtime:
            assert post(engine, "deployment/runtime", runtime()).status_code == 200
        # What is removed after the answer takes steps too, which must not be counted as others'.
        until(lambda: not [*engine.store.glob("staging/*"), *engine.store.glob("trash/*")])

    def view(self) -> dict[str, Any]:
        """Everything that the engine tells, and the files that go with it."""
        engine = self.engine
        seen: dict[str, Any] = {}
        for model in engine.call("GET", "model").json():
            name = model["name"]
            profile = engine.call("GET", f"model/{name}/appprofile").json()
            seen[name] = {
                "model": {key: model[key] for key in model if key not in _VOLATILE},
                "started": engine.status(name)["state"] not in ("stopped", "stopping"),
                "policy": profile["policy"],
                "readme": engine.call("GET", f"model/{name}/readme").json(),
                "files": self._files(name),
            }
        runtimes = engine.call("GET", "deployment/runtime").json()["runtimes"]
        seen["runtimes"] = [
            (item["type"], item["description"]) for item in runtimes if item["type"] == "mine"
        ]
        return seen

    def _files(self, name: str) -> dict[str, str]:
        [manifest] = (self.engine.store / "repo" / name).glob("*.json")
        directory = manifest.with_suffix("")
        return {
            path.relative_to(directory).as_posix(): path.read_text()
            for path in directory.rglob("*")
            if path.is_file()
        }

    def check_tidy(self) -> None:
        """Nothing is half deployed, and nothing lies around."""
        store = self.engine.store
        assert not [*store.glob("staging/*"), *store.glob("trash/*")]
        assert not (store / "quarantine").exists()
        names = {model["name"] for model in self.engine.call("GET", "model").json()}
        assert {path.name for path in store.glob("repo/*")} == names
        assert len([*store.glob("repo/*/*")]) == 2 * len(names)


@pytest.fixture
def bench(nursery: Nursery, memory_path: Path) -> Iterator[Bench]:
    bench = Bench(nursery, memory_path)
    yield bench
    bench.plan.clear()
    bench.engine.stop()


def goal_of(bench: Bench, action: Action) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return what is before and after the action, and the steps to it."""
    bench.prepare(action)
    before = bench.view()
    bench.plan.clear()
    assert action.act(bench.engine).status_code == 200
    after = bench.view()
    assert after != before
    return before, after, bench.plan.steps()


def kill_at(bench: Bench, action: Action, do: str, number: int) -> bool:
    """Run the action with a failpoint and start the engine anew; tell whether it was told done."""
    bench.prepare(action)
    bench.plan.set(do, number)
    try:
        done = action.act(bench.engine).status_code == 200
    except requests.ConnectionError:
        done = False
    bench.engine.process.wait()
    bench.plan.clear()
    bench.engine.restart()
    return done


def check_kills(bench: Bench, name: str, every: int) -> int:
    action = ACTIONS[name]
    before, after, steps = goal_of(bench, action)
    # What is left to do after the answer (removing waste) is killed as well.
    numbers = [*range(1, len(steps), every), len(steps)]
    for number, do in itertools.product(numbers, ("kill before", "kill after")):
        if every > 1 and (number // every) % 2 == (do == "kill after"):
            continue
        step = f"{do} step {number} of {name}: {steps[number - 1]}"
        done = kill_at(bench, action, do, number)
        found = bench.view()
        assert found == after or (found == before and not done), step
        bench.check_tidy()
        if found.get("old", {}).get("started"):
            # What was started is started again.
            bench.engine.wait_for("old", "ready")
            assert bench.engine.infer("old", "back").text == "back"
    return len(steps)


@pytest.mark.parametrize("name", ACTIONS)
def test_killed_on_the_way_to_the_disk(bench: Bench, name: str) -> None:
    """At some of the steps; the long form has all of them."""
    assert check_kills(bench, name, every=6 if "deploy" in name else 4) >= 4


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ACTIONS)
def test_killed_at_every_step_on_the_way_to_the_disk(bench: Bench, name: str) -> None:
    print(name, check_kills(bench, name, every=1), "steps")


def test_the_steps_of_a_deployment_have_names(bench: Bench) -> None:
    """In the order on which durability rests."""
    _, _, steps = goal_of(bench, ACTIONS["deploy"])
    wanted = [
        "make_directory store/staging/*",
        "create_file store/staging/*/package/new/kernel.py",
        "write store/staging/*/package/new/kernel.py",
        "sync store/staging/*/package/new/kernel.py",
        "sync store/staging/*/package/new",
        "make_directory store/repo/*",
        "sync store/repo",
        "rename store/staging/*/package/new store/repo/*/new*",
        "create_file store/staging/*.json",
        "sync store/staging/*.json",
        "rename store/staging/*.json store/repo/*/new*.json",
        "sync store/repo/*",
        "commit",
        "remove_tree store/staging/*",
    ]
    places = [steps.index(step) for step in wanted]
    assert places == sorted(places), steps
    bench.prepare(ACTIONS["delete"])
    bench.plan.clear()
    bench.engine.call("DELETE", "model/old")
    steps = bench.plan.steps()
    wanted = [
        "remove_file store/repo/*/old*.json",
        "sync store/repo/*",
        "commit",
        "rename store/repo/*/old* store/trash/*",
        "remove_directory store/repo/*",
        "remove_tree store/trash/*",
    ]
    assert steps == wanted


def test_no_operation_of_the_disk_goes_unseen() -> None:
    """Whoever adds an operation to the disk has failpoints at it, or makes it of others."""
    made_of_others = {"sync_directory", "sync_file", "write_file"}
    assert {name for name in vars(Disk) if not name.startswith("_")} == {
        *OPERATIONS,
        *made_of_others,
    }
