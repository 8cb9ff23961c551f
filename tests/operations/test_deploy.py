from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import (
    Cancelled,
    Conflict,
    InvalidInput,
    NotFound,
    OutOfSpace,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from edi_labext.operations import Cancellation, Progress, deploy_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give every test its own directory for temporary files; nothing may stay in it."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield path
    assert list(path.iterdir()) == []


def test_deploy_starts_and_waits(small: SmallEdi, client: EdiClient, folder: Path) -> None:
    told: list[Progress] = []
    row = deploy_folder(client, folder, report=told.append)
    assert (row.name, row.state) == ("echo", "ready")
    phases = list(dict.fromkeys(progress.phase for progress in told))
    assert phases == ["check", "pack", "upload", "start"]
    assert all(p.fraction is None or 0 <= p.fraction <= 1 for p in told)
    assert any(p.fraction == 1 for p in told if p.phase == "pack")


def test_deploy_without_start(small: SmallEdi, client: EdiClient, folder: Path) -> None:
    assert deploy_folder(client, folder, start=False).state == "stopped"


def test_deploy_under_another_name(small: SmallEdi, client: EdiClient, folder: Path) -> None:
    assert deploy_folder(client, folder, name="other", start=False).name == "other"
    assert list(small.deployments) == ["other"]


def test_problems_are_said_before_anything_is_sent(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path
) -> None:
    (folder / "README.md").unlink()
    (folder / "kernel.py").unlink()
    with pytest.raises(InvalidInput) as raised:
        deploy_folder(client, folder)
    assert "README.md" in str(raised.value.detail)
    assert "kernel.py" in str(raised.value.detail)
    with pytest.raises(NotFound):
        deploy_folder(client, folder / "nowhere")
    assert server.received == []


def test_a_wrong_name_is_said_before_anything_is_sent(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path
) -> None:
    with pytest.raises(InvalidInput) as raised:
        deploy_folder(client, folder, name="Not A Name")
    assert raised.value.code == "invalid_name"
    assert server.received == []


def test_a_name_in_use_is_said_before_anything_is_sent(
    small: SmallEdi, client: EdiClient, folder: Path
) -> None:
    small.add("echo")
    with pytest.raises(Conflict) as raised:
        deploy_folder(client, folder)
    assert raised.value.code == "exists"
    assert small.archives == []


@pytest.mark.parametrize("phase", ["check", "pack", "upload"])
def test_cancel_before_the_end_of_the_upload_leaves_nothing(
    small: SmallEdi, client: EdiClient, folder: Path, phase: str
) -> None:
    (folder / "weights.bin").write_bytes(os.urandom(3 << 20))
    cancellation = Cancellation()

    def report(progress: Progress) -> None:
        if progress.phase == phase:
            cancellation.cancel()

    with pytest.raises(Cancelled):
        deploy_folder(client, folder, report=report, cancellation=cancellation)
    assert small.deployments == {}


def test_cancel_when_everything_was_sent_takes_it_back(
    small: SmallEdi, client: EdiClient, folder: Path
) -> None:
    cancellation = Cancellation()

    def report(progress: Progress) -> None:
        if progress.message.startswith("Sent"):
            cancellation.cancel()

    with pytest.raises(Cancelled):
        deploy_folder(client, folder, report=report, cancellation=cancellation)
    assert len(small.archives) == 1
    assert small.deployments == {}


def test_cancel_of_the_wait_keeps_the_deployment_and_says_so(
    small: SmallEdi, client: EdiClient, folder: Path
) -> None:
    small.looks = 10**6
    cancellation = Cancellation()

    small.looked = lambda state: cancellation.cancel() if state == "starting" else None
    with pytest.raises(Cancelled) as raised:
        deploy_folder(client, folder, cancellation=cancellation)
    assert "echo is deployed" in raised.value.message
    assert "echo" in small.deployments


def test_a_cancel_from_another_thread_ends_a_wait_at_once(
    small: SmallEdi, client: EdiClient, folder: Path
) -> None:
    small.looks = 10**6
    cancellation = Cancellation()
    starting = threading.Event()
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            deploy_folder(
                client,
                folder,
                cancellation=cancellation,
                report=lambda p: starting.set() if p.phase == "start" else None,
            )
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert starting.wait(10)
    cancellation.cancel()
    thread.join(10)
    assert len(outcome) == 1


def test_a_failing_kernel(server: ScriptedEdi, client: EdiClient, folder: Path) -> None:
    small = SmallEdi(server, engine=True)
    small.failing["echo"] = "No module named 'torch'."
    with pytest.raises(Unavailable) as raised:
        deploy_folder(client, folder)
    assert raised.value.code == "deployment_failed"
    assert "echo" in small.deployments


def test_an_upload_that_is_refused(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path
) -> None:
    body = {"code": "expands_too_large", "message": "Too large when unpacked."}
    server.on("POST", "/deployment/model", Reply.json(body, 413))
    with pytest.raises(InvalidInput) as raised:
        deploy_folder(client, folder)
    assert raised.value.code == "expands_too_large"


def test_a_lost_answer_of_an_upload_that_arrived(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path
) -> None:
    """The gateway gave up, the EDI did not: sending again could only conflict."""

    def commit_then_stall(request: Received) -> Reply:
        small._deploy(request.body)
        return Reply(504, b"<html>Gateway Time-out</html>")

    server.on("POST", "/deployment/model", commit_then_stall)
    assert deploy_folder(client, folder, start=False).name == "echo"
    assert len(small.archives) == 1


def test_a_lost_answer_of_an_upload_that_did_not_arrive(
    small: SmallEdi, client: EdiClient, server: ScriptedEdi, folder: Path
) -> None:
    server.on("POST", "/deployment/model", Reply(504, b"<html>Gateway Time-out</html>"))
    with pytest.raises(UpstreamTimeout):
        deploy_folder(client, folder)
    server.on("POST", "/deployment/model", Reply(raw=b""))
    with pytest.raises(UpstreamError):
        deploy_folder(client, folder)
    assert server.paths().count("POST /dlim/v1/deployment/model") == 2


def test_no_room_for_the_package(
    small: SmallEdi, client: EdiClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OutOfSpace) as raised:
        deploy_folder(client, folder)
    assert "TMPDIR" in str(raised.value.hint)
    assert small.archives == []
