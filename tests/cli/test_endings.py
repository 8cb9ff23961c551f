"""However a command ends: its exit code, its streams, and never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Reply, scripted_edi

from edi_labext.cli import endings, output
from edi_labext.client import EdiClient
from edi_labext.errors import Cancelled, EdiError, InvalidInput, NotConfigured, Unavailable
from edi_labext.operations import undeploy

Folder = Callable[[str], Path]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["modl", "list"],
        ["model", "lst"],
        ["model", "list", "extra"],
        ["model", "list", "--nonsense"],
        ["model", "view"],
        ["model", "view", "a", "b"],
        ["model", "view", "Not A Name"],
        ["model", "view", "-x", "a"],
        ["model", "deploy"],
        ["model", "deploy", "-p"],
        ["model", "deploy", "-p", "/nowhere/at/all"],
        ["model", "deploy", "-p", __file__],
        ["model", "deploy", "-p", ".", "-p", "."],
        ["model", "updateprofile", "a"],
        ["model", "updateprofile", "a", "-f", "/nowhere/at/all"],
        ["model", "updateprofile", "a", "-f", "/"],
        ["infer"],
        ["infer", "a", "--payload", "{oops"],
        ["infer", "a", "--payload", "/nowhere/at/all"],
        ["infer", "a", "--payload", "/"],
        ["infer", "a", "--payload", "{}", "--payload", "{}"],
        *(["infer", "a", "--timeout", value] for value in ("0", "-1", "abc", "1e9", "nan", "inf")),
        ["serve", "--stop", "--port", "1"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2_before_anything_is_sent(
    alone: CommandLine, arguments: list[str]
) -> None:
    result = alone(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr
    assert not alone.store.exists(), "an engine was started for it"


@pytest.mark.parametrize(
    ("arguments", "meant"), [(["modle"], "model"), (["model", "undploy"], "undeploy")]
)
def test_a_typing_error_is_met_with_what_is_near(
    alone: CommandLine, arguments: list[str], meant: str
) -> None:
    assert f'Did you mean "{meant}"?' in alone(*arguments).stderr


def test_two_dashes_end_the_flags(alone: CommandLine) -> None:
    result = alone("model", "view", "--", "-s")
    assert result.exit_code == 2
    assert "is not a deployment name" in result.stderr


@pytest.mark.parametrize("missing", ["model.json", "README.md", "kernel.py"])
def test_a_folder_that_cannot_be_deployed(alone: CommandLine, folder: Folder, missing: str) -> None:
    made = folder("broken")
    (made / missing).unlink()
    result = alone("model", "deploy", "-p", str(made))
    assert (result.exit_code, result.stdout) == (2, "")
    assert missing in result.stderr
    assert not alone.store.exists()


def test_a_profile_that_is_no_json_is_named_with_its_place(
    alone: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "profile.json").write_text('{"replica": 1,}')
    result = alone("model", "updateprofile", "a", "-f", str(tmp_path / "profile.json"))
    assert result.exit_code == 2
    assert "profile.json" in result.stderr
    assert "line 1, column 15" in result.stderr
    assert not alone.store.exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EdiError("m", hint="h"), 1),
        (Unavailable("m", hint="h"), 1),
        (InvalidInput("m", hint="h"), 1),
        (NotConfigured("m", hint="h"), 2),
        (endings.WrongUse(InvalidInput("m", hint="h")), 2),
        (Cancelled("m", hint="h"), 130),
    ],
)
def test_errors_are_told_with_the_next_step(
    capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    assert endings.ending_of(error) == status
    assert capsys.readouterr() == ("", "Error: m\nHint: h\n")


def test_all_wrong_fields_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    fields = [{"field": "policy.kernel_min", "message": "It must be a whole number."}]
    endings.ending_of(InvalidInput("m", fields=fields))  # type: ignore[arg-type]
    assert "  policy.kernel_min: It must be a whole number.\n" in capsys.readouterr().err


def test_a_fault_of_ours_is_told_without_traceback_and_values(
    alone: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(TOKEN)

    monkeypatch.setattr(EdiClient, "list_models", fail)
    result = alone.set(EDI_REST_SERVER="http://127.0.0.1:9", USER_ACCESS_TOKEN="x-y-z")(
        "model", "list"
    )
    assert result.exit_code == 1
    assert "unexpected RuntimeError (test_endings.py:" in result.stderr
    assert "Traceback" not in result.stderr
    assert TOKEN not in result.stderr


def test_nobody_listens(alone: CommandLine) -> None:
    command = alone.set(EDI_REST_SERVER="http://127.0.0.1:9", USER_ACCESS_TOKEN=TOKEN)
    result = command("model", "list")
    assert result.exit_code == 1
    assert "127.0.0.1:9 refused the connection" in result.stderr


@pytest.mark.parametrize("verb", ["list", "view", "start"])
def test_an_answer_that_is_a_page(alone: CommandLine, verb: str) -> None:
    with scripted_edi() as server:
        for method in ("GET", "PUT"):
            server.on(method, "*", Reply(502, b"<html><h1>Bad Gateway</h1></html>"))
        command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        result = command("model", verb, *([] if verb == "list" else ["m"]))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Bad Gateway" in result.stderr


# --- processes ------------------------------------------------------------------------------


def test_a_reader_that_went_away_is_no_failure(edi: CommandLine) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = edi.run("model", "list", stdout=pipe)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_action_goes_on_without_a_reader(
    edi: CommandLine, client: EdiClient, folder: Folder
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = edi.run("model", "deploy", "-p", str(folder("unread")), stdout=pipe)
    assert (done.returncode, done.stderr) == (0, "")
    assert client.get_model("unread").name == "unread"
    undeploy(client, "unread")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_stdout(edi: CommandLine) -> None:
    with Path("/dev/full").open("w") as full:
        done = edi.run("model", "list", stdout=full)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_streams_that_are_closed(edi: CommandLine) -> None:
    shell = '"$@" <&- >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *edi.command("model", "list")],
        env=edi.environment(),
        timeout=20,
        check=False,
    )
    assert done.returncode == 0


def test_a_terminal_that_knows_only_ascii(edi: CommandLine) -> None:
    with scripted_edi() as server:
        model = {"name": "m", "kernel_path": "k", "service_uri": "https://exämple/�"}
        server.on("GET", "/model", Reply.json([model]))
        command = edi.set(
            LC_ALL="C",
            PYTHONCOERCECLOCALE="0",
            PYTHONUTF8="0",
            COLUMNS="1",
            NO_COLOR="1",
            EDI_REST_SERVER=server.url,
            USER_ACCESS_TOKEN=TOKEN,
        )
        done = command.run("model", "list")
        helped = command.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "https://ex\\xe4mple/" in done.stdout
    assert (helped.returncode, helped.stderr) == (0, "")


def test_ctrl_c_ends_with_130(alone: CommandLine) -> None:
    with scripted_edi() as server:
        server.gate.clear()
        command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        process = command.start("model", "list", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not server.received:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert (out, err.strip()) == ("", "Interrupted.")


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_in_a_deploy_leaves_nothing(
    alone: CommandLine, folder: Folder, presses: int
) -> None:
    """The first one cancels at the next step; a second one does not wait for that."""
    arrived, answer = threading.Event(), threading.Event()

    def deployed(_: object) -> Reply:
        arrived.set()
        answer.wait(20)
        return Reply.json({"name": "interrupted", "kernel_path": "kernel.py"})

    with scripted_edi() as server:
        server.on("GET", "*", Reply(404, b"Model <interrupted> doesn't exist."))
        server.on("DELETE", "*", Reply.json({}))
        server.on("POST", "*", deployed)
        command = alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        process = command.start(
            *("model", "deploy", "-p", str(folder("interrupted"))),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        assert arrived.wait(10)
        process.send_signal(signal.SIGINT)
        assert any("Cancelling" in line for line in process.stderr)
        if presses == 2:
            process.send_signal(signal.SIGINT)
        else:
            answer.set()
        out, err = process.communicate(timeout=10)
        answer.set()
    assert process.returncode == 130
    assert "deployed successfully" not in out
    assert "Traceback" not in err
    if presses == 1:
        assert server.paths()[-1] == "DELETE /dlim/v1/model/interrupted"


def test_nothing_heavy_is_loaded_for_help_and_version() -> None:
    program = (
        "import sys; from edi_labext.cli import main\n"
        "main(['model', 'deploy', '--help'], standalone_mode=False)\n"
        "print(sorted({'requests', 'pydantic', 'rich', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_list_loads_no_more_than_it_needs(edi: CommandLine) -> None:
    """Start-up is most of what a list takes; under 0.4 s in all, measured."""
    program = (
        "import sys; from edi_labext.cli import main\n"
        "main(['model', 'list'], standalone_mode=False)\n"
        "heavy = {'rich', 'pathspec', 'asyncio', 'edi_labext.operations'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=edi.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_json_is_valid_whatever_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import json

    for encoding in ("utf-8", "ascii", "latin-1", "utf-16"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        output.emit_json({"name": "Größe 数"})
        assert json.loads(raw.getvalue().decode(encoding)) == {"name": "Größe 数"}
