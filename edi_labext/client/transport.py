"""One HTTP exchange with one EDI: bounded in time and size, to one origin, without surprises."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ..errors import (
    EdiError,
    TooLarge,
    UpstreamBadResponse,
    UpstreamTimeout,
    UpstreamUnreachable,
    echo,
)
from .addresses import is_loopback
from .deadline import POOL_CLASSES
from .failures import explain, explain_os

#: Seconds to wait for a connection, and for the next byte of an answer.
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0
#: Largest answer of a management route, in bytes (16 MiB).
MAX_ANSWER = 16 << 20

_CHUNK = 64 << 10
_UPLOAD_BLOCK = 256 << 10
_POOL = 16


@dataclass(frozen=True, slots=True)
class Network:
    """How requests leave this machine.

    Attributes
    ----------
    trust_proxies:
        Whether ``HTTPS_PROXY`` and its like apply; never for this machine.
    verify:
        Certificate check: the usual authorities, or a file or folder of them; ``False`` is none.
    certificate:
        Path of our own certificate with its key, or of both.
    proxy:
        Address of a proxy instead of the variables'; ``none`` for no proxy.
    """

    trust_proxies: bool = True
    verify: bool | str = True
    certificate: str | tuple[str, str] | None = None
    proxy: str | None = None

    def proxies(self, origin: str) -> dict[str, str]:
        """Return the proxies for requests to ``origin``, as requests wants them."""
        if not self.trust_proxies or is_loopback(urlsplit(origin).hostname or ""):
            return {}
        if self.proxy is not None:
            return {} if self.proxy == "none" else dict.fromkeys(("http", "https"), self.proxy)
        found = requests.utils.get_environ_proxies(origin, no_proxy=None)
        return {str(scheme): str(proxy) for scheme, proxy in found.items()}

    def proxy_host(self, origin: str) -> str | None:
        """Return host and port of the proxy on the way to ``origin``, without a password."""
        proxy = requests.utils.select_proxy(origin, self.proxies(origin))
        if not proxy:
            return None
        try:
            return urlsplit(proxy if "://" in proxy else f"//{proxy}").netloc.rpartition("@")[2]
        except ValueError:
            return ""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer read to its end. ``elapsed`` is in seconds, from the first byte sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float

    @property
    def content_type(self) -> str:
        """The header as sent, at most 200 characters; ``""`` when there was none."""
        return self.headers.get("Content-Type", "")[:200]

    def json(self) -> Any:
        """Parse the body whatever the content type says: WMLA labels its JSON ``text/html``.

        Raises
        ------
        ValueError
            The body is not JSON.
        """
        try:
            text = self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = self.body.decode("latin-1")  # What WMLA's header claims.
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class _Session(requests.Session):
    """A session that never looks at a redirect.

    requests reads the body of a redirect and prepares the next request even when told not to
    follow; the answer here is only ever reported.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """Larger blocks for uploads than urllib3's 16 KiB, and no retries of its own."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=_POOL, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, blocksize=_UPLOAD_BLOCK, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOL_CLASSES

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, blocksize=_UPLOAD_BLOCK, **proxy_kwargs)
        manager.pool_classes_by_scheme = POOL_CLASSES
        return manager


class Transport:
    """Connections to one origin.

    Parameters
    ----------
    origin:
        Scheme, host and port; every path is appended to it.
    network:
        How requests get there.
    """

    def __init__(self, origin: str, network: Network) -> None:
        parts = urlsplit(origin)
        self.origin = origin
        self.host = parts.netloc
        self.is_local = is_loopback(parts.hostname or "")
        self.network = network
        self._session = _Session()
        # No .netrc (it would replace our header), no variables unless asked for below.
        self._session.trust_env = False
        # Nor cookies: a session of one request must not speak for another.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def close(self) -> None:
        """Close idle connections; a later exchange opens new ones."""
        self._session.close()

    def exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        body: Any = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        limit: int = MAX_ANSWER,
        secret: str = "",
    ) -> RawAnswer:
        """Send one request and read its answer.

        Parameters
        ----------
        path:
            Absolute, its segments already quoted.
        body:
            Bytes, or an object with ``__len__``, ``__iter__`` and ``read``, streamed with that
            length. What its ``read`` raises ends the exchange and is passed on.
        connect_timeout, read_timeout:
            In seconds. The head of the answer has to be complete within ``read_timeout``, however
            it trickles in, and so has its body after that.
        limit:
            Largest body of the answer in bytes.
        secret:
            The token that is sent. Where an answer repeats it, it is blotted out.

        Raises
        ------
        UpstreamUnreachable, UpstreamTimeout, UpstreamBadResponse
        TooLarge
            ``answer_too_large``
        """
        started = time.monotonic()
        failure: EdiError
        # Errors are raised outside the handlers: a chained exception of requests carries the
        # request, and so the token.
        try:
            with self._session.request(
                method,
                self.origin + path,
                headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
                data=body,
                timeout=(connect_timeout, read_timeout),
                allow_redirects=False,
                stream=True,
                verify=self.network.verify,
                cert=self.network.certificate,
                proxies=self.network.proxies(self.origin),
            ) as response:
                answer = self._read(response, started, read_timeout, limit, secret)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            elapsed = time.monotonic() - started
            failure = explain(
                error,
                self.host,
                elapsed,
                local=self.is_local,
                proxy=self.network.proxy_host(self.origin),
            )
        except OSError as error:
            failure = explain_os(error, self.host, self.network.verify)
        except UnicodeError:
            failure = UpstreamUnreachable(f"{self.host} is not a host name.")
        else:
            if 300 <= answer.status < 400:
                raise self._redirected(answer)
            return answer
        raise failure

    def _read(
        self,
        response: requests.Response,
        started: float,
        read_timeout: float,
        limit: int,
        secret: str,
    ) -> RawAnswer:
        headers = {
            name.title(): blot(value.encode("latin-1", "replace"), secret).decode("latin-1")
            for name, value in response.headers.items()
        }
        if 300 <= response.status_code < 400:
            return RawAnswer(response.status_code, headers, b"", time.monotonic() - started)
        deadline = time.monotonic() + read_timeout
        pieces: list[bytes] = []
        size = 0
        # read1 returns with what is there, so a server that trickles meets the deadline.
        while piece := response.raw.read1(_CHUNK, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise TooLarge(
                    f"{self.host} answered with more than {limit >> 20} MiB.",
                    code="answer_too_large",
                )
            if time.monotonic() > deadline:
                raise UpstreamTimeout(
                    f"{self.host} did not complete its answer within {read_timeout:.0f} s."
                )
        body = blot(b"".join(pieces), secret)
        return RawAnswer(response.status_code, headers, body, time.monotonic() - started)

    def _redirected(self, answer: RawAnswer) -> UpstreamBadResponse:
        try:
            target = urlsplit(answer.headers.get("Location", "")).netloc
        except ValueError:
            target = "nowhere"
        where = echo(target) if target else "another path"
        return UpstreamBadResponse(
            f"{self.host} answered {answer.status}, a redirect to {where}. It was not followed, "
            "so that the token goes nowhere else.",
            code="upstream_redirect",
            hint="If that is the right address, set EDI_REST_SERVER to it. A redirect to a login "
            "page means that the address or the token is wrong.",
        )


def blot(data: bytes, secret: str) -> bytes:
    """Return ``data`` without the token: gateways and debug pages repeat what they were sent."""
    raw = secret.encode()
    return data.replace(raw, b"[token]") if raw and raw in data else data
