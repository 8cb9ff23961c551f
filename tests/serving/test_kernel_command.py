"""The piece of shell before a kernel, in every shell that this machine has for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.serving.launchers import command
from edi_labext.serving.launchers.command import PRE_EXEC_FAILED, kernel_command

PRINT = "import os, sys; print(sys.argv[1:], os.environ.get('A'), os.getpid())"


@pytest.fixture(params=["bash", "sh"])
def shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """bash, or what there is where bash is not."""
    if request.param == "sh":
        monkeypatch.setattr(command, "_SHELL_PATH", "/nowhere")
        return "/bin/sh"
    found = shutil.which("bash", path="/bin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip("no bash here")
    return found


def run(pre_exec: str, *arguments: str) -> tuple[subprocess.CompletedProcess[str], int]:
    words = kernel_command(sys.executable, ["-c", PRINT, *arguments], pre_exec)
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PATH": "/bin"}
    ) as process:
        out, complaint = process.communicate(timeout=20)
    return subprocess.CompletedProcess(words, process.returncode, out, complaint), process.pid


@pytest.mark.parametrize("nothing", ["", "  \n\t"])
def test_without_it_there_is_no_shell(nothing: str) -> None:
    assert kernel_command("/p", ["-u", "x"], nothing) == ["/p", "-u", "x"]


@pytest.mark.parametrize(
    "text",
    ["export A=1", "A=1; export A # end", "set -- a b\nexport A=1",
     "false || true\nexport A=1", "cat <<X >/dev/null\n'\nX\nexport A=1", "export A=1 &&\ntrue"],
)  # fmt: skip
def test_the_kernel_follows_in_the_same_process(shell: str, text: str) -> None:
    odd = ["a b", "$A", "'", '"; exit 9', "*"]
    done, pid = run(text, *odd)
    assert done.args[0] == shell
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{odd} 1 {pid}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [("exit 3", 3), ("false\ntrue", 1), ("(exit 7)", 7), ("no-such-command-here", 127)],
)
def test_what_fails_ends_it_and_says_so(shell: str, text: str, code: int) -> None:
    done, _ = run(text)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-1] == f"{PRE_EXEC_FAILED}{code}"


@pytest.mark.parametrize("text", ["if true; then", "echo '", "fi", "{", "$("])
def test_what_is_no_shell_never_becomes_a_kernel(shell: str, text: str) -> None:
    done, _ = run(text)
    assert done.returncode != 0
    assert done.stdout == ""


@settings(max_examples=examples(40), deadline=None)
@given(text=st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_a_text_stays_one_text(text: str) -> None:
    """Quoting: whatever it is, as the argument of a command that does nothing it does nothing."""
    import shlex

    done, pid = run(f": {shlex.quote(text)}")
    assert (done.returncode, done.stdout) == (0, f"[] None {pid}\n")
    assert Path(done.args[0]).name in ("bash", "sh")
