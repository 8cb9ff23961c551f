"""What the application behind the door is given: ASGI scopes, and requests put plainly."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

    from .credentials import Identity
    from .door import Door
    from .incoming import Incoming

#: Headers that ask for another protocol, which we answer by staying with HTTP/1.1.
_UPGRADE_HEADERS: Final = frozenset((b"upgrade", b"http2-settings"))


def asgi_scope(
    incoming: Incoming,
    identity: Identity | None,
    door: Door,
    server: tuple[str, int | None] | None,
    client: tuple[str, int] | None,
) -> HTTPScope:
    """Return the scope of an admitted request.

    ``scope["state"]["identity"]`` is the :class:`~.credentials.Identity` that the gate saw, or
    ``None`` on a public route; ``scope["state"]["door"]`` is the :class:`~.door.Door`, which counts
    what is in flight. The path is decoded once; the gate has refused every escape that
    would decode to a slash or a control character.
    """
    raw_path, _, query = incoming.target.partition(b"?")
    state: dict[str, Any] = {"identity": identity, "door": door}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": incoming.version,
        "method": incoming.method.decode("ascii"),
        "scheme": "http",
        "path": urllib.parse.unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": incoming.headers,
        "client": client,
        "server": server,
        "state": state,
    }


def without_upgrade(
    method: bytes, target: bytes, version: str, headers: list[tuple[bytes, bytes]]
) -> bytes:
    """Return the head of a request as if it had not asked for another protocol.

    Java's client and ``curl --http2`` offer HTTP/2 with every plain request. The parser takes
    what follows such a head for the new protocol; a server that stays with HTTP/1.1 has to read
    it as the body it is (RFC 9110 section 7.8).
    """
    lines = [b"%b %b HTTP/%b" % (method, target, version.encode("ascii"))]
    for name, value in headers:
        if name == b"connection":
            options = (option.strip() for option in value.split(b","))
            kept = b", ".join(item for item in options if item.lower() not in _UPGRADE_HEADERS)
            lines.append(b"connection: " + kept)
        elif name not in _UPGRADE_HEADERS:
            lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join((*lines, b"", b""))
