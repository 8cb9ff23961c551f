"""Whatever is asked of the real engine has a defined answer: no 5xx, nothing half done."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from support.engine_process import EngineProcess
from support.examples import examples

from edi_labext.models import ErrorAnswer
from edi_labext.serving.routes.row import RouteRow
from edi_labext.serving.routes.table import ROUTES

#: Values that ask for trouble: at the edges of types, paths, names and numbers.
ODD = st.sampled_from(
    [None, True, 0, -1, 2**63 - 1, 1.5, "", "..", "/", "a\0b", "\n", "x" * 300, "é", "${x}", [], {}]
)
JSON = st.recursive(
    ODD | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
WRITING = [row for row in ROUTES if isinstance(row.takes, type)]


def paths(document: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return where in a document something stands."""
    children: list[tuple[str | int, object]] = []
    if isinstance(document, dict):
        children = list(document.items())
    elif isinstance(document, list):
        children = list(enumerate(document))
    return [at, *(path for key, value in children for path in paths(value, (*at, key)))]


def changed(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if value == "delete":
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


@pytest.fixture(scope="module")
def target(engine: EngineProcess) -> EngineProcess:
    engine.deploy("fuzzed")
    runtime = {"type": "fuzzed", "launcher": "${REDHARE_TOP}/script/python_launcher.sh"}
    assert engine.call("POST", "deployment/runtime", json=runtime).status_code == 200
    return engine


@pytest.fixture(scope="module")
def documents(target: EngineProcess) -> dict[tuple[str, str], Any]:
    """For each route a document that it takes, or would but for the name.

    As they were at first: what is drawn must not depend on what was done with it.
    """
    found = {}
    for row in WRITING:
        path = row.path if row.method == "PUT" else f"{row.path}/{{name}}"
        path = path.removeprefix("/dlim/v1/").format(name="fuzzed")
        found[row.method, row.path] = target.call("GET", path).json()
    return found


@pytest.mark.parametrize("row", WRITING, ids=lambda row: f"{row.method} {row.path}")
@given(data=st.data())
@hypothesis_settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
def test_any_document(
    target: EngineProcess,
    documents: dict[tuple[str, str], Any],
    row: RouteRow,
    data: st.DataObject,
) -> None:
    document = documents[row.method, row.path]
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.sampled_from(paths(document)))
        document = changed(document, where, data.draw(JSON | st.just("delete") if where else JSON))
    path = row.path.removeprefix("/dlim/v1/").format(name="fuzzed")
    answer = target.call(row.method, path, json=document)
    if answer.status_code != 200:
        assert 400 <= answer.status_code < 500, (document, answer.text)
        ErrorAnswer.model_validate_json(answer.content, strict=True)
    elif row.method == "POST":
        name = document["type" if "runtime" in path else "name"]
        assert target.call("DELETE", f"{path}/{name}").status_code == 200
    # What may be read is still whole.
    for left in ("model/fuzzed", "model/fuzzed/appprofile", "model/fuzzed/readme"):
        assert target.call("GET", left).status_code == 200
    assert target.call("GET", "deployment/runtime").status_code == 200


# Row 93
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("//dlim/v1/model", 404),
        ("/dlim//v1/model", 404),
        ("/dlim/v1/./model", 404),
        ("/dlim/v1/x/../model", 404),
        ("/dlim/v1/model/", 404),
        ("/dlim/v1/model;a=b", 404),
        ("/dlim/v1/model/fuzzed;a=b", 404),
        ("/dlim/v1/model/%66uzzed", 200),
        ("/dlim/v1/model/%2566uzzed", 404),
        ("/dlim/v1/model/%2e%2e", 404),
        ("/dlim/v1/model/..", 404),
        ("/dlim/v1/model/%C3%A9", 404),
        ("/dlim/v1/model/FUZZED", 404),
        ("/dlim/v1/model?limit=-1&limit=abc&tail=1000000000000000000", 200),
        ("/DLIM/v1/model", 404),
        ("/", 404),
    ],
)
def test_paths_are_taken_as_they_are(target: EngineProcess, path: str, status: int) -> None:
    answer, body = raw(target, f"GET {path} HTTP/1.1")
    assert answer == status
    if status != 200:
        ErrorAnswer.model_validate_json(body, strict=True)


# Row 95
@pytest.mark.parametrize(
    "header",
    [
        "Range: bytes=0-1",
        "If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT",
        "If-None-Match: *",
        "Expect: 100-continue",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        "Accept: image/png",
        "Accept-Encoding: br;q=1.0, *;q=0",
        "TE: trailers",
        "X-Http-Method-Override: DELETE",
        "X-Forwarded-Host: evil",
    ],
)
def test_headers_that_mean_nothing_here_change_nothing(target: EngineProcess, header: str) -> None:
    status, body = raw(target, "GET /dlim/v1/model/fuzzed HTTP/1.1", header)
    assert status == 200
    assert json.loads(body)["name"] == "fuzzed"


def raw(engine: EngineProcess, line: str, *headers: str) -> tuple[int, bytes]:
    """Send a request that no library would put so; return status and body of the last answer."""
    host, port = engine.base.split("/")[2].split(":")
    head = [line, f"Host: {host}:{port}", f"X-Auth-Token: {engine.token}", *headers]
    if not any(header.startswith("Connection") for header in headers):
        head.append("Connection: close")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall("\r\n".join([*head, "", ""]).encode())
        received = b""
        while True:
            start, _, body = received.partition(b"\r\n\r\n")
            if start.startswith(b"HTTP/1.1 100"):
                received = body
                continue
            length = [
                int(part[15:]) for part in start.split(b"\r\n") if part[:15] == b"content-length:"
            ]
            if length and len(body) >= length[0]:
                return int(start.split()[1]), body[: length[0]]
            piece = wire.recv(65536)
            assert piece, received
            received += piece
