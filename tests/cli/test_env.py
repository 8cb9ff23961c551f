"""``edi env``: which EDIs there are, kept without tokens, and tested step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Reply, ScriptedEdi, scripted_edi


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    with scripted_edi() as running:
        running.on("GET", "/model", Reply.json([{"name": "digits", "kernel_path": "k.py"}]))
        running.on(
            "GET",
            "/model/digits/appprofile",
            Reply.json({"resource_allocation": {"kernel": {"resources": "ncpus=1"}}}),
        )
        yield running


@pytest.fixture
def edi(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "store").set(USER_ACCESS_TOKEN=TOKEN)


def settings(edi: CommandLine) -> Path:
    return edi.store.parent / "jupyter-config" / "edi_labext" / "environments.json"


def test_added_used_tested_and_forgotten(edi: CommandLine, server: ScriptedEdi) -> None:
    added = edi("env", "add", "mine", "--address", server.origin)
    assert (added.exit_code, added.stdout) == (0, "Environment <mine> is kept.\n")
    host = server.origin.removeprefix("http://")
    assert f"Its token goes to {host}, and nowhere else." in added.stderr
    assert edi.lines("env", "use", "mine") == ["Environment <mine> is used where none is named."]
    header, local, mine = edi.lines("env", "list")
    assert header.split() == ["ID", "ADDRESS", "TOKEN", "TITLE"]
    assert local.split()[0] == "local"
    assert mine.split()[:4] == ["*", "mine", server.url, "variable"]
    assert "digits" in edi.lines("model", "list")[1]
    assert "digits" in edi.lines("model", "list", "-e", "mine")[1]
    assert server.received[-1].headers["x-auth-token"] == TOKEN
    assert TOKEN not in settings(edi).read_text()
    assert edi.lines("env", "remove", "mine", "-f") == ["Environment <mine> is forgotten."]
    assert len(edi.lines("env", "list")) == 2
    assert not edi.store.exists(), "none of this starts an engine"


def test_every_step_of_a_test_is_printed(edi: CommandLine, server: ScriptedEdi) -> None:
    edi("env", "add", "mine", "--address", server.origin)
    lines = edi.lines("env", "test", "mine")
    told = [line.split()[:2] for line in lines if not line.startswith(" ")]
    assert told == [
        ["address", "ok"],
        ["resolve", "ok"],
        ["connect", "ok"],
        ["token", "ok"],
        ["authenticate", "ok"],
        ["permissions", "unknown"],
        ["version", "unknown"],
    ]
    assert "List yes, Publish unknown" in "\n".join(lines)
    assert "1 service" in lines[4]
    assert "WMLA 2.3 or newer" in lines[-1]
    tried = [request.path for request in server.received if request.method != "GET"]
    assert all("/edi-permission-test-" in path for path in tried), "nothing that is there"
    first = next(request for request in server.received if request.path == "/dlim/v1/model")
    assert "x-auth-token" not in first.headers, "the certificate comes before the token"


@pytest.mark.parametrize(
    ("reply", "step", "told"),
    [
        (Reply(401, b"no"), "authenticate", "did not accept the token"),
        (Reply(200, b"<html>Sign in"), "authenticate", "<html>Sign in"),
        (Reply(302, headers={"Location": "https://login.example.com/"}), "authenticate", "login."),
        (Reply(raw=b"SSH-2.0\r\n"), "authenticate", "does not speak HTTP"),
    ],
)
def test_a_step_that_fails_is_the_last(
    edi: CommandLine, server: ScriptedEdi, reply: Reply, step: str, told: str
) -> None:
    server.on("GET", "/model", reply)
    edi("env", "add", "mine", "--address", server.origin)
    result = edi("env", "test", "mine")
    assert result.exit_code == 1
    last = [line for line in result.stdout.splitlines() if not line.startswith(" ")][-1]
    assert last.split()[:2] == [step, "failed"]
    assert told in last
    assert TOKEN not in result.output


def test_a_missing_permission_is_found(edi: CommandLine, server: ScriptedEdi) -> None:
    server.on("GET", "/model", Reply(403, b"denied"))
    server.on("GET", "/deployment/runtime", Reply(403, b"denied"))
    edi("env", "add", "mine", "--address", server.origin)
    result = edi("env", "test", "mine", "-o", "json")
    steps = {step["step"]: step for step in json.loads(result.stdout)}
    assert steps["authenticate"]["ok"] is True
    assert steps["permissions"]["ok"] is False
    assert "List no" in steps["permissions"]["text"]
    assert result.exit_code == 1


def test_an_expired_token_is_named_before_it_is_sent(edi: CommandLine, server: ScriptedEdi) -> None:
    expired = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2ln"
    edi("env", "add", "mine", "--address", server.origin)
    result = edi.set(USER_ACCESS_TOKEN=expired)("env", "test", "mine")
    assert result.exit_code == 1
    assert "expired at 2023-11-14 22:13 UTC" in result.stdout
    assert all("x-auth-token" not in request.headers for request in server.received)


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "mine"],
        ["add", "local", "--address", "https://a.example.com"],
        ["add", "A B", "--address", "https://a.example.com"],
        ["add", "mine", "--address", "https://u:p@a.example.com"],
        ["add", "mine", "--address", "http://a.example.com"],
        ["add", "mine", "--address", "https://a.example.com?x"],
        ["add", "mine", "--address", "https://a.example.com", "--token", "eyJhbGciOi.x.y"],
        ["add", "mine", "--address", "https://a.example.com", "--token", "variable:A B"],
        ["add", "mine", "--address", "https://a.example.com", "--token", "command:'x"],
        ["add", "mine", "--address", "https://a.example.com", "--token", "command:"],
        ["add", "mine", "--address", "https://a.example.com", "--secret", "keyring"],
        ["add", "mine", "--address", "https://a.example.com", "--ca-bundle", "/nowhere"],
        ["add", "mine", "--address", "https://a.example.com", "--client-key", "/nowhere"],
        ["add", "mine", "--address", "https://a.example.com", "--proxy", "http://u:p@p:1"],
        ["add", "mine", "--address", "https://a.example.com", "--upload", "ftp"],
        ["use", "nobody"],
        ["test", "nobody"],
        ["remove", "nobody", "-f"],
    ],
)
def test_wrong_use(edi: CommandLine, arguments: list[str]) -> None:
    result = edi("env", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert not settings(edi).exists()


def test_an_existing_one_is_not_overwritten_unasked(edi: CommandLine, server: ScriptedEdi) -> None:
    edi("env", "add", "mine", "--address", server.origin)
    before = settings(edi).read_bytes()
    assert edi("env", "add", "mine", "--address", "https://a.example.com").exit_code == 2
    assert settings(edi).read_bytes() == before
    assert edi("env", "add", "mine", "-f", "--address", "https://a.example.com").exit_code == 0


def test_the_token_of_another_server_is_not_taken_unasked(edi: CommandLine) -> None:
    command = edi.set(EDI_REST_SERVER="https://wmla.example.com")
    result = command("env", "add", "mine", "--address", "https://a.example.com")
    assert result.exit_code == 2
    assert "belongs to EDI_REST_SERVER" in result.stderr
    assert command("env", "add", "mine", "--address", "https://wmla.example.com/").exit_code == 0


def test_a_variable_goes_before_the_chosen_one(edi: CommandLine, server: ScriptedEdi) -> None:
    edi("env", "add", "mine", "--address", server.origin)
    command = edi.set(EDI_REST_SERVER="https://wmla.example.com")
    assert "EDI_REST_SERVER is set" in command("env", "use", "mine").stderr


def test_an_unchecked_certificate_is_said_on_stderr(edi: CommandLine, server: ScriptedEdi) -> None:
    added = edi("env", "add", "mine", "--address", server.origin, "--no-verify")
    assert "NOT checked" in added.stderr
    listed = edi("model", "list", "-e", "mine")
    assert listed.exit_code == 0
    assert "NOT checked" in listed.stderr
    assert "NOT checked" in edi("env", "list").stdout


def test_a_broken_file_is_named_with_its_fault(edi: CommandLine, server: ScriptedEdi) -> None:
    edi("env", "add", "mine", "--address", server.origin)
    text = settings(edi).read_text().replace('"verify"', '"verfy"')
    settings(edi).write_text(text)
    for arguments in (["model", "list"], ["model", "list", "-e", "mine"], ["env", "list"]):
        result = edi(*arguments)
        assert result.exit_code == 2
        assert "did you mean verify" in result.stderr
        assert str(settings(edi)) in result.stderr


def test_a_token_given_with_the_call_goes_before_the_kept_source(
    edi: CommandLine, server: ScriptedEdi, tmp_path: Path
) -> None:
    edi("env", "add", "mine", "--address", server.origin, "--token", "session")
    assert edi("model", "list", "-e", "mine").exit_code == 2
    (tmp_path / "token").write_text("of-a-file\n")
    result = edi("model", "list", "-e", "mine", "--jwt-token", f"@{tmp_path}/token")
    assert result.exit_code == 0, result.output
    assert server.received[-1].headers["x-auth-token"] == "of-a-file"


@pytest.mark.parametrize("flags", [["-e", "local"], ["--rest-server", "https://a.example.com"]])
def test_global_flags_have_no_meaning_here(edi: CommandLine, flags: list[str]) -> None:
    assert edi(*flags, "env", "list").exit_code == 2
