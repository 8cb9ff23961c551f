"""Which EDIs there are, and how to reach them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ..errors import NotConfigured, NotFound, echo
from .edi_client import EdiClient
from .local_engine import EngineAddress, LocalEngine
from .tokens import TOKEN_VARIABLE, FileToken, VariableToken, token_expiry
from .transport import is_loopback

#: Identifier of the environment that is always there.
LOCAL = "local"
#: Identifier of the environment that the variables describe.
WMLA = "wmla"
#: The environment variable with the address of WMLA's EDI.
SERVER_VARIABLE = "EDI_REST_SERVER"
#: Where the certificate authorities of a company may be, in the order of requests and OpenSSL.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

_EDI_PATH = "/dlim/v1"
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST = re.compile(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class Environment:
    """An EDI endpoint as people see it.

    Attributes
    ----------
    id:
        Lower-case identifier: ``local``, ``wmla``.
    title:
        For people.
    kind:
        ``local`` is this machine's engine.
    host:
        Host and port of a remote one, ``None`` when the address is unusable or local.
    """

    id: str
    title: str
    kind: Literal["local", "remote"]
    host: str | None


class EnvironmentSet:
    """Local, and the one that ``EDI_REST_SERVER`` names.

    Parameters
    ----------
    env:
        Where the variables are read, anew at every use; ``os.environ`` in production.
    engine:
        Local's.
    """

    def __init__(self, env: Mapping[str, str], engine: LocalEngine) -> None:
        self._env = env
        self._engine = engine
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, ...], EdiClient] = {}

    def __repr__(self) -> str:
        return f"EnvironmentSet({', '.join(item.id for item in self.list())})"

    @property
    def engine(self) -> LocalEngine:
        """Local's engine."""
        return self._engine

    def list(self) -> list[Environment]:
        """Return all environments, Local first. Neither connects nor raises."""
        found = [Environment(LOCAL, "Local (this machine)", "local", None)]
        raw = self._env.get(SERVER_VARIABLE, "").strip()
        if raw:
            host: str | None
            try:
                host = urlsplit(parse_server(raw)).netloc
            except NotConfigured:
                host = None
            found.append(Environment(WMLA, f"WMLA ({host})" if host else "WMLA", "remote", host))
        return found

    def connect(self, environment: str) -> EdiClient:
        """Return a client of the environment with that ``id``, ready to use.

        For Local this finds the engine or starts it, which may take up to 20 s. Clients are
        shared: do not close them.

        Raises
        ------
        NotFound
            ``environment_not_found``
        NotConfigured
            The address or token is missing or unusable.
        Unavailable
            Local's engine does not start.
        """
        if environment == LOCAL:
            return self._local(self._engine.ensure())
        if environment == WMLA and self._env.get(SERVER_VARIABLE, "").strip():
            return self._remote()
        raise NotFound(
            f"There is no environment {echo(environment)}.",
            code="environment_not_found",
            hint=f"Set {SERVER_VARIABLE} to the address of WMLA's EDI to have one besides Local."
            if environment == WMLA
            else None,
        )

    def token_expiry(self, environment: str) -> float | None:
        """Return the Unix second at which a remote one's token ends; ``None`` when unknown."""
        if environment != WMLA:
            return None
        try:
            return token_expiry(VariableToken(self._env)())
        except NotConfigured:
            return None

    def close(self) -> None:
        """Close all connections, and the engine if its :class:`LocalEngine` started it."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()
        self._engine.close()

    def _local(self, address: EngineAddress) -> EdiClient:
        return self._shared(
            (LOCAL, address.rest_server, str(address.token_file), str(address.pid)),
            lambda: EdiClient(
                address.rest_server, FileToken(address.token_file), trust_proxies=False
            ),
        )

    def _remote(self) -> EdiClient:
        base_url = parse_server(self._env[SERVER_VARIABLE])
        token = VariableToken(self._env)
        token()  # Missing or unusable is better said now than by the first request.
        verify = _authorities(self._env)
        return self._shared(
            (WMLA, base_url, str(verify)),
            lambda: EdiClient(base_url, token, trust_proxies=True, verify=verify),
        )

    def _shared(self, key: tuple[str, ...], make: Callable[[], EdiClient]) -> EdiClient:
        """Return the client of an address; one of an older address of the same id is closed."""
        with self._lock:
            client = self._clients.get(key)
            if client is None:
                for old in [other for other in self._clients if other[0] == key[0]]:
                    self._clients.pop(old).close()
                client = self._clients[key] = make()
            return client


def parse_server(raw: str, *, source: str = SERVER_VARIABLE) -> str:
    """Return the base URL, ending in ``/dlim/v1/``, for an address as people paste it.

    Accepted with or without trailing slash and ``/dlim/v1``. ``source`` is how messages name the
    place where it was found; the address itself may hold a password and is not repeated.

    Raises
    ------
    NotConfigured
        ``bad_address``: no address, plain ``http`` to another machine, a user name, query or
        fragment inside.
    """
    text = raw.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad(source, "is not an address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _bad(source, "does not start with https://")
    if "@" in parts.netloc:
        raise _bad(source, "holds a user name or password")
    if "?" in text or "#" in text:
        raise _bad(source, "has a query or fragment")
    if not _HOST.fullmatch(host) or not text.isascii():
        raise _bad(source, "has no usable host name")
    if parts.scheme == "http" and not is_loopback(host):
        raise NotConfigured(
            f"{source} uses plain http, which would show the token to the network.",
            code="bad_address",
            hint="Use https://.",
        )
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise _bad(source, "has an unusable path")
    if not path.endswith(_EDI_PATH):
        path += _EDI_PATH
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port is not None else ''}{path}/"


def _bad(source: str, what: str) -> NotConfigured:
    return NotConfigured(
        f"{source} {what}.",
        code="bad_address",
        hint="It looks like https://wmla-console.example.com/dlim/v1/ .",
    )


def _authorities(env: Mapping[str, str]) -> bool | str:
    for variable in CA_VARIABLES:
        value = env.get(variable)
        if not value:
            continue
        if not Path(value).exists():
            raise NotConfigured(
                f"{variable} names {echo(value)}, which does not exist.",
                code="bad_ca_bundle",
                hint="Correct it, or unset it to use the usual certificate authorities.",
            )
        return value
    return True


__all__ = [
    "LOCAL",
    "SERVER_VARIABLE",
    "TOKEN_VARIABLE",
    "WMLA",
    "Environment",
    "EnvironmentSet",
    "parse_server",
]
