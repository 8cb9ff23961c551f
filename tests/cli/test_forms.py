"""``-o``: results for programs, and tables for people."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support.command_line import TOKEN, CommandLine
from support.scripted_edi import Received, Reply, ScriptedEdi, scripted_edi

from edi_labext.client import EdiClient
from edi_labext.operations import undeploy

READ = {"json": json.loads, "yaml": yaml.safe_load}


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_results_are_alone_on_stdout(
    edi: CommandLine, client: EdiClient, folder: Callable[[str], Path], form: str
) -> None:
    edi.lines("model", "deploy", "-p", str(folder("shown")))

    def read(*arguments: str):
        return READ[form]("\n".join(edi.lines(*arguments, "-o", form)))

    assert [row["name"] for row in read("model", "list") if row["state"] == "stopped"] == ["shown"]
    seen = read("model", "view", "shown")
    assert seen["model"] == client.get_model("shown").to_wire()
    assert seen["instance"] == {"name": "shown", "state": "disabled"}
    assert seen["status"]["state"] == "stopped"
    assert read("model", "viewprofile", "shown") == client.app_profile("shown")
    undeploy(client, "shown")


def test_a_table_with_states(
    edi: CommandLine, client: EdiClient, folder: Callable[[str], Path]
) -> None:
    edi.lines("model", "deploy", "-p", str(folder("shown")))
    assert edi.lines("model", "list", "-o", "table") == [
        "NAME   STATE    KERNELS  PENDING  RUNTIME  REST URI",
        "shown  stopped  0/0      0        python   -",
    ]
    undeploy(client, "shown")


@pytest.mark.parametrize(
    "arguments",
    [["list", "-o", "xml"], ["viewprofile", "m", "-j", "-o", "yaml"], ["view", "m", "-o", "table"]],
    ids=" ".join,
)
def test_forms_that_are_none(alone: CommandLine, arguments: list[str]) -> None:
    result = alone("model", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


class SlowEdi:
    """50 services behind a server that takes 100 ms for every call: one by one that is 5 s."""

    def __init__(self, server: ScriptedEdi) -> None:
        self.models = [{"name": f"m{number:02}", "kernel_path": "k"} for number in range(50)]
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        server.on("GET", "*", self._answer)

    def _answer(self, request: Received) -> Reply:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.1)
        with self._lock:
            self.at_once -= 1
        if request.path.startswith("/edi/"):
            return Reply(404)
        name = request.path.split("/")[4:5]
        return Reply.json({"name": name[0], "state": "disabled"} if name else self.models)


def test_a_list_of_50_takes_less_than_a_second(edi: CommandLine) -> None:
    with scripted_edi() as server:
        SlowEdi(server)
        command = edi.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        command("model", "list")  # Modules are loaded once.
        began = time.monotonic()
        lines = command.lines("model", "list")
        assert time.monotonic() - began < 1.0
    assert len(lines) == 51


def test_states_are_asked_for_at_once_but_not_all(edi: CommandLine) -> None:
    with scripted_edi() as server:
        slow = SlowEdi(server)
        command = edi.set(EDI_REST_SERVER=server.url, USER_ACCESS_TOKEN=TOKEN)
        assert len(command.lines("model", "list", "-o", "table")) == 51
        assert len(server.received) == 52
    assert 8 <= slow.most_at_once <= 16
