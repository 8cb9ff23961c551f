"""The engine's life as the panel sees it (real processes)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import psutil

LOCAL = "edi/environments/local/deployments"


async def until(call, condition, seconds=20):
    """Poll as a tab does until ``condition(listing)``; returns that and all before it."""
    seen = []
    async with asyncio.timeout(seconds):
        while True:
            reply = await call("GET", LOCAL)
            assert reply.status == 200, reply.body
            seen.append(reply.json)
            if condition(reply.json):
                return reply.json, seen
            await asyncio.sleep(0.05)


def engine_pid(store: Path) -> int:
    return json.loads((store / "engine.json").read_text())["pid"]


def wait_gone(pid: int) -> None:
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_started_by_the_first_look_revived_by_the_next_and_ended_with_the_server(
    call, finished, jp_serverapp, store
):
    assert not store.exists()
    first = (await call("GET", LOCAL)).json
    assert (first["engine"], first["deployments"], first["error"]) == ("starting", [], None)
    assert first["stale"] is False
    await until(call, lambda listing: listing["engine"] == "running")

    body = {"source": {"kind": "sample", "sample": "pingpong"}}
    assert (await finished(await call("POST", LOCAL, body)))["state"] == "done"
    before, _ = await until(call, lambda listing: listing["deployments"])
    assert before["deployments"][0]["state"] == "ready"

    killed = engine_pid(store)
    os.kill(killed, signal.SIGKILL)
    after, seen = await until(
        call,
        lambda listing: (
            listing["engine"] == "running"
            and engine_pid(store) != killed
            and not listing["stale"]
            and listing["deployments"]
            and listing["deployments"][0]["state"] == "ready"
        ),
    )
    assert any(listing["engine"] == "starting" for listing in seen)
    for listing in seen:
        # Nothing acknowledged vanishes, not even for one poll.
        assert [row["name"] for row in listing["deployments"]] == ["pingpong"]
        if listing["engine"] == "starting":
            assert listing["stale"] is True
            assert listing["error"] is None
    assert after["error"] is None

    revived = engine_pid(store)
    await jp_serverapp.cleanup_extensions()
    wait_gone(revived)
    assert not (store / "engine.json").exists()


async def test_an_engine_of_somebody_else_is_used_and_left_alone(
    call, jp_serverapp, running_engine
):
    pid = engine_pid(running_engine)
    listing, _ = await until(call, lambda listing: True)
    assert listing["engine"] == "running"
    await jp_serverapp.cleanup_extensions()
    assert psutil.pid_exists(pid)
    assert engine_pid(running_engine) == pid


async def test_an_engine_that_cannot_start_says_why_to_every_tab(call, store):
    store.parent.mkdir(exist_ok=True)
    store.write_text("not a directory")
    async with asyncio.timeout(20):
        while (reply := await call("GET", LOCAL)).status == 200:
            assert reply.json["engine"] == "starting"
            await asyncio.sleep(0.05)
    assert reply.json["code"] == "storage_error"
    assert reply.json["hint"]
    # Within the pause before the next try all tabs are told the same.
    again = await call("GET", LOCAL)
    assert again.json["code"] == "storage_error"


async def test_the_jupyter_trait_names_the_store(call, jp_serverapp, tmp_path, running_engine):
    app = jp_serverapp.web_app.settings["edi_labext"]
    app.store = str(tmp_path / "configured")
    await until(call, lambda listing: listing["engine"] == "running")
    assert (tmp_path / "configured" / "engine.json").exists()


async def test_the_end_of_the_server_cancels_jobs_and_kernels(call, jp_serverapp, spoilt, store):
    path = spoilt("slow", "import time; time.sleep(60)")
    job = (await call("POST", LOCAL, {"source": {"kind": "folder", "path": path}})).json
    async with asyncio.timeout(20):
        while (await call("GET", f"edi/jobs/{job['id']}")).json["phase"] != "start":
            await asyncio.sleep(0.02)
        engine = psutil.Process(engine_pid(store))
        while not any("kernel" in str(child.cmdline()) for child in engine.children()):
            await asyncio.sleep(0.02)
    service = await jp_serverapp.web_app.settings["edi_labext"].service()
    processes = [engine, *engine.children(recursive=True)]
    await jp_serverapp.cleanup_extensions()
    ended = service.jobs.get(job["id"])
    assert (ended.state, ended.error) == ("cancelled", None)
    assert "slow" in ended.message
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive
