"""An EDI that misbehaves in every way that was seen or can be feared, as a process of its own.

It speaks HTTP over plain sockets, so that it can also break HTTP. Run as a script it takes orders
as JSON lines on stdin and answers each on stdout; :class:`MisbehavingEdi` is its other end.

Shapes of the releases: ``reference/rest-api.md`` sections 1 to 5 and 8.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RELEASES = ("1.2", "2.3.0", "2.3.7", "5.0")
#: What real gateways say in place of EDI.
GATEWAY_PAGE = (
    b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n"
    b"<center><h1>504 Gateway Time-out</h1></center>\r\n<hr><center>nginx/1.20.2</center>\r\n"
    b"</body>\r\n</html>\r\n"
)
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Log in to IBM</title></head>" + b" " * 4000


class Request:
    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def told(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "size": len(self.body),
            "body": self.body[:2000].decode("latin-1"),
        }


class Edi:
    """The well-behaved part: deployments in memory, in the shapes of one release."""

    def __init__(self, release: str, tokens: list[str]) -> None:
        self.release = release
        self.tokens = list(tokens)
        self.models: dict[str, dict[str, Any]] = {}
        self.states: dict[str, str] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        #: Name → what the next profile of it is changed by once it is taken.
        self.rewrites: dict[str, dict[str, Any]] = {}
        self.logins = 0
        self.deploys = 0
        self.denied: set[str] = set()

    def add(self, name: str, state: str = "disabled") -> None:
        self.models[name] = {
            "name": name,
            "uid": "1aff5357-4c1c-492b-b019-1028e955ff43",
            "tag": "test",
            "size": 7,
            "weight_path": "N/A",
            "model_path": f"/opt/wml-edi/repo/{name}",
            "create_time": 1660119466,
            "last_updated_time": 1660119466,
            "started_at": 0,
            "creator": "admin",
            "runtime": "dlipy3",
            "kernel_path": "kernel.py",
            "service_uri": "",
            "attributes": [],
            "mk_environments": [],
            "schema_version": "1",
            "a_field_of_tomorrow": {"kept": True},
        }
        if self.release == "1.2":
            # Absent things are null there.
            self.models[name] |= {"tag": None, "mk_environments": None, "service_uri": None}
        self.states[name] = state
        self.profiles[name] = self._profile(name)

    def answer(self, request: Request) -> tuple[int, Any]:
        path = request.path.partition("?")[0]
        if path == "/icp4d-api/v1/authorize":
            return self._authorize(request)
        if not path.startswith("/dlim/v1/"):
            return 404, b"<html><body>nginx</body></html>"
        words = path.removeprefix("/dlim/v1/").split("/")
        if words == ["auth", "token"]:
            return self._log_in(request)
        if self._token(request, words[0]) not in self.tokens:
            return 401, b"Unauthorized"
        permission = self._permission(request.method, words)
        if permission in self.denied:
            return 403, f"Permission denied: {permission}".encode()
        match (request.method, *words):
            case ("GET", "model"):
                return 200, [self.models[name] for name in sorted(self.models)]
            case ("POST", "deployment", "model"):
                return self._deploy(request)
            case ("GET", "deployment", "runtime"):
                kind = "dlipy36-wmlce170" if self.release == "1.2" else "dlipy3"
                return 200, {"runtimes": [{"type": kind, "launcher": "x"}], "schema_version": "1"}
            case ("POST", "inference", name):
                return (200, request.body) if name in self.models else self._missing(name)
            case (method, "model", name, *rest):
                if name not in self.models:
                    return self._missing(name)
                return self._one(method, name, rest, request.body)
        return 404, b"<html><body>nginx</body></html>"

    def _one(self, method: str, name: str, rest: list[str], body: bytes) -> tuple[int, Any]:
        match (method, *rest):
            case ("GET",):
                return 200, self.models[name]
            case ("DELETE",):
                if self.states[name] != "disabled":
                    return 400, b"The model cannot be removed if it's started."
                for kept in (self.models, self.states, self.profiles):
                    del kept[name]  # type: ignore[attr-defined]
                return 200, {}
            case ("PUT", "operation", "start"):
                self.states[name] = "enabled"
                return 200, {}
            case ("PUT", "operation", "stop"):
                self.states[name] = "disabled"
                return 200, {}
            case ("GET", "instance"):
                return 200, self._instance(name)
            case ("GET", "appprofile"):
                return 200, self.profiles[name]
            case ("PUT", "appprofile"):
                self.profiles[name] = _merged(json.loads(body), self.rewrites.pop(name, {}))
                return 200, b""
            case ("GET", "readme"):
                return 200, {"readme": "# Hello"}
        return 404, b"<html><body>nginx</body></html>"

    def _deploy(self, request: Request) -> tuple[int, Any]:
        kind = request.headers.get("content-type", "")
        if self.release in ("1.2", "2.3.0"):
            if not kind.startswith("multipart/form-data"):
                # Its words are not known.
                return (415, b"") if self.release == "2.3.0" else (400, b"Bad Request")
            boundary = kind.partition("boundary=")[2].encode()
            part = request.body.split(b"--" + boundary)[1]
            head, _, content = part.partition(b"\r\n\r\n")
            if b'name="userfile"' not in head:
                return 400, b"userfile is missing"
            package = content.removesuffix(b"\r\n")
        elif kind != "application/octet-stream":
            return 415, b"Unsupported Media Type"
        else:
            package = request.body
        name = package.decode("latin-1").partition("\n")[0]
        if not re.fullmatch(r"[a-z0-9-]+", name):
            # A real package; the name is that of its top folder.
            name = _name_in(package)
        if name in self.models:
            return 400, f"Model {name} already exists.".encode()
        self.add(name)
        self.models[name]["size"] = _size_in(package)
        self.deploys += 1
        return 200, self.models[name]

    def _instance(self, name: str) -> dict[str, Any]:
        state = self.states[name]
        if state != "enabled":
            return {"name": name, "state": state}
        old = self.release == "1.2"
        kernel = {
            "container_uid": "c",
            "container_host": "h",
            "container_status": "IDLE",
            "running_task": 0,
            "finish_task" if old else "finished_task": 41,
            "failed_task": 1,
            "total_task": 42,
        }
        service = {
            "isd_uid": "e77f",
            "client_number": 0,
            "pending_number" if old else "pending_tasks": 3,
            "request_per_sec": 0.5,
            "data_size_per_sec": 0.0,
            "isd_container": [kernel],
        }
        return {"name": name, "state": state, "instances": [service]}

    def _profile(self, name: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "schema_version": "1.2",
            "type": "inference",
            "name": name,
            "create_time": "Wed Aug 10 08:17:46 2022 GMT",
            "last_update_time": "Wed Aug 10 08:17:46 2022 GMT",
            "replica": 1,
            "policy": {"name": "capacity", "kernel_min": 1, "kernel_max": 100, "of_tomorrow": 1},
            "kernel": {"gpu": "no", "envs": [], "of_tomorrow": [1, {"a": None}]},
            "of_tomorrow": "kept",
        }
        if self.release == "1.2":
            ego = {"consumer": "/c", "resource_group": "r", "resreq": "", "type": "ego"}
            made["resource_allocation"] = {"service": ego, "kernel": ego}
        else:
            kernel = {"type": "msd", "resources": "ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096"}
            made["resource_allocation"] = {"service": {"type": "k8s"}, "kernel": kernel}
        return made

    def _token(self, request: Request, route: str) -> str:
        found = request.headers.get("x-auth-token", "")
        if not found and route == "inference":
            found = request.headers.get("authorization", "").removeprefix("Bearer ")
        return found

    def _log_in(self, request: Request) -> tuple[int, Any]:
        self.logins += 1
        wanted = base64.b64encode(b"me:right").decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            return 401, b"wrong user or password"
        token = f"logged-in-{self.logins}"
        self.tokens.append(token)
        key = "access_token" if self.release in ("1.2", "2.3.0") else "user_token"
        return 200, {key: token, "service_token": "s"}

    def _authorize(self, request: Request) -> tuple[int, Any]:
        self.logins += 1
        given = json.loads(request.body)
        if given.get("username") != "me" or "right" not in (
            given.get("password"),
            given.get("api_key"),
        ):
            return 401, {"_messageCode_": "401", "message": "User unauthorized"}
        token = f"logged-in-{self.logins}"
        self.tokens.append(token)
        return 200, {"_messageCode_": "200", "message": "Success", "token": token}

    def _missing(self, name: str) -> tuple[int, Any]:
        status = 404 if self.release == "5.0" else 400
        return status, f"Model <{name}> does not exists.".encode()

    @staticmethod
    def _permission(method: str, words: list[str]) -> str:
        if words[0] == "inference":
            return "Inference Run"
        if words[:1] == ["deployment"] and method == "POST":
            return "Inference Publish"
        verbs = {"GET": "List", "DELETE": "Delete", "POST": "Publish", "PUT": "Update"}
        return f"Inference {words[-1].title() if 'operation' in words else verbs.get(method, '?')}"


def _merged(document: Any, patch: Any) -> Any:
    if not isinstance(patch, dict) or not isinstance(document, dict):
        return patch
    changed = {key: _merged(document.get(key), value) for key, value in patch.items()}
    return {**document, **changed}


def _name_in(package: bytes) -> str:
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(package)) as tar:
        return tar.getnames()[0].partition("/")[0]


def _size_in(package: bytes) -> int:
    import io
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(package)) as tar:
            return sum(member.size for member in tar if member.isfile())
    except tarfile.TarError:
        return 7


class Server:
    """Sockets around an :class:`Edi`, and the faults that were ordered."""

    def __init__(self, edi: Edi, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        self.edi = edi
        self.faults: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self._listener = listener
        self._tls = tls
        self._lock = threading.Lock()

    def serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            stack.callback(connection.close)
            connection.settimeout(60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            file = connection.makefile("rb")
            while (request := _read(file)) is not None:
                if not self._exchange(connection, request):
                    return

    def _exchange(self, connection: socket.socket, request: Request) -> bool:
        """Answer one request; tell whether the connection goes on."""
        with self._lock:
            self.received.append(request.told())
            fault = self._fault(request)
            if fault is None or fault["kind"].startswith(("commit", "slow")):
                status, value = self.edi.answer(request)
        if fault is not None:
            kind = fault["kind"].removeprefix("commit-")
            if kind != "slow":
                return bool(getattr(self, f"_{kind}")(connection, fault))
            threading.Event().wait(fault["seconds"])
        self._send(connection, status, value)
        return True

    def _fault(self, request: Request) -> dict[str, Any] | None:
        for fault in self.faults:
            if fault["method"] in ("*", request.method) and re.fullmatch(
                fault["path"], request.path.removeprefix("/dlim/v1")
            ):
                fault["times"] -= 1
                if fault["times"] <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _send(
        self,
        connection: socket.socket,
        status: int,
        value: Any,
        headers: dict[str, str] | None = None,
    ) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        told = {
            "Server": "nginx/1.20.2",
            "Content-Type": "application/json"
            if self.edi.release == "5.0"
            else "text/html; charset=ISO-8859-1",
            "Content-Length": str(len(body)),
            "Connection": "keep-alive",
            "Access-Control-Allow-Methods": "GET,PUT,POST,DELETE",
            **(headers or {}),
        }
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in told.items())
        connection.sendall(head.encode("latin-1") + b"\r\n" + body)

    # --- what goes wrong ----------------------------------------------------------------------

    def _reset(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        return False

    def _status(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        body = base64.b64decode(fault.get("body", ""))
        self._send(connection, fault["status"], body, fault.get("headers"))
        return True

    def _hang(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        connection.recv(1)  # Until the other side has had enough.
        return False

    def _truncate(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"name": "di')
        return False

    def _cut(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        return False

    def _trickle_head(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            connection.sendall(f"X-{number}: y\r\n"[: 1 + number % 9].encode())
            threading.Event().wait(0.02)
        return False

    def _trickle_body(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100_000):
            connection.sendall(b" ")
            threading.Event().wait(0.02)
        return False

    def _huge(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
        while True:
            connection.sendall(block)

    def _continues(self, connection: socket.socket, fault: dict[str, Any]) -> bool:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            threading.Event().wait(0.01)


def _read(file: Any) -> Request | None:
    line = file.readline(65536)
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = {}
    while (raw := file.readline(65536)) not in (b"\r\n", b""):
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = file.read(length)
    return Request(method, path, headers, body) if len(body) == length else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", choices=RELEASES, default="2.3.7")
    parser.add_argument("--certificate")
    parser.add_argument("--client-ca")
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
        if options.client_ca:
            tls.verify_mode = ssl.CERT_REQUIRED
            tls.load_verify_locations(options.client_ca)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.create_server((options.host, 0), family=family)
    server = Server(Edi(options.release, []), listener, tls)
    threading.Thread(target=server.serve, daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer: Any = None
        with server._lock:
            match order.pop("do"):
                case "fault":
                    server.faults.append(order)
                case "heal":
                    server.faults.clear()
                case "tokens":
                    server.edi.tokens = order["tokens"]
                case "deny":
                    server.edi.denied = set(order["permissions"])
                case "add":
                    server.edi.add(order["name"], order["state"])
                case "rewrite":
                    server.edi.rewrites[order["name"]] = order["patch"]
                case "received":
                    answer, server.received = server.received, []
                case "look":
                    answer = {
                        "states": server.edi.states,
                        "deploys": server.edi.deploys,
                        "logins": server.edi.logins,
                        "profiles": server.edi.profiles,
                    }
        print(json.dumps(answer), flush=True)


class MisbehavingEdi:
    """The test's end of the process."""

    def __init__(self, process: subprocess.Popen[str], scheme: str, host: str) -> None:
        self._process = process
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        name = f"[{host}]" if ":" in host else host
        self.port: int = port
        self.origin = f"{scheme}://{name}:{port}"
        self.url = f"{self.origin}/dlim/v1/"

    def _order(self, do: str, **more: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def fault(
        self, kind: str, method: str = "*", path: str = ".*", times: int = 1_000_000, **more: Any
    ) -> None:
        """Go wrong in this way at the next ``times`` requests; ``path`` is a pattern.

        ``commit-…`` does what was asked before it goes wrong.
        """
        if isinstance(more.get("body"), bytes):
            more["body"] = base64.b64encode(more["body"]).decode()
        self._order("fault", kind=kind, method=method, path=path, times=times, **more)

    def heal(self) -> None:
        self._order("heal")

    def accept(self, *tokens: str) -> None:
        self._order("tokens", tokens=tokens)

    def deny(self, *permissions: str) -> None:
        self._order("deny", permissions=permissions)

    def add(self, name: str, state: str = "disabled") -> None:
        self._order("add", name=name, state=state)

    def rewrite(self, name: str, patch: dict[str, Any]) -> None:
        """Have it change the next profile that it takes for a deployment."""
        self._order("rewrite", name=name, patch=patch)

    def received(self) -> list[dict[str, Any]]:
        """Return the requests since the last call; header names in lower case."""
        found: list[dict[str, Any]] = self._order("received")
        return found

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self._order("look")
        return found


@contextlib.contextmanager
def misbehaving_edi(
    release: str = "2.3.7",
    *,
    certificate: Path | None = None,
    client_ca: Path | None = None,
    host: str = "127.0.0.1",
) -> Iterator[MisbehavingEdi]:
    """Run the process for the length of a ``with`` block."""
    arguments = ["--release", release, "--host", host]
    arguments += ["--certificate", str(certificate)] if certificate else []
    arguments += ["--client-ca", str(client_ca)] if client_ca else []
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={},
    )
    try:
        yield MisbehavingEdi(process, "https" if certificate else "http", host)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()


if __name__ == "__main__":
    main()
