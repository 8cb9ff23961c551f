"""Whole actions on the real engine with real kernels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import needs_engine, running_engine

from edi_labext.client import EdiClient
from edi_labext.errors import Conflict, NotFound, Unavailable
from edi_labext.operations import (
    deploy_folder,
    get_deployment,
    infer,
    list_deployments,
    sample_folder,
    sample_payload,
    start_and_wait,
    stop_and_wait,
    undeploy,
)

pytestmark = needs_engine

#: Reads how it shall behave from a file beside it, which a test may change.
MOODY = """
import os, pathlib, sys
import redhareapiversion
from redhareapi import Kernel

mood = pathlib.Path({mood!r}).read_text()
print("mood:", mood, flush=True)
if mood == "broken":
    import no_such_module

class Moody(Kernel):
    def on_task_invoke(self, task_context):
        text = task_context.get_input_data()
        if text == "die":
            os._exit(3)
        task_context.set_output_data(mood + ": " + text)

if __name__ == "__main__":
    Moody().run()
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdiClient]:
    with running_engine(tmp_path_factory.mktemp("engine") / "store") as (_, client):
        yield client


@pytest.fixture
def mood(tmp_path: Path) -> Path:
    path = tmp_path / "mood"
    path.write_text("good")
    return path


@pytest.fixture
def moody(tmp_path: Path, mood: Path, client: EdiClient) -> Iterator[Path]:
    folder = tmp_path / "moody"
    folder.mkdir()
    (folder / "model.json").write_text('{"name": "moody", "kernel_path": "kernel.py"}')
    (folder / "README.md").write_text("# Moody\n")
    (folder / "kernel.py").write_text(MOODY.format(mood=str(mood)))
    yield folder
    undeploy(client, "moody")


def test_the_sample_from_deploy_to_undeploy(client: EdiClient) -> None:
    row = deploy_folder(client, sample_folder("pingpong"))
    assert (row.name, row.state, row.kernels_ready, row.log_tail) == ("pingpong", "ready", 1, [])
    payload = sample_payload(client.readme("pingpong"))
    assert payload is not None
    answer = infer(client, "pingpong", payload.encode())
    assert answer.ok
    assert json.loads(answer.body) == json.loads(payload)
    with pytest.raises(Conflict):
        deploy_folder(client, sample_folder("pingpong"))
    assert stop_and_wait(client, "pingpong").state == "stopped"
    assert start_and_wait(client, "pingpong").state == "ready"
    undeploy(client, "pingpong")
    assert list_deployments(client) == []
    with pytest.raises(NotFound):
        get_deployment(client, "pingpong")


def test_another_name(client: EdiClient) -> None:
    deploy_folder(client, sample_folder("pingpong"), name="ping-2", start=False)
    assert [(row.name, row.state) for row in list_deployments(client)] == [("ping-2", "stopped")]
    undeploy(client, "ping-2")


def test_a_kernel_that_cannot_start_says_why(client: EdiClient, moody: Path, mood: Path) -> None:
    mood.write_text("broken")
    with pytest.raises(Unavailable) as raised:
        deploy_folder(client, moody)
    assert raised.value.code == "deployment_failed"
    assert "no_such_module" in str(raised.value.detail)
    row = get_deployment(client, "moody")
    assert row.state == "failed"
    assert any("no_such_module" in line for line in row.log_tail)
    # Stopped, mended and started again, nothing of the old failure is left.
    stop_and_wait(client, "moody")
    mood.write_text("good")
    assert start_and_wait(client, "moody").state == "ready"
    assert infer(client, "moody", b"hello").body == b"good: hello"


def test_a_kernel_that_dies_is_replaced(client: EdiClient, moody: Path) -> None:
    deploy_folder(client, moody)
    answer = infer(client, "moody", b"die")
    assert answer.status == 502
    error = answer.error()
    assert error is not None
    assert error.code == "kernel_died"
    assert infer(client, "moody", b"again").body == b"good: again"


def test_undeploy_of_what_has_failed(client: EdiClient, moody: Path, mood: Path) -> None:
    mood.write_text("broken")
    with pytest.raises(Unavailable):
        deploy_folder(client, moody)
    undeploy(client, "moody")
    assert list_deployments(client) == []
