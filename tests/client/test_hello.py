"""Who listens where an engine was must prove that it is the engine, before it is told anything."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.scripted_edi import Received, Reply, ScriptedEdi

from edi_labext.client import LocalEngine

TOKEN = "ab" * 32


@pytest.fixture
def store(tmp_path: Path, edi: ScriptedEdi) -> Path:
    path = tmp_path / "store"
    path.mkdir(mode=0o700)
    private(path / "token", TOKEN)
    write_runtime_file(path, edi)
    return path


def private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def write_runtime_file(store: Path, edi: ScriptedEdi, **other: Any) -> None:
    facts = {"rest_server": edi.url, "token_file": str(store / "token"), "pid": 1, **other}
    private(store / "engine.json", json.dumps(facts))


def prove(request: Received, token: str = TOKEN) -> Reply:
    nonce = parse_qs(urlsplit(request.path).query)["nonce"][0]
    proof = hmac.new(token.encode(), f"edi-hello:{nonce}".encode(), hashlib.sha256)
    return Reply.json({"hmac": proof.hexdigest()})


def test_an_engine_that_proves_itself_is_found(edi: ScriptedEdi, store: Path) -> None:
    edi.on("GET", "/edi/v1/hello", prove)
    engine = LocalEngine(store, "jupyter")
    address = engine.find()
    assert address is not None
    assert (address.rest_server, address.pid) == (edi.url, 1)
    assert engine.state == "running"
    assert engine.ensure() == address
    engine.close()


def test_each_proof_is_for_a_new_number(edi: ScriptedEdi, store: Path) -> None:
    edi.on("GET", "/edi/v1/hello", prove)
    engine = LocalEngine(store, "jupyter")
    engine.find()
    engine.find()
    first, second = edi.paths()
    assert first != second
    assert len(first.partition("nonce=")[2]) == 64


@pytest.mark.parametrize(
    "reply",
    [
        lambda request: prove(request, "cd" * 32),
        Reply.json({"hmac": ""}),
        Reply.json({"hmac": None}),
        Reply.json({"hmac": "é" * 64}),
        Reply.json(["hmac"]),
        Reply(200, b"<html>"),
        Reply(200, b"x" * 100_000),
        Reply(500, b""),
        Reply(302, headers={"Location": "/edi/v1/hello"}),
        Reply(raw=b"nonsense"),
    ],
)
def test_an_impostor_gets_no_token(edi: ScriptedEdi, store: Path, reply: Any) -> None:
    edi.on("GET", "/edi/v1/hello", reply)
    engine = LocalEngine(store, "jupyter")
    assert engine.find() is None
    assert engine.state == "stopped"
    for request in edi.received:
        assert TOKEN not in f"{request.path} {request.headers} {request.body!r}"


@pytest.mark.parametrize(
    "facts",
    [
        {"rest_server": "http://192.0.2.1:80/dlim/v1/"},
        {"rest_server": "https://127.0.0.1:80/dlim/v1/"},
        {"rest_server": "http://127.0.0.1/dlim/v1/"},
        {"rest_server": "http://a@127.0.0.1:80/dlim/v1/"},
        {"rest_server": None},
        {"token_file": "token"},
        {"token_file": 3},
        {"pid": "1"},
    ],
)
def test_a_runtime_file_that_cannot_be_right_is_not_believed(
    edi: ScriptedEdi, store: Path, facts: dict[str, Any]
) -> None:
    write_runtime_file(store, edi, **facts)
    assert LocalEngine(store, "jupyter").find() is None
    assert edi.received == []


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}', "[" * 10_000])
def test_a_broken_runtime_file(edi: ScriptedEdi, store: Path, content: str) -> None:
    private(store / "engine.json", content)
    assert LocalEngine(store, "jupyter").find() is None
    assert edi.received == []


def test_planted_files_are_not_used(edi: ScriptedEdi, store: Path, tmp_path: Path) -> None:
    edi.on("GET", "/edi/v1/hello", prove)
    engine = LocalEngine(store, "jupyter")
    runtime_file = store / "engine.json"
    runtime_file.chmod(0o666)
    assert engine.find() is None
    runtime_file.chmod(0o600)
    runtime_file.rename(tmp_path / "elsewhere.json")
    runtime_file.symlink_to(tmp_path / "elsewhere.json")
    assert engine.find() is None
    assert edi.received == []
