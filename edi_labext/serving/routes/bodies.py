"""Bodies of requests: JSON documents, and packages however they are wrapped."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from ...errors import InvalidInput, UnsupportedMedia, echo
from ..http.multipart import MEDIA_TYPE, form_file

#: Types under which JSON comes: its own, none worth the name (``curl -d`` says that it sends a
#: form), and texts. What names another format is refused, since it may well be that.
_JSON_TYPES: Final = re.compile(
    r"(application/json|application/[\w.+-]+\+json|text/[\w.+-]+"
    r"|application/x-www-form-urlencoded|application/octet-stream)?",
    re.ASCII,
)
_CHARSET: Final = re.compile(r'charset\s*=\s*"?([\w-]+)"?', re.ASCII | re.IGNORECASE)
#: One member of ``Content-Digest``; other algorithms are not looked at.
_SHA_256: Final = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:?([^,:]*):?\s*(?=,|$)", re.IGNORECASE)
_UTF_8: Final = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))


def media_type(request: Request) -> tuple[str, str]:
    """Return type (lower case) and parameters of the body; ``""`` for what is not told."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    return kind.strip().lower(), parameters


async def json_body(request: Request) -> bytes:
    """Return the body of a request that carries a JSON document.

    Raises
    ------
    UnsupportedMedia
        The request says that its body is something else.
    """
    kind, parameters = media_type(request)
    if not _JSON_TYPES.fullmatch(kind):
        raise UnsupportedMedia(
            f"A body of type {echo(kind)} is not taken here.",
            hint="Send JSON with Content-Type: application/json.",
        )
    charset = _CHARSET.search(parameters)
    if charset and charset[1].lower() not in _UTF_8:
        raise UnsupportedMedia(
            f"A body in {echo(charset[1])} is not taken.", hint="Send JSON in UTF-8."
        )
    return await request.body()


def package_chunks(request: Request) -> AsyncIterator[bytes]:
    """Return the bytes of an uploaded package as they come.

    A form (``multipart/form-data``) is taken apart on the way; whatever else the request says of
    its body, it is the package itself.
    """
    kind, parameters = media_type(request)
    if kind == MEDIA_TYPE:
        return form_file(request.stream(), parameters)
    return request.stream()


def declared_digest(request: Request) -> str | None:
    """Return the SHA-256 of ``Content-Digest`` (RFC 9530) in hexadecimal, ``None`` without one.

    Of a form it is the digest of the whole form, which nobody keeps, so it is not looked at there.

    Raises
    ------
    InvalidInput
        ``invalid_digest``
    """
    if media_type(request)[0] == MEDIA_TYPE:
        return None
    told = request.headers.get("content-digest", "")
    match = _SHA_256.search(told)
    if match is None:
        return None
    try:
        digest = base64.b64decode(match[1], validate=True)
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise InvalidInput(
            f"Content-Digest holds no SHA-256: {echo(told)}.",
            code="invalid_digest",
            field="Content-Digest",
            hint="Send sha-256=:<base64 of the digest>:, or leave the header out.",
        )
    return digest.hex()
