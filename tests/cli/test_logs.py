"""``edi logs``: the lines of the engine's log book, and a plain word where there is none."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.engine_process import ECHO
from support.scripted_edi import scripted_edi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import InvalidInput
from edi_labext.operations import undeploy

TALKS = ECHO.replace("while task", "print('asked', flush=True)\n        while task", 1)


@pytest.fixture
def talking(client: EdiClient, edi: CommandLine, folder: Callable[..., Path]) -> Iterator[str]:
    edi.lines("model", "deploy", "-p", str(folder("talking", TALKS)), "--wait")
    yield "talking"
    undeploy(client, "talking")


def test_lines_and_times(edi: CommandLine, client: EdiClient, talking: str) -> None:
    client.infer(talking, b"{}")
    lines = edi.lines("logs", talking)
    while "asked" not in lines:  # A thread of the engine reads what a kernel writes.
        lines = edi.lines("logs", talking)
    assert any(line.startswith("[engine] ") for line in lines)
    assert len(edi.lines("logs", talking, "-n", "1")) == 1
    *_, stamp, kernel, text = edi.lines("logs", talking, "-t", "-n", "1")[0].split(" ", 2)
    assert stamp.count("-") >= 2
    assert text == "asked"
    assert kernel


def test_pages_are_joined_without_a_gap(client: EdiClient, talking: str) -> None:
    whole = client.logs(talking, after=0, limit=2_000)
    assert whole is not None
    pieces, after = [], 0
    while (page := client.logs(talking, after=after, limit=1)) is not None and page.lines:
        pieces += page.lines
        after = page.lines[-1].number
    assert pieces[: len(whole.lines)] == whole.lines
    assert [line.number for line in pieces] == list(range(1, len(pieces) + 1))
    assert after == page.last
    with pytest.raises(InvalidInput):
        client.logs(talking, after=-1)


def test_following_goes_on_until_ctrl_c(edi: CommandLine, client: EdiClient, talking: str) -> None:
    process = edi.start("logs", talking, "-f", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    client.infer(talking, b"{}")
    assert any(line == "asked\n" for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said.strip()) == (130, "Interrupted.")


def test_following_ends_with_its_reader(edi: CommandLine, talking: str) -> None:
    """As for ``edi logs -f | head -1``, also when nothing more is written."""
    process = edi.start("logs", talking, "-f", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    with process.stderr as stderr:
        assert stderr.read() == ""
    assert process.wait(20) == 0


def test_an_edi_without_logs_says_so(alone: CommandLine) -> None:
    with scripted_edi() as server:
        SmallEdi(server, engine=False).add("m")
        command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        result = command("logs", "m")
        unknown = command("logs", "other")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "WMLA has no route for them" in result.stderr
    assert unknown.stderr == "Model <other> doesn't exist.\n"
