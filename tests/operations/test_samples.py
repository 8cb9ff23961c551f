from __future__ import annotations

import json
import runpy
import sys
import types
from pathlib import Path

import pytest

from edi_labext.errors import NotFound
from edi_labext.operations import sample_folder
from edi_labext.submission import inspect


def test_the_sample_can_be_deployed() -> None:
    submission = inspect(sample_folder("pingpong"))
    assert submission.require_deployable().name == "pingpong"
    assert submission.ignored == () or all(
        entry.path == "__pycache__/" for entry in submission.ignored
    )


@pytest.mark.parametrize("name", ["", "digits", "..", "pingpong/..", "/etc", "__pycache__"])
def test_there_are_no_other_samples(name: str) -> None:
    with pytest.raises(NotFound):
        sample_folder(name)


def test_the_example_is_the_sample() -> None:
    example = Path(__file__).parents[2] / "examples" / "pingpong"
    assert example.is_symlink()
    assert not example.readlink().is_absolute()
    assert example.resolve() == sample_folder("pingpong")


class Task:
    """One request of a batch."""

    def __init__(self, text: str, following: Task | None = None) -> None:
        self.text, self.following, self.output = text, following, ""

    def get_input_data(self) -> str:
        return self.text

    def set_output_data(self, data: str) -> bool:
        self.output = data
        return True

    def next(self) -> Task | None:
        return self.following


def test_the_kernel_answers_a_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    api = types.ModuleType("redhareapi")
    api.Kernel = type("Kernel", (), {"log_info": staticmethod(print)})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "redhareapi", api)
    version = types.ModuleType("redhareapiversion")
    monkeypatch.setitem(sys.modules, "redhareapiversion", version)
    names = runpy.run_path(str(sample_folder("pingpong") / "kernel.py"))
    last = Task('{"data": [1.5, null], "seq": 2}')
    first = Task('{"data":"xxxxx","seq":1}', last)
    names["PingPong"]().on_task_invoke(first)
    assert first.output == '{"data": "xxxxx", "seq": 1}'
    assert json.loads(last.output) == json.loads(last.text)
