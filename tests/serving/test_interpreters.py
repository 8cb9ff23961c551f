"""Asking an interpreter whether it can run kernels: how often, and for how long."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from support.processes import gone_within

from edi_labext.errors import Unavailable
from edi_labext.serving.launchers import interpreters
from edi_labext.serving.launchers.base import LaunchSpec
from edi_labext.serving.launchers.interpreters import Interpreters


def spec(interpreter: Path, *, pre_exec: str = "") -> LaunchSpec:
    return LaunchSpec(
        kernel_id="k",
        interpreter=str(interpreter),
        kernel_file=Path("/nowhere/kernel.py"),
        working_directory=Path("/"),
        environment={"PATH": os.environ["PATH"]},
        umask=0o022,
        runtime_name="ml",
        pre_exec=pre_exec,
    )


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(stat.S_IRWXU)
    return path


def test_one_that_has_answered_is_not_asked_again_until_it_changes(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    path = script(tmp_path / "python", f'echo x >>{asked}\nexec {sys.executable} "$@"')
    known = Interpreters()
    for _ in range(3):
        known.check(spec(path))
    assert asked.read_text() == "x\n"
    path.write_text(path.read_text() + "# changed\n")
    known.check(spec(path))
    assert asked.read_text() == "x\nx\n"


def test_one_that_does_not_answer_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "PATIENCE", 1.5)
    path = script(tmp_path / "python", f"sleep 600 &\necho $! >{tmp_path}/child\nwait")
    with pytest.raises(Unavailable, match=r"does not run as a Python: no answer within 1\.5 s"):
        Interpreters().check(spec(path))
    assert gone_within([int((tmp_path / "child").read_text())], 10)


def test_what_it_says_beside_its_version_does_no_harm(tmp_path: Path) -> None:
    path = script(
        tmp_path / "python", f'echo welcome; echo hint >&2; {sys.executable} "$@"; echo "$?" >&2'
    )
    Interpreters().check(spec(path))


def test_a_version_alone_does_not_make_a_python(tmp_path: Path) -> None:
    for text in ("echo edi-python 3 12 0; exit 1", "echo edi-python", "echo Python 3.12"):
        with pytest.raises(Unavailable, match="does not run as a Python"):
            Interpreters().check(spec(script(tmp_path / "python", text)))


def test_pre_exec_may_mend_what_fails_without_it_but_not_what_is_too_old(tmp_path: Path) -> None:
    Interpreters().check(spec(script(tmp_path / "python", "exit 1"), pre_exec="module load x"))
    old = script(tmp_path / "old", "echo; printf 'edi-python 3 7 16'")
    with pytest.raises(Unavailable, match=r"old' is Python 3\.7\.16; kernels need Python 3\.8"):
        Interpreters().check(spec(old, pre_exec="module load x"))
