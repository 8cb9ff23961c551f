"""The token goes to the origin that it is for, in a header, and nowhere else."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi, scripted_edi

from edi_labext.client import EdiClient, EnvironmentSet, LocalEngine
from edi_labext.client.tokens import FileToken, VariableToken, clean_token
from edi_labext.errors import EdiError, NotConfigured, UpstreamBadResponse


@pytest.fixture
def elsewhere() -> Iterator[ScriptedEdi]:
    with scripted_edi() as other:
        for method in ("GET", "POST", "PUT", "DELETE"):
            other.on(method, "*", Reply.json([]))
        yield other


def everything_about(error: BaseException) -> str:
    """Return all text that could be shown of an error and of whatever led to it."""
    parts = []
    seen: set[int] = set()
    stack: list[BaseException | None] = [error]
    while stack:
        item = stack.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        parts += [str(item), repr(item), repr(vars(item))]
        stack += [item.__cause__, item.__context__]
    parts.append("".join(traceback.format_exception(error)))
    if isinstance(error, EdiError):
        parts.append(repr(error.to_wire()))
    return "\n".join(parts)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_a_redirect_is_named_and_not_followed(
    edi: ScriptedEdi, elsewhere: ScriptedEdi, client: EdiClient, status: int
) -> None:
    target = f"{elsewhere.origin}/dlim/v1/model"
    for method in ("GET", "POST", "PUT", "DELETE"):
        edi.on(method, "*", Reply(status, b"moved" * 1000, headers={"Location": target}))
    for call in (
        client.list_models,
        lambda: client.start("a"),
        lambda: client.delete_model("a"),
        lambda: client.infer("a", b"{}"),
        lambda: client.deploy(io.BytesIO(b"x"), 1),
    ):
        with pytest.raises(UpstreamBadResponse) as raised:
            call()  # type: ignore[no-untyped-call]
        assert raised.value.code == "upstream_redirect"
        assert elsewhere.origin.removeprefix("http://") in raised.value.message
    assert elsewhere.received == []


@pytest.mark.parametrize("location", ["", "//[", "http://[::1", "http:///x", "\x7f", "/login"])
def test_a_broken_redirect_is_an_error_too(
    edi: ScriptedEdi, client: EdiClient, location: str
) -> None:
    edi.on("GET", "/model", Reply(302, headers={"Location": location}))
    with pytest.raises(UpstreamBadResponse):
        client.list_models()


def test_one_token_header_on_this_machine(edi: ScriptedEdi, client: EdiClient, canary: str) -> None:
    edi.on("GET", "/model", Reply.json([]))
    edi.on("POST", "/inference/a", Reply.json({}))
    client.list_models()
    client.infer("a", b"{}")
    for request in edi.received:
        assert request.headers["x-auth-token"] == canary
        assert "authorization" not in request.headers


def test_inference_elsewhere_carries_both_headers(
    edi: ScriptedEdi, client: EdiClient, canary: str
) -> None:
    client._exchange.transport.is_local = False
    edi.on("GET", "/model", Reply.json([]))
    edi.on("POST", "/inference/a", Reply.json({}))
    client.list_models()
    client.infer("a", b"{}")
    listed, asked = edi.received
    assert "authorization" not in listed.headers
    assert asked.headers["x-auth-token"] == canary
    assert asked.headers["authorization"] == f"Bearer {canary}"


def test_netrc_and_cookies_are_ignored(
    edi: ScriptedEdi,
    client: EdiClient,
    canary: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password stolen\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    edi.on("GET", "/model", Reply.json([], headers={"Set-Cookie": "session=1; Path=/"}))
    client.list_models()
    client.list_models()
    for request in edi.received:
        assert request.headers["x-auth-token"] == canary
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


@pytest.mark.parametrize("trust", [True, False])
def test_proxies_are_not_used_for_this_machine(
    edi: ScriptedEdi, elsewhere: ScriptedEdi, monkeypatch: pytest.MonkeyPatch, trust: bool
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, elsewhere.origin)
        monkeypatch.setenv(variable.lower(), elsewhere.origin)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    edi.on("GET", "/model", Reply.json([]))
    client = EdiClient(edi.url, lambda: "t", trust_proxies=trust)
    assert client.list_models() == []
    assert elsewhere.received == []


@pytest.mark.parametrize("trust", [True, False])
def test_proxies_are_used_for_others_only_when_trusted(
    elsewhere: ScriptedEdi, monkeypatch: pytest.MonkeyPatch, trust: bool
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, elsewhere.origin)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    # A plain address, so that the proxy sees the request itself.
    client = EdiClient("http://edi.invalid/dlim/v1/", lambda: "t", trust_proxies=trust)
    if trust:
        assert client.list_models() == []
        assert elsewhere.received[0].path == "http://edi.invalid/dlim/v1/model"
    else:
        with pytest.raises(EdiError):
            client.list_models()
        assert elsewhere.received == []


def test_an_answer_that_repeats_the_token_is_blotted(
    edi: ScriptedEdi, client: EdiClient, canary: str
) -> None:
    def debug_page(request: Received) -> Reply:
        sent = request.headers["x-auth-token"]
        return Reply(200, f"<html>You sent {sent}</html>".encode(), f"text/html; x={sent}")

    for method in ("GET", "POST"):
        edi.on(method, "*", debug_page)
    answer = client.infer("a", b"{}")
    assert canary.encode() not in answer.body
    assert canary not in repr(answer)
    assert b"You sent [token]" in answer.body
    with pytest.raises(UpstreamBadResponse) as raised:
        client.list_models()
    assert canary not in everything_about(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, b"bad token"),
        Reply(403, b"no"),
        Reply(500, b"<html>"),
        Reply(302, headers={"Location": "https://evil.example.com/"}),
        Reply(200, b"<html>"),
        Reply(200, b"[]", length=50),
        Reply(raw=b""),
        Reply(raw=b"nonsense"),
        Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500),
    ],
)
def test_no_error_holds_the_token(
    edi: ScriptedEdi,
    client: EdiClient,
    canary: str,
    reply: Reply,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    edi.on("GET", "/model", reply)
    with pytest.raises(EdiError) as raised:
        client.list_models()
    assert canary not in everything_about(raised.value)
    assert canary not in caplog.text


def test_no_error_of_a_dead_server_holds_the_token(
    edi: ScriptedEdi, client: EdiClient, canary: str
) -> None:
    edi.close()
    with pytest.raises(EdiError) as raised:
        client.list_models()
    assert canary not in everything_about(raised.value)


def test_no_object_shows_the_token(client: EdiClient, canary: str, tmp_path: Path) -> None:
    env = {"EDI_REST_SERVER": "https://wmla.example.com", "USER_ACCESS_TOKEN": canary}
    environments = EnvironmentSet(env, LocalEngine(tmp_path / "store", "jupyter"))
    remote = environments.connect("wmla")
    token_file = tmp_path / "token"
    token_file.write_text(canary)
    shown = [client, remote, environments, VariableToken(env), FileToken(token_file)]
    shown += [*environments.list(), environments.engine, remote._exchange.transport]
    for item in shown:
        assert canary not in f"{item!r} {item!s}"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("abc", "abc"),
        ("  abc\t", "abc"),
        ("Bearer abc", "abc"),
        ("bearer  abc", "abc"),
        ('"abc"', "abc"),
        ("'Bearer abc'", "abc"),
        ("Bearerabc", "Bearerabc"),
    ],
)
def test_a_token_as_people_paste_it(raw: str, clean: str) -> None:
    assert clean_token(raw, source="X") == clean


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "Bearer ",
        '""',
        "secret-abc\n",
        "secret-abc\r\nX-Evil: 1",
        "secret abc",
        "secret-äbc",
        "secret-\0",
        "secret-\x7f",
        "secret" * 5000,
    ],
)
def test_what_is_no_token_is_refused_and_not_repeated(raw: str) -> None:
    with pytest.raises(NotConfigured) as raised:
        clean_token(raw, source="USER_ACCESS_TOKEN")
    assert "USER_ACCESS_TOKEN" in raised.value.message
    assert "secret" not in everything_about(raised.value)


def test_a_token_file_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    path.chmod(0o600)
    assert FileToken(path)() == "abc"
    path.chmod(0o640)
    with pytest.raises(NotConfigured):
        FileToken(path)()
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(NotConfigured):
        FileToken(tmp_path / "link")()
    with pytest.raises(NotConfigured):
        FileToken(tmp_path / "nothing")()
