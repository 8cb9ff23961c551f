"""Bad inputs 111 to 119 of the project's list, as far as no other file of this room has them.

Addresses (112) and tokens (113, 114): ``test_connection.py``. Folders and files (115), pipes (117)
and Ctrl-C (118): ``test_endings.py``. Questions without a terminal (116): ``test_lines.py``. Files
that are written (119): ``test_pack.py``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

import click
import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Reply, ScriptedEdi, scripted_edi

from edi_labext.cli import main


def verbs(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield every command there is."""
    yield names
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs(command, *names, name)
        else:
            yield (*names, name)


EVERY = list(verbs(main))


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    with scripted_edi() as running:
        running.on("GET", "/model", Reply.json([]))
        yield running


# --- 111: the words themselves -------------------------------------------------------------------


@pytest.mark.parametrize("group", [[], ["model"], ["runtime"], ["env"]], ids=" ".join)
def test_no_command(alone: CommandLine, group: list[str]) -> None:
    result = alone(*group)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" not in result.stderr
    # The help, once.
    assert result.stderr == alone(*group, "--help").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--", "modle"],
        ["model", "list", "--", "-o"],
        ["model", "start", "a", "--wait=1", "--wait=2"],
        ["model", "list", "-o", "json", "-o", "yaml"],
        ["pack", ".", "-o", "a", "-o", "b"],
        ["plan", "-f", "a", "-f", "b"],
        ["model", "list", "--rest-server", "https://a", "--rest-server", "https://a"],
        ["infer", "a", "--timeout", "1", "--timeout", "1"],
    ],
    ids=" ".join,
)
def test_words_that_make_no_sense(alone: CommandLine, arguments: list[str]) -> None:
    result = alone(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr
    assert not alone.store.exists()


@pytest.mark.parametrize("names", EVERY, ids=" ".join)
def test_every_command_has_help_with_whole_sentences(
    alone: CommandLine, names: tuple[str, ...]
) -> None:
    result = alone(*names, "--help")
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    listed = re.search(r" Commands: (.*?)(?: Examples:|$)", shown)
    assert listed is None or "..." not in listed[1]
    assert shown.startswith(f"Usage: {' '.join(('edi', *names))} ")


@pytest.mark.parametrize("names", EVERY, ids=" ".join)
def test_every_command_refuses_an_unknown_flag(alone: CommandLine, names: tuple[str, ...]) -> None:
    result = alone(*names, "--no-such-flag")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--no-such-flag" in result.stderr
    assert not alone.store.exists()


# --- 112 to 114: addresses and tokens ------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1",
        "http://[2001:db8::1]/",
    ],
)
def test_addresses_of_ipv6(alone: CommandLine, address: str) -> None:
    result = alone("model", "list", "--rest-server", address, "--jwt-token", TOKEN)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


def test_this_machine_may_be_plain_http(alone: CommandLine) -> None:
    command = alone.set(USER_ACCESS_TOKEN=TOKEN)
    result = command("model", "list", "--rest-server", "http://[::1]:9")
    assert result.exit_code == 1, result.output


@pytest.mark.parametrize("given", ["-", "@-"])
def test_a_token_on_stdin_needs_no_warning(
    alone: CommandLine, server: ScriptedEdi, given: str
) -> None:
    result = alone(
        "model", "list", "--rest-server", server.url, "--jwt-token", given, stdin=f"{TOKEN}\n"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert server.received[-1].headers["x-auth-token"] == TOKEN


def test_a_token_that_has_expired_is_told_with_its_end(
    alone: CommandLine, server: ScriptedEdi
) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_000_000_000}).encode()).decode()
    server.on("GET", "/model", Reply(401, b"no"))
    command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=f"a.{claims.rstrip('=')}.c")
    result = command("model", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "expired" in result.stderr
    assert "2001-09-09" in result.stderr


# --- 117: terminals ------------------------------------------------------------------------------


def test_names_of_others_in_a_terminal_that_knows_only_ascii(
    alone: CommandLine, server: ScriptedEdi
) -> None:
    model = {"name": "m", "kernel_path": "k", "tag": "größer \x1b[31m", "runtime": "pythön"}
    server.on("GET", "/model", Reply.json([model]))
    server.on("GET", "/model/m", Reply.json(model))
    server.on("GET", "/model/m/instance", Reply.json({"name": "m", "state": "disabled"}))
    command = alone.set(
        LC_ALL="C",
        PYTHONCOERCECLOCALE="0",
        PYTHONUTF8="0",
        COLUMNS="1",
        EDI_REST_SERVER=server.url,
        USER_ACCESS_TOKEN=TOKEN,
    )
    for arguments in (["list", "-o", "table"], ["view", "m"], ["view", "m", "-o", "yaml"]):
        done = command.run("model", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert done.stdout.isascii()
        assert "\x1b" not in done.stdout
