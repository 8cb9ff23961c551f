"""Polls are quiet: they keep no idle server alive and fill no log."""

from __future__ import annotations

import logging

LOCAL = "edi/environments/local/deployments"


async def test_polls_are_no_activity_and_actions_are(call, jp_web_app, running_engine):
    settings = jp_web_app.settings
    settings.pop("api_last_activity", None)
    for path in (LOCAL, "edi/jobs", "edi/info", "edi/jobs/0", f"{LOCAL}/nobody"):
        await call("GET", path)
        assert "api_last_activity" not in settings, path
    await call("POST", "edi/submissions/inspect", {"path": "nothing"})
    assert "api_last_activity" in settings


async def test_a_successful_poll_is_not_logged_at_info(call, caplog, running_engine):
    await call("GET", LOCAL)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        assert (await call("GET", LOCAL)).status == 200
    loud = [record for record in caplog.records if record.levelno >= logging.INFO]
    assert not loud


async def test_a_running_job_keeps_the_server_up(call, jp_serverapp, monkeypatch, running_engine):
    app = jp_serverapp.web_app.settings["edi_labext"]
    assert app.current_activity() is None
    await call("GET", "edi/jobs")
    assert app.current_activity() is None
    service = await app.service()
    monkeypatch.setattr(type(service.jobs), "running", 2)
    assert app.current_activity() == {"jobs": 2}
    assert jp_serverapp.extension_manager.any_activity()


async def test_equal_content_has_an_equal_revision(call, finished, running_engine):
    first = (await call("GET", LOCAL)).json
    second = (await call("GET", LOCAL)).json
    assert first["revision"] == second["revision"]
    body = {"source": {"kind": "sample", "sample": "pingpong"}, "name": "rev", "start": False}
    await finished(await call("POST", LOCAL, body))
    third = (await call("GET", LOCAL)).json
    assert third["revision"] != first["revision"]
    await finished(await call("DELETE", f"{LOCAL}/rev"))
