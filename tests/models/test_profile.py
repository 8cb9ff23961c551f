from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_labext.errors import EdiError, InvalidInput, TooLarge
from edi_labext.models import (
    Profile,
    check_profile,
    parse_profile,
    profile_revision,
    profile_time,
    seconds_of,
)

#: ``reference/rest-api.md`` section 8, as returned after a deploy.
AFTER_DEPLOY: dict[str, Any] = json.loads(
    """
{"schema_version":"1.2","type":"inference","name":"mnisttest",
 "create_time":"Wed Aug 10 08:17:46 2022 GMT","last_update_time":"Wed Aug 10 08:17:46 2022 GMT",
 "replica":1,
 "policy":{"name":"capacity","schedule_interval":3,"kernel_min":1,"kernel_max":100,
  "kernel_delay_release_time":60,"task_execution_timeout":60,"task_batch_size":1,
  "task_pipe_size":1,"task_parallel_size":1,"stream_number_per_group":0,
  "stream_discard_slow_tasks":true},
 "security":{"ssl":{"enable":true,"server_crt":"${REDHARE_TOP}/security/tls.crt",
  "server_key":"${REDHARE_TOP}/security/tls.key"}},
 "resource_allocation":{
  "service":{"type":"k8s","namespace":"","image_name":"","node_selector":""},
  "kernel":{"type":"msd","namespace":"","image_name":"","resource_plan":"sample-project/inference",
   "resources":"ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096","accelerator_resources":"",
   "gpu_pack_id":"","node_selector":"","scheduler":""}},
 "kernel":{"working_directory":"${REDHARE_TOP}/work","connection_timeout":90,
  "log_directory":"${REDHARE_TOP}/logs","run_as":"","umask":"022","gpu":"no",
  "envs":[{"name":"DLIM_MK_LOG_LEVEL","value":"INFO"}]}}
"""
)
CURRENT = Profile.model_validate(AFTER_DEPLOY)


def changed(**values: Any) -> dict[str, Any]:
    """Return the profile with other values; ``__`` parts the steps, ``...`` removes."""
    document = copy.deepcopy(AFTER_DEPLOY)
    for path, value in values.items():
        *way, last = path.split("__")
        place = document
        for step in way:
            place = place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return document


def problems(**values: Any) -> dict[str, str]:
    found = check_profile(changed(**values), AFTER_DEPLOY)
    return {problem["field"]: problem["message"] for problem in found}


def test_a_new_profile_is_edis() -> None:
    when = AFTER_DEPLOY["create_time"]
    new = Profile(name="mnisttest", create_time=when, last_update_time=when)
    # As text: the order of the keys and the form of the numbers are EDI's too.
    assert json.dumps(new.to_wire()) == json.dumps(AFTER_DEPLOY)
    stored = Profile.model_validate_json(new.model_dump_json())
    assert json.dumps(stored.to_wire()) == json.dumps(AFTER_DEPLOY)


def test_a_whole_profile_is_taken_with_its_unknown_fields() -> None:
    document = changed(
        policy__kernel_min=2,
        kernel__gpu="exclusive",
        kernel__new={"a": [1, None]},
        newer=None,
        policy__task_execution_timeout=-1,
        policy__kernel_max=-1,
        kernel__connection_timeout=0.5,
        last_update_time="whatever",
    )
    profile = parse_profile(json.dumps(document).encode(), current=CURRENT)
    assert profile.to_wire() == document
    assert profile.policy.kernel_min == 2


TIMEOUT = "Must be -1 for no limit, or a number of seconds above 0 and up to 86400, not "
#: Rows 28-33 of the bad-input table and their neighbours: field, value, part of the message.
BAD_VALUES = [
    *(("policy.kernel_min", value, f"a whole number from 0 to 1000, not {shown}.") for value, shown
      in ((-1, "-1"), (1.5, "1.5"), ("2", "'2'"), (True, "true"), (10**9, "1000000000"))),
    ("policy.kernel_max", 0, "-1 for no limit, or a whole number from 1 to 10000, not 0."),
    ("policy.kernel_max", -2, "not -2."),
    *(("policy.task_execution_timeout", value, TIMEOUT) for value in (0, -5, None, 1e12, -0.5)),
    ("policy.kernel_delay_release_time", "soon", "a whole number from 1 to 604800, not 'soon'."),
    ("policy.task_batch_size", 0, "from 1 to 1000"),
    ("policy.stream_discard_slow_tasks", 1, "Must be true or false, not 1."),
    ("policy.name", None, "Must be text, not null."),
    ("replica", 0, "from 1 to 100"),
    ("kernel.connection_timeout", 0, "above 0"),
    ("kernel.connection_timeout", True, "not true"),
    *(("kernel.gpu", value, "Must be no, shared or exclusive, not ")
      for value in ("Exclusive ", "all", 1, ["no"], None)),
    *(("kernel.umask", value, "three octal digits") for value in ("9", "0o22", "022\n", 18, "")),
    ("kernel.envs", {}, "a list of names and values"),
    ("kernel", [], "Must be an object, not []."),
    ("policy", None, "Must be an object, not null."),
    ("resource_allocation.kernel.resources", "cpus=1", "nearest key is ncpus"),
    ("resource_allocation.kernel.resources", "", "Write it like ncpus="),
    ("resource_allocation.kernel.resources", 5, "not 5"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "words"), BAD_VALUES)
def test_values_that_are_refused(field: str, value: Any, words: str) -> None:
    found = problems(**{field.replace(".", "__"): value})
    assert list(found) == [field]
    assert words in found[field]
    assert len(found[field]) < 300


def test_row_29_names_both_bounds() -> None:
    found = problems(policy__kernel_min=5, policy__kernel_max=4)
    assert list(found) == ["policy.kernel_min", "policy.kernel_max"]
    assert "4" in found["policy.kernel_min"]
    assert not problems(policy__kernel_min=5, policy__kernel_max=-1)
    assert not problems(policy__kernel_min=0, policy__kernel_max=1)


def test_row_30() -> None:
    assert list(problems(policy__kernel_min=0, policy__kernel_max=0)) == ["policy.kernel_max"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "other"), ("create_time", ""), ("type", "training"), ("schema_version", "1.3"),
     ("name", None)],
)  # fmt: skip
def test_row_35_what_only_the_service_sets(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_profile(changed(**{field: value}), current=CURRENT)
    assert (caught.value.code, caught.value.field) == ("read_only_field", field)


@pytest.mark.parametrize(
    "path",
    ["security", "kernel", "resource_allocation__service", "policy__task_parallel_size", "name",
     "security__ssl__enable"],
)  # fmt: skip
def test_row_36_a_partial_document_resets_nothing(path: str) -> None:
    found = problems(**{path: ...})
    assert list(found) == [path.replace("__", ".")]
    assert "missing" in found[path.replace("__", ".")]


def test_row_37_too_much() -> None:
    with pytest.raises(TooLarge):
        parse_profile(b" " * 10_000_000, current=CURRENT)
    for many in ({f"k{n}": n for n in range(10_000)}, {"x": [{"a": 1}] * 10_000}):
        with pytest.raises(InvalidInput) as caught:
            parse_profile({**AFTER_DEPLOY, **many}, current=CURRENT)
        assert caught.value.code == "too_many_fields"


def test_row_38_names_that_mean_something_to_languages() -> None:
    strange = {"__proto__": {"a": 1}, "constructor": 2, "__class__": "x", "model_config": 3}
    document = {**AFTER_DEPLOY, **strange, "kernel": {**AFTER_DEPLOY["kernel"], **strange}}
    profile = parse_profile(json.dumps(document).encode(), current=CURRENT)
    assert profile.to_wire() == document
    assert type(profile) is Profile
    assert Profile(name="x").kernel.gpu == "no"


def test_all_problems_come_at_once() -> None:
    document = changed(
        security=...,
        name="other",
        policy__kernel_min=-1,
        kernel__gpu="x",
        kernel__envs=[{"name": "A", "value": 1}],
    )
    with pytest.raises(InvalidInput) as caught:
        parse_profile(document, current=CURRENT)
    error = caught.value
    assert error.code == "invalid_profile"
    fields = {"security", "name", "policy.kernel_min", "kernel.gpu", "kernel.envs.0.value"}
    assert {problem["field"] for problem in error.fields or ()} == fields
    assert "5 fields need attention" in error.message
    assert error.to_wire()["fields"] == error.fields
    lines = (error.detail or "").splitlines()
    assert lines == [f"{item['field']}: {item['message']}" for item in error.fields or ()]


@pytest.mark.parametrize(
    ("envs", "field"),
    [
        ([{"name": "", "value": ""}], "kernel.envs.0.name"),
        ([{"name": "A=B", "value": ""}], "kernel.envs.0.name"),
        ([{"name": "A\0", "value": ""}], "kernel.envs.0.name"),
        ([{"name": "A", "value": "\0"}], "kernel.envs.0.value"),
        ([{"name": "A", "value": ""}, {"name": "A", "value": ""}], "kernel.envs.1.name"),
        ([{"name": "REDHARE_TOP", "value": ""}], "kernel.envs.0.name"),
        ([{"name": "A"}], "kernel.envs.0.value"),
        ([{"name": None, "value": ""}], "kernel.envs.0.name"),
        (["A=1"], "kernel.envs.0"),
    ],
)
def test_variables_that_are_refused(envs: Any, field: str) -> None:
    assert list(problems(kernel__envs=envs)) == [field]


def test_variables_that_are_odd_and_allowed() -> None:
    names = ("LD_PRELOAD", "PATH", "PYTHONPATH", "ünï", "A.B")
    assert not problems(kernel__envs=[{"name": name, "value": "x\ny"} for name in names])
    assert not problems(kernel__envs=[])


# --- other services ---------------------------------------------------------------------------

EGO = {
    "schema_version": "1.1",
    "name": "old",
    "policy": {"kernel_min": "1", "kernel_max": 0, "task_execution_timeout": 60.5},
    "resource_allocation": {
        "service": {"consumer": "/a", "resreq": ""},
        "kernel": {"type": "ego", "resources": "ngpus=1"},
    },
    "kernel": {"gpu": "all", "envs": [{"name": "A"}, 5]},
    "more": None,
}


def test_a_profile_of_another_service_is_read_and_told_as_it_came() -> None:
    profile = Profile.read(EGO)
    assert profile.to_wire() == EGO
    assert profile.kernel.gpu == "all"
    assert profile.policy.task_batch_size == 1
    assert Profile.read({"policy": 3}).to_wire() == {"policy": 3}


def test_what_the_service_itself_has_is_never_wrong() -> None:
    assert check_profile(EGO, EGO) == []
    changed_ego = {**EGO, "policy": {**EGO["policy"], "kernel_max": -7}}  # type: ignore[dict-item]
    assert [item["field"] for item in check_profile(changed_ego, EGO)] == ["policy.kernel_max"]
    without = {key: value for key, value in EGO.items() if key != "kernel"}
    assert [item["field"] for item in check_profile(without, EGO)] == ["kernel"]


# --- small things -----------------------------------------------------------------------------


def test_times() -> None:
    assert profile_time(1660119466) == "Wed Aug 10 08:17:46 2022 GMT"
    assert profile_time(0) == "Thu Jan 01 00:00:00 1970 GMT"
    assert seconds_of("soon") is None


@given(st.integers(0, 4_000_000_000))
def test_times_there_and_back(seconds: int) -> None:
    assert seconds_of(profile_time(seconds)) == seconds


def test_a_revision_tells_every_change_and_nothing_else() -> None:
    assert profile_revision(AFTER_DEPLOY) == profile_revision(json.loads(json.dumps(AFTER_DEPLOY)))
    assert profile_revision(changed(policy__kernel_min=2)) != profile_revision(AFTER_DEPLOY)


def test_only_the_time_of_the_change_is_no_other_profile() -> None:
    later = CURRENT.model_copy(update={"last_update_time": "later"})
    assert CURRENT.runs_like(later)
    assert not CURRENT.runs_like(Profile.model_validate(changed(policy__kernel_min=2)))


def test_the_schema_says_what_the_form_needs() -> None:
    schema = Profile.model_json_schema()
    sections = {
        "gpu", "resources", "kernels", "timeouts", "batching", "environment", "advanced",
    }  # fmt: skip
    seen = set()
    for definition in (schema, *schema["$defs"].values()):
        if definition["title"] == "EnvironmentVariable":
            continue
        for name, field in definition["properties"].items():
            if "$ref" in field:
                continue
            assert field["title"], name
            assert field["rule"], name
            assert field["section"] in sections
            seen.add(field["section"])
    assert seen == sections
    policy = schema["$defs"]["Policy"]["properties"]
    assert (policy["kernel_min"]["minimum"], policy["kernel_min"]["maximum"]) == (0, 1000)
    assert policy["task_execution_timeout"]["unit"] == "s"
    kernel = schema["$defs"]["KernelProfile"]["properties"]
    assert kernel["gpu"]["enum"] == ["no", "shared", "exclusive"]
    assert set(kernel["gpu"]["sentences"]) == set(kernel["gpu"]["enum"])
    resources = schema["$defs"]["KernelAllocation"]["properties"]["resources"]
    assert resources["counts"]["shared"] == ["ncpus_limit", "mem_limit"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**10) | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_PATHS = st.sampled_from(
    ["name", "replica", "policy", "policy__kernel_min", "policy__kernel_max", "kernel", "security",
     "kernel__envs", "kernel__gpu", "resource_allocation__kernel__resources", "security__ssl"]
)  # fmt: skip


@given(_PATHS, _JSON)
def test_any_value_is_taken_or_clearly_refused(path: str, value: Any) -> None:
    document = changed(**{path: value})
    try:
        profile = parse_profile(document, current=CURRENT)
    except EdiError as error:
        assert isinstance(error, InvalidInput)
        assert error.fields
        json.dumps(error.to_wire(), allow_nan=False)
    else:
        assert profile.to_wire() == document
        # What was taken can be kept: it survives the store, and replaces itself.
        again = Profile.model_validate_json(profile.model_dump_json())
        assert again.to_wire() == document
        assert check_profile(document, document) == []
