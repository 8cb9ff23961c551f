"""What kernels can run in: ``GET /dlim/v1/deployment/runtime``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from ..engine import Engine


async def list_runtimes(request: Request, engine: Engine) -> Response:
    """Answer all runtimes, the engine's own Python first."""
    runtimes = [runtime.to_wire() for runtime in engine.runtimes()]
    return JSONResponse({"runtimes": runtimes, "schema_version": "1"})
