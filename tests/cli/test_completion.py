"""Shell completion, asked for as a shell does."""

from __future__ import annotations

import subprocess

import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Reply, scripted_edi

from edi_labext.cli import suggestions
from edi_labext.client import EdiClient
from edi_labext.operations import deploy_folder, sample_folder, undeploy


def asking(command: CommandLine, typed: str) -> CommandLine:
    words = typed.split(" ")
    return command.set(
        _EDI_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1)
    )


def complete(command: CommandLine, typed: str) -> list[str]:
    done = asking(command, typed)()
    assert (done.exit_code, done.stderr) == (0, "")
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_a_shell_asks_a_process(alone: CommandLine) -> None:
    done = asking(alone, "edi model st").run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "plain,start\nplain,stop\n", "")


def test_verbs_flags_and_values(alone: CommandLine) -> None:
    assert complete(alone, "edi model st") == ["start", "stop"]
    assert complete(alone, "edi model start --wa") == ["--wait"]
    assert complete(alone, "edi model list -o ") == ["table", "json", "yaml"]
    assert complete(alone, "edi new s") == ["sklearn"]
    assert not alone.store.exists()


def test_services_that_there_are(edi: CommandLine, client: EdiClient) -> None:
    for name in ("suggested-one", "suggested-two"):
        deploy_folder(client, sample_folder("pingpong"), name=name, start=False)
    both = ["suggested-one", "suggested-two"]
    for verb in ("model start", "model view -s", "infer", "logs", "export", "promote"):
        assert complete(edi, f"edi {verb} sugg") == both
    assert complete(edi, "edi model stop suggested-t") == ["suggested-two"]
    assert complete(edi, "edi -e local model stop suggested-t") == ["suggested-two"]
    # No word of what is wrong, no warning, nothing read from stdin.
    assert complete(edi, "edi model stop --rest-server https://[ s") == []
    assert complete(edi, f"edi --rest-server https://x.example --jwt-token {TOKEN} infer s") == []
    assert complete(edi, "edi --rest-server https://x.example --jwt-token - infer s") == []
    for name in both:
        undeploy(client, name)


def test_nothing_is_started_for_it(alone: CommandLine) -> None:
    assert complete(alone, "edi model start ") == []
    assert not alone.store.exists()


def test_an_edi_that_takes_its_time_is_not_waited_for(
    alone: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "PATIENCE", 0.05)
    with scripted_edi() as server:
        server.on("GET", "/model", Reply.json([{"name": "late", "kernel_path": "k.py"}]))
        remote = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        server.gate.clear()
        assert complete(remote, "edi model start ") == []
        server.gate.set()
        monkeypatch.setattr(suggestions, "PATIENCE", 20)
        assert complete(remote, "edi model start ") == ["late"]


def test_environments_that_there_are(alone: CommandLine) -> None:
    added = alone("env", "add", "prod", "--address", "https://wmla.example.com")
    assert added.exit_code == 0
    assert complete(alone, "edi -e ") == ["local", "prod"]
    assert complete(alone, "edi model list -e p") == ["prod"]
    for verb in ("env use", "env test", "env remove", "promote digits --to"):
        assert complete(alone, f"edi {verb} p") == ["prod"]


def test_descriptions_in_fish_have_commas(alone: CommandLine) -> None:
    script = alone("completion", "fish").stdout
    assert 'string split --max 1 "," $completion' in script


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
