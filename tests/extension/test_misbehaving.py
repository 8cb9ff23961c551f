"""What the panel is told while an EDI misbehaves, and that it gets well with it."""

from __future__ import annotations

import pytest
from support.misbehaving_edi import GATEWAY_PAGE, LOGIN_PAGE, misbehaving_edi

LIST = "edi/environments/wmla/deployments"


@pytest.fixture(scope="module")
def process():
    with misbehaving_edi() as running:
        yield running


@pytest.fixture
def server(process, canary, monkeypatch):
    process.heal()
    process.accept(canary)
    process.add("digits")
    process.received()
    # Every look is a new one, so that no test has to wait for the next.
    monkeypatch.setattr("edi_labext.extension.deployments.FRESH_SECONDS", 0.0)
    monkeypatch.setenv("EDI_REST_SERVER", process.url)
    return process


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 200, "body": LOGIN_PAGE}, "upstream_bad_response"),
        ({"kind": "status", "status": 500, "body": GATEWAY_PAGE}, "upstream_bad_response"),
        ({"kind": "status", "status": 504, "body": GATEWAY_PAGE}, "upstream_timeout"),
        ({"kind": "status", "status": 401}, "upstream_unauthorized"),
        ({"kind": "status", "status": 403}, "upstream_forbidden"),
        (
            {"kind": "status", "status": 302, "headers": {"Location": "https://l.example.com"}},
            "upstream_redirect",
        ),
        ({"kind": "truncate"}, "upstream_bad_response"),
        ({"kind": "reset"}, "upstream_reset"),
    ],
    ids=["login", "500", "504", "401", "403", "redirect", "truncated", "reset"],
)
async def test_trouble_is_told_and_the_last_list_is_kept(call, server, canary, fault, code):
    good = (await call("GET", LIST)).json
    assert [row["name"] for row in good["deployments"]] == ["digits"]
    server.fault(**fault)
    bad = await call("GET", LIST)
    assert bad.status == 200
    assert (bad.json["error"]["code"], bad.json["stale"]) == (code, True)
    assert [row["name"] for row in bad.json["deployments"]] == ["digits"]
    assert canary not in bad.body.decode()
    alone = await call("GET", f"{LIST}/digits")
    assert alone.status in (502, 503, 504), "never what looks like a log-out of Jupyter"
    server.heal()
    well = (await call("GET", LIST)).json
    assert (well["error"], well["stale"]) == (None, False)


async def test_a_lost_answer_of_a_job_is_settled(call, server, finished):
    server.fault("commit-status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    job = await finished(await call("POST", f"{LIST}/digits/start"))
    assert job["state"] == "done", job
    puts = [request for request in server.received() if request["method"] == "PUT"]
    assert len(puts) == 1


async def test_a_lost_answer_of_a_job_that_was_not_done(call, server, finished):
    server.fault("status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    job = await finished(await call("POST", f"{LIST}/digits/start"))
    assert job["state"] == "failed"
    assert job["error"]["code"] == "outcome_unknown"
    assert "Now digits is stopped." in job["error"]["message"]


async def test_the_lost_answer_of_a_profile_is_settled(call, server, finished):
    path = f"{LIST}/digits/profile"

    async def save(kernels):
        document = (await call("GET", path)).json["profile"]
        document["policy"]["kernel_min"] = kernels
        server.received()
        job = await finished(await call("PUT", path, {"profile": document}))
        puts = [request for request in server.received() if request["method"] == "PUT"]
        assert len(puts) == 1
        return job

    server.fault("commit-reset", "PUT", times=1)
    assert (await save(2))["state"] == "done"
    server.fault("status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    job = await save(3)
    assert (job["state"], job["error"]["code"]) == ("failed", "not_saved")
    assert "The profile of digits was not saved: " in job["error"]["message"]
    server.fault("commit-status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    server.rewrite("digits", {"policy": {"kernel_min": 9}})
    job = await save(4)
    assert job["error"]["code"] == "outcome_unknown"
    assert "policy.kernel_min is 9, not 4." in job["error"]["message"]
