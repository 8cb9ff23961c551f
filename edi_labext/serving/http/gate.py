"""The one policy for every request: what is answered at the door, and what may come in.

A gate is pure: method, target and headers in, :class:`Admitted` or a refusal out. It decides on
the raw target of the request line, never on an address put together from ``Host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ...errors import (
    EdiError,
    Forbidden,
    InvalidInput,
    NotFound,
    TooLarge,
    UnsupportedMedia,
    echo,
)
from ...models import NAME_PATTERN
from ..settings import Settings
from .credentials import Credentials, Identity
from .errors import (
    ALLOWED_METHODS,
    SEE_DOCS,
    ExpectationFailed,
    MethodNotAllowed,
    TargetTooLong,
)

#: What a request is for, as far as limits and permissions differ.
Kind = Literal["inference", "upload", "control"]

#: A request that is answered at the door; the error says how.
Refusal: TypeAlias = EdiError

INFERENCE_PREFIX: Final = b"/dlim/v1/inference/"
_UPLOAD_PATH: Final = b"/dlim/v1/deployment/model"
#: What the engine can do, the same for every engine; a link on any page may lead there.
PUBLIC_PAGES: Final = frozenset(
    (b"/dlim/v1/docs", b"/dlim/v1/docs/", b"/dlim/v1/docs/openapi.json")
)
#: The only routes without a token. One proves who we are, one checks a password itself, and the
#: others show nothing of this engine.
PUBLIC_ROUTES: Final = frozenset(
    (
        (b"GET", b"/edi/v1/hello"),
        (b"POST", b"/dlim/v1/auth/token"),
        *((b"GET", page) for page in PUBLIC_PAGES),
    )
)

_INFERENCE = re.compile(re.escape(INFERENCE_PREFIX) + b"(" + NAME_PATTERN.encode() + b")")
_METHODS: Final = frozenset(method.encode() for method in ALLOWED_METHODS)
_VISIBLE = re.compile(rb"/[!-~]*")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
#: Escapes that would make another path of this one, or a control character.
_SMUGGLED = re.compile(rb"%(?:2f|5c|7f|[01][0-9a-f])", re.IGNORECASE)
#: Sites whose pages may call us: none but a person's own address bar or tool.
_OWN_SITES: Final = frozenset((b"none", b"same-origin"))
#: Headers that mean nothing certain when they come twice.
_SINGLE: Final = frozenset(
    (
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"expect",
    )
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may come in.

    Attributes
    ----------
    kind:
        See :data:`Kind`.
    identity:
        Who it comes from; ``None`` on a public route.
    body_limit:
        Most bytes its body may have, whatever it declares.
    deployment:
        The deployment's name if it is an inference that needs no application to be understood.
    expects_continue:
        Whether the caller waits for ``100 Continue`` before it sends the body.
    length:
        Bytes of the body as declared; ``None`` when it comes in chunks.
    """

    kind: Kind
    identity: Identity | None
    body_limit: int
    deployment: str | None
    expects_continue: bool
    length: int | None


class Gate:
    """Decides on requests for one bound address.

    Parameters
    ----------
    settings:
        For the limits and the configured host.
    credentials:
        Know the tokens.
    port:
        The port that is really bound.
    """

    def __init__(self, settings: Settings, credentials: Credentials, port: int) -> None:
        self._credentials = credentials
        self._target_limit = settings.target_bytes_limit
        self._limits: dict[Kind, int] = {
            "inference": settings.inference_body_limit,
            "upload": settings.upload_limit,
            "control": settings.control_body_limit,
        }
        configured = f"[{settings.host}]" if ":" in settings.host else settings.host
        names = {"127.0.0.1", "localhost", "[::1]", configured.lower()}
        ports = [f":{port}", ""] if port == 80 else [f":{port}"]
        self._hosts = frozenset(f"{name}{end}".encode() for name in names for end in ports)
        self._origins = frozenset(b"http://" + host for host in self._hosts)

    def admit(
        self,
        method: bytes,
        target: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        version: str = "1.1",
    ) -> Admitted | Refusal:
        """Decide on one request from its head alone; its body need not have come.

        Parameters
        ----------
        method, target:
            As in the request line.
        headers:
            Name (lower case) and value, in order of arrival.
        version:
            HTTP version, ``"1.0"`` or ``"1.1"``.
        """
        single: dict[bytes, bytes] = {}
        for name, value in headers:
            if name in _SINGLE:
                if name in single:
                    return _malformed(f"The header {name.decode()} is there twice.")
                single[name] = value.strip(b" \t")
        error = (
            _check_version(version)
            or self._check_host(single)
            or self._check_site(single, method, target)
            or self._check_target(method, target)
        )
        if error:
            return error
        path = target.partition(b"?")[0]
        kind = _kind(method, path)
        identity: Identity | None = None
        if (b"GET" if method == b"HEAD" else method, path) not in PUBLIC_ROUTES:
            identity = self._credentials.identify(headers)
            if identity is None:
                return self._credentials.refusal(headers)
            if identity.scope != "all" and kind != "inference":
                return Forbidden(
                    "A service token permits inference only.",
                    code="permission_denied",
                    hint="Use a user token of POST /dlim/v1/auth/token.",
                )
        error = self._check_body(single, kind, version)
        if error:
            return error
        deployment = _INFERENCE.fullmatch(target) if kind == "inference" else None
        return Admitted(
            kind=kind,
            identity=identity,
            body_limit=self._limits[kind],
            deployment=deployment[1].decode() if deployment else None,
            expects_continue=b"expect" in single and version == "1.1",
            length=None
            if b"transfer-encoding" in single
            else int(single.get(b"content-length", 0)),
        )

    def _check_host(self, single: dict[bytes, bytes]) -> Refusal | None:
        host = single.get(b"host")
        if host in self._hosts:
            return None
        if not host:
            return _malformed("The request has no Host header.")
        if host.lower() in self._hosts:
            return None
        return Forbidden(
            "The Host header does not name this engine.",
            code="host_refused",
            hint="Use the address that the engine printed when it started.",
        )

    def _check_site(
        self, single: dict[bytes, bytes], method: bytes, target: bytes
    ) -> Refusal | None:
        origin = single.get(b"origin")
        # A link has no Origin. What is fetched by a script has one, or may not be read by it.
        followed = method == b"GET" and target in PUBLIC_PAGES
        site = None if followed else single.get(b"sec-fetch-site")
        if (origin is None or origin.lower() in self._origins) and (
            site is None or site.lower() in _OWN_SITES
        ):
            return None
        return Forbidden(
            "Web pages may not call the engine.",
            code="origin_refused",
            hint="In JupyterLab, use the EDI panel: its server makes the calls.",
        )

    def _check_target(self, method: bytes, target: bytes) -> Refusal | None:
        if method not in _METHODS:
            name = echo(method.decode("latin-1"))
            return MethodNotAllowed(f"The method {name} is not used.", hint=SEE_DOCS)
        if len(target) > self._target_limit:
            return TargetTooLong(f"The path is longer than {self._target_limit} bytes.")
        if not _VISIBLE.fullmatch(target) or b"#" in target:
            return _malformed("The request line must name a plain path, such as /dlim/v1/model.")
        if b"%" in target:
            path = target.partition(b"?")[0]
            if _BAD_ESCAPE.search(path):
                return _malformed("The path has a % that is not followed by two hex digits.")
            if _SMUGGLED.search(path):
                return NotFound("There is no such route.", code="no_route")
        return None

    def _check_body(self, single: dict[bytes, bytes], kind: Kind, version: str) -> Refusal | None:
        coding = single.get(b"content-encoding")
        if coding is not None and coding.lower() != b"identity":
            return UnsupportedMedia(
                "Compressed bodies are not taken.", hint="Send the body without Content-Encoding."
            )
        length = single.get(b"content-length")
        transfer = single.get(b"transfer-encoding")
        if transfer is not None and (
            length is not None or version != "1.1" or transfer.lower() != b"chunked"
        ):
            return _malformed("The length of the body is not certain.")
        if length is not None:
            # At most 20 digits: int() of more is slow, then refused.
            if not length.isdigit() or len(length) > 20:
                return _malformed("Content-Length is not a number.")
            if int(length) > self._limits[kind]:
                return TooLarge(
                    f"The body has more than {self._limits[kind]} bytes.", code="body_too_large"
                )
        expect = single.get(b"expect")
        if expect is not None and expect.lower() != b"100-continue":
            return ExpectationFailed("Only Expect: 100-continue is understood.")
        return None


def _kind(method: bytes, path: bytes) -> Kind:
    if method == b"POST":
        if path.startswith(INFERENCE_PREFIX):
            return "inference"
        if path == _UPLOAD_PATH or path.startswith(_UPLOAD_PATH + b"/"):
            return "upload"
    return "control"


def _check_version(version: str) -> Refusal | None:
    if version in ("1.1", "1.0"):
        return None
    return _malformed("Only HTTP/1.1 and HTTP/1.0 are spoken here.")


def _malformed(message: str) -> InvalidInput:
    return InvalidInput(message, code="malformed_request")
