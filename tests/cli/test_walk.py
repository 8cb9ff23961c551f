"""The walk of the seed document, line by line.

Each line as a process of its own is in ``test_dlim_scripts.py``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from support.command_line import CommandLine

from edi_labext.client import EdiClient
from edi_labext.operations import NextProfiles, save_for_next_start, start_and_wait, undeploy


def ok(command: CommandLine, *arguments: str) -> str:
    done = command(*arguments)
    assert (done.exit_code, done.stderr) == (0, ""), (arguments, done.output)
    return done.stdout


def wait_for(line: str, command: CommandLine, *arguments: str) -> str:
    """Look as a script does, until a line is there."""
    deadline = time.monotonic() + 15
    while line not in (shown := ok(command, *arguments)).splitlines():
        assert time.monotonic() < deadline, shown
    return shown


def test_the_walk(edi: CommandLine, folder: Callable[[str], Path], tmp_path: Path) -> None:
    made = folder("walk")
    profile = tmp_path / "profile.json"

    assert ok(edi, "model", "deploy", "-p", str(made)).splitlines()[-1] == (
        "Model <walk> is deployed successfully"
    )
    assert "State:            Stopped\n" in ok(edi, "model", "view", "walk", "-s")
    assert ok(edi, "model", "stop", "walk", "-f") == (
        'Stopping model "walk", run "dlim model view walk -s" to ensure stop.\n'
    )

    profile.write_text(ok(edi, "model", "viewprofile", "walk", "-j"))
    document = json.loads(profile.read_text())
    assert document["policy"]["kernel_min"] == 1
    assert document["kernel"]["gpu"] == "no"
    document["policy"]["kernel_min"] = 2
    document["kernel"]["envs"].append({"name": "GREETING", "value": "hello"})
    document["a_field_of_a_newer_wmla"] = {"kept": True}
    profile.write_text(json.dumps(document))
    assert ok(edi, "model", "updateprofile", "walk", "-f", str(profile)) == (
        "Model is updated successfully\n"
    )
    written = json.loads(ok(edi, "model", "viewprofile", "-j", "walk"))
    document.pop("last_update_time")
    written.pop("last_update_time")
    assert written == document
    readable = ok(edi, "model", "viewprofile", "walk")
    assert "GREETING=hello" in readable
    _, kept = readable.split("\n\nKept, and not acted on here:\n")
    assert "resource_allocation.kernel.resource_plan" in kept
    assert "resource_allocation.kernel.resources (but for mem)" in " ".join(kept.split())
    assert "policy.kernel_min" not in kept

    assert ok(edi, "model", "start", "walk") == (
        'Starting model "walk", run "dlim model view walk -s" to ensure startup.\n'
    )
    wait_for("Kernel started:       2", edi, "model", "view", "walk", "-s")
    shown = ok(edi, "model", "view", "walk", "-s", "-a")
    assert "State:            Started\n" in shown
    assert shown.count("\nStatus:               IDLE\n") == 2
    refused = edi("model", "updateprofile", "walk", "-f", str(profile))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "stop" in refused.stderr.lower()

    assert ok(edi, "infer", "walk", "--payload", '{"data": "123"}') == '{"data": "123"}'

    assert ok(edi, "model", "stop", "-f", "walk") == (
        'Stopping model "walk", run "dlim model view walk -s" to ensure stop.\n'
    )
    wait_for("State:            Stopped", edi, "model", "view", "walk", "-s")
    assert ok(edi, "model", "undeploy", "walk", "-f") == (
        'Undeployed model "walk", run "dlim model list" to ensure deletion.\n'
    )
    assert "walk" not in ok(edi, "model", "list")


def test_a_replaced_model_keeps_its_profile(
    edi: CommandLine, client: EdiClient, folder: Callable[[str], Path], tmp_path: Path
) -> None:
    made = folder("replaced")
    edi.lines("model", "deploy", "-p", str(made))
    before = client.get_model("replaced").uid
    document = client.app_profile("replaced")
    document["policy"]["task_execution_timeout"] = 7
    (tmp_path / "profile.json").write_text(json.dumps(document))
    edi.lines("model", "updateprofile", "replaced", "-f", str(tmp_path / "profile.json"))
    edi.lines("model", "start", "replaced")

    (made / "more.txt").write_text("new")
    lines = edi.lines("model", "deploy", "-p", str(made), "-f")
    assert lines[0] == "Uploading..."
    assert f"<{made}/more.txt> uploaded to server." in lines
    assert lines[-1] == "Model <replaced> is deployed successfully"

    assert client.get_model("replaced").uid == before
    assert client.app_profile("replaced")["policy"]["task_execution_timeout"] == 7
    assert "State:            Stopped" in edi.lines("model", "view", "replaced", "-s")
    undeploy(client, "replaced")


def test_a_profile_saved_for_the_next_start_is_used_by_the_next_start(
    edi: CommandLine, client: EdiClient, folder: Callable[[str], Path]
) -> None:
    """Saved in JupyterLab while it ran; stopped and started by a script."""
    edi.lines("model", "deploy", "-p", str(folder("later")))
    start_and_wait(client, "later")
    document = client.app_profile("later")
    document["policy"]["kernel_min"] = 2
    save_for_next_start(client, "later", document)
    edi.lines("model", "stop", "later", "-f")
    wait_for("State:            Stopped", edi, "model", "view", "later", "-s")
    started = edi("model", "start", "later")
    assert started.stdout.startswith('Starting model "later"')
    assert "saved for its next start" in started.stderr
    assert client.app_profile("later")["policy"]["kernel_min"] == 2

    document["policy"]["kernel_min"] = 3
    save_for_next_start(client, "later", document)
    edi.lines("model", "stop", "later", "-f")
    wait_for("State:            Stopped", edi, "model", "view", "later", "-s")
    edi.lines("model", "undeploy", "later", "-f")
    assert NextProfiles.of(client).names() == frozenset()


def test_profiles_with_faults_name_every_one(
    edi: CommandLine, client: EdiClient, folder: Callable[[str], Path], tmp_path: Path
) -> None:
    edi.lines("model", "deploy", "-p", str(folder("faulty")))
    document = client.app_profile("faulty")
    document["policy"]["kernel_min"] = -3
    document["kernel"]["gpu"] = "maybe"
    (tmp_path / "profile.json").write_text(json.dumps(document))
    result = edi("model", "updateprofile", "faulty", "-f", str(tmp_path / "profile.json"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "policy.kernel_min" in result.stderr
    assert "kernel.gpu" in result.stderr
    undeploy(client, "faulty")
