"""What kernels can run in: ``/dlim/v1/deployment/runtime``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .bodies import json_body

if TYPE_CHECKING:
    from ..engine import Engine

#: What EDI answers to a delete (``reference/rest-api.md`` section 3); its answers to create and
#: update are not known, so they are the same here.
_DONE = {"status": "OK"}


async def list_runtimes(request: Request, engine: Engine) -> Response:
    """Answer all runtimes, the engine's own Python first."""
    runtimes = [runtime.to_wire() for runtime in engine.runtimes.list()]
    return JSONResponse({"runtimes": runtimes, "schema_version": "1"})


async def create_runtime(request: Request, engine: Engine) -> Response:
    """Take a new runtime."""
    await engine.runtimes.create(await json_body(request))
    return JSONResponse(_DONE)


async def get_runtime(request: Request, engine: Engine) -> Response:
    """Answer one runtime."""
    return JSONResponse(engine.runtimes.get(_name(request)).to_wire())


async def put_runtime(request: Request, engine: Engine) -> Response:
    """Take a whole runtime in place of one; used from the next start of a deployment on."""
    await engine.runtimes.replace(_name(request), await json_body(request))
    return JSONResponse(_DONE)


async def delete_runtime(request: Request, engine: Engine) -> Response:
    """Remove a runtime that no started deployment uses."""
    await engine.delete_runtime(_name(request))
    return JSONResponse(_DONE)


def _name(request: Request) -> str:
    return str(request.path_params["name"])
