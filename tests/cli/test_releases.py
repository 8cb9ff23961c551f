"""The command against every release of WMLA that is known, and where the token goes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from support.command_line import TOKEN, CommandLine
from support.misbehaving_edi import RELEASES, MisbehavingEdi, misbehaving_edi

Folder = Callable[..., Path]


@pytest.fixture(params=RELEASES)
def server(request: pytest.FixtureRequest) -> Iterator[MisbehavingEdi]:
    with misbehaving_edi(request.param) as running:
        running.accept(TOKEN)
        yield running


@pytest.fixture
def command(alone: CommandLine, server: MisbehavingEdi) -> CommandLine:
    return alone.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)


def test_the_walk_of_a_script(command: CommandLine, folder: Folder) -> None:
    made = folder("walked")
    assert command.lines("model", "deploy", "-p", str(made))[-1] == (
        "Model <walked> is deployed successfully"
    )
    assert command.lines("model", "list") == ["NAME    REST URI", "walked  -"]
    assert command.lines("model", "start", "walked", "--wait")[-1] == "Model <walked> is ready."
    assert "State:            Started" in command.lines("model", "view", "walked", "-s")
    kernels = command.lines("model", "view", "walked", "-s", "-a")
    assert "Status:               IDLE" in kernels
    assert "Finished tasks:       41" in kernels
    refused = command("model", "undeploy", "walked", "-f")
    assert (refused.exit_code, refused.output) == (
        1,
        "The model cannot be removed if it's started.\n",
    )
    taken = command("model", "deploy", "-p", str(made))
    assert (taken.exit_code, taken.output) == (
        1,
        "Model <walked> already exists on inference service, do you want to update it? (y|n):EOF\n",
    )
    assert command.lines("infer", "walked", "--payload", '{"a": 1}') == ['{"a": 1}']
    command.lines("model", "stop", "walked", "-f", "--wait")
    assert command.lines("model", "undeploy", "walked", "-f") == [
        'Undeployed model "walked", run "dlim model list" to ensure deletion.'
    ]
    gone = command("model", "undeploy", "walked", "-f")
    assert (gone.exit_code, gone.output) == (1, "Model <walked> doesn't exist.\n")


def test_a_profile_goes_there_and_back_whole(
    command: CommandLine, server: MisbehavingEdi, tmp_path: Path
) -> None:
    server.add("m")
    text = command("model", "viewprofile", "m", "-j").stdout
    profile = json.loads(text)
    profile["policy"]["kernel_min"] = 2
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    assert command.lines("model", "updateprofile", "m", "-f", str(tmp_path / "profile.json")) == [
        "Model is updated successfully"
    ]
    assert json.loads(command("model", "viewprofile", "m", "-j").stdout) == profile


def test_apply_twice(
    command: CommandLine,
    server: MisbehavingEdi,
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None of them keeps what is said in model.json, so only the size tells of the package."""
    made = folder("declared")
    monkeypatch.chdir(tmp_path)
    entry = {"folder": "declared", "profile": {"policy": {"kernel_min": 2}}}
    (tmp_path / "edi.yaml").write_text(yaml.safe_dump({"services": {"declared": entry}}))
    assert command("plan").exit_code == 2
    assert command.lines("apply", "--wait") == ["declared: deployed, profile saved, started, ready"]
    profile = json.loads(command("model", "viewprofile", "declared", "-j").stdout)
    assert (profile["policy"]["kernel_min"], profile["of_tomorrow"]) == (2, "kept")
    server.received()
    assert command("plan").exit_code == 0
    assert command.lines("apply", "--wait") == ["declared: nothing to do"]
    assert {request["method"] for request in server.received()} == {"GET"}
    (made / "more.txt").write_text("new")
    assert command.lines("apply") == ["declared: stopped, replaced, started"]
    assert command("plan").exit_code == 0


def test_logs_are_not_to_be_had(command: CommandLine, server: MisbehavingEdi) -> None:
    server.add("m")
    result = command("logs", "m")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "WMLA has no route for them" in result.stderr


def test_the_token_is_in_no_command_line_and_no_file(alone: CommandLine, folder: Folder) -> None:
    """Of an engine that the command started, of its kernels, and of what they wrote."""
    made = folder("canary")
    command = alone.set(USER_ACCESS_TOKEN=TOKEN)
    done = command.run("model", "deploy", "-p", str(made), "--wait")
    assert done.returncode == 0, done.stderr
    facts = json.loads((alone.store / "engine.json").read_text())
    own = Path(facts["token_file"]).read_text().strip()
    looked = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            told = (entry / "cmdline").read_bytes()
            assert TOKEN.encode() not in told
            assert own.encode() not in told
            looked += str(alone.store).encode() in told
    assert looked > 0
    for path in alone.store.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert TOKEN.encode() not in data, path
            assert own.encode() not in data or str(path) == facts["token_file"], path
    assert TOKEN not in done.stdout + done.stderr
    assert own not in done.stdout + done.stderr
    assert command.run("model", "undeploy", "canary", "-f", "--wait").returncode == 0
