"""Deploying and redeploying a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .bodies import declared_digest, package_chunks

if TYPE_CHECKING:
    from ..engine import Engine


async def deploy(request: Request, engine: Engine) -> Response:
    """Deploy a package.

    The body is the archive (tar or tar.gz) itself, or a form with it in the field ``userfile`` or
    ``file``. The new deployment is not started. With a ``Content-Digest`` (RFC 9530, ``sha-256``)
    the archive is checked against it.
    """
    creator = request.state.identity.user
    digest = declared_digest(request)
    description = await engine.deploy(package_chunks(request), creator=creator, digest=digest)
    return JSONResponse(description.to_wire())


async def redeploy(request: Request, engine: Engine) -> Response:
    """Put another package in place of a deployment's.

    Only while it is stopped. The name in the package must be that of the path. Profile, ``uid``,
    ``create_time`` and ``creator`` stay; the files go to a new directory.
    """
    name = str(request.path_params["name"])
    digest = declared_digest(request)
    description = await engine.redeploy(name, package_chunks(request), digest=digest)
    return JSONResponse(description.to_wire())
