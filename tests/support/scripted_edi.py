"""A real HTTP server that answers what a test tells it to, and remembers what it was sent."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What every answer of the real WMLA is labelled with, JSON or not.
WMLA_TYPE = "text/html; charset=ISO-8859-1"


@dataclass(frozen=True)
class Received:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer.

    ``raw`` replaces everything else and ends the connection; ``length`` is declared instead of
    the true one; ``trickle`` sends the body byte by byte until the event is set.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = WMLA_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    raw: bytes | None = None
    trickle: threading.Event | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, **rest: Any) -> Reply:
        return cls(status, json.dumps(value).encode(), **rest)


Answer = Callable[[Received], Reply]


class ScriptedEdi:
    """Answers by ``(method, path)``; ``"*"`` as path answers the rest."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.script: dict[tuple[str, str], Reply | Answer] = {}
        #: Set by a test that wants requests to hang; they go on when it is set again.
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *args: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/dlim/v1/"

    def on(self, method: str, path: str, reply: Reply | Answer) -> None:
        """Answer ``path`` (below ``/dlim/v1`` unless it begins with ``/edi`` or is ``*``)."""
        full = path if path == "*" or path.startswith("/edi") else f"/dlim/v1{path}"
        self.script[method, full] = reply

    def paths(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.received]

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        if len(body) < length:
            # The sender gave up in the middle, so there was no such request.
            handler.close_connection = True
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Received(handler.command, handler.path, headers, body)
        self.received.append(request)
        self.gate.wait(20)
        method = handler.command
        reply = self.script.get((method, handler.path.partition("?")[0])) or self.script.get(
            (method, "*"), Reply(404, b"<html>nginx</html>")
        )
        if callable(reply):
            reply = reply(request)
        with contextlib.suppress(OSError):
            self._send(handler, reply)

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.raw is not None:
            handler.wfile.write(reply.raw)
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.content_type)
        declared = len(reply.body) if reply.length is None else reply.length
        handler.send_header("Content-Length", str(declared))
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if reply.trickle is not None:
            for index in range(len(reply.body)):
                handler.wfile.write(reply.body[index : index + 1])
                if reply.trickle.wait(0.05):
                    break
        else:
            handler.wfile.write(reply.body)
        if declared != len(reply.body):
            handler.close_connection = True


@contextlib.contextmanager
def scripted_edi() -> Iterator[ScriptedEdi]:
    """Run a :class:`ScriptedEdi` for the length of a ``with`` block."""
    server = ScriptedEdi()
    try:
        yield server
    finally:
        server.close()
