"""Ending an engine of somebody else: never a process that only has its number."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi, scripted_edi

from edi_labext.client import stop_engine
from edi_labext.errors import Conflict, Unavailable

TOKEN = "ab" * 32
PATIENT = "import signal, sys; print(flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); "
    "signal.pause(); signal.pause()"
)


@pytest.fixture
def engine_door() -> Iterator[ScriptedEdi]:
    """Listens like the engine that holds the token."""

    def hello(request: Received) -> Reply:
        nonce = parse_qs(urlsplit(request.path).query)["nonce"][0]
        proof = hmac.new(TOKEN.encode(), b"edi-hello:" + nonce.encode(), hashlib.sha256)
        return Reply.json({"hmac": proof.hexdigest()})

    with scripted_edi() as server:
        server.on("GET", "/edi/v1/hello", hello)
        yield server


@pytest.fixture(params=[True, False], ids=["pidfd", "pid"])
def descriptors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways: with process descriptors and, as on macOS, without."""
    if not request.param:
        monkeypatch.delattr(os, "pidfd_open", raising=False)


class Victim:
    """A process that an ``engine.json`` names."""

    def __init__(self, store: Path, door: str, owner: str, program: str = PATIENT) -> None:
        store.mkdir(exist_ok=True)
        self.process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        _private(store / "token", TOKEN)
        facts = {
            "rest_server": f"{door}/dlim/v1/",
            "token_file": str(store / "token"),
            "pid": self.process.pid,
            "owner": owner,
        }
        _private(store / "engine.json", json.dumps(facts))

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def __enter__(self) -> Victim:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


@pytest.mark.parametrize("owner", ["background", "terminal"])
def test_it_ends_the_engine(tmp_path: Path, engine_door: ScriptedEdi, owner: str) -> None:
    with Victim(tmp_path, engine_door.origin, owner) as victim:
        assert stop_engine(tmp_path) == victim.process.pid
        assert victim.process.wait(1) == -15


def test_a_process_that_only_has_the_number_is_left_alone(
    tmp_path: Path, descriptors: None
) -> None:
    with scripted_edi() as stranger:
        stranger.on("GET", "/edi/v1/hello", Reply.json({"hmac": "0" * 64}))
        with Victim(tmp_path, stranger.origin, "background") as victim:
            assert stop_engine(tmp_path) is None
            assert victim.alive
    with Victim(tmp_path, "http://127.0.0.1:9", "background") as victim:
        assert stop_engine(tmp_path) is None
        assert victim.alive


def test_a_jupyter_servers_engine_is_refused(tmp_path: Path, engine_door: ScriptedEdi) -> None:
    with Victim(tmp_path, engine_door.origin, "jupyter") as victim:
        with pytest.raises(Conflict, match="Jupyter server") as raised:
            stop_engine(tmp_path)
        assert raised.value.code == "engine_of_jupyter"
        assert victim.alive


def test_an_engine_that_takes_too_long(
    tmp_path: Path, engine_door: ScriptedEdi, descriptors: None
) -> None:
    with Victim(tmp_path, engine_door.origin, "background", DEAF) as victim:
        with pytest.raises(Unavailable, match="has not ended within") as raised:
            stop_engine(tmp_path, timeout=0.05)
        assert raised.value.code == "engine_stop_timeout"
        assert victim.alive


def test_without_process_descriptors_the_end_is_seen_too(
    tmp_path: Path, engine_door: ScriptedEdi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    with Victim(tmp_path, engine_door.origin, "background") as victim:
        # Reaped as it ends: no child of ours would be a zombie elsewhere.
        import threading

        reaper = threading.Thread(target=victim.process.wait)
        reaper.start()
        assert stop_engine(tmp_path) == victim.process.pid
        reaper.join()


@pytest.mark.parametrize("pid", [0, -1, 2**30])
def test_a_number_that_no_process_has(tmp_path: Path, engine_door: ScriptedEdi, pid: int) -> None:
    with Victim(tmp_path, engine_door.origin, "background"):
        facts = json.loads((tmp_path / "engine.json").read_text())
        _private(tmp_path / "engine.json", json.dumps({**facts, "pid": pid}))
        assert stop_engine(tmp_path) is None


def test_no_engine(tmp_path: Path) -> None:
    assert stop_engine(tmp_path / "nothing") is None
