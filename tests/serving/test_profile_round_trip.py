"""Any profile that is taken comes back equal, from the engine and from its store."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.engine_process import EngineProcess
from support.examples import examples

from edi_labext.serving.store import Record

#: What a document may hold that we do not know: no number that JSON readers differ about.
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner,
                      max_size=3),
    max_leaves=6,
)  # fmt: skip
unknown = st.dictionaries(st.sampled_from(["new", "x-y", "ключ", "__proto__", "a.b", ""]), values)
known = st.fixed_dictionaries(
    {},
    optional={
        "kernel_min": st.integers(0, 5),
        "kernel_max": st.just(-1) | st.integers(5, 10_000),
        "task_execution_timeout": st.just(-1) | st.floats(0.5, 86_400) | st.integers(1, 86_400),
        "task_batch_size": st.integers(1, 1_000),
        "kernel_delay_release_time": st.integers(1, 604_800),
        "stream_discard_slow_tasks": st.booleans(),
    },
)
variables = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text(st.sampled_from("ABCxyz_09é"), min_size=1, max_size=8),
            "value": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                             max_size=30),
        }
    ),
    max_size=4,
    unique_by=lambda item: item["name"],
)  # fmt: skip


@pytest.fixture(scope="module")
def before(engine: EngineProcess) -> dict[str, Any]:
    assert engine.deploy("shaped").status_code == 200
    return engine.call("GET", "model/shaped/appprofile").json()


def saved(store: Path) -> dict[str, Any]:
    """Return the profile as it lies on the disk, beside the package."""
    [manifest] = store.glob("repo/shaped/*.json")
    record = Record.from_manifest(manifest.read_bytes(), manifest.with_suffix(""))
    assert record is not None
    return record.profile.to_wire()


@example({"task_execution_timeout": 1.0}, [], {}, {}, {})
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=known, envs=variables, top=unknown, below=unknown, deeper=unknown)
def test_what_is_taken_comes_back(
    engine: EngineProcess,
    before: dict[str, Any],
    policy: dict[str, Any],
    envs: list[dict[str, str]],
    top: dict[str, Any],
    below: dict[str, Any],
    deeper: dict[str, Any],
) -> None:
    wanted = copy.deepcopy(before)
    wanted.update(top)
    wanted["policy"].update({**below, **policy})
    wanted["kernel"]["envs"] = envs
    wanted["resource_allocation"]["kernel"].update(deeper)
    answer = engine.call("PUT", "model/shaped/appprofile", json=wanted)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text
    after = engine.call("GET", "model/shaped/appprofile").json()
    changed = after.pop("last_update_time")
    wanted.pop("last_update_time")
    assert after == wanted
    # As text too: 1 does not become 1.0, nor true 1. Whole seconds are told as EDI tells them.
    timeout = wanted["policy"]["task_execution_timeout"]
    if isinstance(timeout, float) and timeout.is_integer():
        wanted["policy"]["task_execution_timeout"] = int(timeout)
    same = json.dumps(after, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    assert same, (after, wanted)
    on_disk = saved(engine.store)
    assert on_disk.pop("last_update_time") == changed
    assert on_disk == wanted
