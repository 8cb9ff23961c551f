"""Addresses of EDIs as people paste them, in the one form that everything here uses.

Base path and hosts: ``reference/rest-api.md`` section 1.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from ..errors import NotConfigured

#: The environment variable with the address of WMLA's EDI.
SERVER_VARIABLE = "EDI_REST_SERVER"

_EDI_PATH = "/dlim/v1"
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST = re.compile(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Names of WMLA's routes on OpenShift; what follows them is namespace and domain.
_CONSOLE, _INFERENCE = "wmla-console", "wmla-inference"


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` (a name or address without brackets) is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_server(raw: str, *, source: str = SERVER_VARIABLE) -> str:
    """Return the base URL, ending in ``/dlim/v1/``, for an address as people paste it.

    Accepted with or without trailing slash, ``/dlim/v1``, default port, and what follows
    ``/dlim/v1/`` in the address of a single route. ``source`` is how messages name the place where
    it was found; the address itself may hold a password and is not repeated.

    Raises
    ------
    NotConfigured
        ``bad_address``: no address, plain ``http`` to another machine, a user name, query or
        fragment inside.
    """
    origin, path = _split(raw, source)
    before, found, _ = f"{path}/".partition(f"{_EDI_PATH}/")
    return f"{origin}{before if found else path}{_EDI_PATH}/"


def parse_origin(raw: str, *, source: str) -> str:
    """Return scheme, host and port of an address of something beside EDI, its path left out.

    Raises
    ------
    NotConfigured
        As :func:`parse_server`.
    """
    return _split(raw, source)[0]


def origin_of(base_url: str) -> str:
    """Return scheme, host and port of what :func:`parse_server` returned."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(base_url: str) -> str:
    """Return host and port of what :func:`parse_server` or :func:`parse_origin` returned."""
    return urlsplit(base_url).netloc


def derive(base_url: str) -> tuple[str, str]:
    """Return the base URLs of the console and the inference host that belong to an address.

    On OpenShift, WMLA's routes differ in the first part of the name; a Cloud Pak for Data route
    and WMLA without OpenShift have one host for everything.
    """
    parts = urlsplit(base_url)
    for role in (_CONSOLE, _INFERENCE):
        if re.match(rf"{role}[-.]", parts.netloc):
            rest = parts.netloc.removeprefix(role)
            console, inference = (
                parts._replace(netloc=name + rest).geturl() for name in (_CONSOLE, _INFERENCE)
            )
            return console, inference
    return base_url, base_url


def _split(raw: str, source: str) -> tuple[str, str]:
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
    name = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        name += f":{port}"
    return f"{parts.scheme}://{name}", path


def _bad(source: str, what: str) -> NotConfigured:
    return NotConfigured(
        f"{source} {what}.",
        code="bad_address",
        hint="It looks like https://wmla-console.example.com/dlim/v1/ .",
    )
