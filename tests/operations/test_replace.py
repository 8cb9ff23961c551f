"""Replacing a deployment: nothing is removed for nothing, and the profile is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import Cancelled, EdiError, InvalidInput, NotFound, UpstreamUnreachable
from edi_labext.operations import Cancellation, Progress, replace_folder

OLD = {
    "name": "echo",
    "create_time": "then",
    "last_update_time": "then",
    "policy": {"kernel_min": 3},
    "of_a_newer_wmla": [1],
}
FRESH = {
    "name": "echo",
    "create_time": "now",
    "last_update_time": "now",
    "policy": {"kernel_min": 1},
}


class Profiles:
    """The profile of the deployment ``echo``: the old one until it is deployed anew."""

    def __init__(self, server: ScriptedEdi, small: SmallEdi) -> None:
        self.small = small
        self.written: list[bytes] = []
        self.fresh: dict[str, Any] = FRESH
        server.on("GET", "/model/echo/appprofile", self._read)
        server.on("PUT", "/model/echo/appprofile", self._write)

    def _read(self, request: Received) -> Reply:
        return Reply.json(self.fresh if self.small.archives else OLD)

    def _write(self, request: Received) -> Reply:
        self.written.append(request.body)
        return Reply.json({})


@pytest.fixture
def profiles(server: ScriptedEdi, small: SmallEdi) -> Profiles:
    small.add("echo", "ready")
    return Profiles(server, small)


@pytest.fixture(params=[True, False], ids=["redeploys", "405"])
def route(request: pytest.FixtureRequest, small: SmallEdi) -> bool:
    """EDIs with the redeploy route, and without."""
    small.redeploys = request.param
    return request.param


def sent(server: ScriptedEdi) -> list[tuple[str, str]]:
    """What changed something, in order."""
    root = "/dlim/v1/"
    return [(r.method, r.path.removeprefix(root)) for r in server.received if r.method != "GET"]


def test_the_profile_is_kept_but_not_what_belongs_to_the_deployment(
    client: EdiClient,
    server: ScriptedEdi,
    small: SmallEdi,
    profiles: Profiles,
    folder: Path,
    route: bool,
) -> None:
    deployment = replace_folder(client, folder)
    assert deployment.state == "stopped"
    [written] = profiles.written
    assert json.loads(written) == {**OLD, "create_time": "now", "last_update_time": "now"}
    done = [("PUT", "model/echo/operation/stop"), ("POST", "deployment/model/echo")]
    if not route:
        done += [("DELETE", "model/echo"), ("POST", "deployment/model")]
    assert sent(server) == [*done, ("PUT", "model/echo/appprofile")]
    assert len(small.archives) == 1


def test_an_equal_profile_is_not_written(
    client: EdiClient, profiles: Profiles, folder: Path, route: bool
) -> None:
    profiles.fresh = {**OLD, "create_time": "now", "last_update_time": "now"}
    replace_folder(client, folder)
    assert profiles.written == []


def test_a_folder_that_cannot_be_deployed_costs_nothing(
    client: EdiClient, server: ScriptedEdi, profiles: Profiles, folder: Path
) -> None:
    (folder / "README.md").unlink()
    with pytest.raises(InvalidInput):
        replace_folder(client, folder)
    assert server.received == []


def test_nothing_to_replace(
    client: EdiClient, server: ScriptedEdi, small: SmallEdi, folder: Path
) -> None:
    with pytest.raises(NotFound):
        replace_folder(client, folder)
    assert small.archives == []


def test_a_refused_package_leaves_the_old_one(
    client: EdiClient, server: ScriptedEdi, small: SmallEdi, profiles: Profiles, folder: Path
) -> None:
    server.on("POST", "/deployment/model/echo", Reply(507, b"The disk is full."))
    with pytest.raises(EdiError, match=r"echo is stopped and was not replaced.*disk is full"):
        replace_folder(client, folder)
    assert small.deployments["echo"].state == "stopped"
    assert ("DELETE", "model/echo") not in sent(server)


def test_a_lost_answer_is_looked_for(
    client: EdiClient, server: ScriptedEdi, small: SmallEdi, profiles: Profiles, folder: Path
) -> None:
    small.redeploys = True

    def arrive_and_hang_up(request: Received) -> Reply:
        small._redeploy("echo", request.body)
        return Reply(raw=b"")

    server.on("POST", "/deployment/model/echo", arrive_and_hang_up)
    assert replace_folder(client, folder).state == "stopped"
    assert len(small.archives) == 1
    server.on("POST", "/deployment/model/echo", lambda request: Reply(raw=b""))
    with pytest.raises(UpstreamUnreachable, match="echo is stopped and was not replaced"):
        replace_folder(client, folder)
    assert ("DELETE", "model/echo") not in sent(server)


def test_a_refusal_after_the_removal_is_told(
    client: EdiClient, server: ScriptedEdi, small: SmallEdi, profiles: Profiles, folder: Path
) -> None:
    server.on("POST", "/deployment/model", Reply(507, b"The disk is full."))
    with pytest.raises(EdiError, match=r"echo was removed to be replaced.*The disk is full"):
        replace_folder(client, folder)
    assert small.deployments == {}


def test_a_profile_that_cannot_be_kept_is_told(
    client: EdiClient, server: ScriptedEdi, profiles: Profiles, folder: Path, route: bool
) -> None:
    server.on("PUT", "/model/echo/appprofile", Reply(400, b"kernel_min is too large."))
    with pytest.raises(EdiError, match=r"echo is replaced, but has the default profile"):
        replace_folder(client, folder)


@pytest.mark.parametrize("phase", ["stop", "upload"])
def test_a_cancel_says_what_is_left(
    client: EdiClient,
    small: SmallEdi,
    profiles: Profiles,
    folder: Path,
    phase: str,
) -> None:
    cancellation = Cancellation()

    def report(progress: Progress) -> None:
        if progress.phase == phase:
            cancellation.cancel()

    with pytest.raises(Cancelled) as raised:
        replace_folder(client, folder, report=report, cancellation=cancellation)
    assert "echo" in small.deployments
    assert small.archives == []
    if phase == "upload":
        assert "echo is stopped and was not replaced" in raised.value.message


def test_a_cancel_after_the_removal_is_told(
    client: EdiClient, small: SmallEdi, profiles: Profiles, folder: Path
) -> None:
    cancellation = Cancellation()

    def report(progress: Progress) -> None:
        if progress.phase == "upload" and not small.deployments:
            cancellation.cancel()

    with pytest.raises(Cancelled, match="echo was removed to be replaced"):
        replace_folder(client, folder, report=report, cancellation=cancellation)
    assert small.deployments == {}
