"""A lost answer to a change: done once, looked at, and told as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.misbehaving_edi import GATEWAY_PAGE, MisbehavingEdi, misbehaving_edi
from support.scripted_edi import Reply, ScriptedEdi

from edi_labext.client import EdiClient
from edi_labext.errors import EdiError, UpstreamError
from edi_labext.models import Runtime
from edi_labext.operations import (
    Deployment,
    NextProfiles,
    apply_next_profile,
    apply_patch,
    create_runtime,
    delete,
    delete_runtime,
    deploy_folder,
    edit_profile,
    sample_folder,
    save_for_next_start,
    save_profile,
    start,
    start_and_wait,
    stop,
    stop_and_wait,
    undeploy,
    update_runtime,
)

TOKEN = "t0ken-of-the-outcome"
LOST: dict[str, dict[str, object]] = {
    "gateway timeout": {"kind": "commit-status", "status": 504, "body": GATEWAY_PAGE},
    "reset": {"kind": "commit-reset"},
    "broken off": {"kind": "commit-truncate"},
}


@pytest.fixture(scope="module")
def process() -> Iterator[MisbehavingEdi]:
    with misbehaving_edi() as running:
        running.accept(TOKEN)
        yield running


@pytest.fixture
def edi(process: MisbehavingEdi) -> MisbehavingEdi:
    process.heal()
    process.received()
    return process


@pytest.fixture
def client(edi: MisbehavingEdi) -> Iterator[EdiClient]:
    made = EdiClient(edi.url, lambda: TOKEN)
    yield made
    made.close()


def changes(edi: MisbehavingEdi) -> list[str]:
    return [
        f"{request['method']} {request['path'].removeprefix('/dlim/v1')}"
        for request in edi.received()
        if request["method"] != "GET"
    ]


def deploy(client: EdiClient) -> Deployment:
    return deploy_folder(client, sample_folder("pingpong"), name="lost", start=False)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_deploy_that_was_done_all_the_same(
    edi: MisbehavingEdi, client: EdiClient, fault: dict[str, object]
) -> None:
    edi.fault(method="POST", **fault)  # type: ignore[arg-type]
    before = edi.look()["deploys"]
    assert deploy(client).name == "lost"
    assert changes(edi) == ["POST /deployment/model"]
    assert edi.look()["deploys"] == before + 1
    edi.heal()
    client.delete_model("lost")


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_deploy_that_was_not_done(
    edi: MisbehavingEdi, client: EdiClient, fault: dict[str, object]
) -> None:
    fault = {**fault, "kind": str(fault["kind"]).removeprefix("commit-")}
    edi.fault(method="POST", **fault)  # type: ignore[arg-type]
    with pytest.raises(UpstreamError) as raised:
        deploy(client)
    assert raised.value.code == "outcome_unknown"
    assert "It is unknown whether lost was deployed" in raised.value.message
    assert "Now there is no deployment lost." in raised.value.message
    assert changes(edi) == ["POST /deployment/model"]


CHANGES: dict[str, tuple[Callable[[EdiClient, str], object], str, str, str]] = {
    "start": (start, "disabled", "PUT /model/lost/operation/start", "lost is stopped"),
    "stop": (stop, "enabled", "PUT /model/lost/operation/stop", "lost is ready"),
    "delete": (delete, "disabled", "DELETE /model/lost", "lost is still there"),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
@pytest.mark.parametrize(("change", "before", "sent", "now"), CHANGES.values(), ids=CHANGES)
def test_other_changes(
    edi: MisbehavingEdi,
    client: EdiClient,
    change: Callable[[EdiClient, str], object],
    before: str,
    sent: str,
    now: str,
    fault: dict[str, object],
) -> None:
    method = sent.split(maxsplit=1)[0]
    edi.add("lost", before)
    edi.fault(method=method, **fault)  # type: ignore[arg-type]
    change(client, "lost")
    assert changes(edi) == [sent]
    edi.heal()
    edi.add("lost", before)
    undone = {**fault, "kind": str(fault["kind"]).removeprefix("commit-")}
    edi.fault(method=method, **undone)  # type: ignore[arg-type]
    with pytest.raises(UpstreamError) as raised:
        change(client, "lost")
    assert raised.value.code == "outcome_unknown"
    assert f"Now {now}." in raised.value.message
    assert changes(edi) == [sent]


PUT = "PUT /model/lost/appprofile"


@pytest.fixture
def before(edi: MisbehavingEdi, client: EdiClient) -> dict[str, Any]:
    edi.add("lost")
    return client.app_profile("lost")


def more_kernels(before: dict[str, Any]) -> dict[str, Any]:
    return apply_patch(before, {"policy": {"kernel_min": 3}, "kernel": {"gpu": "shared"}})


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_profile_that_was_saved_all_the_same(
    edi: MisbehavingEdi, client: EdiClient, before: dict[str, Any], fault: dict[str, Any]
) -> None:
    edi.fault(method="PUT", **fault)
    save_profile(client, "lost", more_kernels(before), before=before)
    assert changes(edi) == [PUT]
    assert edi.look()["profiles"]["lost"] == more_kernels(before)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_profile_that_was_not_saved(
    edi: MisbehavingEdi, client: EdiClient, before: dict[str, Any], fault: dict[str, Any]
) -> None:
    edi.fault(method="PUT", **{**fault, "kind": fault["kind"].removeprefix("commit-")})
    with pytest.raises(UpstreamError) as raised:
        save_profile(client, "lost", more_kernels(before), before=before)
    assert raised.value.code == "not_saved"
    assert raised.value.message.startswith("The profile of lost was not saved: ")
    assert raised.value.message.endswith(" It is as it was before.")
    assert changes(edi) == [PUT]


def test_a_profile_that_the_service_put_into_its_own_form(
    edi: MisbehavingEdi, client: EdiClient, before: dict[str, Any]
) -> None:
    edi.fault("commit-status", "PUT", status=504, body=GATEWAY_PAGE)
    document = more_kernels(before)
    # It takes all that was to change, and says the time and an own field its way.
    edi.rewrite("lost", {"last_update_time": "Thu", "policy": {"of_tomorrow": 2}})
    save_profile(client, "lost", document, before=before)
    assert changes(edi) == [PUT]


def test_a_profile_that_is_neither_the_old_nor_the_new_one(
    edi: MisbehavingEdi, client: EdiClient, before: dict[str, Any]
) -> None:
    document = apply_patch(
        more_kernels(before),
        {"kernel": {"envs": [{"name": "PASSWORD", "value": "s3cret"}]}, "replica": 2},
    )
    edi.fault("commit-status", "PUT", status=504, body=GATEWAY_PAGE)
    edi.rewrite("lost", {"kernel": {"gpu": "exclusive", "envs": []}, "policy": {"kernel_min": 1}})
    with pytest.raises(UpstreamError) as raised:
        save_profile(client, "lost", document, before=before)
    assert raised.value.code == "outcome_unknown"
    assert raised.value.message.startswith("It is unknown whether the profile of lost was saved: ")
    assert raised.value.message.endswith(
        "Now it is neither the old one nor the new one: policy.kernel_min is 1, not 3; "
        'kernel.gpu is "exclusive", not "shared"; kernel.envs is another.'
    )
    assert "s3cret" not in raised.value.message
    assert changes(edi) == [PUT]


def test_a_profile_that_cannot_be_read_back(
    edi: MisbehavingEdi, client: EdiClient, before: dict[str, Any]
) -> None:
    edi.fault("commit-status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    edi.fault("status", "GET", status=500, body=GATEWAY_PAGE)
    with pytest.raises(UpstreamError) as raised:
        save_profile(client, "lost", more_kernels(before), before=before)
    assert raised.value.code == "outcome_unknown"
    assert "Now that cannot be asked: " in raised.value.message


def test_save_and_restart_goes_on_after_lost_answers(
    edi: MisbehavingEdi, client: EdiClient
) -> None:
    edi.add("lost", "enabled")
    edi.fault("commit-reset", "PUT")
    row = edit_profile(client, "lost", {"kernel": {"gpu": "shared"}}, restart=True)
    assert row.state == "ready"
    assert changes(edi) == [
        "PUT /model/lost/operation/stop",
        PUT,
        "PUT /model/lost/operation/start",
    ]


def test_what_waited_is_forgotten_once_the_service_has_it(
    edi: MisbehavingEdi, before: dict[str, Any], tmp_path: Path
) -> None:
    client = EdiClient(edi.url, lambda: TOKEN, keep=tmp_path)
    assert save_for_next_start(client, "lost", more_kernels(before)) is not None
    edi.fault("status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    with pytest.raises(UpstreamError, match="was not saved"):
        apply_next_profile(client, "lost")
    assert NextProfiles.of(client).get("lost") is not None
    # Done after all, later than it was looked at.
    client.update_profile("lost", more_kernels(before))
    assert not apply_next_profile(client, "lost")
    assert NextProfiles.of(client).get("lost") is None
    assert changes(edi) == [PUT, PUT], "the second one is that of this test"
    client.close()


RUNTIME = Runtime(type="mine", launcher="x", description="New")
RUNTIME_CHANGES: dict[str, tuple[Callable[[EdiClient], object], str, str, bool, str]] = {
    # What is asked, how it is sent, the runtime that is there then, whether that is as wanted.
    "create": (lambda client: create_runtime(client, RUNTIME), "POST", "New", True, ""),
    "not created": (
        lambda client: create_runtime(client, RUNTIME),
        "POST",
        "",
        False,
        "there is no runtime mine",
    ),
    "update": (lambda client: update_runtime(client, RUNTIME), "PUT", "New", True, ""),
    "not updated": (
        lambda client: update_runtime(client, RUNTIME),
        "PUT",
        "Old",
        False,
        "mine is another one",
    ),
    "delete": (lambda client: delete_runtime(client, "mine"), "DELETE", "", True, ""),
    "not deleted": (
        lambda client: delete_runtime(client, "mine"),
        "DELETE",
        "New",
        False,
        "mine is still there",
    ),
}


@pytest.mark.parametrize(
    ("change", "method", "there", "done", "now"), RUNTIME_CHANGES.values(), ids=RUNTIME_CHANGES
)
def test_changes_of_runtimes(
    server: ScriptedEdi,
    change: Callable[[EdiClient], object],
    method: str,
    there: str,
    done: bool,
    now: str,
) -> None:
    server.on(method, "*", Reply(504, GATEWAY_PAGE))
    if there:
        found = RUNTIME.model_copy(update={"description": there, "epoch_updated": 1660119466})
        server.on("GET", "/deployment/runtime/mine", Reply.json(found.to_wire()))
    client = EdiClient(server.url, lambda: TOKEN)
    if done:
        change(client)
    else:
        with pytest.raises(UpstreamError, match=f"Now {now}.") as raised:
            change(client)
        assert raised.value.code == "outcome_unknown"
    assert [request.method for request in server.received] == [method, "GET"]
    client.close()


def test_whole_actions_go_on_after_a_lost_answer(edi: MisbehavingEdi, client: EdiClient) -> None:
    edi.add("lost")
    for method in ("PUT", "PUT", "DELETE"):
        edi.fault("commit-status", method, times=1, status=504, body=GATEWAY_PAGE)
    assert start_and_wait(client, "lost").state == "ready"
    assert stop_and_wait(client, "lost").state == "stopped"
    undeploy(client, "lost")
    assert changes(edi) == [
        "PUT /model/lost/operation/start",
        "PUT /model/lost/operation/stop",
        "DELETE /model/lost",
    ]
    assert "lost" not in edi.look()["states"]


def test_what_cannot_be_looked_at_is_told_so(edi: MisbehavingEdi, client: EdiClient) -> None:
    edi.add("lost")
    edi.fault("status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    edi.fault("status", "GET", status=500, body=GATEWAY_PAGE)
    with pytest.raises(UpstreamError) as raised:
        start(client, "lost")
    assert raised.value.code == "outcome_unknown"
    assert "cannot be asked" in raised.value.message


@pytest.mark.parametrize("status", [400, 403, 409, 500, 503])
def test_a_plain_refusal_is_told_as_it_is(
    edi: MisbehavingEdi, client: EdiClient, status: int
) -> None:
    edi.add("lost")
    edi.fault("status", "PUT", status=status, body=b'{"message": "No."}')
    with pytest.raises(EdiError) as raised:
        start(client, "lost")
    assert raised.value.code != "outcome_unknown"
    assert edi.look()["states"]["lost"] == "disabled"
