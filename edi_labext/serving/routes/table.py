"""The route table: every route of the engine, in one place.

Rows are data: the application is built from them, tests walk them, and the OpenAPI document
(``openapi.py``) says what they say. Permissions are EDI's own names (``reference/rest-api.md``
section 3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ...models import (
    Capabilities,
    DeploymentStatus,
    Done,
    ModelDescription,
    ModelExtension,
    ModelInstance,
    Profile,
    Readme,
    Runtime,
    RuntimeList,
    ServiceToken,
    StreamingAddress,
    Success,
    Token,
)
from . import auth, descriptions, inference, models, observe, packages, profiles, runtimes

if TYPE_CHECKING:
    from ..engine import Engine

#: What a caller must be permitted. ``None`` marks a route that is open without a token, ``Token``
#: one that any user token opens.
Permission = Literal["List", "Publish", "Update", "Start", "Stop", "Delete", "Run", "Token"]
Handler = Callable[[Request, "Engine"], Awaitable[Response]]
#: A body that is no JSON of ours: a package, or whatever the kernel takes and answers.
Raw = Literal["package", "task", "page"]
#: What a request or an answer carries; ``list`` of a model is an array of it.
Shape = type[BaseModel] | type[list[ModelDescription]] | Raw

#: Base path of EDI's own API, and of what the engine has beyond it.
EDI_ROOT = "/dlim/v1"
ENGINE_ROOT = "/edi/v1"


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
        Names of the query parameters, and what each says.
    """

    method: str
    path: str
    permission: Permission | None
    handler: Handler
    answers: Shape
    takes: Shape | None = None
    refusals: tuple[int, ...] = ()
    query: tuple[tuple[str, str], ...] = ()


def _edi(method: str, path: str) -> tuple[str, str]:
    return method, f"{EDI_ROOT}/{path}"


def _own(method: str, path: str) -> tuple[str, str]:
    return method, f"{ENGINE_ROOT}/{path}"


_NONCE = (("nonce", "32 to 128 lower-case hex digits that the caller made up."),)

ROUTES: tuple[RouteRow, ...] = (
    # Who asks.
    RouteRow(*_edi("POST", "auth/token"), None, auth.issue_token, Token),
    RouteRow(
        *_edi("POST", "auth/token/inference"), "Token", auth.issue_service_token, ServiceToken
    ),
    # Packages and runtimes.
    RouteRow(
        *_edi("POST", "deployment/model"),
        "Publish",
        packages.deploy,
        ModelDescription,
        "package",
        (400, 409, 413, 415, 507),
    ),
    RouteRow(
        *_edi("POST", "deployment/model/{name}"),
        "Publish",
        packages.redeploy,
        ModelDescription,
        "package",
        (400, 404, 409, 413, 415, 507),
    ),
    RouteRow(*_edi("GET", "deployment/runtime"), "List", runtimes.list_runtimes, RuntimeList),
    RouteRow(
        *_edi("POST", "deployment/runtime"),
        "Publish",
        runtimes.create_runtime,
        Success,
        Runtime,
        (400, 409, 413, 415, 507),
    ),
    RouteRow(
        *_edi("GET", "deployment/runtime/{name}"),
        "List",
        runtimes.get_runtime,
        Runtime,
        None,
        (400,),
    ),
    RouteRow(
        *_edi("PUT", "deployment/runtime/{name}"),
        "Update",
        runtimes.put_runtime,
        Success,
        Runtime,
        (400, 409, 413, 415, 507),
    ),
    RouteRow(
        *_edi("DELETE", "deployment/runtime/{name}"),
        "Delete",
        runtimes.delete_runtime,
        Success,
        None,
        (400, 409),
    ),
    # Deployments.
    RouteRow(*_edi("GET", "model"), "List", models.list_models, list[ModelDescription]),
    RouteRow(
        *_edi("POST", "model"),
        "Publish",
        descriptions.post_model,
        ModelDescription,
        ModelDescription,
        (400, 409, 413, 415, 507),
    ),
    RouteRow(*_edi("GET", "modelextension"), "List", models.list_extensions, ModelExtension),
    RouteRow(
        *_edi("GET", "model/{name}"), "List", models.get_model, ModelDescription, None, (404,)
    ),
    RouteRow(
        *_edi("PUT", "model/{name}"),
        "Update",
        descriptions.put_model,
        ModelDescription,
        ModelDescription,
        (400, 404, 409, 413, 415, 507),
    ),
    RouteRow(
        *_edi("DELETE", "model/{name}"), "Delete", models.delete_model, Done, None, (404, 409)
    ),
    RouteRow(
        *_edi("PUT", "model/{name}/operation/start"),
        "Start",
        models.start_model,
        Done,
        None,
        (404, 409),
    ),
    RouteRow(
        *_edi("PUT", "model/{name}/operation/stop"), "Stop", models.stop_model, Done, None, (404,)
    ),
    RouteRow(
        *_edi("GET", "model/{name}/instance"),
        "List",
        models.get_instance,
        ModelInstance,
        None,
        (404,),
    ),
    RouteRow(
        *_edi("GET", "model/{name}/readme"), "List", profiles.get_readme, Readme, None, (404,)
    ),
    RouteRow(
        *_edi("PUT", "model/{name}/readme"),
        "Update",
        profiles.put_readme,
        Done,
        Readme,
        (400, 404, 413, 415, 507),
    ),
    RouteRow(
        *_edi("GET", "model/{name}/streaming"),
        "List",
        models.get_streaming,
        StreamingAddress,
        None,
        (404,),
    ),
    RouteRow(
        *_edi("GET", "model/{name}/appprofile"), "List", profiles.get_profile, Profile, None, (404,)
    ),
    RouteRow(
        *_edi("PUT", "model/{name}/appprofile"),
        "Update",
        profiles.put_profile,
        Done,
        Profile,
        (400, 404, 409, 413, 415, 507),
    ),
    # Inference.
    RouteRow(
        *_edi("POST", "inference/{name}"),
        "Run",
        inference.infer,
        "task",
        "task",
        (404, 409, 413, 429, 502, 503, 504),
    ),
    # Beyond EDI.
    RouteRow(*_own("GET", "hello"), None, auth.hello, auth.Proof, refusals=(400,), query=_NONCE),
    RouteRow(*_own("GET", "capabilities"), "List", observe.capabilities, Capabilities),
    RouteRow(
        *_own("GET", "model/{name}/status"),
        "List",
        observe.get_status,
        DeploymentStatus,
        None,
        (404,),
    ),
)
