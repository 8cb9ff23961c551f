"""Shell completion, asked for as a shell does."""

from __future__ import annotations

import subprocess

import pytest
from support.command_line import CommandLine


def complete(command: CommandLine, typed: str) -> list[str]:
    words = typed.split(" ")
    asking = command.set(
        _EDI_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1)
    )
    done = asking.run()
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_verbs_flags_and_values(alone: CommandLine) -> None:
    assert complete(alone, "edi model st") == ["start", "stop"]
    assert complete(alone, "edi model start --wa") == ["--wait"]
    assert complete(alone, "edi model list -o ") == ["table", "json", "yaml"]
    assert complete(alone, "edi new s") == ["sklearn"]
    assert not alone.store.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("called", ["edi", "dlim"])
def test_scripts_are_for_the_name_that_was_called(
    alone: CommandLine, shell: str, called: str
) -> None:
    script = CommandLine(alone.store, called=called)("completion", shell).stdout
    assert f"_{called.upper()}_COMPLETE={shell}_complete" in script
    assert f"_{called}_completion" in script


def test_bash_takes_the_script(alone: CommandLine) -> None:
    script = alone("completion", "bash").stdout
    done = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p edi"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "_edi_completion edi" in done.stdout
