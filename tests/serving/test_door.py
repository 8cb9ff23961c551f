"""The door over real sockets: order, keep-alive, bodies, disconnects, shutdown."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading

import httptools
import pytest
import uvicorn
from support.door_server import TOKEN, Running, running
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from edi_labext.errors import KernelFailure, TaskTimeout
from edi_labext.serving.http.server import loop_factory


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def factory(request):
    if request.param == "asyncio":
        return asyncio.new_event_loop
    uvloop = pytest.importorskip("uvloop")
    assert loop_factory() is uvloop.new_event_loop
    return uvloop.new_event_loop


@pytest.fixture(scope="module")
def door(factory, tmp_path_factory):
    with running(tmp_path_factory.mktemp("store"), factory) as server:
        yield server


HELD = "/dlim/v1/inference/held"


def held_task(server: Running, body: bytes):
    """Wait for the held task with this body and return it."""
    found = []

    def look() -> bool:
        found[:] = [task for task in server.engine.held if task.body == body]
        return bool(found)

    server.engine.wait(look)
    return found[0]


# --- the fast way -----------------------------------------------------------------------------


def test_inference_is_answered_without_the_application(door):
    calls = len(door.engine.app_calls)
    with door.connect() as wire:
        for number in range(3):
            body = b'{"n": %d}' % number
            reply = wire.ask(body=body)
            assert (reply.status, reply.body) == (200, body)
            assert reply.headers == {
                "content-type": "application/json",
                "x-content-type-options": "nosniff",
                "content-length": str(len(body)),
            }
    assert len(door.engine.app_calls) == calls


@pytest.mark.parametrize(
    "body", [b"", b"\0\xff not json", b"x" * 300_000, bytes(range(256)) * 4096]
)
def test_bodies_round_trip(door, body):
    with door.connect() as wire:
        assert wire.ask(body=body).body == body


def test_body_in_single_bytes_is_put_together(door):
    with door.connect() as wire:
        wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in wire.request(body=b"slow but whole"):
            wire.send(bytes([byte]))
        assert wire.reply().body == b"slow but whole"


def test_chunked_body_with_extension_and_trailer(door):
    with door.connect() as wire:
        head = wire.request("POST", "/dlim/v1/inference/echo", "Transfer-Encoding: chunked")
        wire.send(head + b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n")
        assert wire.reply().body == b"hello world"
        assert wire.ask(body=b"next").body == b"next"


@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/any"])
def test_expect_continue(door, path):
    with door.connect() as wire:
        head = wire.request("POST", path, "Expect: 100-Continue", "Content-Length: 4")
        wire.send(head)
        assert wire.reply().status == 100
        wire.send(b"body")
        assert wire.reply().status == 200


def test_errors_of_the_queue_keep_the_connection(door):
    with door.connect() as wire:
        full = wire.ask("POST", "/dlim/v1/inference/full", body=b"1")
        assert (full.status, full.code, full.headers["retry-after"]) == (429, "queue_full", "1")
        none = wire.ask("POST", "/dlim/v1/inference/none", body=b"1")
        assert (none.status, none.code) == (404, "not_found")
        boom = wire.ask("POST", "/dlim/v1/inference/boom", body=b"1")
        assert (boom.status, boom.code) == (500, "internal_error")
        assert b"secret" not in boom.body
        assert b"Traceback" not in boom.body
        assert wire.ask(body=b"alive").body == b"alive"


def test_late_errors_of_a_task(door):
    with door.connect() as wire:
        for error, status in ((TaskTimeout("slow"), 504), (KernelFailure("died"), 502)):
            wire.send(wire.request(path=HELD, body=b"late"))
            task = held_task(door, b"late")
            door.call(lambda task=task, error=error: task.fail(error))
            door.call(lambda task=task: task.answer(b"too late"))
            assert wire.reply().status == status
        assert wire.ask(body=b"alive").body == b"alive"


def test_in_flight_limit(tmp_path):
    with running(tmp_path, in_flight_limit=2) as server:
        wires = [server.connect() for _ in range(3)]
        for number, wire in enumerate(wires[:2]):
            wire.send(wire.request(path=HELD, body=b"%d" % number))
        server.engine.wait(lambda: len(server.engine.held) == 2)
        refused = wires[2].ask(path=HELD, body=b"2")
        assert (refused.status, refused.code) == (429, "too_many_requests")
        assert refused.headers["retry-after"] == "1"
        server.call(lambda: server.engine.held[0].answer(b"ok"))
        assert wires[0].reply().body == b"ok"
        assert wires[2].ask(body=b"now").body == b"now"
        wires[1].sock.close()
        server.engine.wait(lambda: len(server.engine.cancelled) == 1)
        assert server.call(lambda: server.server.door.in_flight) == 0


# --- keep-alive and order ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/any"])
@pytest.mark.parametrize(
    ("version", "headers"), [("1.1", ["Connection: close"]), ("1.0", []), ("1.0", ["X: y"])]
)
def test_connection_is_closed_when_asked(door, path, version, headers):
    with door.connect() as wire:
        request = wire.request("POST", path, *headers, body=b"1", version=version)
        wire.send(request + b"GET /ignored HTTP/1.1\r\n\r\n")
        reply = wire.reply()
        assert (reply.status, reply.closes) == (200, True)
        assert wire.at_end()


def test_a_head_is_looked_at_again_once_it_is_another(door):
    """What the gate has said of a head holds for the next one only if nothing in it differs."""
    asked = []
    admit = door.server.door.gate.admit
    door.server.door.gate.admit = lambda *head: asked.append(head) or admit(*head)
    with door.connect() as wire, door.connect() as other:
        for body in (b"12", b"34", b"56"):
            assert wire.ask(body=body).body == body
        assert len(asked) == 1
        assert wire.ask(body=b"123").body == b"123"  # another length
        assert other.ask(body=b"78").body == b"78"  # another connection
        assert len(asked) == 3
        assert wire.ask(body=b"123", token="X-Auth-Token: " + "0" * 64).status == 401
    for same, code in (
        ({"token": None}, 401),
        ({"token": "x-auth-token: " + TOKEN[:-1] + "0"}, 401),
        ({"host": "evil"}, 403),
        ({"path": "/dlim/v1/inference/nobody"}, 404),
        ({"method": "GET"}, 200),
    ):
        with door.connect() as wire:
            for _ in range(2):
                assert wire.ask(body=b"12").body == b"12"
            assert wire.ask(**{"body": b"12", **same}).status == code
    for header, status in (
        ("Origin: null", 403),
        ("Transfer-Encoding: chunked", 400),
        ("Content-Encoding: gzip", 415),
    ):
        with door.connect() as wire:
            assert wire.ask(body=b"12").body == b"12"
            reply = wire.ask("POST", "/dlim/v1/inference/echo", header, body=b"12")
            assert reply.status == status


def test_pipelined_requests_are_answered_in_order(door):
    kinds = [
        ("POST", "/dlim/v1/inference/held", b"first", b"first"),
        ("POST", "/dlim/v1/inference/echo", b"second", None),
        ("GET", "/third", b"", None),
        ("POST", "/fourth", b"x" * 100_000, None),
        ("POST", "/dlim/v1/inference/echo", b"", None),
    ]
    with door.connect() as wire:
        sender = threading.Thread(
            target=wire.send,
            args=(b"".join(wire.request(m, path, body=body) for m, path, body, _ in kinds),),
        )
        sender.start()
        task = held_task(door, b"first")
        door.call(lambda: task.answer(b"first"))
        assert wire.reply().body == b"first"
        for _, path, body, _ in kinds[1:]:
            reply = wire.reply()
            assert reply.status == 200
            assert path in reply.body.decode()
            assert f'"got": {len(body)}' in reply.body.decode()
        sender.join()


def test_refusal_waits_for_the_answers_before_it(door):
    with door.connect() as wire:
        wire.send(
            wire.request(path=HELD, body=b"before")
            + wire.request("GET", "/between")
            + wire.request("GET", "/refused", token=None)
            + wire.request("GET", "/never")
        )
        task = held_task(door, b"before")
        door.call(lambda: task.answer(b"1"))
        assert wire.reply().body == b"1"
        assert wire.reply().status == 200
        refusal = wire.reply()
        assert (refusal.status, refusal.closes) == (401, True)
        assert wire.at_end()
    assert ("GET", "/never") not in door.engine.app_calls


def test_garbage_after_a_request_waits_for_its_answer(door):
    with door.connect() as wire:
        wire.send(wire.request(path=HELD, body=b"good") + b"\x16\x03\x01 garbage\r\n\r\n")
        task = held_task(door, b"good")
        door.call(lambda: task.answer(b"1"))
        assert wire.reply().body == b"1"
        assert wire.reply().status == 400
        assert wire.at_end()


def test_pipeline_has_an_end(tmp_path):
    with running(tmp_path, pipeline_limit=3) as server, server.connect() as wire:
        wire.send(wire.request(path=HELD, body=b"front") + wire.request("GET", "/next") * 10)
        task = held_task(server, b"front")
        server.call(lambda: task.answer(b"1"))
        assert [wire.reply().status for _ in range(5)] == [200, 200, 200, 200, 429]
        assert wire.at_end()


def test_answers_in_two_writes_are_not_held_back(door):
    with door.connect() as wire:
        assert wire.ask("GET", "/any").status == 200
        connections = list(door.server._server.server_state.connections)
        for connection in connections:
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_application_sees_the_identity(door):
    with door.connect() as wire:
        wire.ask("GET", "/who")
        assert door.engine.identities[-1].scope == "all"
        wire.ask("GET", "/edi/v1/hello?nonce=1", token=None)
        assert door.engine.identities[-1] is None


@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/any"])
def test_offer_of_another_protocol_is_ignored(door, path):
    with door.connect() as wire:
        for body in (b"", b"with a body"):
            reply = wire.ask(
                "POST", path, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", body=body
            )
            assert reply.status == 200
        wire.send(wire.request("GET", "/a", "Connection: Upgrade", "Upgrade: websocket") * 5)
        assert [wire.reply().status for _ in range(5)] == [200] * 5
        assert wire.ask(body=b"alive").body == b"alive"


def test_head_request_and_refusal_have_no_body(door):
    with door.connect() as wire:
        wire.send(wire.request("HEAD", "/any", token=None))
        refusal = wire.reply(head_only=True)
        assert (refusal.status, refusal.body) == (401, b"")
        assert wire.ask(body=b"alive").body == b"alive"


# --- callers that leave -----------------------------------------------------------------------


def test_disconnect_cancels_the_task_once(door):
    with door.connect() as wire:
        wire.send(wire.request(path=HELD, body=b"leaving"))
        task = held_task(door, b"leaving")
    door.engine.wait(lambda: task in door.engine.cancelled)
    door.call(lambda: task.answer(b"nobody"))
    assert door.engine.cancelled.count(task) == 1


def test_disconnect_reaches_the_application_even_behind_a_pipeline(door):
    before = door.engine.app_disconnects
    with door.connect() as wire:
        wire.send(wire.request("GET", "/wait") + wire.request("GET", "/behind"))
        door.engine.wait(lambda: ("GET", "/wait") in door.engine.app_calls)
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    # Reading is paused, so the loss shows when the waiting application asks for more.
    door.engine.wait(lambda: door.engine.app_disconnects == before + 1)
    assert ("GET", "/behind") not in door.engine.app_calls


# --- limits and deadlines ---------------------------------------------------------------------


def test_declared_length_is_refused_before_the_body(door):
    with door.connect() as wire:
        wire.send(
            wire.request(path="/dlim/v1/inference/echo", length=False).replace(
                b"\r\n\r\n", b"\r\nContent-Length: 99999999999\r\n\r\n"
            )
        )
        reply = wire.reply()
        assert (reply.status, reply.code, reply.closes) == (413, "body_too_large", True)
        assert wire.at_end()


@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/any"])
def test_chunked_body_beyond_the_limit(tmp_path, path):
    limits = {"inference_body_limit": 1000, "control_body_limit": 1000}
    with running(tmp_path, **limits) as server, server.connect() as wire:
        wire.send(wire.request("POST", path, "Transfer-Encoding: chunked"))
        wire.send(b"200\r\n" + b"x" * 0x200 + b"\r\n")
        wire.send(b"200\r\n" + b"x" * 0x200 + b"\r\n")
        reply = wire.reply()
        assert (reply.status, reply.code, reply.closes) == (413, "body_too_large", True)
        assert wire.at_end()
        assert server.engine.bodies == []


def test_too_large_body_behind_an_open_answer(tmp_path):
    with running(tmp_path, control_body_limit=1000) as server, server.connect() as wire:
        # In one piece: the second must be refused before the first is answered.
        wire.send(
            wire.request(path=HELD, body=b"front")
            + wire.request("POST", "/big", "Transfer-Encoding: chunked")
            + b"7d0\r\n"
            + b"x" * 2000
            + b"\r\n"
        )
        task = held_task(server, b"front")
        server.call(lambda: task.answer(b"1"))
        assert wire.reply().body == b"1"
        assert wire.reply().status == 413
        assert wire.at_end()
        assert server.engine.app_calls == []


@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/any"])
def test_chunk_cap(tmp_path, path):
    with running(tmp_path, chunk_limit=100) as server, server.connect() as wire:
        wire.send(wire.request("POST", path, "Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 101)
        assert (reply := wire.reply()).status == 413
        assert reply.code == "too_many_chunks"
        assert wire.at_end()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /dlim/v1/infer", 408),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a", 408),
        (b"", None),
    ],
)
def test_head_must_come_in_time(tmp_path, sent, status):
    with running(tmp_path, header_wait=0.1) as server, server.connect() as wire:
        wire.send(sent)
        if status:
            assert (reply := wire.reply()).status == status
            assert reply.code == "request_timeout"
        assert wire.at_end()


def test_trickled_head_does_not_get_more_time(tmp_path):
    with running(tmp_path, header_wait=0.2) as server, server.connect() as wire:
        wire.send(b"GET / HTTP/1.1\r\n")
        wire.sock.settimeout(0.02)
        for _ in range(500):
            try:
                wire.send(b"X: y\r\n")
                if wire.sock.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        wire.sock.settimeout(5)
        assert wire.reply().status == 408


@pytest.mark.parametrize("path", ["/dlim/v1/inference/echo", "/any"])
def test_body_must_go_on(tmp_path, path):
    with running(tmp_path, body_idle=0.1) as server, server.connect() as wire:
        wire.send(wire.request("POST", path, "Content-Length: 10") + b"12345")
        assert (reply := wire.reply()).status == 408
        assert reply.closes
        assert wire.at_end()


def test_body_must_come_to_an_end(tmp_path):
    limits = {"body_idle": 5.0, "request_total": 0.3}
    with running(tmp_path, **limits) as server, server.connect() as wire:
        wire.send(wire.request("POST", HELD, "Content-Length: 1000"))
        wire.sock.settimeout(0.02)
        for _ in range(500):
            try:
                wire.send(b"x")
                if wire.sock.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        wire.sock.settimeout(5)
        assert wire.reply().status == 408


def test_endless_chunk_extension_is_refused(tmp_path):
    with running(tmp_path, header_bytes_limit=2048) as server, server.connect() as wire:
        wire.send(wire.request("POST", HELD, "Transfer-Encoding: chunked") + b"5;")
        for _ in range(40):
            wire.send(b"a" * 100)
        assert wire.reply().status == 431


def test_idle_connection_is_closed(tmp_path):
    limits = {"keep_alive_idle": 0.1, "header_wait": 5.0}
    with running(tmp_path, **limits) as server, server.connect() as wire:
        assert wire.ask(body=b"1").status == 200
        assert wire.at_end()


def test_open_request_outlives_the_idle_time(tmp_path):
    limits = {"keep_alive_idle": 0.05, "header_wait": 0.05, "body_idle": 0.05}
    with running(tmp_path, **limits) as server, server.connect() as wire:
        wire.send(wire.request(path=HELD, body=b"long"))
        task = held_task(server, b"long")
        deadlines = server.server.door.deadlines
        start = deadlines.now
        while deadlines.now < start + 0.3:
            server.call(lambda: None)
        server.call(lambda: task.answer(b"done"))
        assert wire.reply().body == b"done"


def test_caller_that_does_not_read_is_cut(tmp_path):
    with (
        running(tmp_path, body_idle=0.2) as server,
        server.connect(receive_buffer=4096) as wire,
    ):
        wire.send(wire.request(path="/dlim/v1/inference/big", body=b"1"))
        server.engine.wait(lambda: len(server.engine.bodies) == 1)
        connections = server.server._server.server_state.connections
        while server.call(lambda: len(connections)):
            pass
        with pytest.raises(ConnectionError):
            wire.reply()


def test_reading_stops_while_answers_pile_up(tmp_path):
    with running(tmp_path) as server, server.connect(receive_buffer=4096) as wire:
        request = wire.request(path="/dlim/v1/inference/big", body=b"1")
        wire.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while True:
                wire.send(request * 100)
        # One answer of 8 MiB is out, the next request waits in the application, and so do those
        # that came in the same read.
        assert len(server.engine.bodies) == 1
        assert len(server.engine.app_calls) == 1


def test_application_that_answers_early(door):
    with door.connect() as wire:
        wire.send(wire.request("POST", "/early", "Content-Length: 5"))
        assert wire.reply().status == 200
        wire.send(b"12345")
        assert wire.ask(body=b"alive").body == b"alive"
    with door.connect() as wire:
        wire.send(wire.request("POST", "/early", "Content-Length: 1000000") + b"x" * 1000)
        assert wire.reply().status == 200
        assert wire.at_end()


# --- shutdown ---------------------------------------------------------------------------------


def test_stop_finishes_open_requests_and_closes_idle_ones(factory, tmp_path):
    with running(tmp_path, factory) as server:
        idle, busy, reading = server.connect(), server.connect(), server.connect()
        reading.send(
            reading.request("POST", "/dlim/v1/inference/echo", "Content-Length: 4") + b"ab"
        )
        busy.send(busy.request(path=HELD, body=b"open"))
        task = held_task(server, b"open")
        for _ in range(3):  # round trips in which the half request has been read for certain
            assert idle.ask(body=b"1").status == 200
        server.loop.call_soon_threadsafe(server.server.stop)
        assert idle.at_end()
        reading.send(b"cd")
        reply = reading.reply()
        assert (reply.body, reply.closes) == (b"abcd", True)
        assert not server.ended.is_set()
        server.call(lambda: task.answer(b"done"))
        reply = busy.reply()
        assert (reply.body, reply.closes) == (b"done", True)
        assert busy.at_end()
        assert server.ended.wait(5)
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def test_stop_ends_when_its_grace_is_over(tmp_path):
    with running(tmp_path, stop_grace=0.5) as server, server.connect() as wire:
        wire.send(wire.request(path=HELD, body=b"never"))
        task = held_task(server, b"never")
        server.loop.call_soon_threadsafe(server.server.stop)
        assert server.ended.wait(5)
        assert task in server.engine.cancelled
        assert wire.at_end()


# --- the base class ---------------------------------------------------------------------------


def test_uvicorn_still_has_what_the_door_uses():
    assert uvicorn.__version__.startswith("0.54.")
    for name in (
        "connection_made",
        "connection_lost",
        "data_received",
        "on_message_begin",
        "on_url",
        "on_header",
        "on_headers_complete",
        "on_body",
        "on_message_complete",
        "on_response_complete",
        "shutdown",
        "pause_writing",
        "resume_writing",
        "_start_asgi_task",
    ):
        assert callable(getattr(HttpToolsProtocol, name)), name
    assert list(inspect.signature(HttpToolsProtocol.__init__).parameters) == [
        "self",
        "config",
        "server_state",
        "app_state",
        "_loop",
    ]
    assert list(inspect.signature(RequestResponseCycle.__init__).parameters) == [
        "self",
        "scope",
        "transport",
        "flow",
        "logger",
        "access_logger",
        "access_log",
        "default_headers",
        "message_event",
        "expect_100_continue",
        "keep_alive",
        "on_response",
    ]
    state = uvicorn.server.ServerState()
    config = uvicorn.Config(lambda: None, ws="none", lifespan="off", interface="asgi3")
    loop = asyncio.new_event_loop()
    try:
        protocol = HttpToolsProtocol(config, state, {}, loop)
    finally:
        loop.close()
    for name in ("app", "parser", "pipeline", "flow", "transport", "server", "client", "cycle"):
        assert hasattr(protocol, name), name
    for name in ("logger", "access_logger", "server_state", "url", "headers"):
        assert name == "url" or hasattr(protocol, name), name
    for name in ("total_requests", "default_headers", "connections", "tasks"):
        assert hasattr(state, name), name
    for name in ("pause_reading", "resume_reading", "pause_writing", "resume_writing"):
        assert callable(getattr(FlowControl, name)), name
    source = inspect.getsource(RequestResponseCycle)
    for name in (
        "response_started",
        "response_complete",
        "disconnected",
        "keep_alive",
        "waiting_for_100_continue",
    ):
        assert f"self.{name} =" in source, name
    server = inspect.getsource(uvicorn.Server)
    for name in ("capture_signals", "main_loop", "force_exit", "should_exit", "server_state"):
        assert name in server, name
    assert STATUS_LINE[431].startswith(b"HTTP/1.1 431 ")
    assert hasattr(httptools, "HttpParserUpgrade")
