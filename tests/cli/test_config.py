"""``dlim config``: the address, log-ins, and tokens that stand alone on stdout."""

from __future__ import annotations

import base64
import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Received, Reply, ScriptedEdi, scripted_edi

from edi_labext.client import EdiClient
from edi_labext.operations import undeploy

PASSWORD = "canary-password-7a31"
USER_TOKEN, SERVICE_TOKEN = "user-token-of-the-test", "service-token-of-the-test"


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    with scripted_edi() as running:
        yield running


@pytest.fixture
def command(alone: CommandLine, server: ScriptedEdi) -> CommandLine:
    """With an EDI that was given by ``config -c``."""
    result = alone("config", "-c", server.url)
    assert result.exit_code == 0, result.output
    return alone


def logs_in(server: ScriptedEdi) -> None:
    answer = {"user_token": USER_TOKEN, "service_token": SERVICE_TOKEN}
    server.on("POST", "/auth/token", Reply.json(answer))


def basic(request: Received) -> str:
    return base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()


@pytest.mark.parametrize("form", ["{origin}/dlim/v1/", "{origin}/dlim/v1", "{origin}", "{origin}/"])
def test_the_address_is_kept_and_used(alone: CommandLine, server: ScriptedEdi, form: str) -> None:
    server.on("GET", "/model", Reply.json([{"name": "m", "kernel_path": "k"}]))
    result = alone("config", "-c", form.format(origin=server.origin))
    assert (result.exit_code, result.stdout) == (0, f"REST server is set to {server.url}\n")
    assert "USER_ACCESS_TOKEN goes to 127.0.0.1:" in result.stderr
    command = alone.set(USER_ACCESS_TOKEN=TOKEN)
    assert command.lines("model", "list") == ["NAME  REST URI", "m     -"]
    assert server.received[-1].headers["x-auth-token"] == TOKEN


def test_another_address_gets_no_token_of_the_first(
    command: CommandLine, server: ScriptedEdi
) -> None:
    with scripted_edi() as other:
        result = command("config", "-c", other.url)
        assert "USER_ACCESS_TOKEN goes to" in result.stderr
        other.on("GET", "/model", Reply.json([]))
        command.set(USER_ACCESS_TOKEN=TOKEN).lines("model", "list")
        assert len(other.received) == 1
    assert server.received == []


def test_a_log_in_prints_the_token_alone(command: CommandLine, server: ScriptedEdi) -> None:
    logs_in(server)
    result = command("config", "-t", "-u", "admin", "-x", PASSWORD)
    assert (result.exit_code, result.stdout) == (0, f"{USER_TOKEN}\n")
    assert basic(server.received[0]) == f"admin:{PASSWORD}"
    assert "ps" in result.stderr, "a password on the command line is not warned of"
    assert "not kept" in result.stderr
    assert PASSWORD not in result.output


def test_a_log_in_keeps_neither_password_nor_token(
    command: CommandLine, server: ScriptedEdi
) -> None:
    logs_in(server)
    command("config", "-t", "-u", "admin", "-x", PASSWORD)
    kept = command.store.parent
    for path in kept.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert PASSWORD.encode() not in data
            assert USER_TOKEN.encode() not in data


def test_a_password_on_stdin(command: CommandLine, server: ScriptedEdi) -> None:
    logs_in(server)
    result = command("config", "-t", "-u", "admin", "-x", "-", stdin=f"{PASSWORD}\n")
    assert (result.exit_code, result.stdout) == (0, f"{USER_TOKEN}\n")
    assert "ps" not in result.stderr
    assert basic(server.received[0]) == f"admin:{PASSWORD}"


@pytest.mark.parametrize("flag", ["-k", "-x"])
def test_cloud_pak_for_data_gives_the_token(
    command: CommandLine, server: ScriptedEdi, flag: str
) -> None:
    def answer(request: Received) -> Reply:
        if request.path == "/icp4d-api/v1/authorize":
            return Reply.json({"_messageCode_": "200", "message": "Success", "token": USER_TOKEN})
        return Reply(404, b"<html>nginx</html>")

    server.on("POST", "*", answer)
    result = command("config", "-t", "-u", "admin", flag, PASSWORD)
    assert (result.exit_code, result.stdout) == (0, f"{USER_TOKEN}\n"), result.output
    key = "api_key" if flag == "-k" else "password"
    assert json.loads(server.received[-1].body) == {"username": "admin", key: PASSWORD}
    # An API key is nothing to EDI's own log-in.
    assert len(server.received) == (1 if flag == "-k" else 2)


def test_a_token_for_inference(command: CommandLine, server: ScriptedEdi) -> None:
    server.on("POST", "/auth/token/inference", Reply.json({"service_token": SERVICE_TOKEN}))
    lines = command.set(USER_ACCESS_TOKEN=TOKEN).lines("config", "-s")
    assert lines == [SERVICE_TOKEN]
    logs_in(server)
    result = command("config", "-s", "-u", "admin", "-x", PASSWORD)
    assert (result.exit_code, result.stdout) == (0, f"{SERVICE_TOKEN}\n")
    assert server.received[-1].headers["x-auth-token"] == USER_TOKEN


def test_a_token_for_inference_where_the_users_own_does(
    command: CommandLine, server: ScriptedEdi
) -> None:
    assert command.set(USER_ACCESS_TOKEN=TOKEN).lines("config", "-s") == [TOKEN]


def test_a_wrong_password(command: CommandLine, server: ScriptedEdi) -> None:
    server.on("POST", "*", Reply(401, b"no"))
    result = command("config", "-t", "-u", "admin", "-x", PASSWORD)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did not accept user name and password" in result.stderr
    assert PASSWORD not in result.output


def test_with_a_keyring_the_environment_logs_in_by_itself(
    command: CommandLine, server: ScriptedEdi, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[tuple[str, str], str] = {}
    keyring = types.ModuleType("keyring")
    keyring.set_password = lambda *key: kept.__setitem__(key[:2], key[2])  # type: ignore[attr-defined]
    keyring.get_password = lambda *key: kept.get(key)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    logs_in(server)
    result = command("config", "-t", "-u", "admin", "-x", PASSWORD)
    assert (result.exit_code, result.stdout) == (0, f"{USER_TOKEN}\n")
    assert "The keyring keeps it" in result.stderr
    assert list(kept.values()) == [PASSWORD]
    server.on("GET", "/model", Reply.json([]))
    assert command.lines("model", "list") == ["NAME  REST URI"]
    assert server.received[-1].headers["x-auth-token"] == USER_TOKEN


def test_tokens_of_this_machines_engine(
    edi: CommandLine, client: EdiClient, folder: Callable[[str], Path]
) -> None:
    """Used as in the seed: a token in backticks, and a request with it."""
    edi.lines("model", "deploy", "-p", str(folder("asked")), "--wait")
    [token] = edi.lines("config", "-s")
    facts = json.loads((edi.store / "engine.json").read_text())
    secret = Path(facts["token_file"]).read_text().strip()
    [user_token] = edi("config", "-t", "-u", "me", "-x", secret).stdout.splitlines()
    for given in (token, user_token):
        answer = requests.post(
            f"{client.base_url}inference/asked",
            data="{}",
            headers={"Authorization": f"Bearer {given}"},
            timeout=10,
        )
        assert (answer.status_code, answer.text) == (200, "{}")
    undeploy(client, "asked")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-c"],
        ["-c", "http://example.com"],
        ["-c", "ftp://127.0.0.1"],
        ["-c", "https://user:pass@example.com"],
        ["-c", "https://example.com/?x=1"],
        ["-c", "example.com"],
        ["-c", "https://a.example.com", "-c", "https://b.example.com"],
        ["-t"],
        ["-t", "-u", "admin"],
        ["-t", "-u", "admin", "-x", "a", "-k", "b"],
        ["-t", "-u", "admin", "-x", ""],
        ["-t", "-u", "admin", "-x", "two\nlines"],
        ["-t", "-s", "-u", "admin", "-x", "a"],
        ["-s", "-x", "a"],
        ["-c", "https://example.com", "-u", "admin"],
        ["extra"],
    ],
    ids=repr,
)
def test_wrong_use(alone: CommandLine, arguments: list[str]) -> None:
    result = alone("config", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.output
    assert not alone.store.exists()
