"""An engine that is killed at random again and again, while others work with it over REST."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine_process import ECHO
from support.forked_engine import ForkedEngine, Nursery
from support.waiting import until

NAMES = ("a", "b", "c")


@dataclass
class Model:
    """What a deployment must be, as far as somebody was told."""

    data: str
    started: bool = False
    kernel_max: int = 100
    readme: str = "# Test\n"


State = dict[str, Model]


@dataclass
class Writer:
    """Changes deployments of an engine until the connection ends, and knows what was promised."""

    engine: ForkedEngine
    rng: random.Random
    #: What every answer said; and what it would be if the last request had its effect.
    told: State = field(default_factory=dict)
    hoped: State = field(default_factory=dict)
    acknowledged: int = 0

    def work(self) -> None:
        try:
            while True:
                self._change()
        except requests.RequestException:
            pass

    def _change(self) -> None:
        name = self.rng.choice(NAMES)
        model = self.told.get(name)
        self.hoped = dict(self.told)
        if model is None:
            text = str(self.rng.random())
            self.hoped[name] = Model(text)
            answer = self.engine.deploy(name, ECHO, data=text)
        elif model.started:
            self.hoped[name] = Model(model.data, False, model.kernel_max, model.readme)
            answer = self.engine.stop_model(name)
        else:
            answer = self._change_stopped(name, model)
        if answer.status_code == 200:
            self.told = self.hoped
            self.acknowledged += 1
        else:
            # A kernel that has not ended yet stands in the way of a delete.
            assert answer.status_code == 409, answer.text
            self.hoped = self.told

    def _change_stopped(self, name: str, model: Model) -> requests.Response:
        number = self.rng.randrange(5, 1000)
        match self.rng.choice(["start", "start", "delete", "profile", "readme"]):
            case "start":
                self.hoped[name] = Model(model.data, True, model.kernel_max, model.readme)
                return self.engine.start_model(name)
            case "delete":
                del self.hoped[name]
                return self.engine.call("DELETE", f"model/{name}")
            case "profile":
                profile = self.engine.call("GET", f"model/{name}/appprofile").json()
                profile["policy"]["kernel_max"] = number
                self.hoped[name] = Model(model.data, False, number, model.readme)
                return self._put(f"model/{name}/appprofile", profile)
        self.hoped[name] = Model(model.data, False, model.kernel_max, f"{number}")
        return self._put(f"model/{name}/readme", {"readme": f"{number}"})

    def _put(self, path: str, value: object) -> requests.Response:
        headers = {"Content-Type": "application/json"}
        return self.engine.call("PUT", path, data=json.dumps(value), headers=headers)


def found(engine: ForkedEngine) -> State:
    state = {}
    for description in engine.call("GET", "model").json():
        name = description["name"]
        [data] = (engine.store / "repo" / name).glob("*/data")
        profile = engine.call("GET", f"model/{name}/appprofile").json()
        state[name] = Model(
            data.read_text(),
            engine.status(name)["state"] != "stopped",
            profile["policy"]["kernel_max"],
            engine.call("GET", f"model/{name}/readme").json()["readme"],
        )
    return state


@pytest.fixture
def engine(nursery: Nursery, memory_path: Path) -> Iterator[ForkedEngine]:
    engine = ForkedEngine(nursery, memory_path / "store")
    yield engine
    engine.stop()


def kill_again_and_again(engine: ForkedEngine, kills: int) -> dict[str, Any]:
    rng = random.Random(kills)
    told: State = {}
    acknowledged = kept_hoped = came_back = 0
    for number in range(kills):
        writer = Writer(engine, rng, told, told)
        thread = threading.Thread(target=writer.work)
        thread.start()
        # At some moment of the work that follows, however fast the machine is.
        before = (0, 1, 2, 4)[number % 4]
        until(lambda one=writer, least=before: one.acknowledged >= least)
        thread.join(rng.random() * 0.05)
        engine.process.kill()
        thread.join()
        engine.restart()
        state = found(engine)
        assert state in (writer.told, writer.hoped)
        kept_hoped += state != writer.told
        store = engine.store
        assert not [*store.glob("staging/*"), *store.glob("trash/*"), *store.glob("quarantine")]
        for name, model in state.items():
            # The first one always, so that few kills look at one too.
            if model.started and (not came_back or rng.random() < 0.2):
                engine.wait_for(name, "ready")
                assert engine.infer(name, "back").text == "back"
                came_back += 1
        told = state
        acknowledged += writer.acknowledged
    assert came_back
    return {"acknowledged": acknowledged, "unanswered but done": kept_hoped, "back": came_back}


def test_15_kills_lose_nothing_acknowledged(engine: ForkedEngine) -> None:
    assert kill_again_and_again(engine, 15)["acknowledged"] > 15


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_300_kills_lose_nothing_acknowledged(engine: ForkedEngine) -> None:
    print("300 kills:", kill_again_and_again(engine, 300))
