from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.engine import needs_engine

from edi_labext import __version__
from edi_labext.cli import main


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Record what would take this process's place."""
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda path, command: calls.append((path, command)))
    return calls


def test_the_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, f"edi {__version__}\n")


def test_serve_becomes_the_engine(executed: list[tuple[str, list[str]]], tmp_path: Path) -> None:
    options = ["--store", str(tmp_path), "--host", "::1", "--port", "8123"]
    assert CliRunner().invoke(main, ["serve", *options]).exit_code == 0
    [(path, command)] = executed
    assert path == sys.executable
    assert command == [
        sys.executable,
        "-P",
        "-m",
        "edi_labext.serving",
        "--owner",
        "terminal",
        *options,
    ]


def test_serve_leaves_defaults_to_the_engine(executed: list[tuple[str, list[str]]]) -> None:
    assert CliRunner().invoke(main, ["serve"]).exit_code == 0
    assert executed[0][1][-2:] == ["--owner", "terminal"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "extra"],
        ["serve", "--nonsense"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "x"],
        ["serve", "--port"],
        ["serve", "--store", __file__],
    ],
)
def test_wrong_use_ends_with_2(executed: list[tuple[str, list[str]]], arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert executed == []


def test_help_names_every_command_once() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    named = re.findall(r"^  ([a-z]+)  ", shown, re.MULTILINE)
    assert sorted(named) == sorted(main.list_commands(click.Context(main)))


@needs_engine
def test_serve_prints_one_line_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    top = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", "from edi_labext.cli import main; main()", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(top), "EDI_STORE": str(tmp_path / "store")},
    )
    assert process.stdout is not None
    with process.stdout as stdout:
        facts = json.loads(stdout.readline())
        assert facts["pid"] == process.pid
        assert Path(facts["token_file"]).parent == tmp_path / "store"
        process.send_signal(signal.SIGINT)
        assert stdout.read() == b""
    assert process.wait(20) == 0
