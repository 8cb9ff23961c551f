"""Ten thousand broken requests to every route of a real engine: all answered, none with a 500."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from support.engine_process import EngineProcess, package
from support.http_fuzz import Fuzzer, Target, fuzz

from edi_labext.serving.routes.table import ROUTES

#: What the deployments that are started do; one that has no kernel yet costs nothing.
RAW = """
import redhareapiversion
from redhareapi import Kernel


class RawKernel(Kernel):
    def on_task_invoke(self, task_context):
        task_context.set_output_data("{}")


RawKernel().run()
"""


@pytest.fixture
def target(own_engine: EngineProcess) -> Iterator[Target]:
    """An engine with deployments in several states; none starts more than one process."""
    engine = own_engine
    for name in ("served", "asleep", "paper"):
        assert engine.deploy(name, RAW).status_code == 200
    profile = engine.call("GET", "model/served/appprofile").json()
    profile["policy"].update(kernel_min=0, kernel_max=1, task_execution_timeout=2)
    for name in ("served", "asleep"):
        mine = {
            **engine.call("GET", f"model/{name}/appprofile").json(),
            "policy": profile["policy"],
        }
        assert engine.call("PUT", f"model/{name}/appprofile", json=mine).status_code == 200
    engine.start_model("served")
    assert engine.infer("served").status_code == 200
    host, port = engine.base.split("/")[2].split(":")
    # What changes descriptions and profiles aims at names that are never started.
    names = {
        "get": ["served", "asleep", "paper", "nobody"],
        "put": ["paper", "paper", "nobody", "served", "%73erved"],
        "post": ["served", "served", "asleep", "nobody", "serve%64"],
        "delete": ["nobody", "paper", "served"],
        "runtime": ["python", "own", "nobody", "dlipy3"],
    }
    documents = {
        "Profile": engine.call("GET", "model/paper/appprofile").json(),
        "ModelDescription": {**engine.call("GET", "model/paper").json(), "tag": "x"},
        "Runtime": {"type": "own", "launcher": "/usr/bin/python3", "envs": [], "attributes": []},
        "Readme": {"readme": "# Read me"},
        "task": {"data": [1, 2, {"a": None}], "seq": 1},
    }
    yield Target(host, int(port), engine.token, names, documents, package("paper", RAW))


def check(engine: EngineProcess, target: Target, count: int) -> None:
    alive = engine.kernel_pids()
    outcome = asyncio.run(fuzz(Fuzzer(20261125, target), target, count))
    assert outcome.faults == []
    # The fuzzer gets everywhere: each route was reached behind the door, and things went well too.
    for row in ROUTES:
        seen = outcome.by_route.get(f"{row.method} {row.path}", {})
        assert seen.keys() & {200, 409, 404}, (row.path, seen)
    assert {200, 400, 401, 404, 405, 409, 415} <= outcome.statuses.keys(), outcome.statuses
    assert outcome.statuses[200] > count / 20, outcome.statuses
    assert outcome.silent < count / 4

    # The engine is as it was: it serves, it forgot nobody who waits, and its log tells no fault.
    assert engine.process.poll() is None
    names = {model["name"] for model in engine.call("GET", "model").json()}
    name = "served" if "served" in names else "after"
    if name == "after":
        engine.deploy("after", RAW)
    engine.start_model(name)
    assert engine.infer(name).text == "{}"
    assert len(engine.kernel_pids()) <= len(alive) + 2
    log = engine.log.read_text()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert "Unexpected" not in log, log[-3000:]
    assert target.token not in log


def test_fuzzed_requests(own_engine: EngineProcess, target: Target) -> None:
    check(own_engine, target, 10_000)


@pytest.mark.soak
def test_a_hundred_thousand_fuzzed_requests(own_engine: EngineProcess, target: Target) -> None:
    check(own_engine, target, 100_000)
