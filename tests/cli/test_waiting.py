"""``--wait``: what dlim leaves to loops in scripts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.engine_process import ECHO
from support.scripted_edi import ScriptedEdi, scripted_edi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import NotFound

Folder = Callable[[str], Path]
STARTING = 'Starting model "{0}", run "dlim model view {0} -s" to ensure startup.'
STOPPING = 'Stopping model "{0}", run "dlim model view {0} -s" to ensure stop.'


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
    return alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)


def test_from_a_folder_to_an_answer_and_back(
    edi: CommandLine, client: EdiClient, folder: Folder
) -> None:
    made = folder("waited")
    assert edi.lines("model", "deploy", "-p", str(made), "--wait")[-3:] == [
        "Model <waited> is deployed successfully",
        STARTING.format("waited"),
        "Model <waited> is ready.",
    ]
    assert edi.lines("infer", "waited", "--payload", "{}") == ["{}"]
    assert edi.lines("model", "stop", "-f", "--wait", "waited") == [
        STOPPING.format("waited"),
        "Model <waited> is stopped.",
    ]
    assert edi.lines("model", "start", "waited", "--wait=60") == [
        STARTING.format("waited"),
        "Model <waited> is ready.",
    ]
    assert edi.lines("model", "undeploy", "waited", "-f", "--wait", "60") == [
        'Undeployed model "waited", run "dlim model list" to ensure deletion.'
    ]
    with pytest.raises(NotFound):
        client.get_model("waited")


@pytest.mark.parametrize(
    "flags",
    [
        ["--wait", "m"],
        ["m", "--wait"],
        ["--wait=5", "m"],
        ["--wait", "5", "m"],
        ["m", "--wait", "5"],
    ],
    ids=" ".join,
)
def test_a_number_after_the_flag_is_its_value_and_nothing_else(
    command: CommandLine, small: SmallEdi, flags: list[str]
) -> None:
    assert command.lines("model", "start", *flags)[-1] == "Model <m> is ready."


@pytest.mark.parametrize("value", ["0", "-1", "abc", "1e9", "nan", "", "86401"])
def test_a_time_that_is_none(alone: CommandLine, value: str) -> None:
    result = alone("model", "start", "m", f"--wait={value}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert not alone.store.exists()


def test_a_name_of_digits_can_still_be_given(command: CommandLine, small: SmallEdi) -> None:
    small.add("7")
    assert command.lines("model", "start", "--wait=9", "--", "7")[-1] == "Model <7> is ready."


def test_a_wait_that_is_too_short(command: CommandLine, small: SmallEdi) -> None:
    small.looks = 10_000
    began = time.monotonic()
    result = command("model", "start", "m", "--wait=0.2")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [STARTING.format("m")]
    assert "m was not ready within" in result.stderr
    assert time.monotonic() - began < 20


def test_what_is_not_there_is_not_waited_for(command: CommandLine, small: SmallEdi) -> None:
    for verb in (["start"], ["stop", "-f"], ["undeploy", "-f"]):
        result = command("model", *verb, "other", "--wait")
        assert (result.exit_code, result.output) == (1, "Model <other> doesn't exist.\n")


def test_a_failed_start_tells_the_reason_and_the_log(
    edi: CommandLine, client: EdiClient, folder: Folder
) -> None:
    made = folder("broken-start", kernel=f"raise SystemExit('no weights')\n{ECHO}")
    result = edi("model", "deploy", "-p", str(made), "--wait")
    assert result.exit_code == 1
    assert "broken-start failed to start" in result.stderr
    assert "no weights" in result.stderr
    assert edi("model", "undeploy", "broken-start", "-f", "--wait").exit_code == 0
