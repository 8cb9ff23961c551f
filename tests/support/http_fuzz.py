"""Broken requests for a real engine: every route of its table, changed in every way that hurts.

HTTP libraries refuse to send broken HTTP, so requests are bytes and connections are sockets.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from edi_labext.serving.routes.table import ROUTES, RouteRow

#: Every status that is defined; 500 is not.
DEFINED = frozenset(
    map(
        int,
        [
            "100",
            "200",
            "400",
            "401",
            "403",
            "404",
            "405",
            "408",
            "409",
            "413",
            "414",
            "415",
            "417",
            "422",
            "429",
            "431",
        ],
    )
) | {502, 503, 504, 507}
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
#: A connection that has been silent for so long has said what it had to say, in seconds.
_SILENCE = 0.25
#: What has not ended so long after our end of the connection hangs, in seconds.
_HANG = 20.0

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "get", "FOO", "")
HEADERS = (
    "Host: evil", "Host: ", "X-Auth-Token: ", "X-Auth-Token: " + "0" * 64, "Authorization: Basic x",
    "Authorization: Bearer", "X-User-Token: u.YWRh." + "0" * 64, "Content-Length: 0",
    "Content-Length: 3", "Content-Length: 99999999999", "Content-Length: -1",
    "Content-Length: 5, 5",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Expect: 100-continue", "Expect: x",
    "Connection: close", "Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket",
    "Content-Encoding: gzip", "Origin: http://evil", "Origin: null", "Sec-Fetch-Site: cross-site",
    "Cookie: a=b", "Range: bytes=0-1", 'If-Match: "x"', "If-Match: ", "Accept: ",
    "X: " + "y" * 9000,
    "Content-Type: application/json", "Content-Type: application/x-python-pickle",
    "Content-Type: multipart/form-data", "Content-Type: multipart/form-data; boundary=b",
    "Content-Type: text/html; charset=utf-16", "Content-Type: \xff", "X\xff: 1", " folded: 1",
    "no colon",
)  # fmt: skip
PATHS = (
    "/", "//", "/./", "/dlim", "/dlim/v1", "/dlim/v1/", "/dlim/v1/model/", "/dlim/v1/model//",
    "/dlim/v1/model/%00", "/dlim/v1/model/%2e%2e", "/dlim/v1/model/%zz", "/dlim/v1/model/..",
    "/dlim/v1/inference/", "/dlim/v1/inference/a/b", "/dlim/v1/deployment/model/", "*", "?",
    "/edi/v1/", "/edi/v1/hello?nonce=", "/edi/v1/hello?nonce=" + "a" * 40, "http://evil/dlim/v1/model",
    "/dlim/v1/model?limit=-1", "/dlim/v1/model/;a=b", "/" + "a" * 9000, "/dlim/v1/model#x", "\xe9",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**63, 10**30, -0.0, "", " ", "x" * 300, "\ud800", "\0", "a\n",
    "../../etc", "/etc/passwd", "%s{}${x}", "<img onerror=1>", "ünï", [], {}, [[]], [None],
    {"a": {}},
    [{"name": "A", "value": 1}], [{"key": "k"}], "2", "NaN", "nobody", "-rf", 99999, "ncpus=-1",
)  # fmt: skip
TEXTS = (
    b"NaN",
    b"1e999",
    b"{",
    b"[" * 300,
    b'"',
    b"'",
    b",",
    b"}",
    b"\xff",
    b"\0",
    b"\\u00",
    b"//",
)


@dataclass
class Target:
    """What there is on the engine to aim at.

    Attributes
    ----------
    names:
        Deployments and others, for ``{name}`` of a path.
    documents:
        By name of the model that a route takes (``Profile``): a valid document.
    package:
        A valid archive.
    """

    host: str
    port: int
    token: str
    names: dict[str, list[str]]
    documents: dict[str, dict[str, Any]]
    package: bytes


@dataclass
class Outcome:
    """What came of a number of requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    by_route: dict[str, Counter[int]] = field(default_factory=dict)
    silent: int = 0
    faults: list[str] = field(default_factory=list)


class Fuzzer:
    """Makes requests; the same seed makes the same ones."""

    def __init__(self, seed: int, target: Target) -> None:
        self._random = random.Random(seed)
        self._target = target
        # Starting a process takes a hundred times as long as asking for a list.
        self._weights = [1 if "operation" in row.path else 5 for row in ROUTES]

    def next(self) -> tuple[str, bytes]:
        """Return the name of a route and the bytes to send."""
        roll = self._random
        [row] = roll.choices(ROUTES, self._weights)
        data = self._request(row)
        if roll.random() < 0.05:
            data += self._request(roll.choice(ROUTES))
        if roll.random() < 0.25:
            data = self._broken(data)
        return f"{row.method} {row.path}", data

    def _request(self, row: RouteRow) -> bytes:
        roll = self._random
        method, path = row.method, row.path
        if "{" in path:
            kind = "runtime" if "/runtime/" in path else row.method.lower()
            names = self._target.names.get(kind) or self._target.names["get"]
            path = re.sub(r"\{\w+\}", lambda _: roll.choice(names), path)
        body, headers = self._body(row)
        headers.insert(0, f"Host: {self._target.host}:{self._target.port}")
        headers.insert(1, "X-Auth-Token: " + self._target.token)
        change = roll.random()
        if change < 0.08:
            method = roll.choice(METHODS)
        elif change < 0.16:
            path = roll.choice(
                (*PATHS, path + roll.choice(PATHS), path[: roll.randrange(len(path))])
            )
        elif change < 0.24:
            headers.insert(roll.randrange(len(headers)), roll.choice(HEADERS))
        elif change < 0.28:
            headers[roll.randrange(len(headers))] = roll.choice(HEADERS)
        elif change < 0.32:
            del headers[roll.randrange(len(headers))]
        head = "\r\n".join((f"{method} {path} HTTP/1.1", *headers))
        if body and roll.random() < 0.2:
            return head.encode("latin-1", "replace") + b"\r\n" + self._chunked(body)
        if body is not None:
            head += f"\r\nContent-Length: {len(body)}"
        return head.encode("latin-1", "replace") + b"\r\n\r\n" + (body or b"")

    def _body(self, row: RouteRow) -> tuple[bytes | None, list[str]]:
        roll = self._random
        takes = getattr(row.takes, "__name__", row.takes)
        if takes is None:
            return None, []
        if takes == "package":
            data = self._target.package
            if roll.random() < 0.7:
                data = self._broken(data)
            if roll.random() < 0.5:
                return data, ["Content-Type: application/octet-stream"]
            field_name = roll.choice(("userfile", "file", "other"))
            form = (
                f'--b\r\nContent-Disposition: form-data; name="{field_name}"; filename="p.tgz"'
                "\r\n\r\n"
            ).encode() + data + b"\r\n--b--\r\n"  # fmt: skip
            if roll.random() < 0.3:
                form = self._broken(form)
            return form, ["Content-Type: multipart/form-data; boundary=b"]
        document = self._target.documents.get(str(takes), {"data": "x"})
        if roll.random() < 0.7:
            document = self._changed(document)
        body = json.dumps(document).encode()
        if roll.random() < 0.15:
            place = roll.randrange(len(body))
            body = body[:place] + roll.choice(TEXTS) + body[place:]
        return body, ["Content-Type: application/json"]

    def _changed(self, document: Any) -> Any:
        """Return a document with one value changed somewhere."""
        roll = self._random
        if not isinstance(document, dict) or not document or roll.random() < 0.1:
            return roll.choice(VALUES)
        key = roll.choice(list(document))
        if roll.random() < 0.1:
            return {name: value for name, value in document.items() if name != key}
        if roll.random() < 0.1:
            return {**document, str(roll.choice(VALUES)): roll.choice(VALUES)}
        return {**document, key: self._changed(document[key])}

    def _chunked(self, body: bytes) -> bytes:
        roll = self._random
        half = roll.randrange(len(body))
        size = f"{half:x}" + roll.choice(("", "", "", ";a=b", ' ;x="y"', "zz", "-"))
        pieces = [
            size.encode(),
            body[:half],
            f"{len(body) - half:X}".encode(),
            body[half:],
            b"0",
            b"",
        ]
        if not half:
            del pieces[:2]
        end = roll.choice((b"", b"", b"", b"X-Trailer: 1\r\n", b"x"))
        return (
            b"Transfer-Encoding: chunked\r\n\r\n"
            + b"\r\n".join(pieces[:-1])
            + b"\r\n"
            + end
            + b"\r\n"
        )

    def _broken(self, data: bytes) -> bytes:
        """Return the bytes with a few of them changed, lost or added."""
        roll = self._random
        changed = bytearray(data)
        for _ in range(roll.randrange(1, 5)):
            if not changed:
                break
            place = roll.randrange(len(changed))
            match roll.randrange(4):
                case 0:
                    changed[place] = roll.randrange(256)
                case 1:
                    del changed[place : place + roll.randrange(1, 20)]
                case 2:
                    changed[place:place] = roll.choice(TEXTS) * roll.randrange(1, 4)
                case 3:
                    del changed[place:]
        return bytes(changed)


async def fuzz(fuzzer: Fuzzer, target: Target, count: int, *, at_once: int = 64) -> Outcome:
    """Send ``count`` requests, ``at_once`` of them at a time, each on its own connection."""
    outcome = Outcome()
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            route, data = fuzzer.next()
            await _one(target, route, data, outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return outcome


async def _one(target: Target, route: str, data: bytes, outcome: Outcome) -> None:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    received = b""
    try:
        writer.write(data)
        try:
            async with asyncio.timeout(_SILENCE) as silence:
                while piece := await reader.read(1 << 16):
                    received += piece
                    if _complete(received):
                        break
                    silence.reschedule(asyncio.get_running_loop().time() + _SILENCE)
        except TimeoutError:
            pass
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(_HANG):
            received += await reader.read()
    except TimeoutError:
        outcome.faults.append(f"hangs: {data[:600]!r}")
    except (ConnectionError, OSError):
        pass  # it was cut off while we still sent; what came before counts
    finally:
        writer.close()
    _judge(route, data, received, target.token.encode(), outcome)


def _complete(received: bytes) -> bool:
    """Tell whether the first answer has come as a whole."""
    head, blank, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: ([0-9]+)", head.lower())
    return bool(blank) and length is not None and len(body) >= int(length[1])


def _judge(route: str, data: bytes, received: bytes, token: bytes, outcome: Outcome) -> None:
    found = [int(status) for status in _STATUS.findall(received)]
    if not found:
        outcome.silent += 1
    outcome.statuses.update(found)
    outcome.by_route.setdefault(route, Counter()).update(found)
    if not DEFINED.issuperset(found):
        outcome.faults.append(f"{found}: {data[:600]!r} -> {received[:400]!r}")
    if b"Traceback" in received or b'File \\"' in received:
        outcome.faults.append(f"traceback: {data[:600]!r} -> {received[:400]!r}")
    if token in received:
        outcome.faults.append(f"token: {data[:600]!r}")
