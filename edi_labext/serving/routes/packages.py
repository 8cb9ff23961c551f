"""Deploying and redeploying a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .bodies import package_chunks

if TYPE_CHECKING:
    from ..engine import Engine


async def deploy(request: Request, engine: Engine) -> Response:
    """Deploy a package.

    The body is the archive (tar or tar.gz) itself, or a form with it in the field ``userfile`` or
    ``file``. The new deployment is not started.
    """
    creator = request.state.identity.user
    description = await engine.deploy(package_chunks(request), creator=creator)
    return JSONResponse(description.to_wire())


async def redeploy(request: Request, engine: Engine) -> Response:
    """Put another package in place of a deployment's.

    Only while it is stopped. The name in the package must be that of the path. Profile, ``uid``,
    ``create_time`` and ``creator`` stay; the files go to a new directory.
    """
    name = str(request.path_params["name"])
    description = await engine.redeploy(name, package_chunks(request))
    return JSONResponse(description.to_wire())
