"""Every line that dlim is known to print, to the letter (reference/dlim-cli.md section 6)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Reply, ScriptedEdi, scripted_edi

from edi_labext.client import EdiClient
from edi_labext.operations import start_and_wait, undeploy

Folder = Callable[[str], Path]


@pytest.fixture
def pingpong(edi: CommandLine, client: EdiClient, folder: Folder):
    """A deployment ``ping-pong-test``, stopped."""
    made = folder("ping-pong-test")
    assert edi("model", "deploy", "-p", str(made)).exit_code == 0
    yield made
    undeploy(client, "ping-pong-test")


def test_list(edi: CommandLine) -> None:
    uri = "https://wmla-inference-ns.apps.example.com/dlim/v1/inference/"
    models = [
        {"name": "pingpong-dm", "kernel_path": "k", "service_uri": f"{uri}pingpong-dm"},
        {"name": "a-name-of-20-letters", "kernel_path": "k", "service_uri": f"{uri}a"},
        {"name": "model-two", "kernel_path": "k", "service_uri": ""},
    ]
    with scripted_edi() as server:
        server.on("GET", "/model", Reply.json(models))
        lines = edi.set(USER_ACCESS_TOKEN=TOKEN).lines("model", "list", "--rest-server", server.url)
    assert lines == [
        "NAME                  REST URI",
        f"a-name-of-20-letters  {uri}a",
        "model-two             -",
        f"pingpong-dm           {uri}pingpong-dm",
    ]


def test_list_of_short_names_keeps_the_header_apart(edi: CommandLine) -> None:
    with scripted_edi() as server:
        server.on("GET", "/model", Reply.json([{"name": "a", "kernel_path": "k"}]))
        command = edi.set(EDI_REST_SERVER=server.origin, USER_ACCESS_TOKEN=TOKEN)
        assert command.lines("model", "list") == ["NAME  REST URI", "a     -"]


def test_deploy_names_every_file_that_was_sent(
    edi: CommandLine, client: EdiClient, folder: Folder
) -> None:
    made = folder("ping-pong-files")
    (made / "sub").mkdir()
    (made / "sub" / "data.bin").write_bytes(b"x")
    (made / ".hidden").write_text("not sent")
    (made / "Upper").write_text("before lower case")
    (made / ".ipynb_checkpoints").mkdir()
    (made / ".ipynb_checkpoints" / "kernel-checkpoint.py").write_text("not sent")
    assert edi.lines("model", "deploy", "-p", str(made)) == [
        "Uploading...",
        f"<{made}/README.md> uploaded to server.",
        f"<{made}/Upper> uploaded to server.",
        f"<{made}/kernel.py> uploaded to server.",
        f"<{made}/model.json> uploaded to server.",
        f"<{made}/sub/data.bin> uploaded to server.",
        "Registering...",
        "Model <ping-pong-files> is deployed successfully",
    ]
    assert client.get_model("ping-pong-files").started_at == 0
    undeploy(client, "ping-pong-files")


def test_deploy_of_an_existing_name_without_a_terminal(edi: CommandLine, pingpong: Path) -> None:
    result = edi("model", "deploy", "-p", str(pingpong))
    assert result.exit_code == 1
    assert result.output == (
        "Model <ping-pong-test> already exists on inference service, "
        "do you want to update it? (y|n):EOF\n"
    )


@pytest.mark.parametrize("flags", [["-f"], []])
def test_start(edi: CommandLine, pingpong: Path, flags: list[str]) -> None:
    assert edi.lines("model", "start", "ping-pong-test", *flags) == [
        'Starting model "ping-pong-test", run "dlim model view ping-pong-test -s" '
        "to ensure startup."
    ]


@pytest.mark.parametrize(
    "arguments", [["ping-pong-test", "-f"], ["-f", "ping-pong-test"]], ids=["after", "before"]
)
def test_stop_of_a_stopped_model(edi: CommandLine, pingpong: Path, arguments: list[str]) -> None:
    assert edi.lines("model", "stop", *arguments) == [
        'Stopping model "ping-pong-test", run "dlim model view ping-pong-test -s" to ensure stop.'
    ]


def test_undeploy_refuses_a_started_model(
    edi: CommandLine, client: EdiClient, pingpong: Path
) -> None:
    start_and_wait(client, "ping-pong-test")
    result = edi("model", "undeploy", "ping-pong-test", "-f")
    assert result.exit_code == 1
    assert result.output == "The model cannot be removed if it's started.\n"


def test_undeploy(edi: CommandLine, folder: Folder) -> None:
    edi("model", "deploy", "-p", str(folder("gone-soon")))
    assert edi.lines("model", "undeploy", "gone-soon", "-f") == [
        'Undeployed model "gone-soon", run "dlim model list" to ensure deletion.'
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["undeploy", "deepliif", "-f"],
        ["start", "deepliif"],
        ["stop", "-f", "deepliif"],
        ["view", "deepliif"],
        ["view", "deepliif", "-s"],
        ["viewprofile", "deepliif", "-j"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_unknown_name(edi: CommandLine, arguments: list[str]) -> None:
    result = edi("model", *arguments)
    assert result.exit_code == 1
    assert (result.stdout, result.stderr) == ("", "Model <deepliif> doesn't exist.\n")


def test_an_unknown_name_at_an_edi_that_answers_400(edi: CommandLine) -> None:
    with scripted_edi() as server:
        server.on("DELETE", "*", Reply(400, b"Model <deepliif> doesn't exist."))
        command = edi.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        result = command("model", "undeploy", "-f", "deepliif")
    assert (result.exit_code, result.output) == (1, "Model <deepliif> doesn't exist.\n")


def test_a_started_model_at_an_edi_that_answers_400(edi: CommandLine) -> None:
    with scripted_edi() as server:
        words = b"The model cannot be removed if it's started."
        server.on("DELETE", "*", Reply(400, words))
        command = edi.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        result = command("model", "undeploy", "-f", "m")
    assert (result.exit_code, result.output) == (1, f"{words.decode()}\n")


@pytest.mark.parametrize("verb", ["stop", "undeploy"])
def test_without_a_terminal_nothing_is_asked_nor_sent(edi: CommandLine, verb: str) -> None:
    with scripted_edi() as server:
        command = edi.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        result = command("model", verb, "m", stdin="y\n")
        assert server.received == []
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert "<m>" in line
    assert "-f" in line


def test_view_of_a_started_model(edi: CommandLine, client: EdiClient, pingpong: Path) -> None:
    start_and_wait(client, "ping-pong-test")
    lines = edi.lines("model", "view", "-s", "ping-pong-test")
    assert lines[:4] == [
        "Name:             ping-pong-test",
        "State:            Started",
        "Serving replica:  1",
        "=" * 60,
    ]
    labels = [line[:22] for line in lines[4:]]
    assert labels == [
        f"{label + ':':<22}"
        for label in (
            "Serving service ID",
            "Service JobID",
            "GPU Mode",
            "Served clients",
            "Pending requests",
            "Requests per second",
            "Data per second",
            "Kernel started",
        )
    ]
    assert lines[-1] == "Kernel started:       1"
    kernels = edi.lines("model", "view", "ping-pong-test", "-s", "-a")
    status = next(line for line in kernels if line.startswith("Status"))
    assert status.split(":")[1].strip() == "IDLE"
    assert "REST URI:" in "\n".join(edi.lines("model", "view", "ping-pong-test"))


@pytest.fixture
def server():
    with scripted_edi() as running:
        yield running


def test_what_other_people_wrote_cannot_drive_the_terminal(
    edi: CommandLine, server: ScriptedEdi
) -> None:
    model = {"name": "m", "kernel_path": "k", "service_uri": "\x1b]0;owned\x07\x1b[2Jhttp://x\r"}
    server.on("GET", "/model", Reply.json([model]))
    result = edi.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)("model", "list")
    assert "\x1b" not in result.output
    assert "\r" not in result.output
