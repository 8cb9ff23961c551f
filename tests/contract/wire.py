"""Requests as a stranger sends them: the standard library's HTTP, and nothing of ours.

The suite judges what is on the wire, so it shares no code with the client that it could hide
faults behind.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any

#: Where the words of an error are looked for, in the order of IBM's own client
#: (``reference/rest-api.md`` section 4).
READERS = ("errors[0].message", "error", "message", "errorMessage")


class Answer:
    """What came back: status, headers by lower-case name, body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = dict(headers)
        self.body = body

    def __repr__(self) -> str:
        return f"{self.status} {self.body[:300]!r}"

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Parse the body whatever its declared type is: WMLA says ``text/html`` of JSON."""
        return json.loads(self.body)

    def json_or_none(self) -> Any:
        try:
            return self.json()
        except ValueError:
            return None

    @property
    def reader(self) -> str:
        """Which of :data:`READERS` finds words, or ``text``, or ``nothing``."""
        document = self.json_or_none()
        if isinstance(document, dict):
            errors = document.get("errors")
            first = errors[0] if isinstance(errors, list) and errors else None
            if isinstance(first, dict) and isinstance(first.get("message"), str):
                return READERS[0]
            for key in READERS[1:]:
                if isinstance(document.get(key), str):
                    return key
        return "text" if self.body.strip() else "nothing"

    @property
    def message(self) -> str:
        """The words of an error, as :attr:`reader` finds them."""
        reader = self.reader
        if reader == READERS[0]:
            return str(self.json()["errors"][0]["message"])
        return str(self.json()[reader]) if reader in READERS else self.text


class Wire:
    """One EDI by its address.

    Parameters
    ----------
    server:
        ``https://host[:port]``, with or without ``/dlim/v1/``.
    token:
        Sent as ``X-Auth-Token`` unless a call says otherwise.
    ca:
        File with certificates to trust; ``None`` for the system's.
    insecure:
        Trust any certificate: WMLA's are self-signed more often than not.
    """

    def __init__(
        self, server: str, token: str, *, ca: str | None = None, insecure: bool = False
    ) -> None:
        parts = urllib.parse.urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{server!r} is no address of an EDI: https://host[:port]")
        self._parts = parts
        self._token = token
        prefix = parts.path.rstrip("/")
        self.root = (prefix[: -len("/dlim/v1")] if prefix.endswith("/dlim/v1") else prefix) + "/"
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context(cafile=ca)
            if insecure:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE

    def __repr__(self) -> str:
        return f"<Wire {self._parts.netloc}>"

    @property
    def host(self) -> str:
        """Name and port as in the address."""
        return self._parts.netloc

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | str | None = None,
        document: Any = ...,
        headers: Mapping[str, str] | None = None,
        token: bool = True,
        timeout: float = 60,
    ) -> Answer:
        """Send one request and read its whole answer; redirects are answers like others.

        Parameters
        ----------
        path:
            Below ``/dlim/v1/``; with a slash in front, below the root of the server.
        document:
            JSON body, in place of ``body``.
        token:
            Whether to send the token as ``X-Auth-Token``.
        """
        sent = {"X-Auth-Token": self._token} if token else {}
        if document is not ...:
            body = json.dumps(document)
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        data = body.encode() if isinstance(body, str) else body
        target = self.root + (path[1:] if path.startswith("/") else "dlim/v1/" + path)
        connection = self._connect(timeout)
        try:
            connection.request(method, target, data, sent)
            response = connection.getresponse()
            headers_read = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers_read, response.read())
        finally:
            connection.close()

    def ask_as(self, headers: Mapping[str, str], method: str, path: str, **more: Any) -> Answer:
        """Like :meth:`ask`, with these headers as the only credentials."""
        return self.ask(method, path, headers=headers, token=False, **more)

    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def under(self, header: str) -> dict[str, str]:
        """Return the token under another header."""
        return {header: self._token}

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname, self._parts.port
        assert host
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)


def given_token(text: str) -> str:
    """Return the token to judge a server with; without one there is nothing to judge."""
    token = text.strip().removeprefix("Bearer ")
    if not re.fullmatch("[!-~]+", token):
        raise ValueError("--edi-server needs its token, in $USER_ACCESS_TOKEN")
    return token


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of ``Authorization: Basic``."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}
