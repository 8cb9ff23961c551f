"""A real server behind a real socket, with a fake engine and a small ASGI application."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edi_labext.errors import KernelFailure, NotFound, Overloaded
from edi_labext.serving.clock import LoopClock
from edi_labext.serving.http.credentials import Credentials
from edi_labext.serving.http.server import HttpServer
from edi_labext.serving.settings import Settings
from edi_labext.serving.task import Task

TOKEN = "ab" * 32


class FakeEngine:
    """Answers tasks by the name of the deployment: at once, never, or with an error."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.held: list[Task] = []
        self.cancelled: list[Task] = []
        self.bodies: list[bytes] = []
        self.app_calls: list[tuple[str, str]] = []
        self.identities: list[object] = []
        self.app_disconnects = 0
        self.changed = threading.Condition()

    def note(self, change: Callable[[], object]) -> None:
        with self.changed:
            change()
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, seconds)

    def submit(self, name: str, task: Task) -> None:
        self.note(lambda: self.bodies.append(task.body))
        if name == "echo":
            task.answer(task.body)
        elif name == "held":
            self.note(lambda: self.held.append(task))
        elif name == "full":
            raise Overloaded("The queue is full.", retry_after=0.4)
        elif name == "dead":
            task.fail(KernelFailure("The kernel ended.", hint="h", detail="a line of its log"))
        elif name == "boom":
            raise RuntimeError("secret detail")
        elif name == "big":
            task.answer(b"x" * (8 << 20))
        else:
            raise NotFound(f"There is no deployment {name!r}.")

    def cancel(self, task: Task) -> None:
        task.abandon()
        self.note(lambda: self.cancelled.append(task))

    async def app(self, scope, receive, send) -> None:
        self.note(lambda: self.app_calls.append((scope["method"], scope["path"])))
        self.note(lambda: self.identities.append(scope["state"]["identity"]))
        body = b""
        if scope["path"] != "/early":
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.note(lambda: setattr(self, "app_disconnects", self.app_disconnects + 1))
                    return
                body += message["body"]
                if not message["more_body"]:
                    break
        if scope["path"] == "/wait":
            message = await receive()
            self.note(lambda: setattr(self, "app_disconnects", self.app_disconnects + 1))
            return
        if scope["path"] == "/crash":
            raise RuntimeError("secret detail")
        answer = json.dumps({"path": scope["path"], "got": len(body)}).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % len(answer))],
            }
        )
        await send({"type": "http.response.body", "body": answer})


class Running:
    """A server in its thread."""

    def __init__(self, settings: Settings, loop_factory=None, app=None) -> None:
        self.engine = FakeEngine()
        self.engine.settings = settings
        self.settings = settings
        self._app = self.engine.app if app is None else app(self.engine)
        self._loop_factory = loop_factory
        self._ready = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._serve())
        self.ended.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop_errors: list[dict] = []
        self.loop.set_exception_handler(lambda _, context: self.loop_errors.append(context))
        self.server = HttpServer(
            self._app,
            self.settings,
            Credentials(TOKEN),
            LoopClock(self.loop),
            submit=self.engine.submit,
            cancel=self.engine.cancel,
        )
        self.port = self.server.port
        serving = asyncio.ensure_future(self.server.serve())
        await self.server.listening.wait()
        self._ready.set()
        await serving

    def call(self, function: Callable[[], object]) -> object:
        """Run ``function`` on the server's loop and return its result."""
        done: list[object] = []
        event = threading.Event()

        def run() -> None:
            try:
                done.append(function())
            finally:
                event.set()

        self.loop.call_soon_threadsafe(run)
        assert event.wait(5)
        return done[0]

    def close(self) -> None:
        if not self.ended.is_set():
            self.loop.call_soon_threadsafe(self.server.kill)
        assert self.ended.wait(10)
        self._thread.join(5)
        assert self.loop_errors == []

    # --- the caller's side ------------------------------------------------------------------

    def connect(self, *, receive_buffer: int | None = None) -> Wire:
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(10)
        sock.connect(("127.0.0.1", self.port))
        return Wire(sock, self.port)


class Wire:
    """A raw connection."""

    def __init__(self, sock: socket.socket, port: int) -> None:
        self.sock = sock
        self.port = port
        self.rest = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def request(
        self,
        method: str = "POST",
        path: str = "/dlim/v1/inference/echo",
        *headers: str,
        body: bytes | None = None,
        host: str | None = "127.0.0.1:{port}",
        token: str | None = "X-Auth-Token: " + TOKEN,
        version: str = "1.1",
        length: bool = True,
    ) -> bytes:
        lines = [f"{method} {path} HTTP/{version}"]
        if host is not None:
            lines.append("Host: " + host.format(port=self.port))
        if token is not None:
            lines.append(token)
        lines.extend(headers)
        if body is not None and length:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head + (body or b"")

    def ask(self, *args, **kwargs) -> Reply:
        self.send(self.request(*args, **kwargs))
        return self.reply()

    def _more(self) -> bool:
        try:
            data = self.sock.recv(1 << 16)
        except ConnectionResetError:
            return False
        self.rest += data
        return bool(data)

    def reply(self, *, head_only: bool = False) -> Reply:
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                raise ConnectionError(f"closed after {self.rest!r}")
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name.lower() not in headers, line
            headers[name.lower()] = value
        status = int(status_line.split(" ")[1])
        assert status_line.startswith("HTTP/1.1 ")
        length = int(headers.get("content-length", 0))
        if head_only or status == 100:
            length = 0
        while len(self.rest) < length:
            if not self._more():
                raise ConnectionError("closed inside a body")
        body, self.rest = self.rest[:length], self.rest[length:]
        return Reply(status, headers, body)

    def at_end(self) -> bool:
        """Wait for the server's end of the connection; tell whether nothing else came."""
        while self._more():
            pass
        return self.rest == b""


class Reply:
    """One answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"]

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


@contextmanager
def running(tmp: Path, loop_factory=None, app=None, **limits) -> Iterator[Running]:
    """Run a server with short waits; ``app`` makes its application for the fake engine."""
    short = {"sweep_interval": 0.02, "linger": 0.2, "stop_grace": 5.0}
    server = Running(Settings(store=tmp, **{**short, **limits}), loop_factory, app)
    try:
        yield server
    finally:
        server.close()
