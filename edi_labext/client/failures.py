"""Failures of the network in words: what happened, and what to look at."""

from __future__ import annotations

import http.client
from typing import Any

import requests
import urllib3

from ..errors import UpstreamBadResponse, UpstreamError, UpstreamTimeout, UpstreamUnreachable, echo

_REMOTE_HINT = "Check the address of the environment, the network and VPN."
#: On this machine there is our engine, or the end of somebody's tunnel to another.
_LOCAL_HINT = (
    "See whether anything runs there. If it is the engine of this machine, try again; it is "
    "started when needed."
)


def explain(
    error: Exception, host: str, elapsed: float, *, local: bool, proxy: str | None = None
) -> UpstreamError:
    """Say what a failure of requests or urllib3 means.

    Parameters
    ----------
    error:
        Raised while talking to ``host``.
    elapsed:
        Seconds since the first byte was sent.
    local:
        Whether ``host`` is this machine.
    proxy:
        Host and port of the proxy on the way, if there is one.
    """
    hint = _LOCAL_HINT if local else _REMOTE_HINT
    waited = f"(after {elapsed:.1f} s)"
    if isinstance(error, requests.exceptions.ProxyError | requests.exceptions.InvalidProxyURL) or (
        proxy is not None and isinstance(error, requests.exceptions.InvalidURL)
    ):
        return _proxy_error(error, host, proxy, waited)
    if isinstance(error, requests.exceptions.SSLError):
        return UpstreamUnreachable(
            f"The certificate of {host} is not trusted: {_tls_reason(error)}.",
            code="upstream_tls",
            hint="Set REQUESTS_CA_BUNDLE, or ca_bundle of the environment, to a file with your "
            "company's certificate authority.",
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return UpstreamTimeout(f"{host} did not accept a connection {waited}.", hint=hint)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or _caused_by(
        error, TimeoutError
    ):
        return UpstreamTimeout(
            f"{host} did not answer in time {waited}.",
            hint="It may still have done what was asked; look at the list before you repeat.",
        )
    if _caused_by(error, urllib3.exceptions.NameResolutionError):
        return UpstreamUnreachable(
            f"The host {host} was not found.", code="upstream_no_host", hint=hint
        )
    if _caused_by(error, ConnectionRefusedError):
        return UpstreamUnreachable(
            f"{host} refused the connection.",
            code="upstream_refused",
            hint=hint,
        )
    if isinstance(
        error, urllib3.exceptions.IncompleteRead | urllib3.exceptions.DecodeError
    ) or _caused_by(error, urllib3.exceptions.IncompleteRead):
        return UpstreamBadResponse(f"The answer of {host} broke off.")
    if _caused_by(error, http.client.BadStatusLine) and not _caused_by(error, ConnectionError):
        return UpstreamBadResponse(f"{host} does not speak HTTP.")
    return UpstreamUnreachable(
        f"The connection to {host} broke {waited}.",
        code="upstream_reset",
        hint=hint,
    )


def _proxy_error(error: Exception, host: str, proxy: str | None, waited: str) -> UpstreamError:
    text = str(error)
    if isinstance(error, requests.exceptions.InvalidURL):
        what = "has an address that cannot be used"
    elif "407" in text:
        what = "wants a user name and password"
    elif _caused_by(error, urllib3.exceptions.NameResolutionError):
        what = "was not found"
    elif _caused_by(error, ConnectionRefusedError):
        what = "refused the connection"
    else:
        what = "refused or could not be reached"
    return UpstreamUnreachable(
        f"The proxy {echo(proxy)} on the way to {host} {what} {waited}."
        if proxy
        else f"The proxy on the way to {host} {what} {waited}.",
        code="proxy_error",
        hint="Check HTTPS_PROXY and NO_PROXY, or the proxy of the environment.",
    )


def explain_os(error: OSError, host: str, verify: bool | str) -> UpstreamError:
    """Say what an operating system's error means; ``verify`` as for the transport."""
    # requests complains about a missing CA file with a plain OSError that names it.
    if isinstance(verify, str):
        return UpstreamUnreachable(
            f"The certificate authorities in {echo(verify)} cannot be read.",
            code="bad_ca_bundle",
            hint="Correct REQUESTS_CA_BUNDLE, or unset it.",
        )
    return UpstreamUnreachable(f"No connection to {host}: {error.strerror or 'no reason given'}.")


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Tell whether ``kind`` is among the causes, which urllib3 keeps as arguments."""
    stack: list[Any] = [error]
    seen: set[int] = set()
    while stack:
        item = stack.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, kind):
            return True
        stack += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return False


def _tls_reason(error: BaseException) -> str:
    text = str(error)
    for part, meaning in (
        ("self-signed", "it is self-signed"),
        ("self signed", "it is self-signed"),
        ("unable to get local issuer", "its issuer is unknown"),
        ("expired", "it has expired"),
        ("Hostname mismatch", "it is for another host"),
        ("IP address mismatch", "it is for another host"),
        ("doesn't match", "it is for another host"),
        ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
    ):
        if part in text:
            return meaning
    return "the TLS handshake failed"
