"""The command against an EDI that misbehaves: words, the right exit code, no token anywhere."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support.command_line import TOKEN, CommandLine
from support.misbehaving_edi import GATEWAY_PAGE, LOGIN_PAGE, MisbehavingEdi, misbehaving_edi
from support.scripted_edi import scripted_edi


@pytest.fixture(scope="module")
def process() -> Iterator[MisbehavingEdi]:
    with misbehaving_edi() as running:
        yield running


@pytest.fixture
def server(process: MisbehavingEdi) -> MisbehavingEdi:
    process.heal()
    process.accept(TOKEN)
    process.deny()
    process.add("digits")
    process.received()
    return process


@pytest.fixture
def edi(tmp_path: Path, server: MisbehavingEdi) -> CommandLine:
    command = CommandLine(tmp_path / "store")
    return command.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)


COMMANDS = [
    ["model", "list"],
    ["model", "view", "digits"],
    ["model", "viewprofile", "digits", "-j"],
    ["model", "start", "digits"],
    ["model", "stop", "digits", "-f"],
    ["infer", "digits", "--payload", "{}"],
]
FAULTS: dict[str, dict[str, object]] = {
    "login page": {"kind": "status", "status": 200, "body": LOGIN_PAGE},
    "gateway page": {"kind": "status", "status": 500, "body": GATEWAY_PAGE},
    "expired token": {"kind": "status", "status": 401, "body": b"expired"},
    "no permission": {"kind": "status", "status": 403, "body": b"denied"},
    "truncated": {"kind": "truncate"},
    "not utf-8": {"kind": "status", "status": 500, "body": b"\xff\xfe\x00" * 90},
    "redirect": {
        "kind": "status",
        "status": 302,
        "headers": {"Location": "https://login.example.com/x"},
    },
}


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_failure_is_told_in_words(
    edi: CommandLine, server: MisbehavingEdi, arguments: list[str], fault: dict[str, object]
) -> None:
    server.fault(**fault)  # type: ignore[arg-type]
    result = edi(*arguments)
    is_answer = arguments[0] == "infer" and fault.get("status") == 200
    changes = "start" in arguments or "stop" in arguments
    if is_answer or (changes and fault.get("status") == 200):
        # What a kernel says, and what a change answers, may be anything.
        assert result.exit_code == 0
    else:
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("Error: "), result.stderr
        assert result.stdout == ""
    assert "Traceback" not in result.output
    assert TOKEN not in result.output
    assert len(result.output) < 6000


def test_a_start_whose_answer_was_lost(edi: CommandLine, server: MisbehavingEdi) -> None:
    server.fault("commit-status", "PUT", status=504, body=GATEWAY_PAGE)
    assert edi("model", "start", "digits").exit_code == 0
    server.heal()
    server.add("digits")
    server.fault("status", "PUT", status=504, body=GATEWAY_PAGE)
    server.received()
    result = edi("model", "start", "digits")
    assert result.exit_code == 1
    assert "It is unknown whether digits was started" in result.stderr
    assert "Now digits is stopped." in result.stderr
    puts = [request for request in server.received() if request["method"] == "PUT"]
    assert len(puts) == 1


def test_a_profile_whose_answer_was_lost(
    edi: CommandLine, server: MisbehavingEdi, tmp_path: Path
) -> None:
    document = server.look()["profiles"]["digits"]
    document["kernel"]["gpu"] = "shared"
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))

    def update() -> tuple[int, str, str]:
        result = edi("model", "updateprofile", "digits", "-f", str(path))
        puts = [request for request in server.received() if request["method"] == "PUT"]
        assert len(puts) == 1
        return result.exit_code, result.stdout, result.stderr

    server.fault("status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    code, stdout, stderr = update()
    assert (code, stdout) == (1, "")
    assert stderr.startswith("Error: The profile of digits was not saved: ")
    server.fault("commit-reset", "PUT", times=1)
    assert update() == (0, "Model is updated successfully\n", "")
    assert server.look()["profiles"]["digits"] == document
    path.write_text(json.dumps({**document, "replica": 2}))
    server.fault("commit-status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    server.rewrite("digits", {"replica": 3})
    code, stdout, stderr = update()
    assert (code, stdout) == (1, "")
    assert stderr.startswith("Error: It is unknown whether the profile of digits was saved: ")
    assert "replica is 3, not 2." in stderr


def test_a_redirect_gets_no_token(edi: CommandLine, server: MisbehavingEdi) -> None:
    with scripted_edi() as other:
        server.fault("status", status=307, headers={"Location": f"{other.url}model"})
        result = edi("model", "list")
        assert result.exit_code == 1
        assert other.origin.removeprefix("http://") in result.stderr
        assert other.received == []


def test_a_token_that_expires_on_the_way(tmp_path: Path, server: MisbehavingEdi) -> None:
    """A file is read again, by the very command that meets the end."""
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o600)
    command = CommandLine(tmp_path / "store")
    command("env", "add", "mine", "--address", server.url, "--token", f"file:{path}")
    refused = command("model", "list", "-e", "mine")
    assert refused.exit_code == 1
    assert "Write a new one into token" in refused.stderr
    path.write_text(TOKEN)
    assert command("model", "list", "-e", "mine").exit_code == 0


# --- the token is nowhere -------------------------------------------------------------------------


class Watch:
    """Reads the command lines of all children of this process, again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        me = psutil.Process()
        while not self._end.wait(0.05):
            with contextlib.suppress(psutil.Error):
                for child in me.children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        self.seen.add(" ".join(child.cmdline()))

    def close(self) -> None:
        self._end.set()
        self._thread.join(10)


def test_the_token_is_in_no_argv_output_or_file(
    tmp_path: Path, server: MisbehavingEdi, folder: Callable[[str], Path]
) -> None:
    program = tmp_path / "print-token"
    program.write_text(
        f"#!{sys.executable}\nimport os, time\ntime.sleep(0.2)\nprint(os.environ['HIDDEN'])\n"
    )
    program.chmod(0o700)
    command = CommandLine(tmp_path / "store").set(USER_ACCESS_TOKEN=TOKEN, HIDDEN=TOKEN)
    made = folder("canary")
    watch = Watch()
    told: list[str] = []

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = command.run(*arguments)
        told.extend((done.stdout, done.stderr))
        return done

    try:
        for name, token in (("one", "variable:USER_ACCESS_TOKEN"), ("two", f"command:{program}")):
            added = command("env", "add", name, "--address", server.url, "--token", token)
            told.append(added.output)
        told.append(command("env", "list", "-o", "json").output)
        assert run("env", "test", "two").returncode == 0
        assert run("model", "deploy", "-p", str(made), "-e", "one").returncode == 0
        server.fault("status", status=500, body=f"You sent {TOKEN}".encode())
        assert run("model", "list", "-e", "two").returncode == 1
        server.heal()
        server.accept("another")
        told.append(command("model", "list", "-e", "one").output)
        told.append(command("env", "test", "two", "-o", "json").output)
    finally:
        watch.close()
    sent = {request["headers"].get("x-auth-token") for request in server.received()}
    assert TOKEN in sent, "it was used at all"
    assert any(str(program) in line for line in watch.seen), "children were seen"
    assert TOKEN not in json.dumps([told, sorted(watch.seen)])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "environments.json" for path in files)
    for path in files:
        assert TOKEN.encode() not in path.read_bytes(), path
        assert TOKEN not in os.fspath(path)
