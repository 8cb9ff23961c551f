"""Questions at a real terminal (a pseudo-terminal), and what else only a terminal gets to see."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import ScriptedEdi, scripted_edi
from support.small_edi import SmallEdi


@dataclass
class Session:
    """What became of a command at a terminal."""

    status: int
    shown: str


@pytest.fixture
def server() -> Iterator[ScriptedEdi]:
    with scripted_edi() as running:
        yield running


@pytest.fixture
def small(server: ScriptedEdi) -> SmallEdi:
    made = SmallEdi(server, engine=False)
    made.add("m")
    return made


@pytest.fixture
def command(alone: CommandLine, server: ScriptedEdi) -> CommandLine:
    return alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN, TERM="xterm")


def at_terminal(command: CommandLine, *arguments: str, typed: str) -> Session:
    """Run with all streams on a terminal at which ``typed`` is typed at once."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    process = command.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # Linux's way to say that the other side is closed.
    finally:
        os.close(ours)
    return Session(process.wait(10), shown.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("typed", ["y\n", "what?\n\nYES\n"])
def test_a_yes(command: CommandLine, small: SmallEdi, typed: str) -> None:
    session = at_terminal(command, "model", "undeploy", "m", typed=typed)
    assert session.status == 0, session.shown
    assert "Do you want to remove model <m> and its files for good? (y|n): " in session.shown
    assert small.deployments == {}


@pytest.mark.parametrize("typed", ["No\n", "\x04"], ids=["No", "end of input"])
def test_a_no(command: CommandLine, small: SmallEdi, server: ScriptedEdi, typed: str) -> None:
    session = at_terminal(command, "model", "stop", "m", typed=typed)
    assert session.status == 1
    assert "Nothing was changed." in session.shown
    assert server.received == []


def test_ctrl_c_at_a_question(command: CommandLine, server: ScriptedEdi) -> None:
    # Typed at a terminal it becomes a signal only for its foreground, so it is sent here.
    ours, theirs = pty.openpty()
    process = command.start(
        "model", "stop", "m", stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
    )
    os.close(theirs)
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read(6) == "Do you"
        process.send_signal(2)
        assert process.stderr.read().endswith("Interrupted.\n")
    assert process.wait(10) == 130
    os.close(ours)
    assert server.received == []


def test_deploy_asks_before_it_uploads(
    command: CommandLine, small: SmallEdi, folder: Callable[[str], Path]
) -> None:
    session = at_terminal(command, "model", "deploy", "-p", str(folder("m")), typed="n\n")
    assert session.status == 1
    assert (
        "Model <m> already exists on inference service, do you want to update it? (y|n): "
        in session.shown
    )
    assert "Uploading" not in session.shown
    assert small.archives == []


@pytest.mark.parametrize("color", [True, False], ids=["colour", "NO_COLOR"])
def test_a_terminal_sees_a_bar_and_the_lines(
    command: CommandLine, small: SmallEdi, folder: Callable[[str], Path], color: bool
) -> None:
    small.deployments.clear()
    made = folder("m")
    quiet = command if color else command.set(NO_COLOR="1")
    session = at_terminal(quiet, "model", "deploy", "-p", str(made), typed="")
    assert session.status == 0, session.shown
    colours = re.findall(r"\x1b\[[0-9;]*m", session.shown)
    assert any(re.search(r"3\d|38", code) for code in colours) is color
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", session.shown).replace("\r", "\n")
    lines = [line for line in plain.splitlines() if line.strip()]
    wanted = [
        "Uploading...",
        *(f"<{made}/{name}> uploaded to server." for name in sorted(os.listdir(made))),
        "Registering...",
        "Model <m> is deployed successfully",
    ]
    assert [line for line in lines if line in wanted] == wanted


@pytest.mark.parametrize(("called", "told"), [("edi", True), ("dlim", False)])
def test_a_person_is_told_a_command_that_is_there(
    command: CommandLine, small: SmallEdi, called: str, told: bool
) -> None:
    """dlim's line names dlim whoever reads it; beside it a person sees what to type here."""
    named = replace(command, called=called)
    session = at_terminal(named, "model", "start", "m", typed="")
    assert session.shown == (
        'Starting model "m", run "dlim model view m -s" to ensure startup.\n'
        + 'edi: here that is "edi model view m -s", or start it with --wait.\n' * told
    )
