"""The ASGI application behind the door: the route table on starlette's router.

It has no authentication of its own: nothing reaches it that the door has not admitted
(``gate.py``). No middleware; an error becomes an answer in one place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ...errors import EdiError, InvalidInput, NotFound, echo
from ..routes.table import ROUTES, RouteRow
from .errors import SEE_DOCS, MethodNotAllowed, error_response

if TYPE_CHECKING:
    from ..engine import Engine


def build_app(engine: Engine) -> ASGIApp:
    """Return the application that serves :data:`~..routes.table.ROUTES` for ``engine``."""
    router = Router(routes=routes_of(engine), redirect_slashes=False)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def tracked_send(message: dict[str, object]) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            # With an "app" in the scope starlette raises its 404 and 405 instead of answering.
            await router({**scope, "app": app}, receive, tracked_send)  # type: ignore[arg-type]
        except ClientDisconnect:
            return
        except Exception as error:
            if started:
                raise
            await _answer(error, scope)(scope, receive, send)

    return app


def routes_of(engine: Engine) -> list[Route]:
    """Return what the router routes: one entry a path of the table."""
    by_path: dict[str, list[RouteRow]] = {}
    for row in ROUTES:
        by_path.setdefault(row.path, []).append(row)
    return [
        Route(path, _endpoint(engine, rows), methods=[row.method for row in rows])
        for path, rows in by_path.items()
    ]


def _endpoint(engine: Engine, rows: list[RouteRow]) -> Callable[[Request], Awaitable[Response]]:
    handlers = {row.method: row.handler for row in rows}

    async def endpoint(request: Request) -> Response:
        # Starlette adds HEAD wherever there is GET.
        method = "GET" if request.method == "HEAD" else request.method
        response = await handlers[method](request, engine)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return endpoint


def _answer(error: Exception, scope: Scope) -> Response:
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        if allowed := (error.headers or {}).get("Allow"):
            # Starlette's own order is another one at every start.
            headers["Allow"] = ", ".join(sorted(allowed.split(", ")))
        error = _routing_error(error, scope)
    status, body, more = error_response(error, caller=scope["state"]["identity"])
    return Response(body, status, {**more, **headers}, media_type="application/json")


def _routing_error(error: HTTPException, scope: Scope) -> EdiError:
    path = echo(scope["path"])
    if error.status_code == 405:
        return MethodNotAllowed(f"{scope['method']} is not possible on {path}.", hint=SEE_DOCS)
    if error.status_code == 404:
        return NotFound(
            f"There is no route {path}.",
            code="no_route",
            hint="EDI's routes are below /dlim/v1, the engine's own below /edi/v1.",
        )
    return InvalidInput(str(error.detail))
