from __future__ import annotations

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import (
    Cancelled,
    Conflict,
    NotFound,
    Unavailable,
    UpstreamUnreachable,
)
from edi_labext.operations import (
    Cancellation,
    Progress,
    start_and_wait,
    stop_and_wait,
    undeploy,
)


def test_start_waits_for_a_kernel(small: SmallEdi, client: EdiClient) -> None:
    small.add("digits")
    told: list[Progress] = []
    assert start_and_wait(client, "digits", report=told.append).state == "ready"
    assert {progress.phase for progress in told} == {"start"}


def test_start_of_what_is_started(small: SmallEdi, client: EdiClient, server: ScriptedEdi) -> None:
    small.add("digits", "ready")
    assert start_and_wait(client, "digits").state == "ready"
    assert not [path for path in server.paths() if path.startswith("PUT")]


def test_start_while_it_stops_lets_it_end_first(small: SmallEdi, client: EdiClient) -> None:
    small.add("digits", "stopping").looks = 3
    assert start_and_wait(client, "digits").state == "ready"


def test_start_of_what_somebody_else_has_started(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi
) -> None:
    deployment = small.add("digits")

    def start(request: Received) -> Reply:
        deployment.state, deployment.looks = "starting", 2
        return Reply.json({"code": "started", "message": "It is started."}, 409)

    server.on("PUT", "/model/digits/operation/start", start)
    assert start_and_wait(client, "digits").state == "ready"


def test_a_start_that_is_refused_is_not_waited_for(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi
) -> None:
    small.add("digits")
    words = "This machine has 2048 MB of memory; the profile asks for 9000."
    server.on(
        "PUT",
        "/model/digits/operation/start",
        Reply.json({"code": "too_little", "message": words}, 409),
    )
    with pytest.raises(Conflict, match=words):
        start_and_wait(client, "digits")


def test_a_failure_says_why_and_shows_the_log(server: ScriptedEdi, client: EdiClient) -> None:
    small = SmallEdi(server, engine=True)
    small.add("digits")
    small.failing["digits"] = "The kernel exited with code 1."
    with pytest.raises(Unavailable) as raised:
        start_and_wait(client, "digits")
    error = raised.value
    assert error.code == "deployment_failed"
    assert "The kernel exited with code 1." in error.message
    assert str(error.detail).splitlines()[-1] == "line 29"


def test_a_start_that_takes_too_long(small: SmallEdi, client: EdiClient) -> None:
    small.looks = 10**6
    small.add("digits")
    with pytest.raises(Unavailable) as raised:
        start_and_wait(client, "digits", timeout=0.2)
    assert raised.value.code == "start_timeout"
    assert small.deployments["digits"].state == "starting"


def test_cancel_of_a_wait_leaves_it_starting(small: SmallEdi, client: EdiClient) -> None:
    small.looks = 10**6
    small.add("digits")
    cancellation = Cancellation()

    small.looked = lambda state: cancellation.cancel() if state == "starting" else None
    with pytest.raises(Cancelled) as raised:
        start_and_wait(client, "digits", cancellation=cancellation)
    assert "goes on starting" in raised.value.message


def test_cancelled_before_it_began(small: SmallEdi, client: EdiClient, server: ScriptedEdi) -> None:
    small.add("digits")
    cancellation = Cancellation()
    cancellation.cancel()
    for action in (start_and_wait, stop_and_wait, undeploy):
        with pytest.raises(Cancelled):
            action(client, "digits", cancellation=cancellation)
    assert server.received == []


def test_stop_waits_for_the_end(small: SmallEdi, client: EdiClient) -> None:
    small.add("digits", "ready")
    assert stop_and_wait(client, "digits").state == "stopped"


def test_stop_of_what_is_stopped(small: SmallEdi, client: EdiClient, server: ScriptedEdi) -> None:
    small.add("digits")
    assert stop_and_wait(client, "digits").state == "stopped"
    assert not [path for path in server.paths() if path.startswith("PUT")]


def test_a_stop_that_takes_too_long(small: SmallEdi, client: EdiClient) -> None:
    small.looks = 10**6
    small.add("digits", "ready")
    with pytest.raises(Unavailable) as raised:
        stop_and_wait(client, "digits", timeout=0.1)
    assert raised.value.code == "stop_timeout"


@pytest.mark.parametrize("action", [start_and_wait, stop_and_wait])
def test_no_such_deployment(small: SmallEdi, client: EdiClient, action: object) -> None:
    with pytest.raises(NotFound):
        action(client, "digits")  # type: ignore[operator]


@pytest.mark.parametrize("state", ["ready", "starting", "failed", "stopped"])
def test_undeploy_stops_waits_and_removes(
    server: ScriptedEdi, client: EdiClient, state: str
) -> None:
    small = SmallEdi(server, engine=True)
    small.add("digits", state).looks = 2
    told: list[Progress] = []
    undeploy(client, "digits", report=told.append)
    assert small.deployments == {}
    assert [progress.phase for progress in told if progress.phase == "undeploy"] == ["undeploy"]


def test_undeploy_of_what_is_gone(small: SmallEdi, client: EdiClient) -> None:
    undeploy(client, "digits")


def test_undeploy_tries_again_while_the_edi_says_started(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi
) -> None:
    """WMLA shows "disabled" a little before it allows the delete."""
    small.add("digits")
    refusals = iter(range(3))

    def delete(request: Received) -> Reply:
        if next(refusals, None) is not None:
            return Reply(400, b"The model cannot be removed if it's started.")
        del small.deployments["digits"]
        return Reply.json({})

    server.on("DELETE", "/model/digits", delete)
    undeploy(client, "digits")
    assert small.deployments == {}
    small.add("digits")
    server.on("DELETE", "/model/digits", Reply(409, b"still started"))
    with pytest.raises(Conflict):
        undeploy(client, "digits", timeout=0.1)


def test_one_look_may_fail_while_waiting_but_not_all(
    server: ScriptedEdi, client: EdiClient
) -> None:
    small = SmallEdi(server, engine=True, looks=10**6)
    small.add("digits")
    looks = iter(
        [
            Reply.json({"name": "digits", "state": "stopped"}),
            Reply(504, b""),
            Reply(504, b""),
            Reply.json({"name": "digits", "state": "ready"}),
        ]
    )
    ready = Reply.json({"name": "digits", "state": "ready"})
    server.on("GET", "/edi/v1/model/digits/status", lambda _: next(looks, ready))
    assert start_and_wait(client, "digits").state == "ready"

    small.deployments["digits"].state = "stopped"
    first = iter([Reply.json({"name": "digits", "state": "stopped"})])
    server.on("GET", "/edi/v1/model/digits/status", lambda _: next(first, Reply(raw=b"")))
    with pytest.raises(UpstreamUnreachable):
        start_and_wait(client, "digits")
