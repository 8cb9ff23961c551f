"""The magics in a real IPython, on a real engine with real kernels."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from edi_labext.client import EdiClient, stop_engine
from edi_labext.errors import (
    Cancelled,
    Conflict,
    EdiError,
    InvalidInput,
    KernelFailure,
    NotConfigured,
    NotFound,
    Unavailable,
    UpstreamUnreachable,
)
from edi_labext.magics.actions import call as call_module
from edi_labext.models import NO_GPU
from edi_labext.operations import Deployment, start_and_wait

#: Does what the files of a folder beside the tests say.
PATIENT = """
import os
import pathlib
import time

import redhareapiversion
from redhareapi import Kernel

TOLD = pathlib.Path({told!r})


class Patient(Kernel):
    def on_kernel_start(self, kernel_context):
        print("about to start", flush=True)
        while (TOLD / "wait").exists():
            time.sleep(0.01)
        if (TOLD / "fail").exists():
            raise RuntimeError("no weights here")

    def on_task_invoke(self, task_context):
        while task_context is not None:
            text = task_context.get_input_data()
            while text == "wait" and (TOLD / "wait").exists():
                time.sleep(0.01)
            if text == "die":
                os._exit(3)
            task_context.set_output_data(text)
            task_context = task_context.next()


if __name__ == "__main__":
    Patient().run()
"""


def edi(shell: InteractiveShell, line: str, cell: str | None = None) -> Any:
    if cell is None:
        return shell.run_line_magic("edi", line)
    return shell.run_cell_magic("edi", line, cell)


@pytest.fixture
def folder(connected: InteractiveShell, tmp_path: Path) -> Path:
    """A submission, in the folder that the shell is in."""
    made = Path.cwd() / "patient"
    made.mkdir()
    (made / "model.json").write_text(
        '{"name": "patient", "kernel_path": "kernel.py", "schema_version": "1"}'
    )
    (made / "README.md").write_text('# Patient\n\n```json\n{"sample": 1}\n```\n')
    (made / "kernel.py").write_text(PATIENT.format(told=str(tmp_path)))
    return made


def test_the_walk(
    connected: InteractiveShell,
    folder: Path,
    client: EdiClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell = connected
    row = edi(shell, "deploy patient --no-start").deployment
    assert (row.name, row.state) == ("patient", "stopped")
    # The path is shown as it was understood.
    assert f"deploying {folder}" in capsys.readouterr().out
    assert edi(shell, "stop -f patient").deployment.state == "stopped"
    assert edi(shell, "profile patient").document["kernel"]["gpu"] == "no"
    shell.user_ns["resources"] = "ncpus=1,ncpus_limit=2,mem=512,mem_limit=1024"
    saved = edi(
        shell,
        "profile patient",
        '{"resource_allocation": {"kernel": {"resources": {resources}}},\n'
        ' "policy": {"task_execution_timeout": 30}}',
    )
    assert saved.deployment.state == "stopped"
    out = capsys.readouterr().out
    assert "policy.task_execution_timeout\n- 60\n+ 30\n" in out
    assert "+ ncpus=1,ncpus_limit=2,mem=512,mem_limit=1024" in out
    assert edi(shell, "start patient").deployment.state == "ready"
    assert [item.name for item in edi(shell, "list")] == ["patient"]
    assert edi(shell, "view patient").deployment.kernels_ready == 1
    shell.user_ns["image"] = [[0, 1], [2, 3]]
    answer = edi(shell, "infer patient -o answer", '{"image": {image}}')
    assert answer.value == shell.user_ns["answer"] == {"image": [[0, 1], [2, 3]]}
    assert "about to start" in repr(edi(shell, "logs patient"))
    assert repr(edi(shell, "logs patient -n 1")).count("\n") == 0
    assert edi(shell, "restart patient").deployment.state == "ready"
    assert edi(shell, "stop patient").deployment.state == "stopped"
    assert "patient is gone" in repr(edi(shell, "undeploy patient"))
    assert len(edi(shell, "list")) == 0


def test_without_a_gpu_it_stays_pending_and_says_why(
    connected: InteractiveShell, folder: Path, client: EdiClient
) -> None:
    edi(connected, "deploy patient")
    with pytest.raises(Unavailable) as raised:
        edi(connected, "profile patient --restart", '{"kernel": {"gpu": "exclusive"}}')
    assert raised.value.message == NO_GPU["exclusive"]
    assert raised.value.hint == "The profile is saved."
    row = edi(connected, "view patient").deployment
    assert (row.state, row.reason, row.gpu) == ("pending", NO_GPU["exclusive"], "exclusive")
    saved = edi(connected, "profile patient --restart", '{"kernel": {"gpu": "no"}}')
    assert saved.deployment.state == "ready"


def test_profile_refusals(connected: InteractiveShell, folder: Path, client: EdiClient) -> None:
    edi(connected, "deploy patient")
    with pytest.raises(Conflict) as conflict:
        edi(connected, "profile patient", '{"policy": {"kernel_min": 2}}')
    assert "--restart" in str(conflict.value.hint)
    with pytest.raises(InvalidInput) as invalid:
        edi(connected, "profile patient", '{"policy": {"kernel_min": -1}, "kernel": {"gpu": "x"}}')
    shown = connected_lines(invalid.value)
    assert any(line.startswith("  policy.kernel_min: ") for line in shown[1:])
    assert any(line.startswith("  kernel.gpu: ") for line in shown[1:])
    with pytest.raises(InvalidInput):
        edi(connected, "profile patient --dry-run", '{"policy": null}')
    dry = edi(connected, "profile patient -n", '{"policy": {"kernel_min": 2}}')
    assert [change.path for change in dry.changes] == ["policy.kernel_min"]
    assert "Not saved" in repr(dry)
    assert "Nothing to change" in repr(edi(connected, "profile patient", "{}"))
    assert client.app_profile("patient")["policy"]["kernel_min"] == 1
    for cell in (" \n", "[]", "{'a': 1}"):
        with pytest.raises(UsageError):
            edi(connected, "profile patient", cell)
    with pytest.raises(UsageError, match="%%edi profile patient"):
        edi(connected, "profile patient --restart")


def connected_lines(error: EdiError) -> list[str]:
    lines: list[str] = error._render_traceback_()  # type: ignore[attr-defined]
    return lines


def test_requests_in_all_ways(connected: InteractiveShell, folder: Path, client: EdiClient) -> None:
    shell = connected
    edi(shell, "deploy patient")
    assert edi(shell, "infer patient").value == {"sample": 1}
    shell.user_ns["x"] = [1]
    assert edi(shell, "infer patient {x}").value == [1]
    assert edi(shell, """infer patient '{"a": {x}}'""").value == {"a": [1]}
    (folder / "a b.json").write_bytes(b'{"x": {x}}')
    # A file is sent as it is.
    assert edi(shell, "infer patient -f 'patient/a b.json'").text == '{"x": {x}}'
    assert edi(shell, "infer patient --raw", "no {x} JSON\n").value == "no {x} JSON\n"
    edi(shell, "infer patient --raw -o kept", "text")
    assert shell.user_ns["kept"] == "text"


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("infer patient", " \n ", "the cell is empty"),
        ("infer patient", "{", "line 2, column 2"),
        ("infer patient", '{"a": {nope}}', "no variable nope"),
        ("infer patient {x}", "{}", "takes one request"),
        ("infer patient -f x.json", None, "there is no file"),
        ("infer patient -f .", None, "there is no file"),
        ("infer patient --raw", None, "--raw is for %%edi infer"),
        ("infer patient -o 1x", "{}", "'1x' cannot be the name of a variable"),
        ("infer patient -o class", "{}", "'class' cannot be the name of a variable"),
        ("infer patient -o a.b", "{}", "cannot be the name"),
        ("deploy nowhere", None, "/here/nowhere does not exist"),
        ("check ~nobody-of-that-name/x", None, "no home folder"),
        ("deploy ''", None, "is no path"),
        ("deploy patient --replace --name x", None, "leave --name out"),
        ("list -e wmla", None, "EDI_REST_SERVER is not set"),
        ("env lokal", None, "did you mean local?"),
    ],
)
def test_wrong_use_is_one_line_and_starts_nothing(
    shell: InteractiveShell, tmp_path: Path, line: str, cell: str | None, said: str
) -> None:
    shell.user_ns["x"] = 1
    Path("patient").mkdir()
    with pytest.raises(UsageError) as raised:
        edi(shell, line, cell)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "store").exists()


def test_hiding_a_builtin_is_said(
    connected: InteractiveShell,
    folder: Path,
    client: EdiClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edi(connected, "deploy patient")
    edi(connected, "infer patient -o list")
    assert "now hides Python's own list" in capsys.readouterr().err


def test_failures_are_shown_in_one_line(
    connected: InteractiveShell,
    folder: Path,
    client: EdiClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edi(connected, "deploy patient")
    capsys.readouterr()
    result = connected.run_cell("%edi view patiant")
    assert isinstance(result.error_in_exec, NotFound)
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if line] == [
        f"NotFound: {result.error_in_exec.message} Did you mean patient?"
    ]
    with pytest.raises(NotFound) as raised:
        edi(connected, "undeploy zzz")
    assert raised.value.hint == "%edi list shows those there are."
    with pytest.raises(InvalidInput, match="not a deployment name"):
        edi(connected, "start Digits")
    with pytest.raises(Conflict) as conflict:
        edi(connected, "deploy patient")
    assert "--replace" in str(conflict.value.hint)
    with pytest.raises(KernelFailure):
        edi(connected, "infer patient --raw", "die")


def test_a_kernel_that_cannot_start_shows_its_log(
    connected: InteractiveShell,
    folder: Path,
    client: EdiClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "fail").write_text("")
    result = connected.run_cell("%edi deploy patient")
    assert isinstance(result.error_in_exec, Unavailable)
    out = capsys.readouterr().out
    assert "Failed: deploying" in out
    assert "no weights here" in out
    assert "interactiveshell.py" not in out
    card = edi(connected, "view patient")
    assert card.deployment.state == "failed"
    assert "no weights here" in card._repr_html_()


def test_replace_and_name(connected: InteractiveShell, folder: Path, client: EdiClient) -> None:
    assert edi(connected, "deploy patient --name other").deployment.name == "other"
    # There is none of its own name yet, so it is just deployed.
    assert edi(connected, "deploy patient --replace").deployment.state == "ready"
    before = client.get_model("patient")
    assert edi(connected, "deploy patient --replace").deployment.state == "ready"
    after = client.get_model("patient")
    assert after.uid == before.uid
    assert after.model_path != before.model_path
    assert edi(connected, "deploy patient --replace --no-start").deployment.state == "stopped"


def test_check_and_fix(connected: InteractiveShell, folder: Path, tmp_path: Path) -> None:
    fine = repr(edi(connected, "check patient"))
    assert "nothing was found" in fine, fine
    (folder / "model.json").write_text(
        (folder / "model.json").read_text().replace("patient", "Patient One")
    )
    card = edi(connected, "check patient")
    assert "cannot be deployed: 1 error. --fix mends 1 of them." in repr(card)
    assert "model.json:1:10: error: " in repr(card)
    with pytest.raises(InvalidInput):
        edi(connected, "deploy patient")
    mended = edi(connected, "check patient --fix")
    assert "can be deployed" in repr(mended)
    assert len(mended.mended) == 1
    assert json.loads((folder / "model.json").read_text())["name"] == "patient-one"


def test_paths(connected: InteractiveShell, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    strange = folder.parent / "größe und so"
    folder.rename(strange)
    for line in (f"check '{strange}'", "check '~/größe und so'", "check ./größe\\ und\\ so/"):
        assert edi(connected, line).report.submission.folder == strange
    connected.user_ns["where"] = strange
    assert edi(connected, "check {where}").report.submission.folder == strange


def test_environments(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert edi(shell, "env").current == "local"
    # One that is set up is meant, and its token is asked for before anything is sent.
    monkeypatch.setenv("EDI_REST_SERVER", "https://edi.invalid:1/")
    table = edi(shell, "env")
    assert table.current == "wmla"
    assert "edi.invalid" in repr(table)
    with pytest.raises(NotConfigured, match="USER_ACCESS_TOKEN"):
        edi(shell, "list")
    assert edi(shell, "env local").current == "local"
    monkeypatch.setenv("USER_ACCESS_TOKEN", "canary-token")
    with pytest.raises(UpstreamUnreachable) as raised:
        edi(shell, "list --env wmla")
    assert "canary" not in "".join(connected_lines(raised.value))
    monkeypatch.delenv("EDI_REST_SERVER")
    edi(shell, "env local")
    assert edi(shell, "env").current == "local"


def test_an_engine_is_started_in_the_background(
    shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    try:
        assert len(edi(shell, "list")) == 0
        assert "started the serving engine of this machine in the background" in (
            capsys.readouterr().err
        )
        assert json.loads((store / "engine.json").read_text())["owner"] == "background"
        edi(shell, "list")
        assert capsys.readouterr().err == ""
        shell.run_line_magic("unload_ext", "edi_labext")
        shell.run_line_magic("load_ext", "edi_labext")
        # It has outlived the magics that started it.
        edi(shell, "list")
        assert capsys.readouterr().err == ""
    finally:
        stop_engine(store)


def test_ctrl_c_while_waiting(
    connected: InteractiveShell,
    folder: Path,
    client: EdiClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "wait").write_text("")

    class Impatient(call_module.board_for(connected).__class__):  # type: ignore[misc]
        def show(self, message: str, fraction: float | None, *, phase: str = "") -> None:
            if message.startswith("The kernel is starting"):
                signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch, pytest.raises(Cancelled) as raised:
        patch.setattr(call_module, "board_for", lambda shell: Impatient())
        edi(connected, "deploy patient")
    assert raised.value.message == (
        "patient is deployed. You stopped waiting; patient goes on starting."
    )
    # The prompt is usable, and what was said holds.
    assert edi(connected, "view patient").deployment.state == "starting"
    (tmp_path / "wait").unlink()
    assert start_and_wait(client, "patient").state == "ready"


def test_ctrl_c_while_the_kernel_works(
    connected: InteractiveShell, folder: Path, client: EdiClient, tmp_path: Path
) -> None:
    edi(connected, "deploy patient")
    (tmp_path / "wait").write_text("")
    pause = threading.Event()

    def interrupt() -> None:
        for _ in range(1000):
            status = client.status("patient")
            if status is not None and status.pending_tasks:
                os.kill(os.getpid(), signal.SIGINT)
                return
            pause.wait(0.01)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Cancelled, match="Interrupted"):
        edi(connected, "infer patient --raw -o answer", "wait")
    thread.join()
    (tmp_path / "wait").unlink()
    assert "answer" not in connected.user_ns
    # The connection that was left is not used again.
    assert edi(connected, "infer patient").value == {"sample": 1}


def test_from_a_thread_and_inside_a_running_loop(
    connected: InteractiveShell, folder: Path, client: EdiClient
) -> None:
    found: list[Deployment] = []
    thread = threading.Thread(
        target=lambda: found.append(edi(connected, "deploy patient").deployment)
    )
    thread.start()
    thread.join()
    assert [row.state for row in found] == ["ready"]

    async def inside() -> str:
        state: str = edi(connected, "restart patient").deployment.state
        return state

    assert asyncio.run(inside()) == "ready"


def test_the_runtimes_are_listed(connected):
    table = connected.run_line_magic("edi", "runtimes")
    lines = repr(table).splitlines()
    assert lines[0].split() == ["Runtime", "Python"]
    assert any(line.startswith("python ") and "engine's own Python" in line for line in lines)
    assert any(line.startswith("dlipy3 ") for line in lines)
    assert "<td" in table._repr_html_()
