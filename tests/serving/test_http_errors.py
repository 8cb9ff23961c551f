"""The one map from errors to answers."""

from __future__ import annotations

import json
import logging
import socket
from pathlib import Path

import pytest

from edi_labext import errors
from edi_labext.serving.http.credentials import Identity
from edi_labext.serving.http.errors import MethodNotAllowed, error_response
from edi_labext.serving.http.server import bind
from edi_labext.serving.settings import Settings


def tree(kind: type[errors.EdiError]):
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


@pytest.mark.parametrize("kind", sorted(set(tree(errors.EdiError)), key=lambda kind: kind.__name__))
def test_every_error_has_an_answer(kind):
    status, body, headers = error_response(
        kind("Größe ist <b>falsch</b>.", hint="h", field="f", detail="d"),
        caller=Identity("ada", "all"),
        request_id="r1",
    )
    assert status == kind.http_status
    assert json.loads(body) == {
        "code": kind.code,
        "message": "Größe ist <b>falsch</b>.",
        "hint": "h",
        "field": "f",
        "detail": "d",
        "fields": None,
        "request_id": "r1",
        "error": "Größe ist <b>falsch</b>.",
        "errors": [{"code": kind.code, "message": "Größe ist <b>falsch</b>."}],
    }
    assert body.isascii()
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("caller", [None, Identity("ada", "inference")])
def test_what_a_kernel_wrote_is_for_those_who_may_read_logs(caller):
    error = errors.KernelFailure("The kernel ended.", hint="h", detail="Traceback: /home/ada/x.py")
    body = error_response(error, caller=caller)[1]
    answer = json.loads(body)
    assert b"ada" not in body
    assert (answer["code"], answer["message"], answer["hint"], answer["detail"]) == (
        "kernel_failed",
        "The kernel ended.",
        "h",
        None,
    )
    assert answer["request_id"]
    assert error.detail


def test_headers_of_some():
    assert error_response(errors.Unauthenticated("x"))[2]["WWW-Authenticate"] == "Bearer"
    assert error_response(MethodNotAllowed("x"))[2]["Allow"] == "DELETE, GET, HEAD, POST, PUT"
    for seconds, told in ((0, "1"), (0.2, "1"), (1.2, "2"), (30, "30")):
        assert error_response(errors.Overloaded("x", retry_after=seconds))[2]["Retry-After"] == told
    assert "Retry-After" not in error_response(errors.Overloaded("x"))[2]


def test_surrogates_in_a_message():
    status, body, _ = error_response(errors.InvalidInput("half \ud800 text"))
    assert status == 400
    assert json.loads(body)["message"] == "half \ud800 text"


def test_unexpected_error_tells_nothing_and_is_logged(caplog):
    with caplog.at_level(logging.ERROR):
        status, body, _ = error_response(KeyError("/secret/path"))
    answer = json.loads(body)
    assert (status, answer["code"]) == (500, "internal_error")
    assert "secret" not in body.decode()
    assert answer["request_id"] in caplog.text
    assert "/secret/path" in caplog.text


def test_request_ids_differ():
    ids = {json.loads(error_response(errors.NotFound("x"))[1])["request_id"] for _ in range(50)}
    assert len(ids) == 50


def test_port_in_use():
    with bind(Settings(store=Path("store"))) as first:
        first.listen()
        with pytest.raises(errors.Conflict) as error:
            bind(Settings(store=Path("store"), port=first.getsockname()[1]))
        assert (error.value.code, error.value.field) == ("port_in_use", "port")


def test_bound_socket_belongs_to_this_process_alone():
    with bind(Settings(store=Path("store"))) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert not sock.get_inheritable()
    if socket.has_ipv6:
        with bind(Settings(store=Path("store"), host="::1")) as sock:
            assert sock.getsockname()[0] == "::1"
