from __future__ import annotations

from typing import Any

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import NotFound, UpstreamUnauthorized
from edi_labext.models import ModelInstance
from edi_labext.operations import get_deployment, list_deployments
from edi_labext.operations.overview import interpret


def test_no_deployments(small: SmallEdi, client: EdiClient) -> None:
    assert list_deployments(client) == []


@pytest.mark.parametrize("count", [1, 30])
def test_all_states_in_the_order_of_the_edi(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, count: int
) -> None:
    for number in range(count):
        small.add(f"d{number}", "ready" if number % 2 else "stopped")
    found = list_deployments(client)
    assert [row.name for row in found] == [f"d{number}" for number in range(count)]
    assert [row.state for row in found] == ["stopped", "ready"] * (count // 2) + ["stopped"] * (
        count % 2
    )
    assert [row.kernels_ready for row in found] == [int(row.state == "ready") for row in found]
    assert server.paths().count("GET /edi/v1/capabilities") == 1


def test_one_that_cannot_be_asked_does_not_spoil_the_list(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi
) -> None:
    small.add("good", "ready")
    small.add("bad", "ready")
    trouble = Reply(500, b"out of order")
    server.on("GET", "/model/bad/instance", trouble)
    server.on("GET", "/edi/v1/model/bad/status", trouble)
    good, bad = list_deployments(client)
    assert (good.state, bad.state) == ("ready", "unknown")
    assert "out of order" in bad.reason


def test_a_refused_token_is_an_error_and_not_thirty_unknowns(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi
) -> None:
    small.add("one")
    small.add("two")
    for name in ("one", "two"):
        server.on("GET", f"/model/{name}/instance", Reply(401, b""))
        server.on("GET", f"/edi/v1/model/{name}/status", Reply(401, b""))
    with pytest.raises(UpstreamUnauthorized):
        list_deployments(client)


def test_the_log_is_shown_only_of_what_failed(server: ScriptedEdi, client: EdiClient) -> None:
    small = SmallEdi(server, engine=True)
    small.add("fine", "ready")
    small.add("broken", "failed").reason = "No module named 'numpy'."
    fine, broken = list_deployments(client)
    assert fine.log_tail == []
    assert broken.log_tail == [f"line {number}" for number in range(10, 30)]
    assert broken.reason == "No module named 'numpy'."
    assert broken.since == 5.0


def test_one_deployment(small: SmallEdi, client: EdiClient) -> None:
    small.add("digits", "ready")
    row = get_deployment(client, "digits")
    assert (row.name, row.state, row.kernel_path, row.size) == ("digits", "ready", "kernel.py", 7)
    with pytest.raises(NotFound):
        get_deployment(client, "other")


def test_no_more_than_eight_at_once(server: ScriptedEdi, client: EdiClient) -> None:
    import threading

    small = SmallEdi(server, engine=False)
    lock, running, most = threading.Lock(), 0, 0
    full = threading.Event()

    def instance(request: Received) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 8:
                full.set()
        full.wait(5)
        with lock:
            running -= 1
        return Reply.json({"name": request.path.split("/")[-2], "state": "disabled"})

    for number in range(24):
        small.add(f"d{number}")
        server.on("GET", f"/model/d{number}/instance", instance)
    assert len(list_deployments(client)) == 24
    assert most == 8


def kernels(*statuses: str, **more: Any) -> list[dict[str, Any]]:
    containers = [{"container_status": status, **more} for status in statuses]
    return [{"isd_container": containers, "pending_tasks": 2}]


@pytest.mark.parametrize(
    ("instance", "state", "ready", "reason"),
    [
        ({"state": "disabled"}, "stopped", 0, ""),
        ({"state": "not-available"}, "starting", 0, "The service is being set up."),
        ({"state": "enabled"}, "starting", 0, "The kernel is starting."),
        ({"state": "enabled", "instances": kernels()}, "starting", 0, "The kernel is starting."),
        ({"state": "enabled", "instances": kernels("IDLE")}, "ready", 1, ""),
        ({"state": "enabled", "instances": kernels("BUSY", "IDLE")}, "ready", 2, ""),
        ({"state": "enabled", "instances": kernels("WORKING", running_task=1)}, "ready", 1, ""),
        ({"state": "enabled", "instances": kernels("CREATED")}, "starting", 0, None),
        ({"state": "paused"}, "unknown", 0, "The EDI calls its state 'paused'."),
    ],
)
def test_what_the_instance_of_a_terse_edi_means(
    instance: dict[str, Any], state: str, ready: int, reason: str | None
) -> None:
    read = ModelInstance.model_validate({"name": "a", **instance})
    status = interpret(read, started_at=1000, now=1010)
    assert (status.state, status.kernels_ready) == (state, ready)
    if reason is not None:
        assert status.reason == reason


def test_a_kernel_that_does_not_come_is_said_to_be_missing_and_not_failed() -> None:
    instance = ModelInstance.model_validate({"name": "a", "state": "enabled", "instances": []})
    status = interpret(instance, started_at=1000, now=1200)
    assert (status.state, status.reason) == ("starting", "No kernel for 200 s.")
    assert interpret(instance, started_at=0, now=1200).reason == "The kernel is starting."
