"""Bad profiles, sent to the real engine: values out of range and of another kind."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from support.engine_process import EngineProcess

NAME = "in-rows"


@pytest.fixture(scope="module")
def before(engine: EngineProcess) -> dict[str, Any]:
    """The profile of a stopped deployment, which nothing here may change."""
    engine.deploy(NAME)
    document: dict[str, Any] = engine.call("GET", f"model/{NAME}/appprofile").json()
    return document


def put(engine: EngineProcess, document: Any) -> Any:
    return engine.call("PUT", f"model/{NAME}/appprofile", json=document)


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with one value at a dotted path."""
    result = copy.deepcopy(document)
    *way, last = path.split(".")
    inner = result
    for key in way:
        inner = inner[key]
    inner[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("policy.kernel_min", value) for value in (-1, 1.5, "2", True, 10**9, None, [])),
        ("policy.kernel_max", 0),
        ("policy.kernel_max", -2),
        *(("policy.task_execution_timeout", value) for value in (0, -5, None, 10**12, "60", False)),
        *(("policy.kernel_delay_release_time", value) for value in ("soon", 0, -1)),
        *(("policy.task_batch_size", value) for value in (0, -1, "1")),
        *(("kernel.connection_timeout", value) for value in (0, -1, "90", None)),
        *(("kernel.gpu", value) for value in ("Exclusive ", "EXCLUSIVE", "all", 1, [], None)),
        ("replica", 0),
        ("policy", []),
        ("kernel", "no"),
        ("kernel.envs", {}),
        ("resource_allocation.kernel.resources", "ncpus=1,ncpus=2"),
        ("resource_allocation.kernel.resources", "cpus=1"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(
    engine: EngineProcess, before: dict[str, Any], path: str, value: Any
) -> None:
    answer = put(engine, changed(before, path, value))
    assert answer.status_code == 400, answer.text
    refused = answer.json()
    fields = [problem["field"] for problem in refused["fields"]]
    assert any(field == path or field.startswith(f"{path}.") for field in fields), fields
    assert all(problem["message"] for problem in refused["fields"])
    assert "Traceback" not in answer.text
    assert engine.call("GET", f"model/{NAME}/appprofile").json() == before


def test_fewest_above_most_names_both(engine: EngineProcess, before: dict[str, Any]) -> None:
    document = changed(changed(before, "policy.kernel_min", 3), "policy.kernel_max", 2)
    answer = put(engine, document)
    assert answer.status_code == 400, answer.text
    assert "kernel_min" in answer.text
    assert "kernel_max" in answer.text


def test_names_that_mean_something_elsewhere_are_plain_data(
    engine: EngineProcess, before: dict[str, Any]
) -> None:
    document = {**before, "__proto__": {"polluted": True}, "constructor": {"prototype": 1}}
    assert put(engine, document).status_code == 200
    after = engine.call("GET", f"model/{NAME}/appprofile").json()
    assert after["__proto__"] == {"polluted": True}
    assert {**after, "last_update_time": ""} == {**document, "last_update_time": ""}
    answer = put(engine, before)
    assert answer.status_code == 200
