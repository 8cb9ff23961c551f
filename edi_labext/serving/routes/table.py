"""The route table: every route of the engine, in one place.

Rows are data, so that tests can walk them. Permissions are EDI's own names
(``reference/rest-api.md`` section 3); ``None`` marks a route that is open without a token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.requests import Request
from starlette.responses import Response

from . import auth, inference, models, observe, packages, profiles, runtimes

if TYPE_CHECKING:
    from ..engine import Engine

Permission = Literal["List", "Publish", "Update", "Start", "Stop", "Delete", "Run"]
Handler = Callable[[Request, "Engine"], Awaitable[Response]]

#: Base path of EDI's own API, and of what the engine has beyond it.
EDI_ROOT = "/dlim/v1"
ENGINE_ROOT = "/edi/v1"


@dataclass(frozen=True)
class RouteRow:
    """One route: method, path pattern, permission, handler."""

    method: str
    path: str
    permission: Permission | None
    handler: Handler


ROUTES: tuple[RouteRow, ...] = (
    RouteRow("POST", f"{EDI_ROOT}/auth/token", None, auth.issue_token),
    RouteRow("POST", f"{EDI_ROOT}/deployment/model", "Publish", packages.deploy),
    RouteRow("GET", f"{EDI_ROOT}/model", "List", models.list_models),
    RouteRow("GET", f"{EDI_ROOT}/model/{{name}}", "List", models.get_model),
    RouteRow("DELETE", f"{EDI_ROOT}/model/{{name}}", "Delete", models.delete_model),
    RouteRow("PUT", f"{EDI_ROOT}/model/{{name}}/operation/start", "Start", models.start_model),
    RouteRow("PUT", f"{EDI_ROOT}/model/{{name}}/operation/stop", "Stop", models.stop_model),
    RouteRow("GET", f"{EDI_ROOT}/model/{{name}}/instance", "List", models.get_instance),
    RouteRow("GET", f"{EDI_ROOT}/model/{{name}}/appprofile", "List", profiles.get_profile),
    RouteRow("PUT", f"{EDI_ROOT}/model/{{name}}/appprofile", "Update", profiles.put_profile),
    RouteRow("GET", f"{EDI_ROOT}/model/{{name}}/readme", "List", profiles.get_readme),
    RouteRow("PUT", f"{EDI_ROOT}/model/{{name}}/readme", "Update", profiles.put_readme),
    RouteRow("GET", f"{EDI_ROOT}/deployment/runtime", "List", runtimes.list_runtimes),
    RouteRow("POST", f"{EDI_ROOT}/deployment/runtime", "Publish", runtimes.create_runtime),
    RouteRow("GET", f"{EDI_ROOT}/deployment/runtime/{{name}}", "List", runtimes.get_runtime),
    RouteRow("PUT", f"{EDI_ROOT}/deployment/runtime/{{name}}", "Update", runtimes.put_runtime),
    RouteRow(
        "DELETE", f"{EDI_ROOT}/deployment/runtime/{{name}}", "Delete", runtimes.delete_runtime
    ),
    RouteRow("POST", f"{EDI_ROOT}/inference/{{name}}", "Run", inference.infer),
    RouteRow("GET", f"{ENGINE_ROOT}/hello", None, auth.hello),
    RouteRow("GET", f"{ENGINE_ROOT}/capabilities", "List", observe.capabilities),
    RouteRow("GET", f"{ENGINE_ROOT}/model/{{name}}/status", "List", observe.get_status),
)
