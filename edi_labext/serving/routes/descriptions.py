"""What is said of a deployment, without its files: ``POST /model`` and ``PUT /model/{name}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .bodies import json_body

if TYPE_CHECKING:
    from ..engine import Engine


async def post_model(request: Request, engine: Engine) -> Response:
    """Register a deployment that has no files yet.

    It cannot be started until a package is redeployed to it. ``model_path``, ``size``, ``uid``, the
    times and ``creator`` are the engine's, whatever the body says.
    """
    data = await json_body(request)
    description = await engine.register(data, creator=request.state.identity.user)
    return JSONResponse(description.to_wire())


async def put_model(request: Request, engine: Engine) -> Response:
    """Change what is said of a deployment; only while it is stopped.

    ``tag``, ``runtime``, ``kernel_path``, ``weight_path``, ``attributes`` and ``mk_environments``
    may change. What a deployment is (``name``, ``uid``, ``model_path``, ``size``, ``create_time``,
    ``creator``) may not.
    """
    deployment = engine.deployment(str(request.path_params["name"]))
    await deployment.edits.replace_description(await json_body(request))
    return JSONResponse(deployment.description().to_wire())
