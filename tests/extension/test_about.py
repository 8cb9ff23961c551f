"""The answer to a page's first question: versions, environments, tokens that have ended."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_labext import __version__
from edi_labext.client.tokens import token_expiry


def jwt(claims: object) -> str:
    """Return a JSON Web Token that nobody has signed."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


@pytest.mark.parametrize("expiry", [1_700_000_000, 1.5, 0, -3, 253_402_300_800])
def test_a_token_says_when_it_ends(expiry):
    assert token_expiry(jwt({"sub": "x", "exp": expiry})) == expiry


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c.d",
        "a.%%%.c",
        "a.e30.c",
        jwt([]),
        jwt("exp"),
        jwt({"exp": None}),
        jwt({"exp": True}),
        jwt({"exp": "1700000000"}),
        jwt({"exp": 10**400}),
        "a." + base64.urlsafe_b64encode(b'{"exp": Infinity}').decode() + ".c",
        "a." + base64.urlsafe_b64encode(b'{"exp": 1e999}').decode() + ".c",
        "a." + base64.urlsafe_b64encode(b"[" * 6000).decode() + ".c",
    ],
)
def test_other_tokens_do_not_say(token):
    assert token_expiry(token) is None


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda b: f"a.{b!r}.c"))
def test_no_token_is_too_strange(token):
    assert token_expiry(token) is None


@pytest.fixture
def remote(call, monkeypatch):
    """Return what the browser is told of the remote EDI, given its token."""
    monkeypatch.setenv("EDI_REST_SERVER", "https://wmla.example.com")

    async def ask(token):
        monkeypatch.setenv("USER_ACCESS_TOKEN", token)
        reply = await call("GET", "edi/info")
        assert token not in reply.body.decode()
        return reply.json["environments"][1]

    return ask


async def test_a_token_that_has_ended_is_a_problem_that_names_the_next_step(remote):
    told = await remote(jwt({"exp": 1_700_000_000}))
    assert told["problem"]["code"] == "token_expired"
    assert "2023-11-14 22:13 UTC" in told["problem"]["message"]
    assert "USER_ACCESS_TOKEN" in told["problem"]["hint"]
    assert told["token_expires"] == 1_700_000_000


async def test_a_token_that_is_good_for_a_while_is_none(remote):
    end = int(time.time()) + 600
    told = await remote(jwt({"exp": end}))
    assert (told["problem"], told["token_expires"]) == (None, end)


async def test_a_token_that_ended_before_all_time_is_told_too(remote):
    assert (await remote(jwt({"exp": -1e18})))["problem"]["code"] == "token_expired"


async def test_an_opaque_token_is_left_to_the_edi(remote):
    told = await remote("opaque-0123456789")
    assert (told["problem"], told["token_expires"]) == (None, None)


async def test_a_token_without_address_names_no_environment(call, monkeypatch):
    monkeypatch.setenv("USER_ACCESS_TOKEN", jwt({"exp": 1}))
    [local] = (await call("GET", "edi/info")).json["environments"]
    assert (local["id"], local["problem"], local["token_expires"]) == ("local", None, None)


async def test_the_versions_of_both_halves_are_told(call, tmp_path, monkeypatch):
    monkeypatch.setattr("edi_labext.extension.about.jupyter_path", lambda name: [str(tmp_path)])
    info = (await call("GET", "edi/info")).json
    assert info["version"] == __version__
    assert info["server_extension"]["running"] == __version__
    assert info["server_extension"]["installed"] == __version__
    assert info["server_extension"]["frontend"] is None

    package = tmp_path / "edi_labext" / "package.json"
    package.parent.mkdir()
    for text, version in (
        ('{"version": "9.8.7"}', "9.8.7"),
        ('{"version": 1}', None),
        ("[]", None),
        ("{", None),
    ):
        package.write_text(text)
        info = (await call("GET", "edi/info")).json
        assert info["server_extension"]["frontend"] == version


async def test_no_place_on_the_server_is_told(call, jp_root_dir):
    body = (await call("GET", "edi/info")).body.decode()
    assert str(jp_root_dir.parent) not in body
    assert ".venv" not in body
