"""Inference behind the door: the ASGI route, which pipelined and oddly spelled requests take."""

from __future__ import annotations

import json

import pytest
from support.door_server import TOKEN, running

from edi_labext.serving.http.app import build_app
from edi_labext.serving.http.credentials import Credentials

#: The same deployment by a target that the door hands on.
ASIDE = "/dlim/v1/inference/{name}?aside"


@pytest.fixture
def door(tmp_path):
    with running(tmp_path, app=build_app, in_flight_limit=2, inference_body_limit=1000) as server:
        yield server


@pytest.mark.parametrize("path", ["/dlim/v1/inference/{name}", ASIDE])
def test_both_ways_answer_alike(door, path):
    with door.connect() as wire:
        for name, body, status, code in (
            ("echo", b"x\0y", 200, None),
            ("nobody", b"", 404, "not_found"),
            ("full", b"", 429, "queue_full"),
            ("boom", b"", 500, "internal_error"),
        ):
            reply = wire.ask(path=path.format(name=name), body=body)
            assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert (reply.body == body) if code is None else (reply.code == code)
            assert door.call(lambda: door.server.door.in_flight) == 0
        assert wire.ask(path=path.format(name="echo"), body=b"x" * 1001).status == 413


@pytest.mark.parametrize("path", ["/dlim/v1/inference/{name}", ASIDE])
def test_lines_of_the_log_are_for_user_tokens(door, path):
    """Who may only infer learns that the kernel failed, not what it wrote."""
    credentials = Credentials(TOKEN)
    for token, detail in (
        (TOKEN, "a line of its log"),
        (credentials.user_token("ada"), "a line of its log"),
        (credentials.service_token("ada"), None),
    ):
        for header in (f"X-Auth-Token: {token}", f"Authorization: Bearer {token}"):
            with door.connect() as wire:
                reply = wire.ask(path=path.format(name="dead"), token=header, body=b"{}")
                told = json.loads(reply.body)
                assert (reply.status, told["code"]) == (502, "kernel_failed")
                assert (told["message"], told["hint"]) == ("The kernel ended.", "h")
                assert told["request_id"]
                assert told["detail"] == detail
                assert (b"a line of its log" in reply.body) == (detail is not None)


@pytest.mark.parametrize("first", ["/dlim/v1/inference/held", ASIDE.format(name="held")])
@pytest.mark.parametrize("then", ["/dlim/v1/inference/echo", ASIDE.format(name="echo")])
def test_what_is_in_flight_is_counted_however_it_came(door, first, then):
    with door.connect() as one, door.connect() as two, door.connect() as three:
        for number, wire in enumerate((one, two), 1):
            wire.send(wire.request(path=first, body=b"x"))
            door.engine.wait(lambda number=number: len(door.engine.held) == number)
        refused = three.ask(path=then, body=b"3")
        assert (refused.status, refused.code) == (429, "too_many_requests")
        assert refused.headers["retry-after"] == "1"
        door.call(lambda: door.engine.held[0].answer(b"done"))
        assert one.reply().body == b"done"
        assert three.ask(path=then, body=b"4").body == b"4"


def test_who_leaves_is_counted_out(door):
    with door.connect() as wire:
        wire.send(wire.request(path=ASIDE.format(name="held"), body=b"1"))
        door.engine.wait(lambda: len(door.engine.held) == 1)
    door.engine.wait(lambda: len(door.engine.cancelled) == 1)
    assert door.call(lambda: door.server.door.in_flight) == 0


def test_a_route_says_which_methods_it_has(door):
    with door.connect() as wire:
        for method, path, allowed in (
            ("DELETE", "/dlim/v1/model", "GET, HEAD, POST"),
            ("POST", "/dlim/v1/model/x", "DELETE, GET, HEAD, PUT"),
            ("GET", "/dlim/v1/model/x/operation/start", "PUT"),
            ("GET", "/dlim/v1/inference/x", "POST"),
            ("PUT", "/dlim/v1/docs", "GET, HEAD"),
        ):
            reply = wire.ask(method, path)
            assert (reply.status, reply.code) == (405, "method_not_allowed")
            assert reply.headers["allow"] == allowed
