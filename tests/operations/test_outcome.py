"""A lost answer to a change: done once, looked at, and told as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.misbehaving_edi import GATEWAY_PAGE, MisbehavingEdi, misbehaving_edi

from edi_labext.client import EdiClient
from edi_labext.errors import EdiError, UpstreamError
from edi_labext.operations import (
    Deployment,
    delete,
    deploy_folder,
    sample_folder,
    start,
    start_and_wait,
    stop,
    stop_and_wait,
    undeploy,
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
