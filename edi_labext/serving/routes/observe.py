"""What the engine tells beyond EDI's own API, below ``/edi/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..._version import __version__
from ...errors import InvalidInput
from ...models import Capabilities, LogLine, LogPage
from ..honoured import HONOURED
from ..logs.book import RING_LINES

if TYPE_CHECKING:
    from ..engine import Engine

#: What a client may rely on when it finds this engine.
FEATURES = ("status", "readme", "profile", "runtimes", "logs")


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


async def get_logs(request: Request, engine: Engine) -> Response:
    """Answer lines that the kernels of a deployment wrote; see :class:`~...models.LogPage`."""
    name = str(request.path_params["name"])
    book = engine.deployment(name).quarters.book
    limit = _whole(request, "limit", 100, at_least=1, at_most=RING_LINES)
    last = book.appended
    after = _whole(request, "after", max(0, last - limit), at_least=0, at_most=2**63 - 1)
    lines = [
        LogLine(
            number=line.number,
            time=line.time,
            kernel=line.kernel_id,
            stream=line.stream,
            text=line.text,
        )
        for line in book.after(after, limit)
    ]
    return JSONResponse(LogPage(name=name, lines=lines, last=last).model_dump(mode="json"))


def _whole(request: Request, field: str, default: int, *, at_least: int, at_most: int) -> int:
    text = request.query_params.get(field)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise InvalidInput(f"{field} must be a whole number.", field=field)
    return min(max(int(text), at_least), at_most)
