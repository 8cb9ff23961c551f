"""The engine that a command leaves behind, and its end."""

from __future__ import annotations

import json
from pathlib import Path

from support.command_line import CommandLine
from support.processes import gone_within

from edi_labext.client import LocalEngine


def test_a_command_starts_an_engine_that_stays_until_it_is_stopped(alone: CommandLine) -> None:
    first = alone.run("model", "list")
    assert (first.returncode, first.stdout) == (0, "NAME  REST URI\n")
    assert '"edi serve --stop" ends it' in first.stderr
    facts = json.loads((alone.store / "engine.json").read_text())
    assert facts["owner"] == "background"
    assert alone.lines("model", "list") == ["NAME  REST URI"]

    assert alone.lines("serve", "--stop") == [
        f"Stopped the serving engine (process {facts['pid']})."
    ]
    assert gone_within([facts["pid"]], 0.1)
    assert not (alone.store / "engine.json").exists()

    again = alone("serve", "--stop")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == "No serving engine is running.\n"


def test_the_engine_of_a_terminal_can_be_stopped(alone: CommandLine) -> None:
    import subprocess

    process = alone.start(
        "serve", "--store", str(alone.store), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout:
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        result = alone.set(EDI_STORE="/nowhere")("serve", "--stop", "--store", str(alone.store))
        assert (result.exit_code, result.stderr) == (0, "")
    assert process.wait(10) == 0


def test_the_engine_of_a_jupyter_server_is_left_alone(edi: CommandLine) -> None:
    result = edi("serve", "--stop")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "belongs to a Jupyter server" in result.stderr
    assert LocalEngine(edi.store, "background").find() is not None


def test_stopping_makes_no_store(alone: CommandLine, tmp_path: Path) -> None:
    assert alone("serve", "--stop").exit_code == 0
    assert list(tmp_path.iterdir()) == []
