"""Events instead of polls: what tabs are told, and what it costs."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from support.scripted_edi import Reply

from edi_labext.extension import deployments, watcher
from edi_labext.extension.app import DEPLOYMENTS_CHANGED

LOCAL = "edi/environments/local"
WMLA = "edi/environments/wmla"


TROUBLE = Reply.json({"message": "out of order"}, status=500)
WELL = Reply.json([])


class Events:
    """What a subscribed tab hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict] = asyncio.Queue()

    async def __call__(self, logger, schema_id, data):
        self.heard.put_nowait(data)

    async def next(self) -> dict:
        return await asyncio.wait_for(self.heard.get(), 10)


@pytest.fixture
def events(jp_serverapp):
    listener = Events()
    jp_serverapp.event_logger.add_listener(schema_id=DEPLOYMENTS_CHANGED, listener=listener)
    yield listener
    jp_serverapp.event_logger.remove_listener(schema_id=DEPLOYMENTS_CHANGED, listener=listener)


async def test_a_lease_has_changes_told_and_the_list_has_the_same_revision(
    call, finished, events, running_engine
):
    reply = await call("POST", f"{LOCAL}/lease", {"tab": "tab-1"})
    assert reply.status == 200
    assert reply.json == {"seconds": 60.0, "revision": None}
    first = await events.next()
    listing = (await call("GET", f"{LOCAL}/deployments")).json
    assert first == {"environment": "local", "revision": listing["revision"]}

    body = {"source": {"kind": "sample", "sample": "pingpong"}, "name": "told", "start": False}
    await finished(await call("POST", f"{LOCAL}/deployments", body))
    async with asyncio.timeout(10):
        while (await events.next())["revision"] != (await call("GET", f"{LOCAL}/deployments")).json[
            "revision"
        ]:
            pass
    revision = (await call("POST", f"{LOCAL}/lease", {"tab": "tab-1"})).json["revision"]
    assert revision != first["revision"]
    await finished(await call("DELETE", f"{LOCAL}/deployments/told"))


async def test_an_event_says_no_more_than_that(call, events, finished, running_engine):
    body = {"source": {"kind": "sample", "sample": "pingpong"}, "name": "unsaid", "start": False}
    await finished(await call("POST", f"{LOCAL}/deployments", body))
    await finished(await call("DELETE", f"{LOCAL}/deployments/unsaid"))
    event = await events.next()
    assert event.keys() == {"environment", "revision"}
    assert len(event["revision"]) == 32
    assert "unsaid" not in json.dumps(event)


async def test_tabs_get_the_event_over_jupyters_own_socket(call, jp_ws_fetch, wmla):
    socket = await jp_ws_fetch("api", "events", "subscribe")
    await call("POST", f"{WMLA}/lease", {"tab": "a"})
    message = json.loads(await asyncio.wait_for(socket.read_message(), 10))
    assert message["schema_id"] == DEPLOYMENTS_CHANGED
    assert message["environment"] == "wmla"
    socket.close()


async def test_who_does_not_look_costs_the_edi_nothing(call, jp_serverapp, wmla):
    await call("GET", "edi/info")
    await call("GET", "edi/jobs")
    assert wmla.received == []
    service = await jp_serverapp.web_app.settings["edi_labext"].service()
    assert service._live._watchers == {}


async def test_many_tabs_cost_the_edi_one_look(call, events, wmla):
    tabs = [call("POST", f"{WMLA}/lease", {"tab": f"tab{n}"}) for n in range(20)]
    assert {reply.status for reply in await asyncio.gather(*tabs)} == {200}
    await events.next()
    await asyncio.gather(*(call("GET", f"{WMLA}/deployments") for _ in range(20)))
    assert wmla.paths().count("GET /dlim/v1/model") == 1


async def test_neither_lease_nor_event_nor_list_is_activity(call, events, jp_web_app, wmla):
    jp_web_app.settings.pop("api_last_activity", None)
    before = jp_web_app.last_activity()
    for _ in range(3):
        await call("POST", f"{WMLA}/lease", {"tab": "a"})
        await call("GET", f"{WMLA}/deployments")
    await events.next()
    await call("POST", f"{WMLA}/lease", {"tab": ""})
    assert jp_web_app.last_activity() == before
    assert not jp_web_app.settings["serverapp"].extension_manager.any_activity()


async def test_an_edi_in_trouble_is_logged_once_and_so_is_its_return(
    call, jp_serverapp, wmla, caplog
):
    service = await jp_serverapp.web_app.settings["edi_labext"].service()

    async def poll():
        service._live._board("wmla").expire()
        return (await call("GET", f"{WMLA}/deployments")).status

    caplog.set_level(logging.INFO)
    wmla.on("GET", "/model", TROUBLE)
    assert [await poll() for _ in range(5)] == [502] * 5
    assert (await call("POST", f"{WMLA}/lease", {"tab": "a"})).status == 200
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelno for record in loud] == [logging.WARNING], caplog.text
    assert "out of order" in loud[0].getMessage()

    wmla.on("GET", "/model", WELL)
    assert [await poll() for _ in range(3)] == [200] * 3
    wmla.on("GET", "/model", TROUBLE)
    assert [await poll() for _ in range(3)] == [200] * 3  # stale
    ours = [
        record.getMessage() for record in caplog.records if "EDI environment" in str(record.msg)
    ]
    assert ["cannot" in ours[0], "again" in ours[1], "cannot" in ours[2]] == [True] * 3
    assert len(ours) == 3


async def test_an_action_on_an_edi_in_trouble_is_still_logged(call, monkeypatch, caplog):
    monkeypatch.setenv("EDI_REST_SERVER", "http://127.0.0.1:9")
    caplog.set_level(logging.INFO)
    infer = f"{WMLA}/deployments/digits/infer"
    assert (await call("POST", infer, {"payload": "{}"})).status == 502
    assert any(record.levelno >= logging.ERROR for record in caplog.records)


async def test_trouble_and_its_end_are_told_to_whoever_looks(call, events, wmla, monkeypatch):
    monkeypatch.setattr(watcher, "STEADY", 0.05)
    monkeypatch.setattr(deployments, "FRESH_SECONDS", 0.0)
    wmla.on("GET", "/model", TROUBLE)
    await call("POST", f"{WMLA}/lease", {"tab": "a"})
    lost = await events.next()
    wmla.on("GET", "/model", WELL)
    found = await events.next()
    assert found["revision"] != lost["revision"]
    listing = (await call("GET", f"{WMLA}/deployments")).json
    assert listing["revision"] == found["revision"]


async def test_a_lease_is_for_an_environment_that_there_is(call):
    reply = await call("POST", "edi/environments/mars/lease", {"tab": "a"})
    assert (reply.status, reply.json["code"]) == (404, "environment_not_found")


async def test_a_job_is_watched_without_a_lease_and_then_no_more(
    call, events, finished, jp_serverapp, running_engine
):
    body = {"source": {"kind": "sample", "sample": "pingpong"}, "name": "alone", "start": False}
    await finished(await call("POST", f"{LOCAL}/deployments", body))
    await events.next()
    service = await jp_serverapp.web_app.settings["edi_labext"].service()
    alone = service._live._watchers["local"]
    async with asyncio.timeout(10):
        while alone.awake:
            await asyncio.sleep(0.02)
    await finished(await call("DELETE", f"{LOCAL}/deployments/alone"))


async def test_the_end_of_the_server_ends_the_watch(call, events, jp_serverapp, wmla):
    await call("POST", f"{WMLA}/lease", {"tab": "a"})
    await events.next()
    service = await jp_serverapp.web_app.settings["edi_labext"].service()
    await jp_serverapp.cleanup_extensions()
    assert not service._live._watchers["wmla"].awake
