"""What a row of the route table says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ...models import ModelDescription

if TYPE_CHECKING:
    from ..engine import Engine

#: What a caller must be permitted. ``None`` marks a route that is open without a token, ``Token``
#: one that any user token opens.
Permission = Literal["List", "Publish", "Update", "Start", "Stop", "Delete", "Run", "Token"]
Handler = Callable[[Request, "Engine"], Awaitable[Response]]
#: What is no JSON of ours: a package, or whatever the kernel takes and answers; a page; the
#: OpenAPI document.
Raw = Literal["package", "task", "page", "document"]
#: What a request or an answer carries; ``list`` of a model is an array of it.
Shape = type[BaseModel] | type[list[ModelDescription]] | Raw

#: Base path of EDI's own API, and of what the engine has beyond it.
EDI_ROOT = "/dlim/v1"
ENGINE_ROOT = "/edi/v1"


@dataclass(frozen=True)
class Query:
    """One query parameter: its name, what it says, and whether it may be left out."""

    name: str
    text: str
    optional: bool = False


@dataclass(frozen=True)
class RouteRow:
    """One route.

    Attributes
    ----------
    method, path, permission, handler:
        What is served how, to whom. ``{…}`` in the path is one segment.
    answers:
        What a success carries.
    takes:
        What the request carries; ``None`` when its body is not looked at.
    refusals:
        Statuses that are the route's own, beside those that every route can answer.
    query:
        What may stand behind the ``?``.
    """

    method: str
    path: str
    permission: Permission | None
    handler: Handler
    answers: Shape
    takes: Shape | None = None
    refusals: tuple[int, ...] = ()
    query: tuple[Query, ...] = ()


def edi(method: str, path: str) -> tuple[str, str]:
    """Return method and whole path of a route of EDI's own API."""
    return method, f"{EDI_ROOT}/{path}"


def own(method: str, path: str) -> tuple[str, str]:
    """Return method and whole path of a route that the engine has beyond EDI."""
    return method, f"{ENGINE_ROOT}/{path}"
