"""Recognise the engine of a store: its runtime file, and its proof of holding the token.

On a shared machine anybody may listen on a port that an engine has left. So before the token is
sent to it, a listener has to show that it already knows it: it answers a fresh random number with
the HMAC-SHA256 of that number under the token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import EdiError
from ..models.strict_json import parse_object
from .addresses import is_loopback
from .tokens import FileToken, read_private
from .transport import Network, Transport

#: Name of the runtime file in the store.
RUNTIME_FILE = "engine.json"

_MAX_RUNTIME_FILE = 16 << 10
_MAX_HELLO = 16 << 10
_CONNECT_TIMEOUT = 1.0
# A busy engine may be slow to answer; taking it for dead would only cost a second start.
_READ_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What ``engine.json`` says; not to be believed before :meth:`Greeter.proves`."""

    rest_server: str
    token_file: Path
    pid: int
    owner: str


def read_runtime_file(store: Path) -> RuntimeFacts | None:
    """Return what the runtime file says, or ``None`` when there is none that can be used.

    A file that is a link, another user's, open to others, or names another machine is not used.
    """
    try:
        data = read_private(store / RUNTIME_FILE, _MAX_RUNTIME_FILE)
        facts = parse_object(data, what=RUNTIME_FILE)
        rest_server, pid = facts["rest_server"], facts["pid"]
        owner = facts.get("owner", "")
        token_file = Path(facts["token_file"])
        parts = urlsplit(rest_server)
        usable = (
            parts.scheme == "http"
            and is_loopback(parts.hostname or "")
            and parts.port is not None
            and "@" not in parts.netloc
            and token_file.is_absolute()
            and isinstance(pid, int)
            and isinstance(owner, str)
        )
    except (OSError, EdiError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return RuntimeFacts(rest_server, token_file, pid, owner) if usable else None


class Greeter:
    """Asks listeners on this machine for their proof; keeps the connection to the last one."""

    def __init__(self) -> None:
        self._transport: Transport | None = None

    def proves(self, rest_server: str, token_file: Path) -> bool:
        """Tell whether who listens at ``rest_server`` holds the token of ``token_file``."""
        parts = urlsplit(rest_server)
        origin = f"{parts.scheme}://{parts.netloc}"
        transport = self._transport
        if transport is None or transport.origin != origin:
            transport = self._transport = Transport(origin, Network(trust_proxies=False))
        nonce = secrets.token_hex(32)
        try:
            token = FileToken(token_file)()
            answer = transport.exchange(
                "GET",
                f"/edi/v1/hello?nonce={nonce}",
                {},
                connect_timeout=_CONNECT_TIMEOUT,
                read_timeout=_READ_TIMEOUT,
                limit=_MAX_HELLO,
            )
            proof = answer.json()["hmac"]
        except (EdiError, ValueError, KeyError, TypeError):
            return False
        wanted = hmac.new(token.encode(), b"edi-hello:" + nonce.encode(), hashlib.sha256)
        return (
            isinstance(proof, str)
            and proof.isascii()
            and hmac.compare_digest(proof, wanted.hexdigest())
        )

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
