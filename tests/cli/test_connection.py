"""Which EDI is meant, and where the token goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Reply, ScriptedEdi, scripted_edi

from edi_labext.cli.connection import Target, resolve

SERVER = "https://wmla.example.com/dlim/v1/"
OTHER = "https://other.example.com"


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    with scripted_edi() as running:
        running.on("GET", "/model", Reply.json([]))
        yield running


@pytest.mark.parametrize(
    ("target", "env", "chosen"),
    [
        (Target(), {}, "local"),
        (Target(), {"EDI_REST_SERVER": " "}, "local"),
        (Target(), {"EDI_REST_SERVER": SERVER}, "wmla"),
        (Target(environment="local"), {"EDI_REST_SERVER": SERVER}, "local"),
        (Target(environment="wmla"), {"EDI_REST_SERVER": SERVER}, "wmla"),
        (Target(rest_server=SERVER), {}, "wmla"),
        (Target(rest_server=SERVER), {"EDI_REST_SERVER": SERVER}, "wmla"),
    ],
)
def test_which_edi_is_meant(target: Target, env: dict[str, str], chosen: str) -> None:
    assert resolve(target, env)[0] == chosen


@pytest.mark.parametrize(
    "written",
    [SERVER, SERVER[:-1], "https://wmla.example.com", "https://wmla.example.com/", f" {SERVER} "],
)
def test_an_address_in_any_form_that_people_paste(written: str) -> None:
    assert resolve(Target(rest_server=written), {})[1]["EDI_REST_SERVER"] == SERVER


@pytest.mark.parametrize(
    "written",
    [
        "",
        "wmla.example.com",
        "//wmla.example.com",
        "file:///etc/passwd",
        "ftp://wmla.example.com",
        "http://wmla.example.com/dlim/v1/",
        "https://user:hush-hush@wmla.example.com/",
        "https://wmla.example.com/?a=b",
        "https://wmla.example.com/../x",
        "https://[fe80::1%25eth0]/",
        "https://[",
        "https://exämple.com/",
    ],
)
def test_an_address_that_cannot_be_used(alone: CommandLine, written: str) -> None:
    result = alone("model", "list", "--rest-server", written, "--jwt-token", TOKEN)
    assert result.exit_code == 2
    assert "--rest-server" in result.stderr
    assert "EDI_REST_SERVER is" not in result.stderr
    assert "hush" not in result.stderr
    assert not alone.store.exists()


def test_the_token_of_the_environment_stays_with_its_server(server: ScriptedEdi) -> None:
    env = {"EDI_REST_SERVER": SERVER, "USER_ACCESS_TOKEN": TOKEN}
    with pytest.raises(click.UsageError, match="--jwt-token"):
        resolve(Target(rest_server=OTHER), env)
    chosen, variables = resolve(Target(rest_server=OTHER, jwt_token="mine"), env)
    assert (chosen, variables["USER_ACCESS_TOKEN"]) == ("wmla", "mine")
    # Same origin, other spelling: still its server.
    _, variables = resolve(Target(rest_server="https://wmla.example.com"), env)
    assert variables["USER_ACCESS_TOKEN"] == TOKEN


@pytest.mark.parametrize("given", [TOKEN, f"Bearer {TOKEN}", f'"{TOKEN}"', f" {TOKEN} "])
def test_a_token_on_the_command_line_is_taken_with_a_warning(
    alone: CommandLine, server: ScriptedEdi, given: str
) -> None:
    result = alone("model", "list", "--rest-server", server.url, "--jwt-token", given)
    assert result.exit_code == 0
    assert "ps" in result.stderr
    assert TOKEN not in result.output
    assert {request.headers["x-auth-token"] for request in server.received} == {TOKEN}


def test_a_token_of_a_file_needs_no_warning(
    alone: CommandLine, server: ScriptedEdi, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    result = alone(
        "model", "list", "--rest-server", server.url, "--jwt-token", f"@{tmp_path}/token"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert server.received[-1].headers["x-auth-token"] == TOKEN


@pytest.mark.parametrize("given", ["", "two\nlines", "Bearer ", "x" * 20_000, "@/nowhere/at/all"])
def test_a_token_that_cannot_be_one(alone: CommandLine, server: ScriptedEdi, given: str) -> None:
    result = alone("model", "list", "--rest-server", server.url, f"--jwt-token={given}")
    assert result.exit_code == 2
    assert server.received == []
    assert "two" not in result.stderr


def test_a_missing_token_is_said_with_a_way_out(alone: CommandLine) -> None:
    result = alone("model", "list", "--rest-server", SERVER)
    assert result.exit_code == 2
    assert "--jwt-token @FILE" in result.stderr
    assert "JupyterLab" not in result.stderr


def test_a_refused_token_is_said_without_it(alone: CommandLine, server: ScriptedEdi) -> None:
    server.on("GET", "/model", Reply(401, f"bad token {TOKEN}".encode()))
    command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
    result = command("model", "list")
    assert result.exit_code == 1
    assert "did not accept the token" in result.stderr
    assert TOKEN not in result.output
    assert "set USER_ACCESS_TOKEN to it" in result.stderr
    assert "JupyterLab" not in result.stderr


@pytest.mark.parametrize("also_variable", [False, True])
def test_a_refused_token_of_a_flag_is_to_be_given_again(
    alone: CommandLine, server: ScriptedEdi, tmp_path: Path, also_variable: bool
) -> None:
    server.on("GET", "/model", Reply(401, b"no"))
    given = tmp_path / "token"
    given.write_text(TOKEN)
    variables = {"USER_ACCESS_TOKEN": "another"} if also_variable else {}
    command = alone.set(EDI_REST_SERVER=server.url, **variables)
    result = command("model", "list", "--jwt-token", f"@{given}")
    assert {request.headers["x-auth-token"] for request in server.received} == {TOKEN}
    assert "give it with --jwt-token @FILE" in result.stderr
    assert "USER_ACCESS_TOKEN" not in result.stderr


def test_a_flag_with_a_token_needs_an_address_that_can_be_used(alone: CommandLine) -> None:
    result = alone.set(EDI_REST_SERVER="ftp://x")("model", "list", "--jwt-token", "@/dev/null")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rest-server", "URL", "model", "list"],
        ["model", "--rest-server", "URL", "list"],
        ["model", "list", "--rest-server", "URL"],
        ["-e", "wmla", "model", "list", "--rest-server", "URL"],
    ],
)
def test_global_flags_may_stand_anywhere(
    alone: CommandLine, server: ScriptedEdi, arguments: list[str]
) -> None:
    command = alone.set(USER_ACCESS_TOKEN=TOKEN)
    assert command.lines(*(server.url if word == "URL" else word for word in arguments)) == [
        "NAME  REST URI"
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-e", "local", "model", "list", "-e", "local"],
        ["model", "list", "-e", "local", "--environment", "local"],
        ["model", "list", "-e", "local", "--rest-server", SERVER],
        ["model", "list", "-e", "wmla"],
        ["model", "list", "-e", "elsewhere"],
        ["model", "list", "-e", ""],
        ["model", "list", "--jwt-token", TOKEN],
        ["model", "list", "-e", "local", "--jwt-token", TOKEN],
        ["model", "list", "--rest-server"],
    ],
)
def test_flags_that_make_no_sense(alone: CommandLine, arguments: list[str]) -> None:
    result = alone(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert TOKEN not in result.stderr
    assert not alone.store.exists()
