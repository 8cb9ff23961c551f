"""Tokens: ``POST /dlim/v1/auth/token``, and the proof that this is the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import InvalidInput, Unauthenticated
from ...models import ServiceToken, Token
from ...models.strict_json import parse_object

if TYPE_CHECKING:
    from ..engine import Engine


class Proof(BaseModel):
    """Hex HMAC-SHA256 of ``edi-hello:`` and the nonce, under the engine's token."""

    hmac: str


async def issue_token(request: Request, engine: Engine) -> Response:
    """Exchange user name and password for tokens.

    They come as ``Authorization: Basic``, or as clients of 2019 send them, in the body:
    ``{"method": "password", "userpasswd": base64 of user:password}``. The password is the content
    of the engine's token file; the user name becomes the ``creator`` of what is deployed.
    """
    header = request.headers.get("authorization")
    if header is None:
        encoded = _userpasswd(await request.body())
        header = None if encoded is None else f"Basic {encoded}"
    user = engine.credentials.basic(header)
    if user is None:
        raise Unauthenticated(
            "User name and password were not accepted.",
            hint="Send Authorization: Basic with any user name and, as password, the content of "
            "the engine's token file (edi serve prints where it is).",
        )
    token = engine.credentials.user_token(user)
    service_token = engine.credentials.service_token(user)
    # All keys that releases of EDI use (reference/rest-api.md section 2).
    answer = Token(user_token=token, access_token=token, service_token=service_token)
    return JSONResponse(answer.to_wire())


async def issue_service_token(request: Request, engine: Engine) -> Response:
    """Exchange a user token for a token that permits inference and nothing else."""
    token = engine.credentials.service_token(request.state.identity.user)
    return JSONResponse(ServiceToken(service_token=token).to_wire())


async def hello(request: Request, engine: Engine) -> Response:
    """Prove that this engine knows the token.

    A caller asks this before it sends the token, so that a stranger who took over the port
    learns nothing.
    """
    nonce = request.query_params.get("nonce", "")
    if not 32 <= len(nonce) <= 128 or not all(char in "0123456789abcdef" for char in nonce):
        raise InvalidInput("nonce must be 32 to 128 lower-case hex digits.", field="nonce")
    return JSONResponse(Proof(hmac=engine.credentials.hello(nonce)).model_dump())


def _userpasswd(body: bytes) -> str | None:
    try:
        value = parse_object(body).get("userpasswd")
    except InvalidInput:
        return None
    return value if isinstance(value, str) else None
