"""Environments over the façade: agreement by host, tokens that stay where they were agreed to."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from support.scripted_edi import Reply as EdiReply
from support.scripted_edi import scripted_edi

from edi_labext.extension.urls import ROUTES

MINE = "edi/environments/mine"
PASTED = "canary-pasted-9d8e7f6a5b4c"


@pytest.fixture
def settings(jp_config_dir) -> Path:
    """The settings file of this test's server."""
    return jp_config_dir / "edi_labext" / "environments.json"


@pytest.fixture
def edi():
    with scripted_edi() as server:
        server.on("GET", "/model", EdiReply.json([]))
        yield server


@pytest.fixture
def elsewhere():
    with scripted_edi() as server:
        server.on("GET", "/model", EdiReply.json([]))
        yield server


def body(server, **more):
    return {"title": "Mine", "address": server.url, "confirmed_hosts": [host(server)], **more}


def host(server):
    return server.origin.removeprefix("http://")


def variable(server):
    return {"source": {"kind": "variable"}, "confirmed_hosts": [host(server)]}


def mine(info):
    return next(item for item in info["environments"] if item["id"] == "mine")


async def test_added_used_tested_and_removed(call, edi, canary, settings):
    added = await call("PUT", MINE, body(edi))
    assert added.status == 200, added.body
    assert mine(added.json)["problem"]["code"] == "no_token"
    assert (await call("GET", f"{MINE}/deployments")).json["code"] == "no_token"
    chosen = await call("PUT", f"{MINE}/token", variable(edi))
    assert mine(chosen.json)["problem"] is None
    assert mine(chosen.json)["token_source"] == "variable"
    assert (await call("GET", f"{MINE}/deployments")).json["deployments"] == []
    assert edi.received[-1].headers["x-auth-token"] == canary
    report = (await call("POST", f"{MINE}/test")).json
    assert report["ok"]
    assert [step["name"] for step in report["steps"]] == [
        "address",
        "resolve",
        "connect",
        "token",
        "authenticate",
        "permissions",
        "version",
    ]
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert canary not in settings.read_text()
    removed = await call("DELETE", MINE)
    assert [item["id"] for item in removed.json["environments"]] == ["local"]
    assert (await call("GET", f"{MINE}/deployments")).status == 404


@pytest.mark.parametrize("confirmed", [[], ["127.0.0.1"], ["wmla.example.com"], ["x" * 300]])
async def test_an_address_needs_its_host_named(call, edi, confirmed, settings):
    reply = await call("PUT", MINE, {**body(edi), "confirmed_hosts": confirmed})
    assert reply.status == 409
    assert reply.json["code"] == "confirmation_needed"
    assert reply.json["detail"] == host(edi)
    assert not settings.exists() or "mine" not in settings.read_text()
    assert edi.received == []


async def test_a_direct_post_of_another_origin_clears_the_token(call, edi, elsewhere, canary):
    await call("PUT", MINE, body(edi))
    await call("PUT", f"{MINE}/token", variable(edi))
    source = {"source": {"kind": "session", "token": PASTED}, "confirmed_hosts": [host(edi)]}
    await call("PUT", f"{MINE}/token", source)
    await call("GET", f"{MINE}/deployments")
    moved = await call("PUT", MINE, body(elsewhere))
    assert moved.status == 200
    told = mine(moved.json)
    assert (told["token_source"], told["token_pasted"]) == (None, False)
    for verb, path in (
        ("GET", f"{MINE}/deployments"),
        ("GET", f"{MINE}/deployments/digits"),
        ("GET", f"{MINE}/runtimes"),
    ):
        reply = await call(verb, path)
        assert (reply.status, reply.json["code"]) == (409, "no_token")
    report = (await call("POST", f"{MINE}/test")).json
    assert not report["ok"]
    assert report["steps"][-1]["name"] == "token"
    for request in elsewhere.received:
        assert "x-auth-token" not in request.headers
        assert "authorization" not in request.headers
    # And what was agreed to for one host says nothing of the other.
    refused = await call("PUT", f"{MINE}/token", variable(edi))
    assert refused.json["code"] == "confirmation_needed"


async def test_an_old_list_is_not_shown_for_another_address(call, edi, elsewhere):
    edi.on("GET", "/model", EdiReply.json([{"name": "digits", "kernel_path": "k.py"}]))
    await call("PUT", MINE, body(edi))
    await call("PUT", f"{MINE}/token", variable(edi))
    assert len((await call("GET", f"{MINE}/deployments")).json["deployments"]) == 1
    await call("PUT", MINE, body(elsewhere))
    assert (await call("GET", f"{MINE}/deployments")).json["code"] == "no_token"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rest_server": "https://evil.example.com"}, "unknown_field"),
        ({"token": "abc"}, "unknown_field"),
        ({"token_origins": ["https://evil.example.com"]}, "unknown_field"),
        ({"address": "http://wmla.example.com"}, "bad_address"),
        ({"address": "https://u:p@wmla.example.com"}, "bad_address"),
        ({"address": "https://wmla.example.com/?next=x"}, "bad_address"),
        ({"address": "file:///etc/passwd"}, "bad_address"),
        ({"address": ""}, "bad_address"),
        ({"inference_address": "http://other.example.com"}, "bad_address"),
        ({"title": ""}, "invalid_field"),
        ({"title": "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln"}, "invalid_field"),
        ({"verify": "no"}, "invalid_field"),
        ({"upload": "ftp"}, "invalid_field"),
        ({"proxy": "http://u:p@proxy:1"}, "invalid_field"),
        ({"ca_bundle": "/nowhere/at/all.pem"}, "bad_ca_bundle"),
        ({"client_certificate": "/nowhere/at/all.pem"}, "bad_client_certificate"),
        ({"confirmed_hosts": "wmla.example.com"}, "invalid_field"),
    ],
)
async def test_bodies_that_are_refused(call, edi, change, code, settings):
    reply = await call("PUT", MINE, {**body(edi), **change})
    assert reply.status in (400, 409)
    assert reply.json["code"] == code
    assert "u:p" not in reply.body.decode()
    assert not settings.exists()


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "command", "command": ["sh", "-c", "id"]},
        {"kind": "login", "username": "me"},
        {"kind": "variable", "variable": "AWS_SECRET_ACCESS_KEY"},
        {"kind": "file"},
        {"kind": "file", "path": "relative"},
        {"kind": "session"},
        {"kind": "session", "token": ""},
        {"kind": "session", "token": "two\nlines-of-secret"},
        {"kind": "session", "token": "secret" * 5000},
        "secret",
        None,
    ],
)
async def test_tokens_that_are_refused(call, edi, source, caplog):
    """Programs are for the command line, where whoever adds them can run them anyway."""
    await call("PUT", MINE, body(edi))
    request = {"source": source, "confirmed_hosts": [host(edi)]}
    reply = await call("PUT", f"{MINE}/token", request)
    assert reply.status in (400, 409), reply.body
    assert "secret" not in reply.body.decode().lower().replace("aws_secret_access_key", "")
    assert "lines-of-secret" not in caplog.text
    assert (await call("GET", f"{MINE}/deployments")).json["code"] == "no_token"


@pytest.mark.parametrize("env", ["local", "wmla"])
async def test_given_environments_are_not_changed(call, wmla, env):
    for verb, path, sent in (
        ("PUT", f"edi/environments/{env}", body(wmla)),
        ("DELETE", f"edi/environments/{env}", None),
        ("PUT", f"edi/environments/{env}/token", variable(wmla)),
    ):
        reply = await call(verb, path, sent)
        assert reply.status in (400, 409), (verb, path)
        assert reply.json["code"] in ("invalid_name", "not_stored")


@pytest.mark.parametrize("name", ["A", "a%20b", "-a", "..%2Fx", "x" * 64])
async def test_names_that_an_environment_cannot_have(call, edi, name, settings):
    reply = await call("PUT", f"edi/environments/{name}", body(edi))
    assert (reply.status, reply.json["code"]) == (400, "invalid_name")
    assert not settings.exists()


async def test_a_pasted_token_never_comes_back(call, edi, settings, caplog):
    caplog.set_level("DEBUG")
    await call("PUT", MINE, body(edi))
    source = {"source": {"kind": "session", "token": PASTED}, "confirmed_hosts": [host(edi)]}
    seen = [(await call("PUT", f"{MINE}/token", source)).body]
    edi.on("GET", "/model", EdiReply(401, f"bad token {PASTED}".encode()))
    refused = await call("GET", f"{MINE}/deployments")
    assert refused.json["code"] == "upstream_unauthorized"
    assert "Paste a new one" in refused.json["hint"]
    assert "USER_ACCESS_TOKEN" not in refused.body.decode()
    told = mine((await call("GET", "edi/info")).json)
    assert "Paste a new one" in told["token_advice"]
    assert told["token_variable"] is None
    seen += [refused.body, (await call("GET", "edi/info")).body]
    seen.append((await call("POST", f"{MINE}/test")).body)
    assert {request.headers.get("x-auth-token") for request in edi.received} == {None, PASTED}
    assert PASTED not in b"".join(seen).decode() + caplog.text + settings.read_text()
    assert PASTED not in json.dumps(dict(os.environ))
    gone = await call("DELETE", f"{MINE}/token")
    assert mine(gone.json)["token_pasted"] is False
    assert (await call("GET", f"{MINE}/deployments")).json["code"] == "no_token"


async def test_no_route_takes_an_address_in_its_body(call, edi, wmla):
    """The only way to another address is the one that asks for its host by name."""
    for route in ROUTES:
        for verb in ("post", "put", "delete"):
            if verb not in vars(route.handler):
                continue
            path = route.url(env="wmla", name="digits", job="x")
            sent = {"rest_server": edi.url}
            reply = await call(verb.upper(), path, sent)
            assert reply.status == 400, path
            assert reply.json["code"] in ("unknown_field", "missing_field"), path
    assert edi.received == []


async def test_what_is_not_mentioned_stays(call, edi, settings):
    await call("PUT", MINE, body(edi, proxy="none"))
    await call("PUT", MINE, {"title": "Other", "address": edi.url})
    kept = json.loads(settings.read_text())["environments"]["mine"]
    assert (kept["title"], kept["proxy"]) == ("Other", "none")


async def test_an_unchecked_certificate_is_told_and_logged(call, edi, caplog):
    reply = await call("PUT", MINE, body(edi, verify=False))
    assert mine(reply.json)["insecure"] is True
    await call("PUT", f"{MINE}/token", variable(edi))
    assert caplog.text.count("NOT checked") == 1


async def test_a_broken_settings_file_is_told(call, wmla, settings):
    settings.parent.mkdir(parents=True)
    settings.write_text('{"enviroments": {}}')
    settings.chmod(0o600)
    info = (await call("GET", "edi/info")).json
    assert [item["id"] for item in info["environments"]] == ["local", "wmla"]
    assert info["environments_problem"]["code"] == "bad_environments_file"
    assert "environments" in info["environments_problem"]["message"]


async def test_the_expiry_of_a_token_is_told(call, edi, monkeypatch):
    monkeypatch.setenv("USER_ACCESS_TOKEN", "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2ln")
    await call("PUT", MINE, body(edi))
    told = mine((await call("PUT", f"{MINE}/token", variable(edi))).json)
    assert told["token_expires"] == 1_700_000_000
    assert told["problem"]["code"] == "token_expired"


class TestTrait:
    @pytest.fixture
    def jp_server_config(self, jp_server_config, edi):
        jp_server_config["EdiLabext"] = {"rest_server": edi.origin}
        return jp_server_config

    async def test_the_servers_own_setting_gives_an_address(self, call, edi, canary, monkeypatch):
        monkeypatch.setenv("EDI_REST_SERVER", "https://elsewhere.invalid")
        assert (await call("GET", "edi/environments/wmla/deployments")).json["deployments"] == []
        assert edi.received[-1].headers["x-auth-token"] == canary
