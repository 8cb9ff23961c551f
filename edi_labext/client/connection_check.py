"""Test a connection step by step, so that the first thing that is wrong is the one that is told."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import certifi

from ..errors import EdiError, UpstreamUnauthorized
from .addresses import host_of, origin_of
from .answers import plain
from .edi_client import EdiClient
from .environments import LOCAL, EnvironmentSet
from .permission_check import check_permissions
from .tokens import token_expiry
from .transport import CONNECT_TIMEOUT, Network, Transport

StepName = Literal[
    "address", "resolve", "connect", "token", "authenticate", "permissions", "version"
]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the test.

    Attributes
    ----------
    ok:
        ``None``: neither, as where nothing safe can tell.
    text:
        What was found, one line.
    hint:
        What to do about it.
    seconds:
        How long it took.
    """

    name: StepName
    ok: bool | None
    text: str
    hint: str | None = None
    seconds: float = 0.0


def check_connection(environments: EnvironmentSet, environment: str) -> Iterator[Step]:
    """Yield the steps of a test as they are done; the first that fails is the last.

    Nothing is changed by it (see :mod:`.permission_check`). The token is sent only after the
    certificate of its host has been checked.

    Raises
    ------
    NotFound
        There is no such environment.
    """
    if environment == LOCAL:
        yield from _until_failed(_local_steps(environments))
    else:
        environments.describe(environment)
        yield from _until_failed(_remote_steps(environments, environment))


def _until_failed(steps: Iterator[Callable[[], Step]]) -> Iterator[Step]:
    for take in steps:
        started = time.monotonic()
        step = replace(take(), seconds=time.monotonic() - started)
        yield step
        if step.ok is False:
            return


def _local_steps(environments: EnvironmentSet) -> Iterator[Callable[[], Step]]:
    def engine() -> Step:
        try:
            client = environments.connect(LOCAL)
            number = len(client.list_models())
        except EdiError as error:
            return _failed("connect", error)
        return Step("connect", True, f"The engine of this machine answers; {_services(number)}.")

    yield engine
    yield lambda: Step("permissions", True, "Everything: it is your own engine.")


def _remote_steps(environments: EnvironmentSet, environment: str) -> Iterator[Callable[[], Step]]:
    found: dict[str, Any] = {}

    def address() -> Step:
        try:
            settings = environments.describe(environment)
            network = environments.network(environment)
            found["network"] = network
            urls = dict.fromkeys((settings.base_url, settings.inference_url))
        except EdiError as error:
            return _failed("address", error)
        found["urls"] = list(urls)
        return Step("address", True, " and ".join(urls))

    yield address
    network: Network = found["network"]
    for url in found["urls"]:
        yield lambda url=url: _resolve(url, network)  # type: ignore[misc]
        yield lambda url=url: _connect(url, network)  # type: ignore[misc]

    def token() -> Step:
        try:
            source = environments.token(environment)
            found["token"] = source()
        except EdiError as error:
            return _failed("token", error)
        kind = environments.token_state(environment)
        return _token_step(found["token"], "pasted" if kind.pasted else kind.kind)

    def authenticate() -> Step:
        try:
            found["client"] = client = environments.connect(environment)
            models = client.list_models()
        except UpstreamUnauthorized as error:
            if error.code == "upstream_forbidden":
                return Step("authenticate", True, f"{client.host} knows you.")
            return _failed("authenticate", error)
        except EdiError as error:
            return _failed("authenticate", error)
        found["names"] = [model.name for model in models]
        return Step("authenticate", True, f"{client.host} knows you; {_services(len(models))}.")

    yield token
    yield authenticate
    yield lambda: _permissions(found["client"])
    yield lambda: _version(found["client"], found.get("names", []))


def _failed(name: StepName, error: EdiError) -> Step:
    return Step(name, False, error.message, error.hint)


def _services(number: int) -> str:
    return "1 service" if number == 1 else f"{number} services"


def _resolve(url: str, network: Network) -> Step:
    host = host_of(url)
    proxy = network.proxy_host(origin_of(url))
    if proxy is not None:
        return Step("resolve", True, f"{host} through the proxy {proxy}, which looks it up.")
    parts = urlsplit(url)
    answer: list[Any] = []

    def look_up() -> None:
        try:
            answer.append(socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            answer.append([])

    # The operating system's look-up knows no deadline.
    thread = threading.Thread(target=look_up, name="edi-resolve", daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT)
    hint = "Check the address, the network and VPN."
    if not answer:
        return Step("resolve", False, f"{host} was not found within {CONNECT_TIMEOUT:.0f} s.", hint)
    if not answer[0]:
        return Step("resolve", False, f"The host {host} was not found.", hint)
    addresses = list(dict.fromkeys(entry[4][0] for entry in answer[0]))
    return Step("resolve", True, f"{host} is {', '.join(addresses[:4])}.")


def _connect(url: str, network: Network) -> Step:
    transport = Transport(origin_of(url), network)
    path = urlsplit(url).path
    try:
        # Without a token: the certificate comes first.
        answer = transport.exchange("GET", f"{path}model", {})
    except EdiError as error:
        if error.code in ("upstream_redirect", "upstream_bad_response", "answer_too_large"):
            return _connected(url, network, f"It answers strangely: {error.message}")
        return _failed("connect", error)
    finally:
        transport.close()
    server = plain(answer.headers.get("Server", ""), 40)
    return _connected(url, network, f"Server {server}." if server else "")


def _connected(url: str, network: Network, more: str) -> Step:
    host, parts = host_of(url), urlsplit(url)
    if parts.scheme == "http":
        text = f"{host} answers, without TLS, which is fine on this machine."
    elif network.verify is False:
        return Step(
            "connect",
            None,
            f"{host} answers. Its certificate is NOT checked. {more}".strip(),
            "Whoever is on the way can read your token. Give ca_bundle instead.",
        )
    else:
        text = f"{host} answers over TLS with a trusted certificate{_certificate(url, network)}."
    return Step("connect", True, f"{text} {more}".strip())


def _certificate(url: str, network: Network) -> str:
    """Return what the certificate says, if it can be had directly; for display only."""
    parts = urlsplit(url)
    if network.proxy_host(origin_of(url)) is not None:
        return ""
    bundle = certifi.where() if network.verify is True else str(network.verify)
    try:
        context = ssl.create_default_context(cafile=bundle)
        if isinstance(network.certificate, tuple):
            context.load_cert_chain(*network.certificate)
        elif network.certificate is not None:
            context.load_cert_chain(network.certificate)
        with (
            socket.create_connection(
                (parts.hostname or "", parts.port or 443), CONNECT_TIMEOUT
            ) as plain_socket,
            context.wrap_socket(plain_socket, server_hostname=parts.hostname) as secured,
        ):
            certificate, version = secured.getpeercert() or {}, secured.version()
    except (OSError, ValueError):
        return ""
    issuer = _name(certificate.get("issuer"))
    until = plain(str(certificate.get("notAfter", "")), 40)
    told = [f"{version}"] if version else []
    told += [f"issued by {issuer}"] if issuer else []
    told += [f"valid until {until}"] if until else []
    return f" ({', '.join(told)})" if told else ""


def _name(names: Any) -> str:
    """Return the common name or organisation of a certificate's subject or issuer."""
    parts = dict(pair for group in names or () for pair in group)
    return plain(str(parts.get("commonName") or parts.get("organizationName") or ""), 60)


def _token_step(token: str, kind: str | None) -> Step:
    end = token_expiry(token)
    source = f"There is one ({kind})"
    if end is None:
        return Step("token", True, f"{source}; it does not say when it ends.")
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(max(0.0, min(end, 4e11))))
    if end <= time.time():
        return Step("token", False, f"{source}, which expired at {at}.", "Get a new one.")
    return Step("token", True, f"{source}, valid for {_span(end - time.time())}, until {at}.")


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _permissions(client: EdiClient) -> Step:
    if client.capabilities() is not None:
        return Step("permissions", True, "Everything: an engine of edi_labext has no roles.")
    known = check_permissions(client)
    told = (f"{name.removeprefix('Inference ')} {state}" for name, state in known.items())
    hint = None
    if "no" in known.values():
        hint = "Ask whoever administers the EDI for what is missing."
    elif "not refused" in known.values():
        hint = "Tried on a service that nobody has; a real one may still be refused."
    ok = None if "unknown" in known.values() else True
    return Step(
        "permissions", False if known["Inference List"] == "no" else ok, ", ".join(told), hint
    )


def _version(client: EdiClient, names: list[str]) -> Step:
    capabilities = client.capabilities()
    if capabilities is not None:
        return Step("version", True, f"The engine of edi_labext {capabilities.version}.")
    try:
        if names:
            guess = _release(client.app_profile(names[0]))
            if guess:
                return Step("version", None, f"Probably {guess}, by the profile of {names[0]}.")
        types = {runtime.type for runtime in client.runtimes()}
    except EdiError as error:
        return Step("version", None, f"Unknown: {error.message}")
    if any(kind.startswith("dlipy36") for kind in types):
        return Step("version", None, "Probably WMLA 1.2, by its runtimes.")
    if "dlipy3" in types:
        return Step("version", None, "Probably WMLA 2.3 or newer, by its runtimes.")
    return Step("version", None, "Unknown: nothing tells.")


def _release(profile: Mapping[str, Any]) -> str:
    """Return the release that a profile looks like (``reference/rest-api.md`` section 8)."""
    allocation = profile.get("resource_allocation")
    kernel = allocation.get("kernel") if isinstance(allocation, Mapping) else None
    if not isinstance(kernel, Mapping):
        return ""
    if "resreq" in kernel or kernel.get("type") == "ego":
        return "WMLA 1.2"
    return "WMLA 2.3 or newer" if "resources" in kernel else ""
