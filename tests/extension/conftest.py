"""A Jupyter server with our half loaded, and one engine for all tests that only use it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.scripted_edi import Reply as EdiReply
from support.scripted_edi import ScriptedEdi, scripted_edi
from tornado.httpclient import HTTPResponse

from edi_labext.operations import sample_folder

#: The value of USER_ACCESS_TOKEN in every test here.
CANARY = "canary-4f1d0c9b7e2a"


@dataclass
class Reply:
    """An answer of the façade."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Call = Callable[..., Awaitable[Reply]]


@pytest.fixture
def canary() -> str:
    """The remote EDI's token, which must not appear anywhere."""
    return CANARY


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    """The store of this test alone."""
    store = tmp_path / "store"
    monkeypatch.setenv("EDI_STORE", str(store))
    return store


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """No test may meet the EDI, the token or the store of whoever runs the tests."""
    monkeypatch.setenv("EDI_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("EDI_REST_SERVER", raising=False)
    monkeypatch.setenv("USER_ACCESS_TOKEN", CANARY)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory):
    """A store whose engine runs for the whole session, started by nobody's Jupyter server."""
    store = tmp_path_factory.mktemp("shared") / "store"
    environment = {k: v for k, v in os.environ.items() if k != "USER_ACCESS_TOKEN"}
    process = subprocess.Popen(
        [sys.executable, "-m", "edi_labext.serving", "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout.readline().startswith(b"{"), "the engine did not start"
        yield store
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def running_engine(shared_store, monkeypatch) -> Path:
    """Let this test's Jupyter server use the shared engine; returns its store."""
    monkeypatch.setenv("EDI_STORE", str(shared_store))
    return shared_store


@pytest.fixture
def wmla(monkeypatch) -> Iterator[ScriptedEdi]:
    """A remote EDI without deployments, as terse as WMLA."""
    with scripted_edi() as edi:
        edi.on("GET", "/model", EdiReply.json([]))
        monkeypatch.setenv("EDI_REST_SERVER", edi.origin)
        yield edi


@pytest.fixture
def call(jp_serverapp, http_server_client, jp_auth_header, jp_base_url) -> Call:
    """Make one request: ``await call("GET", "edi/info")``, signed in unless told otherwise."""

    async def call(
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        signed_in: bool = True,
    ) -> Reply:
        sent = dict(jp_auth_header) if signed_in else {}
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None or method in ("POST", "PUT"):
            sent["Content-Type"] = "application/json"
        if data is None and method in ("POST", "PUT"):
            data = b""
        response: HTTPResponse = await http_server_client.fetch(
            jp_base_url + path,
            method=method,
            headers={**sent, **(headers or {})},
            body=data,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
            request_timeout=20,
        )
        return Reply(response.code, response.headers, response.body)

    return call


@pytest.fixture
def sample(jp_root_dir) -> Callable[[str], str]:
    """Copy the ping-pong sample below the root directory under another name."""

    def copy(name: str) -> str:
        folder = jp_root_dir / name
        shutil.copytree(sample_folder("pingpong"), folder)
        description = json.loads((folder / "model.json").read_text())
        description["name"] = name
        (folder / "model.json").write_text(json.dumps(description))
        return name

    return copy


@pytest.fixture
def finished(call) -> Callable[[Reply], Awaitable[dict[str, Any]]]:
    """Wait for the job of a 202 answer and return it."""

    async def wait(reply: Reply) -> dict[str, Any]:
        assert reply.status == 202, reply.body
        job = reply.json
        while job["state"] == "running":
            await asyncio.sleep(0.02)
            job = (await call("GET", f"edi/jobs/{job['id']}")).json
        return job

    return wait


@pytest.fixture
def spoilt(sample, jp_root_dir) -> Callable[[str, str], str]:
    """Copy the sample like ``sample``, with a line that runs before the rest of its kernel."""

    def copy(name: str, line: str) -> str:
        path = sample(name)
        description = json.loads((jp_root_dir / path / "model.json").read_text())
        kernel = jp_root_dir / path / description["kernel_path"]
        kernel.write_text(f"{line}\n{kernel.read_text()}")
        return path

    return copy
