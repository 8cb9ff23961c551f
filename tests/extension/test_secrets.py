"""No token leaves the server: bodies, headers, log lines and argvs are searched for it."""

from __future__ import annotations

import http.server
import json
import logging
import threading

import psutil
import pytest

from edi_labext.extension.app import DEPLOYMENTS_CHANGED
from edi_labext.extension.urls import ROUTES

LOCAL = "edi/environments/local/deployments"


class Reflecting(http.server.BaseHTTPRequestHandler):
    """A hostile EDI: shows whatever token it got in all that it answers."""

    seen: list[str] = []  # noqa: RUF012

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers["X-Auth-Token"]
        self.seen.append(token)
        status = self.server.status
        body = json.dumps(
            {"message": f"bad token {token}", "code": "x", "detail": f"{self.headers}"}
        ).encode()
        if self.server.page:
            body = f"<html>{self.headers}</html>".encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://127.0.0.2/{token}")
        self.send_header("Content-Type", f"text/html; token={token}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_):
        pass


@pytest.fixture
def reflecting(monkeypatch):
    Reflecting.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Reflecting)
    server.status, server.page = 200, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("EDI_REST_SERVER", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


class Sinks:
    """Everything that left the server in one test."""

    def __init__(self, call, caplog) -> None:
        self._call = call
        self._caplog = caplog
        self._texts: list[tuple[str, str]] = []

    async def visit(self, verb, path, body=None):
        reply = await self._call(verb, path, body)
        self._texts.append((f"{verb} {path}", f"{dict(reply.headers)} {reply.body.decode()}"))
        return reply

    @property
    def seen(self):
        return {what for what, _ in self._texts}

    def add(self, what, text):
        self._texts.append((what, text))

    def assert_free_of(self, secret):
        assert secret
        for what, text in [*self._texts, ("the log", self._caplog.text)]:
            assert secret not in text, what


@pytest.fixture
def sinks(call, caplog):
    caplog.set_level(logging.DEBUG)
    return Sinks(call, caplog)


def bodies(pattern):
    if pattern.endswith("deployments"):
        return {"source": {"kind": "sample", "sample": "pingpong"}}
    if pattern.endswith("infer"):
        return {"payload": "{}"}
    if pattern.endswith("lease"):
        return {"tab": "a"}
    if pattern.endswith(("profile", "diff")):
        return {"profile": {}}
    if pattern.endswith("fix"):
        return {"path": "nothing", "fix": "x"}
    if pattern.endswith("token"):
        return {"source": {"kind": "variable"}}
    if pattern.endswith("{env}"):
        return {"title": "Mine", "address": "https://wmla.example.com"}
    return {"path": "nothing"} if pattern.endswith("inspect") else None


@pytest.mark.parametrize(
    ("status", "page"),
    [
        (200, False),
        (200, True),
        (302, False),
        (401, False),
        (403, False),
        (500, False),
        (500, True),
    ],
)
async def test_the_remote_token_never_comes_back(
    sinks, finished, reflecting, canary, status, page, jp_serverapp
):
    async def hear(logger, schema_id, data):
        sinks.add("an event", f"{schema_id} {data}")

    jp_serverapp.event_logger.add_listener(schema_id=DEPLOYMENTS_CHANGED, listener=hear)
    reflecting.status, reflecting.page = status, page
    for route in ROUTES:
        for verb in ("GET", "POST", "PUT", "DELETE"):
            body = bodies(route.pattern) if verb in ("POST", "PUT") else None
            reply = await sinks.visit(verb, route.url(env="wmla", name="digits", job="x"), body)
            if reply.status == 202:
                sinks.add("a job", json.dumps(await finished(reply)))
    await jp_serverapp.event_logger.gather_listeners()
    assert "an event" in sinks.seen
    assert canary in Reflecting.seen, "nothing was sent, so nothing was tested"
    sinks.assert_free_of(canary)


async def test_the_engines_token_never_comes_out(
    sinks, finished, store, canary, caplog, monkeypatch
):
    job = await finished(
        await sinks.visit("POST", LOCAL, {"source": {"kind": "sample", "sample": "pingpong"}})
    )
    assert job["state"] == "done"
    for path in ("", "/pingpong", "/pingpong/sample-payload", "/nobody"):
        await sinks.visit("GET", LOCAL + path)
    await sinks.visit("POST", f"{LOCAL}/pingpong/infer", {"payload": "{}"})
    await sinks.visit("GET", "edi/info")
    await sinks.visit("GET", "edi/jobs")
    [engine] = [
        child
        for child in psutil.Process().children()
        # Other tests may have left one that has ended and nobody has waited for.
        if child.status() != psutil.STATUS_ZOMBIE and str(store) in str(child.cmdline())
    ]
    processes = [engine, *engine.children(recursive=True)]
    assert len(processes) >= 2, "engine and kernel are running"
    sinks.add("argv", str([process.cmdline() for process in processes]))
    for process in processes:
        assert canary not in str(process.environ())
    sinks.add("engine.log", (store / "engine.log").read_text())
    sinks.assert_free_of((store / "token").read_text().strip())
    sinks.assert_free_of(canary)
