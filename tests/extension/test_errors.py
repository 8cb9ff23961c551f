"""How errors leave the façade: one shape, the right status, never a traceback."""

from __future__ import annotations

import logging

import pytest

from edi_labext import errors
from edi_labext.extension.app import EdiLabext

WIRE = {"code", "message", "hint", "field", "detail", "fields", "request_id"}


def kinds(base=errors.EdiError):
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


class Failing:
    """A service whose every use raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def info(self):
        raise self.error


@pytest.fixture
def fail_with(monkeypatch):
    def arrange(error):
        async def give(app):
            return Failing(error)

        monkeypatch.setattr(EdiLabext, "service", give)

    return arrange


async def test_every_kind_of_error_is_told_with_its_status(call, fail_with):
    for kind in kinds():
        fail_with(kind("What happened.", hint="What to do.", field="name", detail="a\nb"))
        reply = await call("GET", "edi/info")
        assert reply.status == kind.http_status, kind
        assert reply.json.keys() == WIRE
        assert reply.json["code"] == kind.code
        assert reply.json["message"] == "What happened."
        assert reply.json["hint"] == "What to do."
        assert reply.json["detail"] == "a\nb"
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_upstream_refusal_does_not_look_like_a_logout(call, fail_with):
    fail_with(errors.UpstreamUnauthorized("The EDI refused the token."))
    assert (await call("GET", "edi/info")).status == 502


async def test_retry_after_is_passed_on(call, fail_with):
    fail_with(errors.Overloaded("Busy.", retry_after=0.2))
    assert (await call("GET", "edi/info")).headers["Retry-After"] == "1"


@pytest.mark.parametrize("error", [RuntimeError("secret-inside"), KeyError("secret-inside")])
async def test_the_unforeseen_is_logged_and_not_told(call, fail_with, caplog, error):
    fail_with(error)
    with caplog.at_level(logging.INFO):
        reply = await call("GET", "edi/info?key=query-secret")
    assert reply.status == 500
    assert reply.json["code"] == "internal_error"
    assert reply.json["request_id"] in reply.json["hint"]
    for leaked in (b"secret-inside", b"Traceback", b"Error", b".py"):
        assert leaked not in reply.body
    ours = [record for record in caplog.records if reply.json["request_id"] in record.getMessage()]
    assert len(ours) == 1
    assert ours[0].exc_info[1] is error
    assert "query-secret" not in caplog.text


async def test_markup_in_an_error_stays_text(call):
    reply = await call("GET", "edi/jobs/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert reply.status == 404
    assert reply.headers["Content-Type"] == "application/json"
    assert "<script>" in reply.json["message"]
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


async def test_a_service_that_could_not_be_made_is_tried_again(call, monkeypatch):
    real = EdiLabext._make_service
    attempts = []

    def flaky(app, loop):
        attempts.append(app)
        if len(attempts) == 1:
            raise ImportError("half an upgrade")
        return real(app, loop)

    monkeypatch.setattr(EdiLabext, "_make_service", flaky)
    assert (await call("GET", "edi/info")).status == 500
    assert (await call("GET", "edi/info")).status == 200
