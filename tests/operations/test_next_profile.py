"""What is saved while a deployment is started, and used at its next start."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.engine import needs_engine, running_engine
from support.profiled_edi import ProfiledEdi
from support.scripted_edi import Reply, ScriptedEdi
from support.small_edi import SmallEdi

from edi_labext.client import EdiClient
from edi_labext.errors import Conflict, InvalidInput, StorageFailure
from edi_labext.models import Profile
from edi_labext.operations import (
    NextProfiles,
    apply_patch,
    deploy_folder,
    edit_profile,
    get_deployment,
    list_deployments,
    restart,
    sample_folder,
    save_for_next_start,
    start_and_wait,
    stop_and_wait,
    undeploy,
    view_profile,
)


@pytest.fixture
def client(server: ScriptedEdi, tmp_path: Path) -> Iterator[EdiClient]:
    keep = tmp_path / "kept"
    made = EdiClient(server.url, lambda: "t0ken-of-the-tests", trust_proxies=False, keep=keep)
    yield made
    made.close()


@pytest.fixture
def edi(small: SmallEdi, server: ScriptedEdi) -> ProfiledEdi:
    small.add("digits", "ready")
    return ProfiledEdi(small, server, Profile(name="digits").to_wire())


def wanted(edi: ProfiledEdi, kernels: int = 3) -> dict[str, Any]:
    return apply_patch(edi.document, {"policy": {"kernel_min": kernels}})


def kept(client: EdiClient) -> dict[str, Any] | None:
    waiting = NextProfiles.of(client).get("digits")
    return None if waiting is None else waiting.document


def test_it_waits_in_a_file_of_its_own_for_nobody_else(
    edi: ProfiledEdi, client: EdiClient, tmp_path: Path
) -> None:
    document = wanted(edi)
    saved = save_for_next_start(client, "digits", document, wall=lambda: 5.0)
    assert saved is not None
    assert saved.saved_at == 5.0
    assert edi.puts == 0
    files = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["digits.json"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert "t0ken" not in files[0].read_text()
    # Another process finds it: a Jupyter server after its restart, a script.
    assert NextProfiles(files[0].parent).get("digits") == saved
    assert get_deployment(client, "digits").next_profile
    assert [row.next_profile for row in list_deployments(client)] == [True]


@pytest.mark.parametrize("action", [start_and_wait, restart])
def test_the_next_start_uses_it(
    action: Any, edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    document = wanted(edi)
    save_for_next_start(client, "digits", document)
    if action is start_and_wait:
        small.deployments["digits"].state = "stopped"
    assert action(client, "digits").state == "ready"
    assert edi.document == document
    assert edi.puts == 1
    assert kept(client) is None
    assert not get_deployment(client, "digits").next_profile


def test_a_stop_gives_it_to_the_edi_at_once(edi: ProfiledEdi, client: EdiClient) -> None:
    document = wanted(edi)
    save_for_next_start(client, "digits", document)
    assert stop_and_wait(client, "digits").state == "stopped"
    assert edi.document == document
    assert kept(client) is None


def test_a_start_of_what_runs_leaves_it_waiting(edi: ProfiledEdi, client: EdiClient) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    assert start_and_wait(client, "digits").state == "ready"
    assert edi.puts == 0
    assert kept(client) is not None


def test_what_has_failed_is_stopped_for_it(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    if not small.engine:
        pytest.skip("WMLA does not tell failed from slow")
    small.deployments["digits"].state = "failed"
    document = wanted(edi)
    save_for_next_start(client, "digits", document)
    assert start_and_wait(client, "digits").state == "ready"
    assert edi.document == document


@pytest.mark.parametrize("action", [start_and_wait, restart])
def test_what_somebody_else_saved_meanwhile_is_not_overwritten(
    action: Any, edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    theirs = edi.document = wanted(edi, kernels=2)
    if action is start_and_wait:
        small.deployments["digits"].state = "stopped"
    before = small.deployments["digits"].state
    with pytest.raises(Conflict) as caught:
        action(client, "digits")
    assert caught.value.code == "next_profile_outdated"
    assert caught.value.hint
    assert (edi.document, edi.puts) == (theirs, 0)
    # Nothing was begun, and nothing is lost: a person decides.
    assert small.deployments["digits"].state == before
    assert kept(client) is not None
    save_for_next_start(client, "digits", wanted(edi))
    assert action(client, "digits").state == "ready"
    assert edi.document["policy"]["kernel_min"] == 3


def test_a_stop_works_whatever_becomes_of_it(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    edi.document = wanted(edi, kernels=2)
    told: list[str] = []
    row = stop_and_wait(client, "digits", report=lambda progress: told.append(progress.message))
    assert row.state == "stopped"
    assert "changed since" in told[-1]
    assert kept(client) is not None


def test_what_the_edi_refuses_goes_on_waiting(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    small.deployments["digits"].state = "stopped"
    edi.refusal = Reply(400, b"no such resource plan")
    with pytest.raises(InvalidInput):
        start_and_wait(client, "digits")
    assert small.deployments["digits"].state == "stopped"
    assert kept(client) is not None


def test_bad_values_and_old_copies_are_refused_at_once(edi: ProfiledEdi, client: EdiClient) -> None:
    with pytest.raises(InvalidInput) as bad:
        save_for_next_start(client, "digits", wanted(edi, kernels=-1))
    assert bad.value.fields[0]["field"] == "policy.kernel_min"  # type: ignore[index]
    with pytest.raises(Conflict) as old:
        save_for_next_start(client, "digits", wanted(edi), revision="0" * 32)
    assert old.value.code == "changed_since_read"
    assert kept(client) is None


def test_what_says_the_same_as_the_edi_needs_no_waiting(
    edi: ProfiledEdi, client: EdiClient
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    assert save_for_next_start(client, "digits", edi.document) is None
    assert kept(client) is None


def test_saving_for_good_forgets_what_waited(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    edit_profile(client, "digits", wanted(edi, kernels=2), restart=True)
    assert edi.document["policy"]["kernel_min"] == 2
    assert kept(client) is None


def test_undeploying_forgets_it_even_if_it_was_removed_elsewhere(
    edi: ProfiledEdi, small: SmallEdi, client: EdiClient
) -> None:
    for gone in (False, True):
        if gone:
            small.add("digits", "ready")
        save_for_next_start(client, "digits", wanted(edi))
        if gone:
            del small.deployments["digits"]
        undeploy(client, "digits")
        assert kept(client) is None


def test_a_new_deployment_of_the_name_does_not_inherit_it(
    small: SmallEdi, edi: ProfiledEdi, client: EdiClient, folder: Path
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    del small.deployments["digits"]
    deploy_folder(client, folder, name="digits", start=False)
    assert kept(client) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"revision": 1}', "\x00", "{" * 5000])
def test_a_file_that_holds_something_else_is_said_and_replaced(
    content: str, edi: ProfiledEdi, small: SmallEdi, client: EdiClient, tmp_path: Path
) -> None:
    save_for_next_start(client, "digits", wanted(edi))
    (path,) = (tmp_path / "kept").rglob("digits.json")
    path.write_text(content)
    small.deployments["digits"].state = "stopped"
    with pytest.raises(StorageFailure) as caught:
        start_and_wait(client, "digits")
    assert caught.value.code == "next_profile_unreadable"
    save_for_next_start(client, "digits", wanted(edi))
    assert start_and_wait(client, "digits").state == "ready"


def test_a_place_that_cannot_be_written_is_said(
    edi: ProfiledEdi, client: EdiClient, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    with pytest.raises(StorageFailure, match="could not be kept"):
        save_for_next_start(client, "digits", wanted(edi))
    assert NextProfiles.of(client).names() == frozenset()
    NextProfiles.of(client).remove("digits")


def test_a_client_that_keeps_nothing(edi: ProfiledEdi, server: ScriptedEdi) -> None:
    bare = EdiClient(server.url, lambda: "t0ken-of-the-tests", trust_proxies=False)
    with pytest.raises(StorageFailure):
        save_for_next_start(bare, "digits", wanted(edi))
    assert stop_and_wait(bare, "digits").state == "stopped"
    bare.close()


@needs_engine
def test_with_the_engine_it_outlives_both(tmp_path: Path) -> None:
    """Saved while it runs; used after the engine, and who saved it, came back."""
    store = tmp_path / "store"
    with running_engine(store) as (_, client):
        deploy_folder(client, sample_folder("pingpong"))
        document = view_profile(client, "pingpong").to_wire()
        document["policy"]["kernel_min"] = 2
        save_for_next_start(client, "pingpong", document)
        assert get_deployment(client, "pingpong").kernels_wanted == 1
    with running_engine(store) as (_, client):
        start_and_wait(client, "pingpong")
        row = restart(client, "pingpong")
        assert (row.kernels_wanted, row.next_profile) == (2, False)
        undeploy(client, "pingpong")
