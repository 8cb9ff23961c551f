"""Tab behind %edi."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from edi_labext.client import EdiClient
from edi_labext.magics import session as session_module
from edi_labext.magics.session import Session
from edi_labext.magics.verbs import VERBS
from edi_labext.operations import deploy_folder, sample_folder


def complete(shell: InteractiveShell, text: str) -> list[str]:
    """Return what the line may become, as the notebook's frontend would put it together."""
    cursor = text.index("|")
    code = text.replace("|", "")
    with provisionalcompleter():
        found = list(shell.Completer.completions(code, cursor))
    lines = [code[: item.start] + item.text + code[item.end :] for item in found]
    # To offer what is there already is to offer nothing.
    return [] if lines == [code] else lines


def test_verbs(shell: InteractiveShell) -> None:
    assert complete(shell, "%edi |") == [f"%edi {verb}" for verb in VERBS]
    assert complete(shell, "%edi de|") == ["%edi deploy"]
    assert complete(shell, "rows = %edi li|") == ["rows = %edi list"]
    assert complete(shell, "x = 1\n%edi sto|") == ["x = 1\n%edi stop"]
    assert complete(shell, "%edi help rest|") == ["%edi help restart"]
    assert complete(shell, "%edi nothing |") == []


def test_only_verbs_with_a_cell_behind_two_signs(shell: InteractiveShell) -> None:
    assert complete(shell, "%%edi |\n{}") == ["%%edi profile\n{}", "%%edi infer\n{}"]


def test_other_lines_are_left_alone(shell: InteractiveShell) -> None:
    assert "%edit" in complete(shell, "%edi|")
    assert complete(shell, "impor|") == ["import"]
    shell.user_ns["edible"] = {"alpha": 1}
    assert "edible" in complete(shell, "edi|")


def test_flags(shell: InteractiveShell) -> None:
    assert complete(shell, "%edi infer x --t|") == ["%edi infer x --timeout"]
    assert complete(shell, "%edi stop -|") == [
        f"%edi stop {flag}" for flag in ("--force", "-f", "--timeout", "--env", "-e")
    ]
    assert "%edi stop -f --force" not in complete(shell, "%edi stop -f --|")
    assert complete(shell, "%edi list -e lo|") == ["%edi list -e local"]
    assert complete(shell, "%edi env |") == ["%edi env local"]
    assert complete(shell, "%edi start x --timeout |") == []


def test_variables_for_the_answer(shell: InteractiveShell) -> None:
    shell.user_ns["answers"] = 1
    assert complete(shell, "%edi infer x -o answ|") == ["%edi infer x -o answers"]


def test_folders_and_files(shell: InteractiveShell) -> None:
    Path("digits/payloads").mkdir(parents=True)
    Path("digits/three.json").write_text("")
    Path("notes.txt").write_text("")
    Path(".hidden").mkdir()
    Path("a b").mkdir()
    assert complete(shell, "%edi deploy |") == ["%edi deploy digits/"]
    assert complete(shell, "%edi deploy ./dig|") == ["%edi deploy ./digits/"]
    assert complete(shell, "%edi check digits/|") == ["%edi check digits/payloads/"]
    assert complete(shell, "%edi infer x -f digits/|") == [
        "%edi infer x -f digits/payloads/",
        "%edi infer x -f digits/three.json",
    ]
    assert complete(shell, "%edi deploy nowhere/|") == []


def test_names_without_an_engine_start_none(shell: InteractiveShell, tmp_path: Path) -> None:
    assert complete(shell, "%edi view |") == []
    assert not (tmp_path / "store").exists()


def test_names(connected: InteractiveShell, client: EdiClient) -> None:
    deploy_folder(client, sample_folder("pingpong"), name="named-one", start=False)
    for verb in ("view", "start", "stop -f", "logs -n 3", "infer -o x", "undeploy"):
        assert complete(connected, f"%edi {verb} named|") == [f"%edi {verb} named-one"]
    assert complete(connected, "%%edi infer na|\n{}") == ["%%edi infer named-one\n{}"]
    assert complete(connected, "%edi infer named-one |") == []


def test_a_slow_edi_does_not_hold_up_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "NAMES_PATIENCE", 0.01)
    answered = threading.Event()
    asked = threading.Event()

    class Slow(Session):
        def _ask_names(self, environment: str) -> list[str]:
            asked.set()
            answered.wait(20)
            return ["late"]

    session = Slow({})
    assert session.names("local") == []
    assert asked.is_set()
    # A second look does not start while the first lasts.
    asked.clear()
    assert session.names("local") == []
    assert not asked.is_set()
    answered.set()
    with session._looking:
        pass
    assert session.names("local") == ["late"]
