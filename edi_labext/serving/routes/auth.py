"""Tokens: ``POST /dlim/v1/auth/token``, and the proof that this is the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import InvalidInput, Unauthenticated

if TYPE_CHECKING:
    from ..engine import Engine


async def issue_token(request: Request, engine: Engine) -> Response:
    """Answer tokens for ``Authorization: Basic``; the password is the engine's token.

    The answer carries all three keys that releases of EDI use (``reference/rest-api.md``
    section 2). The user name becomes the ``creator`` of what is deployed with the token.
    """
    user = engine.credentials.basic(request.headers.get("authorization"))
    if user is None:
        raise Unauthenticated(
            "User name and password were not accepted.",
            hint="The password is the content of the engine's token file (edi serve prints it).",
        )
    token = engine.credentials.user_token(user)
    return JSONResponse(
        {
            "user_token": token,
            "access_token": token,
            "service_token": engine.credentials.service_token(user),
        }
    )


async def hello(request: Request, engine: Engine) -> Response:
    """Prove knowledge of the engine's token: answer ``{"hmac": ...}`` over the caller's nonce.

    A caller asks this before it sends the token, so that a stranger who took over the port
    learns nothing.
    """
    nonce = request.query_params.get("nonce", "")
    if not 32 <= len(nonce) <= 128 or not all(char in "0123456789abcdef" for char in nonce):
        raise InvalidInput("nonce must be 32 to 128 lower-case hex digits.", field="nonce")
    return JSONResponse({"hmac": engine.credentials.hello(nonce)})
