"""Rows 77-101 of the table of bad inputs on the real engine; each test id starts with its row.

Every answer is defined, comes soon, tells no traceback and changes nothing. What the door does with
bytes that are no HTTP at all is in ``test_bad_http.py``, with a fake engine behind it.
"""

from __future__ import annotations

import concurrent.futures
import json
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support.door_server import Reply, Wire
from support.engine_process import EngineProcess
from support.waiting import until

from edi_labext.serving.routes.table import ROUTES

RAW = """
import os, threading, time
import redhareapiversion
from redhareapi import Kernel


class RawKernel(Kernel):
    def on_task_invoke(self, task_context):
        text = task_context.get_input_data()
        if text.startswith("slow"):
            time.sleep(float(text[5:]))
        if text == "large":
            task_context.set_output_data(b"x" * ((64 << 20) + 1))
        elif text != "nothing":
            task_context.set_output_data(text)


RawKernel().run()
"""


class Engine:
    """The engine as raw bytes see it."""

    def __init__(self, process: EngineProcess) -> None:
        self.process = process
        host, port = process.base.split("/")[2].split(":")
        self.host, self.port = host, int(port)
        self.token = f"X-Auth-Token: {process.token}"

    def connect(self) -> Wire:
        sock = socket.create_connection((self.host, self.port), timeout=20)
        return Wire(sock, self.port)

    def ask(self, method: str, path: str, *headers: str, **options: Any) -> Reply:
        options.setdefault("token", self.token)
        with self.connect() as wire:
            wire.send(wire.request(method, path, *headers, **options))
            return wire.reply(head_only=method == "HEAD")

    def state(self) -> Any:
        """Return everything that a bad request must leave as it was."""
        call = self.process.call
        return [
            call("GET", path).json()
            for path in ("model", "deployment/runtime", "model/served/appprofile",
                         "model/asleep/appprofile", "model/asleep/readme")
        ]  # fmt: skip


@pytest.fixture(scope="module")
def served(engine: EngineProcess) -> Iterator[Engine]:
    engine.running("served", RAW)
    assert engine.deploy("asleep", RAW).status_code == 200
    runtime = {"type": "own", "launcher": sys.executable}
    assert engine.call("POST", "deployment/runtime", json=runtime).status_code == 200
    yield Engine(engine)
    assert "Traceback" not in engine.log.read_text()


def check(reply: Reply, status: int, code: str | None = None) -> None:
    assert reply.status == status, reply.body
    told = json.loads(reply.body)
    assert told["error"] == told["message"] == told["errors"][0]["message"]
    assert code in (None, told["code"])
    # The log of a kernel that failed, which goes along as a detail, is another matter.
    assert "Traceback" not in told["message"]
    assert reply.headers["x-content-type-options"] == "nosniff"


PATHS = ("/dlim/v1/model", "/dlim/v1/inference/served", "/dlim/v1/inference/serve%64")

HEAD_ROWS: list[tuple[str, str | None, list[str], int]] = [
    ("77-none", None, [], 401),
    ("77-empty", "X-Auth-Token: ", [], 401),
    ("77-wrong", "X-Auth-Token: " + "0" * 64, [], 401),
    ("77-twice", "{token}\r\n{token}", [], 401),
    ("77-in-two-headers", "{token}\r\nAuthorization: Bearer {bare}", [], 401),
    ("77-basic", "Authorization: Basic YWRhOng=", [], 401),
    ("77-longer", "X-Auth-Token: {bare}0", [], 401),
    ("81-cookie", "Cookie: token={bare}", [], 401),
    ("79-foreign-host", "{token}", ["Host: evil"], 400),
    ("80-foreign-origin", "{token}", ["Origin: http://evil"], 403),
    ("80-null-origin", "{token}", ["Origin: null"], 403),
    ("80-cross-site", "{token}", ["Sec-Fetch-Site: cross-site"], 403),
    ("83-gzip", "{token}", ["Content-Encoding: gzip"], 415),
    ("85-both-lengths", "{token}", ["Transfer-Encoding: chunked"], 400),
    ("86-header-too-long", "{token}", ["X: " + "y" * 70_000], 431),
    ("86-too-many-headers", "{token}", [f"X-{n}: y" for n in range(300)], 431),
    ("95-other-expectation", "{token}", ["Expect: x"], 417),
    ("96-web-socket-without-token", None,
     ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"], 401),
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [row[1:] for row in HEAD_ROWS],
    ids=[row[0] for row in HEAD_ROWS],
)
def test_heads(
    served: Engine, path: str, token: str | None, headers: list[str], status: int
) -> None:
    before = served.state()
    if token is not None:
        token = token.format(token=served.token, bare=served.process.token)
    check(served.ask("POST", path, *headers, token=token, body=b"{}"), status)
    assert served.state() == before


@pytest.mark.parametrize(
    "token", ["authorization: bEARER {bare}", "x-user-token:   {bare}  ", "X-AUTH-TOKEN:\t{bare}"]
)
def test_row_77_what_is_a_token(served: Engine, token: str) -> None:
    token = token.format(bare=served.process.token)
    for path in PATHS[1:]:
        assert served.ask("POST", path, token=token, body=b"{}").body == b"{}"


@pytest.mark.parametrize("query", ["token={}", "X-Auth-Token={}", "access_token={}"])
def test_row_78_a_token_in_the_address(served: Engine, query: str) -> None:
    path = "/dlim/v1/model?" + query.format(served.process.token)
    reply = served.ask("GET", path, token=None)
    check(reply, 401)
    assert served.process.token not in served.process.log.read_text()


@pytest.mark.parametrize(
    "host",
    ["evil", "", "127.0.0.1.evil", "localhost.:{port}", "0.0.0.0:{port}", "[::1]x:{port}",
     "a/healthz?", "127.0.0.1:{port}@evil", "127.0.0.1:1"],
)  # fmt: skip
def test_row_79_hosts(served: Engine, host: str) -> None:
    for path in PATHS:
        assert served.ask("POST", path, host=host, body=b"{}").status in (400, 403, 421)


#: Routes that take a JSON document, with names that are there.
DOCUMENT_ROUTES = [
    (row.method, row.path.replace("{name}", "own" if "/runtime/" in row.path else "asleep"))
    for row in ROUTES
    if isinstance(row.takes, type)
]
#: Rows 82 and 88-90: what is sent as a document, its type, and what may come back.
DOCUMENTS: list[tuple[str, str, bytes, set[int]]] = [
    ("82-pickle", "application/x-python-pickle", b"{}", {415}),
    ("82-xml", "application/xml", b"{}", {415}),
    ("88-empty", "application/json", b"", {400}),
    ("88-array", "application/json", b"[]", {400}),
    ("88-null", "application/json", b"null", {400}),
    ("88-text", "application/json", b'"x"', {400}),
    ("88-not-utf8", "application/json", b'{"name": "\xff"}', {400}),
    ("88-utf16", "application/json", '{"name": "a"}'.encode("utf-16"), {400}),
    ("88-deep", "application/json", b'{"a":' * 500 + b"1" + b"}" * 500, {400}),
    ("88-very-deep", "application/json", b"[" * 200_000, {400}),
    ("88-cut", "application/json", b'{"name": ', {400}),
    ("88-twice", "application/json", b'{"name": "a", "name": "b"}', {400}),
    ("89-surrogate", "application/json", b'{"name": "\\ud800", "readme": "\\ud800"}', {400}),
    ("90-large-integer", "application/json", b'{"name": 99999999999999999999}', {400}),
    ("90-large-float", "application/json", b'{"name": 1e400}', {400}),
    ("90-many-digits", "application/json", b'{"name": ' + b"9" * 5000 + b"}", {400}),
    ("90-nan", "application/json", b'{"name": NaN}', {400}),
    ("84-too-long", "application/json", b" " * ((1 << 20) + 1), {413}),
]


@pytest.mark.parametrize(
    ("kind", "body", "statuses"), [row[1:] for row in DOCUMENTS], ids=[row[0] for row in DOCUMENTS]
)
def test_documents(served: Engine, kind: str, body: bytes, statuses: set[int]) -> None:
    assert len(DOCUMENT_ROUTES) >= 2
    before = served.state()
    for method, path in DOCUMENT_ROUTES:
        reply = served.ask(method, path, f"Content-Type: {kind}", body=body)
        assert reply.status in statuses, (method, path, reply.body)
        check(reply, reply.status)
    assert served.state() == before


@pytest.mark.parametrize("kind", ["application/x-python-pickle", "text/html", "a/b; c", "", "x"])
def test_row_82_inference_takes_any_type(served: Engine, kind: str) -> None:
    for path in PATHS[1:]:
        reply = served.ask("POST", path, f"Content-Type: {kind}", body=b"\x80\x04N.")
        assert (reply.status, reply.body) == (200, b"\x80\x04N.")


@pytest.mark.parametrize("path", [*PATHS, "/dlim/v1/deployment/model"])
def test_row_84_a_length_that_nobody_has(served: Engine, path: str) -> None:
    with served.connect() as wire:
        wire.send(wire.request("POST", path, "Content-Length: 99999999999", token=served.token))
        reply = wire.reply()
        check(reply, 413)
        assert reply.closes


def test_row_87_a_million_small_chunks(served: Engine) -> None:
    for path in PATHS[1:]:
        with served.connect() as wire:
            wire.send(wire.request("POST", path, "Transfer-Encoding: chunked", token=served.token))
            try:
                wire.send(b"1\r\nx\r\n" * 100_000)
                reply = wire.reply()
            except ConnectionError:  # refused while we still sent
                continue
            check(reply, 413, "too_many_chunks")


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "OPTIONS", "PATCH", "get", "FOO"])
def test_row_92_methods(served: Engine, method: str) -> None:
    for path in PATHS:
        reply = served.ask(method, path)
        check(reply, 405)
        assert reply.headers["allow"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("//x", 404), ("/./", 404), ("/dlim/v1/model/..", 404), ("/dlim/v1/model%2fserved", 404),
        ("/dlim/v1/model/served%00", 404), ("/dlim/v1/model/%zz", 400), ("*", 400),
        ("/dlim/v1/model/served;a=b", 404), ("/" + "a" * 16_384, 414),
        ("http://127.0.0.1/dlim/v1/model", 400), ("/dlim/v1/model/", 404),
        ("/dlim/v1/inference/", 404), ("/dlim/v1/model/%2e%2e", 404),
        ("/dlim/v1/model/%252e", 404), ("/dlim/v1/model/SERVED", 404),
    ],
)  # fmt: skip
def test_row_93_paths(served: Engine, target: str, status: int) -> None:
    reply = served.ask("GET", target)
    assert reply.status == status or (status, reply.status) == (404, 405), reply.body
    check(reply, reply.status)


@pytest.mark.parametrize(
    "query",
    [f"{query.name}={value}" for row in ROUTES for query in row.query
     for value in ("-1", "1e9", "abc", "", "10" * 9, "%00", "a&{name}=b")] or ["nonce=-1"],
)  # fmt: skip
def test_row_94_queries(served: Engine, query: str) -> None:
    name = query.partition("=")[0]
    for row in ROUTES:
        if name in {query.name for query in row.query}:
            path = row.path.replace("{name}", "served")
            reply = served.ask(row.method, f"{path}?{query.format(name=name)}")
            assert reply.status in (200, 400, 404), (path, query, reply.body)
            if reply.status != 200:
                check(reply, reply.status)


@pytest.mark.parametrize(
    "header",
    ["Range: bytes=0-1", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "Upgrade: h2c",
     "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
     "Connection: Upgrade\r\nUpgrade: websocket", "Expect: 100-continue", "TE: trailers",
     "Accept: image/png", "Accept-Encoding: gzip", "If-None-Match: *"],
)  # fmt: skip
def test_row_95_headers_without_effect(served: Engine, header: str) -> None:
    for path in PATHS[1:]:
        with served.connect() as wire:
            wire.send(
                wire.request("POST", path, *header.split("\r\n"), body=b"1", token=served.token)
            )
            reply = wire.reply()
            reply = wire.reply() if reply.status == 100 else reply
            assert (reply.status, reply.body) == (200, b"1")
    assert served.ask("GET", "/dlim/v1/model", header).status == 200


@pytest.mark.parametrize("name", ["served", "serve%64"])
def test_row_98_bodies_for_kernels(served: Engine, name: str) -> None:
    for body in (b"", b"no json", b"\0\0", bytes(range(256)) * 100, b"[" * 100_000, b"\xff\xfe"):
        reply = served.ask("POST", f"/dlim/v1/inference/{name}", body=body)
        assert (reply.status, reply.body) == (200, body)
    with served.connect() as wire:
        length = f"Content-Length: {(64 << 20) + 1}"
        wire.send(wire.request("POST", f"/dlim/v1/inference/{name}", length, token=served.token))
        check(wire.reply(), 413, "body_too_large")


@pytest.mark.parametrize("name", ["served", "serve%64"])
def test_row_99_outputs(served: Engine, name: str) -> None:
    path = f"/dlim/v1/inference/{name}"
    check(served.ask("POST", path, body=b"nothing"), 502, "no_output")
    check(served.ask("POST", path, body=b"large"), 502, "output_too_large")
    assert served.ask("POST", path, body=b"NaN").body == b"NaN"


@pytest.mark.parametrize("prefix", ["", "%"])
def test_row_97_every_state(served: Engine, prefix: str) -> None:
    """Unknown, stopped, failed, starting, draining, by both ways in."""
    engine = served.process

    def ask(name: str, body: bytes = b"1") -> Reply:
        shown = f"%{ord(name[0]):02x}{name[1:]}" if prefix else name
        return served.ask("POST", f"/dlim/v1/inference/{shown}", body=body)

    check(ask("nobody"), 404, "no_such_model")
    check(ask("asleep"), 409, "not_started")
    suffix = "a" if prefix else "b"
    broken, slow = f"broken-{suffix}", f"slow-{suffix}"
    engine.deploy(broken, "raise RuntimeError('no weights')\n")
    engine.start_model(broken)
    engine.wait_for(broken, "failed")
    check(ask(broken), 503, "deployment_failed")
    assert "no weights" in json.loads(ask(broken).body)["message"]

    engine.deploy(slow, "import time\ntime.sleep(0.3)\n" + RAW)
    engine.start_model(slow)
    assert ask(slow).body == b"1"
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ask, slow, b"slow 0.3")
        until(lambda: engine.status(slow)["pending_tasks"])
        engine.stop_model(slow)
        check(ask(slow), 503, "stopping")
        assert waiting.result().body == b"slow 0.3"
    engine.wait_for(slow, "stopped")
    check(ask(slow), 409, "not_started")


def test_row_100_out_of_order(served: Engine) -> None:
    engine = served.process
    engine.deploy("ordered", RAW)
    assert engine.stop_model("ordered").status_code == 200
    assert engine.start_model("ordered").status_code == 200
    assert engine.start_model("ordered").status_code == 200
    engine.wait_for("ordered", "ready")
    assert engine.call("DELETE", "model/ordered").status_code == 409
    # A start during a stop is a start.
    assert engine.stop_model("ordered").status_code == 200
    assert engine.start_model("ordered").status_code == 200
    engine.wait_for("ordered", "ready")
    assert engine.infer("ordered", "1").text == "1"
    engine.stop_model("ordered")
    engine.wait_for("ordered", "stopped")
    assert engine.call("DELETE", "model/ordered").status_code == 200
    for answer in (engine.stop_model("ordered"), engine.start_model("ordered"),
                   engine.call("DELETE", "model/ordered")):  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_model")


def test_row_101_more_than_can_be_served(served: Engine) -> None:
    """A thousand lists and two hundred and fifty slow inferences at once: each gets 200 or 429."""
    engine = served.process
    body = served.connect().request("POST", PATHS[1], body=b"slow 0.02", token=served.token)
    ask_list = served.connect().request("GET", "/dlim/v1/model", token=served.token)
    wires = [served.connect() for _ in range(500)]
    try:
        for number, wire in enumerate(wires):
            wire.send(body if number < 250 else ask_list * 4)
        seen = [wire.reply().status for wire in wires[250:] for _ in range(4)]
        assert set(seen) <= {200, 429}
        assert seen.count(200) > 100
        slow = [wire.reply() for wire in wires[:250]]
        assert {reply.status for reply in slow} <= {200, 429, 504}
        refused = [reply for reply in slow if reply.status == 429]
        assert refused
        for reply in refused:
            check(reply, 429)
            assert int(reply.headers["retry-after"]) >= 1
    finally:
        for wire in wires:
            wire.sock.close()
    assert engine.infer("served", "1").text == "1"
