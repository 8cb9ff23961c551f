"""A profile in the browser, on the real engine."""

from __future__ import annotations

import copy
import json

import pytest
from support.scripted_edi import Reply

LOCAL = "edi/environments/local/deployments"
WMLA = "edi/environments/wmla/deployments"


@pytest.fixture
def deployed(call, finished, running_engine, jp_asyncio_loop):
    """A stopped deployment, gone after the test; returns the path of its profile."""

    async def act(verb, path, body=None):
        assert (await finished(await call(verb, path, body)))["state"] == "done"

    body = {"source": {"kind": "sample", "sample": "pingpong"}, "name": "profiled", "start": False}
    jp_asyncio_loop.run_until_complete(act("POST", LOCAL, body))
    yield f"{LOCAL}/profiled/profile"
    jp_asyncio_loop.run_until_complete(act("DELETE", f"{LOCAL}/profiled"))


def changed(profile, path, value):
    """Return a copy of a profile with another value in one place."""
    profile = copy.deepcopy(profile)
    *way, last = path.split(".")
    place = profile
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return profile


async def test_a_profile_comes_with_what_is_needed_to_edit_it(call, deployed):
    view = (await call("GET", deployed)).json
    assert set(view) == {
        "profile",
        "schema",
        "honoured",
        "text",
        "started",
        "revision",
        "next",
    }
    assert view["next"] is None
    assert view["profile"]["name"] == "profiled"
    assert view["profile"]["kernel"]["gpu"] == "no"
    assert json.loads(view["text"]) == view["profile"]
    assert view["started"] is False
    assert "policy.kernel_min" in view["honoured"]
    assert "policy.kernel_max" not in view["honoured"]
    field = view["schema"]["$defs"]["Policy"]["properties"]["kernel_min"]
    assert field["title"]
    assert field["section"] == "kernels"
    assert (await call("GET", deployed)).json == view


async def test_saving_is_a_job_and_the_next_reader_sees_it(call, finished, deployed):
    view = (await call("GET", deployed)).json
    edited = changed(view["profile"], "policy.kernel_min", 2)
    edited["of_a_later_release"] = {"kept": [1]}
    reply = await call("PUT", deployed, {"profile": edited, "revision": view["revision"]})
    assert reply.json["kind"] == "profile"
    assert reply.json["deployment"] == "profiled"
    assert (await finished(reply))["state"] == "done"
    now = (await call("GET", deployed)).json
    assert now["profile"]["policy"]["kernel_min"] == 2
    assert now["profile"]["of_a_later_release"] == {"kept": [1]}
    assert now["profile"]["create_time"] == view["profile"]["create_time"]
    assert now["revision"] != view["revision"]


async def test_a_stale_copy_does_not_overwrite_what_somebody_else_saved(call, finished, deployed):
    view = (await call("GET", deployed)).json
    other = changed(view["profile"], "policy.kernel_delay_release_time", 30)
    assert (await finished(await call("PUT", deployed, {"profile": other})))["state"] == "done"
    mine = changed(view["profile"], "policy.kernel_min", 3)
    body = {"profile": mine, "revision": view["revision"]}
    refused = await call("PUT", deployed, body)
    assert (refused.status, refused.json["code"]) == (409, "changed_since_read")
    assert refused.json["hint"]
    saved = (await call("GET", deployed)).json["profile"]
    assert saved["policy"]["kernel_min"] == 1
    # Who does not say what was read overwrites knowingly.
    assert (await finished(await call("PUT", deployed, {"profile": mine})))["state"] == "done"


async def test_what_is_started_is_only_changed_with_a_restart(call, finished, deployed):
    assert (await finished(await call("POST", f"{LOCAL}/profiled/start")))["state"] == "done"
    view = (await call("GET", deployed)).json
    assert view["started"] is True
    edited = changed(view["profile"], "policy.kernel_min", 2)
    refused = await call("PUT", deployed, {"profile": edited})
    assert (refused.status, refused.json["code"]) == (409, "started")

    job = await finished(await call("PUT", deployed, {"profile": edited, "restart": True}))
    assert job["state"] == "done", job
    now = (await call("GET", f"{LOCAL}/profiled")).json
    assert now["state"] == "ready"
    assert now["kernels_wanted"] == 2
    assert now["profile_changed"] is False


async def test_a_restart_is_a_job_too(call, finished, deployed):
    assert (await finished(await call("POST", f"{LOCAL}/profiled/start")))["state"] == "done"
    before = (await call("GET", f"{LOCAL}/profiled")).json
    reply = await call("POST", f"{LOCAL}/profiled/restart")
    assert reply.json["kind"] == "restart"
    assert (await finished(reply))["state"] == "done"
    after = (await call("GET", f"{LOCAL}/profiled")).json
    assert after["state"] == "ready"
    assert after["since"] > before["since"]


#: Rows 28-33, 35, 36 and 39-47 of the bad-input table: where, what, and the field that is named.
BAD_VALUES = [
    ("policy.kernel_min", -1, "policy.kernel_min"),
    ("policy.kernel_min", 1.5, "policy.kernel_min"),
    ("policy.kernel_min", "2", "policy.kernel_min"),
    ("policy.kernel_min", True, "policy.kernel_min"),
    ("policy.kernel_min", 10**9, "policy.kernel_min"),
    ("policy.kernel_min", 101, "policy.kernel_min"),
    ("policy.kernel_max", 0, "policy.kernel_max"),
    ("policy.task_execution_timeout", 0, "policy.task_execution_timeout"),
    ("policy.task_execution_timeout", -5, "policy.task_execution_timeout"),
    ("policy.task_execution_timeout", 1e12, "policy.task_execution_timeout"),
    ("policy.kernel_delay_release_time", "soon", "policy.kernel_delay_release_time"),
    ("kernel.gpu", "Exclusive ", "kernel.gpu"),
    ("kernel.gpu", "all", "kernel.gpu"),
    ("kernel.gpu", 1, "kernel.gpu"),
    ("kernel.gpu", ["no"], "kernel.gpu"),
    ("name", "another", "name"),
    ("policy", None, "policy"),
    ("kernel.envs", "A=B", "kernel.envs"),
    *(
        ("resource_allocation.kernel.resources", text, "resource_allocation.kernel.resources")
        for text in (
            "",
            ",",
            "ncpus",
            "ncpus=1,ncpus=2",
            "cpus=1",
            "ncpus=1_0",
            "ncpus=inf",
            "ncpus=\u0661",
            "mem=4gigs",
            "ncpus=4,ncpus_limit=2",
            "ncpus=1;rm -rf /",
        )
    ),
]


async def test_bad_values_are_refused_by_field_before_a_job_begins(call, deployed):
    profile = (await call("GET", deployed)).json["profile"]
    for path, value, field in BAD_VALUES:
        edited = changed(profile, path, value)
        refused = await call("PUT", deployed, {"profile": edited, "restart": True})
        assert refused.status == 400, (path, value)
        assert field in [problem["field"] for problem in refused.json["fields"]], (path, value)
        assert all(len(problem["message"]) < 400 for problem in refused.json["fields"])
        looked = await call("POST", f"{deployed}/diff", {"profile": edited})
        assert looked.json["problems"] == refused.json["fields"], (path, value)
    assert [job["kind"] for job in (await call("GET", "edi/jobs")).json["jobs"]] == ["deploy"]
    assert (await call("GET", deployed)).json["profile"] == profile


async def test_all_problems_are_told_at_once(call, deployed):
    profile = (await call("GET", deployed)).json["profile"]
    edited = changed(changed(profile, "policy.kernel_min", "x"), "kernel.gpu", "all")
    refused = (await call("PUT", deployed, {"profile": edited})).json
    assert refused["code"] == "invalid_profile"
    assert {problem["field"] for problem in refused["fields"]} == {
        "policy.kernel_min",
        "kernel.gpu",
    }


async def test_bodies_that_are_no_profile_are_refused(call, deployed):
    profile = (await call("GET", deployed)).json["profile"]
    for body, status, code in (
        ({}, 400, "missing_field"),
        ({"profile": None}, 400, "invalid_field"),
        ({"profile": []}, 400, "invalid_field"),
        ({"profile": profile, "force": True}, 400, "unknown_field"),
        ({"profile": profile, "restart": 1}, 400, "invalid_field"),
        ({"profile": profile, "revision": 1}, 400, "invalid_field"),
        ({"profile": {**profile, "x": "y" * (1 << 20)}}, 413, "file_too_large"),
        ({"profile": {**profile, **{f"x{n}": 1 for n in range(10_000)}}}, 400, "too_many_fields"),
        ({"profile": {**profile, "deep": json.loads("[" * 63 + "]" * 63)}}, 400, "too_deep"),
    ):
        for verb, path in (
            ("PUT", deployed),
            ("PUT", f"{deployed}/next"),
            ("POST", f"{deployed}/diff"),
        ):
            if verb == "POST" and set(body) - {"profile"}:
                continue
            if path.endswith("/next") and "restart" in body:
                continue
            refused = await call(verb, path, body)
            assert (refused.status, refused.json["code"]) == (status, code), (verb, str(body)[:80])


async def test_keys_that_mean_something_to_javascript_are_plain_data(call, finished, deployed):
    profile = (await call("GET", deployed)).json["profile"]
    edited = {**profile, "__proto__": {"x": 1}, "constructor": {"y": 2}}
    assert (await finished(await call("PUT", deployed, {"profile": edited})))["state"] == "done"
    saved = (await call("GET", deployed)).json["profile"]
    assert saved["__proto__"] == {"x": 1}


async def test_a_diff_says_what_would_change_and_changes_nothing(call, deployed):
    view = (await call("GET", deployed)).json
    same = (await call("POST", f"{deployed}/diff", {"profile": view["profile"]})).json
    assert same == {"changes": [], "text": "", "problems": []}

    edited = changed(view["profile"], "kernel.gpu", "exclusive")
    diff = (await call("POST", f"{deployed}/diff", {"profile": edited})).json
    assert diff["changes"] == [{"path": "kernel.gpu", "old": "no", "new": "exclusive"}]
    assert '-    "gpu": "no",' in diff["text"].splitlines()
    assert '+    "gpu": "exclusive",' in diff["text"].splitlines()
    assert diff["problems"] == []
    assert (await call("GET", deployed)).json == view


async def test_a_profile_of_nobody_is_not_found(call, running_engine):
    for verb, path, body in (
        ("GET", f"{LOCAL}/nobody/profile", None),
        ("PUT", f"{LOCAL}/nobody/profile", {"profile": {}}),
        ("POST", f"{LOCAL}/nobody/profile/diff", {"profile": {}}),
        ("GET", "edi/environments/mars/deployments/x/profile", None),
        ("PUT", "edi/environments/mars/deployments/x/profile", {"profile": {}}),
    ):
        assert (await call(verb, path, body)).status == 404, (verb, path)
    assert (await call("GET", "edi/jobs")).json == {"jobs": []}


async def test_without_a_gpu_an_exclusive_deployment_says_what_is_missing(
    call, finished, deployed, running_engine
):
    view = (await call("GET", deployed)).json
    edited = changed(view["profile"], "kernel.gpu", "exclusive")
    assert (await finished(await call("PUT", deployed, {"profile": edited})))["state"] == "done"
    reply = await call("POST", f"{LOCAL}/profiled/start")
    job = await finished(reply)
    row = (await call("GET", f"{LOCAL}/profiled")).json
    if row["state"] == "ready":
        pytest.skip("this machine has a GPU")
    assert row["state"] == "pending"
    assert "no GPU" in row["reason"]
    assert row["gpu"] == "exclusive"
    told = [job["message"], (job["error"] or {}).get("message", "")]
    assert any(row["reason"].rstrip(".") in text for text in told), job


async def test_an_edi_of_another_release_keeps_its_own_fields(call, finished, wmla):
    """As WMLA 1.2 has them: ``consumer`` in place of ``resource_plan``, and no ``security``."""
    profile = {
        "name": "digits",
        "replica": 1,
        "policy": {"kernel_min": 1, "kernel_max": 5},
        "resource_allocation": {"kernel": {"consumer": "/a", "type": "ego"}},
        "kernel": {"gpu": "no"},
    }
    wmla.on("GET", "/model/digits", Reply.json({"name": "digits", "kernel_path": "k.py"}))
    wmla.on("GET", "/model/digits/instance", Reply.json({"name": "digits", "state": "disabled"}))
    wmla.on("GET", "/model/digits/appprofile", Reply.json(profile))
    view = (await call("GET", f"{WMLA}/digits/profile")).json
    assert view["profile"] == profile
    assert view["honoured"] is None
    assert view["started"] is False

    wmla.on("PUT", "/model/digits/appprofile", Reply.json({}))
    edited = changed(profile, "policy.kernel_max", 7)
    assert (await finished(await call("PUT", f"{WMLA}/digits/profile", {"profile": edited})))[
        "state"
    ] == "done"
    [sent] = [request for request in wmla.received if request.method == "PUT"]
    assert json.loads(sent.body) == edited


async def test_what_is_started_takes_a_profile_for_its_next_start(call, finished, deployed):
    assert (await finished(await call("POST", f"{LOCAL}/profiled/start")))["state"] == "done"
    view = (await call("GET", deployed)).json
    edited = changed(view["profile"], "policy.kernel_min", 2)
    body = {"profile": edited, "revision": view["revision"]}
    kept = await call("PUT", f"{deployed}/next", body)
    assert kept.status == 200
    waiting = kept.json["next"]
    assert waiting["profile"] == edited
    assert waiting["outdated"] is False
    assert [(item["path"], item["old"], item["new"]) for item in waiting["changes"]] == [
        ("policy.kernel_min", 1, 2)
    ]
    assert '+    "kernel_min": 2,' in waiting["text"]
    # The EDI has what it had, and everybody who asks is told of both.
    assert kept.json["profile"] == view["profile"]
    assert (await call("GET", deployed)).json == kept.json
    rows = (await call("GET", LOCAL)).json["deployments"]
    assert [row["next_profile"] for row in rows] == [True]

    assert (await finished(await call("POST", f"{LOCAL}/profiled/restart")))["state"] == "done"
    now = (await call("GET", deployed)).json
    assert now["next"] is None
    assert now["profile"]["policy"]["kernel_min"] == 2
    assert (await call("GET", f"{LOCAL}/profiled")).json["kernels_wanted"] == 2


async def test_a_profile_for_the_next_start_can_be_discarded(call, deployed):
    view = (await call("GET", deployed)).json
    edited = changed(view["profile"], "policy.kernel_min", 2)
    assert (await call("PUT", f"{deployed}/next", {"profile": edited})).json["next"]
    for _ in range(2):
        gone = await call("DELETE", f"{deployed}/next")
        assert (gone.status, gone.json["next"]) == (200, None)


async def test_a_start_that_needs_a_decision_is_refused_at_once(call, finished, deployed):
    view = (await call("GET", deployed)).json
    mine = changed(view["profile"], "policy.kernel_min", 2)
    assert (await call("PUT", f"{deployed}/next", {"profile": mine})).status == 200
    # Somebody else, on another machine: the EDI's own route knows nothing of ours.
    theirs = changed(view["profile"], "policy.kernel_delay_release_time", 30)
    saved = await call("PUT", deployed, {"profile": theirs})
    assert (await finished(saved))["state"] == "done"
    assert (await call("GET", deployed)).json["next"] is None  # Saved here, so ours is forgotten.

    assert (await call("PUT", f"{deployed}/next", {"profile": mine})).status == 200
    edited_elsewhere(changed(theirs, "policy.kernel_delay_release_time", 40))
    assert (await call("GET", deployed)).json["next"]["outdated"] is True
    for verb in ("start", "restart"):
        refused = await call("POST", f"{LOCAL}/profiled/{verb}")
        assert (refused.status, refused.json["code"]) == (409, "next_profile_outdated")
        assert refused.json["hint"]
    old = {"profile": mine, "revision": view["revision"]}
    refused = await call("PUT", f"{deployed}/next", old)
    assert (refused.status, refused.json["code"]) == (409, "changed_since_read")
    assert (await call("DELETE", f"{deployed}/next")).status == 200
    assert (await finished(await call("POST", f"{LOCAL}/profiled/start")))["state"] == "done"


def edited_elsewhere(document):
    """Save a profile as a program without our operations would."""
    from edi_labext.client import EnvironmentSet, LocalEngine, default_store

    environments = EnvironmentSet({}, LocalEngine(default_store(), "background"))
    try:
        environments.connect("local").update_profile("profiled", document)
    finally:
        environments.close()
