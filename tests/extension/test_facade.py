"""The routes on the real engine and real kernels."""

from __future__ import annotations

import asyncio
import json

import pytest

LOCAL = "edi/environments/local/deployments"


async def state_of(call, name):
    return (await call("GET", f"{LOCAL}/{name}")).json["state"]


async def test_info_says_what_there_is_and_starts_nothing(call, store):
    info = (await call("GET", "edi/info")).json
    assert [item["id"] for item in info["environments"]] == ["local"]
    assert info["environments"][0] == {
        "id": "local",
        "title": info["environments"][0]["title"],
        "kind": "local",
        "host": None,
        "problem": None,
        "token_expires": None,
        "source": "built-in",
        "address": None,
        "inference_address": None,
        "token_source": "engine",
        "token_variable": None,
        "token_advice": "",
        "token_pasted": False,
        "insecure": False,
        "own_authorities": False,
        "client_certificate": False,
        "upload": "auto",
        "production": False,
    }
    assert info["limits"]["payload_bytes"] == 8 << 20
    assert not store.exists()


async def test_a_remote_edi_without_a_token_is_listed_with_its_problem(call, monkeypatch):
    monkeypatch.setenv("EDI_REST_SERVER", "https://wmla.example.com")
    monkeypatch.delenv("USER_ACCESS_TOKEN")
    remote = (await call("GET", "edi/info")).json["environments"][1]
    assert remote["kind"] == "remote"
    assert remote["host"] == "wmla.example.com"
    assert remote["problem"]["hint"]
    reply = await call("GET", f"edi/environments/{remote['id']}/deployments")
    assert reply.status == 409
    assert reply.json["code"] == remote["problem"]["code"] == "no_token"


@pytest.mark.parametrize("jp_base_url", ["/a%40b/", "/x/y/"])
async def test_from_a_folder_to_an_answer_and_back(
    call, finished, sample, running_engine, jp_base_url
):
    name = f"walk{len(jp_base_url)}"
    path = sample(name)

    inspection = (await call("POST", "edi/submissions/inspect", {"path": path})).json
    assert inspection["name"] == name
    assert inspection["problems"] == []
    assert inspection["kernel_path"] in [file["path"] for file in inspection["files"]]
    assert inspection["total_size"] == sum(file["size"] for file in inspection["files"])

    source = {"kind": "folder", "path": path}
    reply = await call("POST", LOCAL, {"source": source, "start": False})
    assert reply.json["kind"] == "deploy"
    assert reply.json["deployment"] == name
    job = await finished(reply)
    assert job["state"] == "done", job
    assert job["fraction"] == 1.0
    assert await state_of(call, name) == "stopped"

    listing = (await call("GET", LOCAL)).json
    assert listing["engine"] == "running"
    assert listing["stale"] is False
    assert name in [row["name"] for row in listing["deployments"]]
    assert job["id"] in [item["id"] for item in listing["jobs"]]

    assert (await finished(await call("POST", f"{LOCAL}/{name}/start")))["state"] == "done"
    assert await state_of(call, name) == "ready"

    payload = (await call("GET", f"{LOCAL}/{name}/sample-payload")).json["payload"]
    json.loads(payload)
    answer = (await call("POST", f"{LOCAL}/{name}/infer", {"payload": payload})).json
    assert answer["ok"] is True
    assert answer["status"] == 200
    assert answer["error"] is None
    assert answer["size"] == len(answer["body"].encode())
    assert answer["elapsed_ms"] > 0

    assert (await finished(await call("POST", f"{LOCAL}/{name}/stop", {})))["state"] == "done"
    assert await state_of(call, name) == "stopped"
    refused = (await call("POST", f"{LOCAL}/{name}/infer", {"payload": payload})).json
    assert refused["ok"] is False
    assert refused["status"] == 409
    assert refused["error"]["code"] == "not_started"

    assert (await finished(await call("DELETE", f"{LOCAL}/{name}")))["state"] == "done"
    gone = await call("GET", f"{LOCAL}/{name}")
    assert gone.status == 404
    assert gone.json["code"] == "no_such_model"
    listing = (await call("GET", LOCAL)).json
    assert name not in [row["name"] for row in listing["deployments"]]


async def test_the_sample_deploys_under_another_name(call, finished, running_engine):
    body = {"source": {"kind": "sample", "sample": "pingpong"}, "name": "renamed", "start": False}
    assert (await finished(await call("POST", LOCAL, body)))["state"] == "done"
    assert await state_of(call, "renamed") == "stopped"
    again = await finished(await call("POST", LOCAL, body))
    assert again["state"] == "failed"
    assert again["error"]["code"] == "exists"
    await finished(await call("DELETE", f"{LOCAL}/renamed"))


async def test_a_kernel_that_does_not_start_fails_with_its_log(
    call, finished, spoilt, running_engine
):
    path = spoilt("broken", "print('on the way'); raise SystemExit('no weights')")
    reply = await call("POST", LOCAL, {"source": {"kind": "folder", "path": path}})
    job_id = reply.json["id"]
    async with asyncio.timeout(20):
        while (await state_of_row(call, "broken"))["state"] != "failed":
            await asyncio.sleep(0.05)
    row = await state_of_row(call, "broken")
    assert row["reason"]
    assert "no weights" in "\n".join(row["log_tail"])
    await call("DELETE", f"edi/jobs/{job_id}")
    await finished(await call_until_free(call, "DELETE", f"{LOCAL}/broken"))


async def state_of_row(call, name):
    rows = (await call("GET", LOCAL)).json["deployments"]
    return next((row for row in rows if row["name"] == name), {"state": None})


async def call_until_free(call, verb, path):
    """A cancelled job needs a moment to end."""
    async with asyncio.timeout(10):
        while (reply := await call(verb, path)).status == 409:
            await asyncio.sleep(0.02)
    return reply


async def test_bad_folders_are_refused_before_anything_is_sent(
    call, sample, running_engine, jp_root_dir
):
    path = sample("incomplete")
    (jp_root_dir / path / "README.md").unlink()
    inspection = (await call("POST", "edi/submissions/inspect", {"path": path})).json
    assert [problem["code"] for problem in inspection["problems"]] == ["missing_file"]
    assert str(jp_root_dir) not in json.dumps(inspection)
    for source, status, code in (
        ({"kind": "folder", "path": path}, 400, "missing_file"),
        ({"kind": "folder", "path": "nothing"}, 404, "no_such_folder"),
        ({"kind": "folder", "path": "../x"}, 400, "path_outside"),
        ({"kind": "folder", "path": "s3:x"}, 400, "contents_not_on_disk"),
    ):
        reply = await call("POST", LOCAL, {"source": source})
        assert (reply.status, reply.json["code"]) == (status, code)
        assert str(jp_root_dir) not in reply.body.decode()
    assert (await call("GET", "edi/jobs")).json == {"jobs": []}


async def test_what_is_not_there_is_not_found(call, finished, running_engine):
    for path, code in (
        (f"{LOCAL}/nobody", "not_found"),
        (f"{LOCAL}/nobody/sample-payload", "not_found"),
        ("edi/environments/mars/deployments", "environment_not_found"),
        ("edi/environments/mars/deployments/x", "environment_not_found"),
        ("edi/jobs/0", "no_such_job"),
    ):
        reply = await call("GET", path)
        assert reply.status == 404, path
        if code != "not_found":
            assert reply.json["code"] == code
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Type"] == "application/json"
    job = await finished(await call("POST", f"{LOCAL}/nobody/start"))
    assert job["state"] == "failed"
    assert "nobody" in job["error"]["message"]
    answer = await call("POST", f"{LOCAL}/nobody/infer", {"payload": "{}"})
    assert answer.status == 200
    assert answer.json["status"] == 404
    body = {"source": {"kind": "sample", "sample": "pingpong"}}
    assert (await call("POST", "edi/environments/mars/deployments", body)).status == 404
    assert (await call("DELETE", "edi/environments/mars/deployments/x")).status == 404


async def test_a_cancelled_job_is_cancelled_and_not_failed(call, finished, sample, running_engine):
    body = {"source": {"kind": "folder", "path": sample("cancelled")}}
    reply = await call("POST", LOCAL, body)
    asked = await call("DELETE", f"edi/jobs/{reply.json['id']}")
    assert asked.status == 202
    job = await finished(reply)
    assert job["state"] in ("cancelled", "done")
    assert job["error"] is None
    again = await call("DELETE", f"edi/jobs/{job['id']}")
    assert again.json["state"] == job["state"]
    await finished(await call_until_free(call, "DELETE", f"{LOCAL}/cancelled"))
