"""Deploying a package: ``POST /dlim/v1/deployment/model``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from ..engine import Engine


async def deploy(request: Request, engine: Engine) -> Response:
    """Take the bytes of an archive (``application/octet-stream``) and answer the new *Model*."""
    description = await engine.deploy(request.stream(), creator=request.state.identity.user)
    return JSONResponse(description.to_wire())
