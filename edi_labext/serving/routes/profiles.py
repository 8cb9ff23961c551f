"""Profile and readme of a deployment: what may be edited of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import InvalidInput
from ...models import README, profile_revision
from ...models.strict_json import parse_object
from .bodies import json_body

if TYPE_CHECKING:
    from ..engine import Engine


async def get_profile(request: Request, engine: Engine) -> Response:
    """Answer the whole profile; its ``ETag`` may be sent back as ``If-Match`` with a change."""
    document = engine.deployment(_name(request)).profile().to_wire()
    return JSONResponse(document, headers={"ETag": f'"{profile_revision(document)}"'})


async def put_profile(request: Request, engine: Engine) -> Response:
    """Take a whole profile for the next start; only while stopped."""
    deployment = engine.deployment(_name(request))
    wanted = request.headers.get("if-match", "*").strip()
    revision = None if wanted == "*" else wanted.strip('"')
    await deployment.edits.replace_profile(await json_body(request), revision=revision)
    return JSONResponse({})


async def get_readme(request: Request, engine: Engine) -> Response:
    """Answer the README of the deployed package."""
    return JSONResponse({"readme": engine.deployment(_name(request)).record.readme})


async def put_readme(request: Request, engine: Engine) -> Response:
    """Take another README, ``{"readme": text}``."""
    deployment = engine.deployment(_name(request))
    text = parse_object(await json_body(request)).get("readme")
    if not isinstance(text, str):
        raise InvalidInput(
            "The body has no text of the name 'readme'.",
            code="missing_field",
            field="readme",
            hint=f'Send {{"readme": "the text of {README}"}}.',
        )
    await deployment.edits.replace_readme(text)
    return JSONResponse({})


def _name(request: Request) -> str:
    return str(request.path_params["name"])
