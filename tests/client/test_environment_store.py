"""The file of environments: strict, private, never half written, and without secrets."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from edi_labext.client.environment_changes import make_settings
from edi_labext.client.environment_store import EnvironmentStore, default_settings_file
from edi_labext.errors import EdiError, InvalidInput, NotConfigured, NotFound, StorageFailure

PROD = make_settings(title="Production", address="https://wmla-console-ns.apps.example.com")


@pytest.fixture
def store(tmp_path: Path) -> EnvironmentStore:
    return EnvironmentStore(tmp_path / "config" / "edi_labext" / "environments.json")


def test_nothing_is_kept_before_the_first_change(store: EnvironmentStore) -> None:
    assert store.load().environments == {}
    assert not store.path.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_kept_is_ours_alone(store: EnvironmentStore, umask: int) -> None:
    before = os.umask(umask)
    try:
        store.put("prod", lambda old: PROD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) & 0o077 == 0
    assert EnvironmentStore(store.path).get("prod") == PROD
    assert [path.name for path in store.path.parent.iterdir() if path.suffix != ".lock"] == [
        store.path.name
    ]


def test_it_is_in_jupyters_directory(tmp_path: Path) -> None:
    env = {"JUPYTER_CONFIG_DIR": str(tmp_path)}
    assert default_settings_file(env) == tmp_path / "edi_labext" / "environments.json"
    assert default_settings_file({}).name == "environments.json"


def write(store: EnvironmentStore, value: Any) -> None:
    store.path.parent.mkdir(parents=True, exist_ok=True)
    store.path.write_text(value if isinstance(value, str) else json.dumps(value))
    store.path.chmod(0o600)


def entry(**more: Any) -> dict[str, Any]:
    return {"environments": {"a": {"title": "A", "address": "https://a.example.com", **more}}}


TOKEN = "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "environments.json"),
        ("[]", "environments.json"),
        ('{"environments": {}, "environments": {}}', "environments"),
        ({"enviroments": {}}, "did you mean environments"),
        (entry(ca_bundel="x"), "did you mean ca_bundle"),
        (entry(token="abc"), "token"),
        (entry(token={"kind": "session", "value": TOKEN}), "value"),
        (entry(token={"kind": "magic"}), "token"),
        (entry(token={"kind": "command", "command": []}), "command"),
        (entry(token={"kind": "command", "command": ["echo", TOKEN]}), "holds a token"),
        (entry(token={"kind": "variable", "variable": "A B"}), "variable"),
        (entry(title=TOKEN), "holds a token"),
        (entry(title=""), "title"),
        (entry(title="two\nlines"), "one line"),
        (entry(verify="no"), "verify"),
        (entry(verify=0), "verify"),
        (entry(upload="ftp"), "upload"),
        (entry(client_key="k.pem"), "client_key needs client_certificate"),
        ({"environments": {"a": {"title": "A"}}}, "address"),
        ({"environments": {"local": PROD.model_dump()}}, "local"),
        ({"environments": {"../x": PROD.model_dump()}}, "../x"),
        ({"schema_version": 2}, "schema_version"),
        ({"schema_version": "1"}, "schema_version"),
    ],
)
def test_a_file_that_says_what_is_not_known(store: EnvironmentStore, value: Any, told: str) -> None:
    write(store, value)
    with pytest.raises(NotConfigured) as raised:
        store.load()
    assert raised.value.code == "bad_environments_file"
    assert told in raised.value.message
    assert TOKEN not in raised.value.message
    assert str(store.path) in str(raised.value.hint)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_to(store: EnvironmentStore, mode: int) -> None:
    store.put("prod", lambda old: PROD)
    store.path.chmod(mode)
    with pytest.raises(NotConfigured, match="redirect your token"):
        store.load()


def test_what_is_no_plain_file(store: EnvironmentStore) -> None:
    store.path.parent.mkdir(parents=True)
    os.mkfifo(store.path)
    with pytest.raises(NotConfigured, match="plain file"):
        store.load()


@pytest.mark.parametrize(
    "name", ["", "local", "wmla", "A", "a b", "-a", "a-", "a/b", "..", "ä", "a\n", "x" * 64]
)
def test_names_that_an_environment_cannot_have(store: EnvironmentStore, name: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        store.put(name, lambda old: PROD)
    assert raised.value.code == "invalid_name"
    assert not store.path.exists()


def test_choose_and_remove(store: EnvironmentStore) -> None:
    store.put("prod", lambda old: PROD)
    store.choose("prod")
    assert store.load().current == "prod"
    store.remove("prod")
    assert store.load().current is None
    with pytest.raises(NotFound):
        store.remove("prod")


def test_a_failing_change_changes_nothing(store: EnvironmentStore) -> None:
    store.put("prod", lambda old: PROD)
    before = store.path.read_bytes()

    def fail(old: object) -> Any:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        store.put("prod", fail)
    assert store.path.read_bytes() == before


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = EnvironmentStore(tmp_path / "file" / "environments.json")
    assert store.load().environments == {}
    with pytest.raises(StorageFailure) as raised:
        store.put("prod", lambda old: PROD)
    assert "JUPYTER_CONFIG_DIR" in str(raised.value.hint)


def test_a_link_stays_one(store: EnvironmentStore, tmp_path: Path) -> None:
    """People keep their settings in a repository of their own."""
    target = tmp_path / "dotfiles.json"
    write(store, {})
    store.path.rename(target)
    store.path.symlink_to(target)
    store.put("prod", lambda old: PROD)
    assert store.path.is_symlink()
    assert "prod" in target.read_text()


def test_changes_at_the_same_time_are_all_kept(store: EnvironmentStore) -> None:
    def add(number: int) -> None:
        EnvironmentStore(store.path).put(f"e{number}", lambda old: PROD)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.load().environments) == 12


def test_what_a_person_gives_is_checked_by_name() -> None:
    with pytest.raises(InvalidInput) as raised:
        make_settings(title="A", address="https://a.example.com", verfy=False)
    assert "did you mean verify" in raised.value.message
    for address in ("ftp://a", "https://a.example.com?x", "https://u:p@a.example.com"):
        with pytest.raises(EdiError):
            make_settings(title="A", address=address)
