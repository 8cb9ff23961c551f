"""Seeing and changing profiles: on EDIs that are played, and on the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import needs_engine, running_engine
from support.profiled_edi import ProfiledEdi
from support.scripted_edi import Reply, ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import Cancelled, Conflict, InvalidInput, NotFound, Unavailable
from edi_labext.models import NO_GPU, Profile
from edi_labext.operations import (
    Cancellation,
    Deployment,
    ProfileChange,
    Progress,
    apply_patch,
    deploy_folder,
    edit_profile,
    get_deployment,
    infer,
    is_only_kept,
    parts_acted_on,
    profile_diff,
    restart,
    sample_folder,
    start_and_wait,
    stop_and_wait,
    undeploy,
    view_profile,
)

# --- documents --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "is_kept"),
    [
        ("kernel.envs", False),
        ("kernel.envs.0.value", False),
        # Of a text, one part is acted on.
        ("kernel.resources", False),
        ("kernel", False),
        ("kernel.env", True),
        ("kernel.run_as", True),
        ("name", False),
    ],
)
def test_what_an_edi_only_keeps(path: str, is_kept: bool) -> None:
    assert is_only_kept(path, ["kernel.envs", "kernel.resources.mem"]) is is_kept
    assert not is_only_kept(path, None)


def test_what_an_edi_acts_on_in_part() -> None:
    honoured = ["kernel.envs", "kernel.resources.mem"]
    assert parts_acted_on("kernel.resources", honoured) == ["mem"]
    assert parts_acted_on("kernel.envs", honoured) == []
    assert parts_acted_on("kernel.run_as", honoured) == []
    assert parts_acted_on("kernel.resources", None) == []


@pytest.mark.parametrize(
    ("patch", "merged"),
    [
        ({}, {"a": {"b": 1, "c": [1, 2]}}),
        ({"a": {"b": 2}}, {"a": {"b": 2, "c": [1, 2]}}),
        ({"a": {"b": None}}, {"a": {"c": [1, 2]}}),
        ({"a": None, "x": None}, {}),
        ({"a": {"c": [3]}}, {"a": {"b": 1, "c": [3]}}),
        ({"a": 5}, {"a": 5}),
        ({"n": {"m": {"k": None, "l": 1}}}, {"a": {"b": 1, "c": [1, 2]}, "n": {"m": {"l": 1}}}),
        ({"a": {"b": {"d": 1}}}, {"a": {"b": {"d": 1}, "c": [1, 2]}}),
        (
            {"__proto__": {"x": 1}, "constructor": 1},
            {"a": {"b": 1, "c": [1, 2]}, "__proto__": {"x": 1}, "constructor": 1},
        ),
    ],
)
def test_a_merge_patch(patch: dict[str, Any], merged: dict[str, Any]) -> None:
    document = {"a": {"b": 1, "c": [1, 2]}}
    given_patch = json.dumps(patch)
    assert apply_patch(document, patch) == merged
    assert document == {"a": {"b": 1, "c": [1, 2]}}
    assert json.dumps(patch) == given_patch


def test_a_patched_document_shares_nothing_with_what_it_was_made_of() -> None:
    document, patch = {"a": {"l": [1]}}, {"b": [2]}
    merged = apply_patch(document, patch)
    merged["a"]["l"].append(9)
    merged["b"].append(9)
    assert (document, patch) == ({"a": {"l": [1]}}, {"b": [2]})


def test_a_diff_names_fields_and_variables() -> None:
    old = Profile(name="digits", last_update_time="then")
    new = apply_patch(
        old.to_wire(),
        {
            "last_update_time": "now",
            "policy": {"kernel_min": 2, "name": None},
            "kernel": {
                "gpu": "shared",
                "envs": [
                    {"name": "DLIM_MK_LOG_LEVEL", "value": "DEBUG"},
                    {"name": "NEW", "value": ""},
                ],
                "extra": {"deep": 1},
            },
        },
    )
    assert profile_diff(old, new) == [
        ProfileChange("policy.name", "capacity", None),
        ProfileChange("policy.kernel_min", 1, 2),
        ProfileChange("kernel.gpu", "no", "shared"),
        ProfileChange("kernel.envs.DLIM_MK_LOG_LEVEL", "INFO", "DEBUG"),
        ProfileChange("kernel.envs.NEW", None, ""),
        ProfileChange("kernel.extra.deep", None, 1),
    ]
    assert profile_diff(old, old) == []


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": 60}, {"a": 60.0}, []),
        ({"a": [1]}, {"a": [2]}, [("a", [1], [2])]),
        ({"a": {"b": 1}}, {"a": 5}, [("a", {"b": 1}, 5)]),
        ({"a": {}}, {}, []),
        ({"a": {"b": 1}}, {}, [("a.b", 1, None)]),
        ({"e": [{"name": "A", "value": "1"}] * 2}, {"e": []},
         [("e", [{"name": "A", "value": "1"}] * 2, [])]),
    ],
)  # fmt: skip
def test_differences(old: Any, new: Any, changes: list[tuple[str, Any, Any]]) -> None:
    assert profile_diff(old, new) == [ProfileChange(*change) for change in changes]


_OBJECTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        st.integers(0, 2),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


@given(_OBJECTS, _OBJECTS)
def test_what_a_patch_does_is_in_the_diff(document: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = apply_patch(document, patch)
    for change in profile_diff(document, merged):
        place: Any = patch
        for step in change.path.split("."):
            if not isinstance(place, dict):
                break
            assert step in place
            place = place[step]
    assert apply_patch(merged, patch) == merged
    assert profile_diff(merged, apply_patch(merged, patch)) == []


# --- on any EDI -------------------------------------------------------------------------------


@pytest.fixture
def edi(small: SmallEdi, server: ScriptedEdi) -> ProfiledEdi:
    small.add("digits")
    return ProfiledEdi(small, server, Profile(name="digits").to_wire())


def test_a_profile_is_seen_as_it_is(edi: ProfiledEdi, client: EdiClient) -> None:
    edi.document = {"name": "digits", "policy": {"kernel_min": "one"}, "resreq": None}
    profile = view_profile(client, "digits")
    assert profile.to_wire() == edi.document
    assert profile.kernel.gpu == "no"
    with pytest.raises(NotFound):
        view_profile(client, "nobody")


def test_saving_for_the_next_start(edi: ProfiledEdi, client: EdiClient) -> None:
    told: list[Progress] = []
    row = edit_profile(client, "digits", {"policy": {"kernel_min": 3}}, report=told.append)
    assert (row.name, row.state) == ("digits", "stopped")
    assert edi.document == apply_patch(
        Profile(name="digits").to_wire(), {"policy": {"kernel_min": 3}}
    )
    assert [progress.phase for progress in told] == ["check", "update"]


def test_a_whole_document_may_leave_unknown_fields_out(edi: ProfiledEdi, client: EdiClient) -> None:
    whole = Profile(name="digits").to_wire()
    edi.document = {**whole, "odd": 1}
    edit_profile(client, "digits", whole)
    assert edi.document == whole
    # One of another profile may be wrong, but nothing is silently reset by leaving it out.
    del whole["replica"]
    with pytest.raises(InvalidInput) as caught:
        edit_profile(client, "digits", whole)
    assert caught.value.fields == [
        {"field": "replica", "message": "Is missing; the whole profile is needed."}
    ]


def test_save_and_restart(
    edi: ProfiledEdi, small: SmallEdi, server: ScriptedEdi, client: EdiClient
) -> None:
    small.deployments["digits"].state = "ready"
    told: list[Progress] = []
    with pytest.raises(Conflict) as caught:
        edit_profile(client, "digits", {"policy": {"kernel_min": 3}})
    assert caught.value.code == "started"
    assert edi.puts == 0
    row = edit_profile(
        client, "digits", {"policy": {"kernel_min": 3}}, restart=True, report=told.append
    )
    assert row.state == "ready"
    assert list(dict.fromkeys(p.phase for p in told)) == ["check", "stop", "update", "start"]
    puts = [path.rpartition("/")[2] for path in server.paths() if path.startswith("PUT")]
    assert puts == ["stop", "appprofile", "start"]


def test_it_waits_for_the_end_of_what_stops(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    if not small.engine:
        pytest.skip("WMLA does not tell stopping from started")
    small.deployments["digits"].state, small.deployments["digits"].looks = "stopping", 3
    assert edit_profile(client, "digits", {"policy": {"kernel_min": 3}}).state == "stopped"
    assert edi.puts == 1


def test_what_is_wrong_is_said_before_anything_is_stopped(
    edi: ProfiledEdi, small: SmallEdi, server: ScriptedEdi, client: EdiClient
) -> None:
    small.deployments["digits"].state = "ready"
    patch = {"policy": {"kernel_min": -1}, "kernel": {"gpu": "all"}}
    with pytest.raises(InvalidInput) as caught:
        edit_profile(client, "digits", patch, restart=True)
    assert caught.value.code == "invalid_profile"
    assert [item["field"] for item in caught.value.fields or ()] == [
        "policy.kernel_min",
        "kernel.gpu",
    ]
    assert not [path for path in server.paths() if path.startswith("PUT")]


def test_no_change_is_no_work(
    edi: ProfiledEdi, small: SmallEdi, server: ScriptedEdi, client: EdiClient
) -> None:
    small.deployments["digits"].state = "ready"
    for change in ({}, {"kernel": {"gpu": "no"}}, Profile(name="digits")):
        assert edit_profile(client, "digits", change, restart=True).state == "ready"
    assert not [path for path in server.paths() if path.startswith("PUT")]


def test_a_refused_profile_leaves_it_running_as_it_was(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    small.deployments["digits"].state = "ready"
    edi.refusal = Reply.json(
        {"message": "No such plan.", "fields": [{"field": "a.b", "message": "No."}, 5]}, 400
    )
    with pytest.raises(InvalidInput, match="No such plan") as caught:
        edit_profile(client, "digits", {"policy": {"kernel_min": 3}}, restart=True)
    assert caught.value.fields == [{"field": "a.b", "message": "No."}]
    assert small.deployments["digits"].state in ("starting", "ready")


def test_cancelled_before_it_is_saved_it_runs_as_it_was(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    small.deployments["digits"].state = "ready"
    cancellation = Cancellation()
    small.looked = lambda state: cancellation.cancel() if state == "stopped" else None
    change = {"policy": {"kernel_min": 3}}
    with pytest.raises(Cancelled):
        edit_profile(client, "digits", change, restart=True, cancellation=cancellation)
    assert edi.puts == 0
    assert small.deployments["digits"].state in ("starting", "ready")


def test_restart(small: SmallEdi, server: ScriptedEdi, client: EdiClient) -> None:
    for state, puts in (("ready", ["stop", "start"]), ("stopped", ["start"])):
        small.add("digits", state)
        server.received.clear()
        assert restart(client, "digits").state == "ready"
        sent = [path.rpartition("/")[2] for path in server.paths() if path.startswith("PUT")]
        assert sent == puts


def test_the_gpu_of_a_row(small: SmallEdi, server: ScriptedEdi, client: EdiClient) -> None:
    small.add("digits", "ready")
    if small.engine:
        status = {"name": "digits", "state": "ready", "gpu": "shared", "profile_changed": True}
        server.on("GET", "/edi/v1/model/digits/status", Reply.json(status))
    else:
        service = {"gpu_mode": "shared", "isd_container": [{"container_status": "IDLE"}]}
        instance = {"name": "digits", "state": "enabled", "instances": [service]}
        server.on("GET", "/model/digits/instance", Reply.json(instance))
    row: Deployment = get_deployment(client, "digits")
    assert (row.gpu, row.profile_changed) == ("shared", small.engine)


# --- on the real engine -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdiClient]:
    with running_engine(tmp_path_factory.mktemp("engine") / "store") as (_, client):
        yield client


@needs_engine
def test_the_walk_of_the_seed(engine: EdiClient) -> None:
    deploy_folder(engine, sample_folder("pingpong"), start=False)
    assert stop_and_wait(engine, "pingpong").state == "stopped"
    assert view_profile(engine, "pingpong").kernel.gpu == "no"
    patch = {
        "kernel": {"gpu": "exclusive"},
        "resource_allocation": {"kernel": {"resources": "ncpus=1,ncpus_limit=1,mem=1024"}},
    }
    row = edit_profile(engine, "pingpong", patch)
    assert (row.state, row.gpu) == ("stopped", "exclusive")
    for action in (start_and_wait, restart):
        with pytest.raises(Unavailable) as caught:
            action(engine, "pingpong")
        assert (caught.value.code, caught.value.message) == ("pending", NO_GPU["exclusive"])
    row = get_deployment(engine, "pingpong")
    assert (row.state, row.reason) == ("pending", NO_GPU["exclusive"])
    answer = infer(engine, "pingpong", b"{}")
    assert answer.status == 503
    error = answer.error()
    assert error is not None
    assert (error.code, error.message) == ("pending", NO_GPU["exclusive"])
    # From pending to running in one go.
    row = edit_profile(engine, "pingpong", {"kernel": {"gpu": "no"}}, restart=True)
    assert (row.state, row.gpu, row.profile_changed) == ("ready", "no", False)
    assert json.loads(infer(engine, "pingpong", b'{"data": "1"}').body) == {"data": "1"}
    undeploy(engine, "pingpong")


@needs_engine
def test_the_engine_and_the_operation_refuse_alike(engine: EdiClient) -> None:
    deploy_folder(engine, sample_folder("pingpong"), start=False)
    document = engine.app_profile("pingpong")
    wrong = apply_patch(document, {"policy": {"kernel_min": -1}, "name": "x", "kernel": {"gpu": 1}})
    with pytest.raises(InvalidInput) as by_engine:
        engine.update_profile("pingpong", wrong)
    with pytest.raises(InvalidInput) as by_operation:
        edit_profile(engine, "pingpong", wrong)
    assert by_engine.value.to_wire() == by_operation.value.to_wire()
    with pytest.raises(Conflict) as stale:
        engine.update_profile("pingpong", document, revision="0" * 32)
    assert stale.value.code == "changed_since_read"
    engine.update_readme("pingpong", "# Other\n")
    assert engine.readme("pingpong") == "# Other\n"
    assert {"python", "dlipy3"} <= {runtime.type for runtime in engine.runtimes()}
    undeploy(engine, "pingpong")
