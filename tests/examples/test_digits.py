"""The digits example: the committed weights really read digits, and its kernel never raises."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edi_labext.models import parse_submission

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"
KERNEL_PATH = ROOT / "edi_labext" / "serving" / "kernel" / "path"
MODULES = ("kernel", "network", "train", "redhareapi", "redhareapiversion")
CLASSES = {"three": 3, "four": 4, "seven": 7, "eight": 8}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the example and the real redhareapi on the path, for one test."""
    before = {name: sys.modules.pop(name, None) for name in MODULES}
    monkeypatch.syspath_prepend(KERNEL_PATH)
    monkeypatch.syspath_prepend(DIGITS)
    yield
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


class KernelContext:
    def __init__(self, **changes: str) -> None:
        description = json.loads((DIGITS / "model.json").read_text())
        self.description = {**description, "model_path": str(DIGITS), **changes}

    def get_model_description(self) -> str:
        return json.dumps(self.description)


class TaskContext:
    def __init__(self, body: str, following: TaskContext | None = None) -> None:
        self.body = body
        self.following = following
        self.output: str | None = None

    def get_input_data(self) -> str:
        return self.body

    def set_output_data(self, data: str) -> bool:
        self.output = data
        return True

    def next(self) -> TaskContext | None:
        return self.following


def started_kernel(**changes: str) -> Any:
    module: ModuleType = importlib.import_module("kernel")
    kernel = module.DigitsKernel()
    kernel.on_kernel_start(KernelContext(**changes))
    return kernel


def ask(body: str) -> dict[str, Any]:
    task = TaskContext(body)
    started_kernel().on_task_invoke(task)
    assert task.output is not None
    answer = json.loads(task.output)
    assert isinstance(answer, dict)
    return answer


def test_it_is_a_submission() -> None:
    description = parse_submission((DIGITS / "model.json").read_bytes())
    assert (description.name, description.runtime) == ("digits", "python")
    assert (DIGITS / description.kernel_path).is_file()
    assert (DIGITS / description.weight_path).stat().st_size < 100_000


@pytest.mark.parametrize("path", sorted(DIGITS.glob("payloads/*.json")), ids=lambda path: path.stem)
def test_every_payload_is_read_right(path: Path) -> None:
    answer = ask(path.read_text())
    assert answer["class"] == CLASSES[path.stem]
    probabilities = answer["probabilities"]
    assert len(probabilities) == 10
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)
    assert probabilities.index(max(probabilities)) == answer["class"]


def test_the_readme_tells_the_truth() -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", (DIGITS / "README.md").read_text(), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["json", "text"]
    assert ask(blocks[0][1]) == json.loads(blocks[1][1])


def test_a_flat_image_is_the_same_image() -> None:
    rows = json.loads((DIGITS / "payloads" / "seven.json").read_text())["image"]
    flat = [pixel for row in rows for pixel in row]
    assert ask(json.dumps({"image": flat})) == ask(json.dumps({"image": rows}))


def test_a_batch_is_answered_one_by_one() -> None:
    seven = (DIGITS / "payloads" / "seven.json").read_text()
    four = (DIGITS / "payloads" / "four.json").read_text()
    last = TaskContext(four)
    middle = TaskContext("nonsense", last)
    first = TaskContext(seven, middle)
    started_kernel().on_task_invoke(first)
    outputs = [json.loads(task.output or "") for task in (first, middle, last)]
    assert [output.get("class") for output in outputs] == [7, None, 4]


def test_without_a_model_path_the_kernels_own_folder_is_used() -> None:
    assert started_kernel(model_path="").network.layers


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"image": null}',
        '{"image": [1, 2, 3]}',
        json.dumps({"image": [[0] * 8] * 7}),
        json.dumps({"image": [[0] * 8] * 7 + [[0] * 7]}),
        json.dumps({"image": [[0] * 8] * 7 + [0]}),
        json.dumps({"image": [0] * 63 + ["1"]}),
        json.dumps({"image": [0] * 63 + [True]}),
        json.dumps({"image": [0] * 63 + [17]}),
        json.dumps({"image": [0] * 63 + [-1]}),
        '{"image": [' + "NaN, " * 63 + "0]}",
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_bad_request_is_answered_with_an_error(body: str) -> None:
    answer = ask(body)
    assert list(answer) == ["error"]
    assert len(answer["error"]) < 100


def test_the_weights_read_digits_that_they_were_not_trained_on() -> None:
    pytest.importorskip("sklearn")
    train = importlib.import_module("train")
    network = importlib.import_module("network").Network.load(DIGITS / "weights.json")
    _, pictures, _, classes = train.split()
    right = sum(
        train.classify(network, picture) == int(digit)
        for picture, digit in zip(pictures.tolist(), classes, strict=True)
    )
    assert right / len(classes) >= 0.95
    shown = {tuple(map(int, picture)) for picture in pictures.tolist()}
    for path in DIGITS.glob("payloads/*.json"):
        rows = json.loads(path.read_text())["image"]
        assert tuple(pixel for row in rows for pixel in row) in shown
