"""What the engine tells beyond EDI's own API, below ``/edi/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..._version import __version__
from ...models import Capabilities
from ..honoured import HONOURED

if TYPE_CHECKING:
    from ..engine import Engine

#: What a client may rely on when it finds this engine.
FEATURES = ("status", "readme", "profile", "runtimes")


async def capabilities(request: Request, engine: Engine) -> Response:
    """Answer what this engine has beyond EDI, and its limits."""
    answer = Capabilities(
        version=__version__,
        features=list(FEATURES),
        limits=engine.settings.limits(),
        honoured_profile_fields=list(HONOURED),
        notices=engine.notices,
    )
    return JSONResponse(answer.model_dump(mode="json"))


async def get_status(request: Request, engine: Engine) -> Response:
    """Answer the state of one deployment, why, and its last log lines."""
    status = engine.deployment(str(request.path_params["name"])).status()
    return JSONResponse(status.model_dump(mode="json"))
