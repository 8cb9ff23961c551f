"""The route table: every route of the engine, in one place.

Rows are data: the application is built from them, tests walk them, and the OpenAPI document
(``openapi.py``) says what they say. Permissions are EDI's own names (``reference/rest-api.md``
section 3).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...models import (
    Capabilities,
    DeploymentStatus,
    Done,
    LogPage,
    ModelBody,
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
from .docs import Documentation
from .row import Query, RouteRow, edi, own

__all__ = ["ROUTES", "RouteRow"]


def _table() -> Sequence[RouteRow]:
    return ROUTES


_DOCUMENTATION = Documentation(_table)
_NONCE = (Query("nonce", "32 to 128 lower-case hex digits that the caller made up."),)
_LOG_PAGE = (
    Query("after", "Number of the last line that is known. Default: the last `limit` lines.", True),
    Query("limit", "Most lines, up to 2000. Default: 100.", True),
)

ROUTES: tuple[RouteRow, ...] = (
    # Who asks.
    RouteRow(*edi("POST", "auth/token"), None, auth.issue_token, Token),
    RouteRow(*edi("POST", "auth/token/inference"), "Token", auth.issue_service_token, ServiceToken),
    # Packages and runtimes.
    RouteRow(
        *edi("POST", "deployment/model"),
        "Publish",
        packages.deploy,
        ModelDescription,
        "package",
        (400, 409, 413, 415, 507),
    ),
    RouteRow(
        *edi("POST", "deployment/model/{name}"),
        "Publish",
        packages.redeploy,
        ModelDescription,
        "package",
        (400, 404, 409, 413, 415, 507),
    ),
    RouteRow(*edi("GET", "deployment/runtime"), "List", runtimes.list_runtimes, RuntimeList),
    RouteRow(
        *edi("POST", "deployment/runtime"),
        "Publish",
        runtimes.create_runtime,
        Success,
        Runtime,
        (400, 409, 413, 415, 507),
    ),
    RouteRow(
        *edi("GET", "deployment/runtime/{name}"),
        "List",
        runtimes.get_runtime,
        Runtime,
        None,
        (400,),
    ),
    RouteRow(
        *edi("PUT", "deployment/runtime/{name}"),
        "Update",
        runtimes.put_runtime,
        Success,
        Runtime,
        (400, 409, 413, 415, 507),
    ),
    RouteRow(
        *edi("DELETE", "deployment/runtime/{name}"),
        "Delete",
        runtimes.delete_runtime,
        Success,
        None,
        (400, 409),
    ),
    # Deployments.
    RouteRow(*edi("GET", "model"), "List", models.list_models, list[ModelDescription]),
    RouteRow(
        *edi("POST", "model"),
        "Publish",
        descriptions.post_model,
        ModelDescription,
        ModelBody,
        (400, 409, 413, 415, 507),
    ),
    RouteRow(*edi("GET", "modelextension"), "List", models.list_extensions, ModelExtension),
    RouteRow(*edi("GET", "model/{name}"), "List", models.get_model, ModelDescription, None, (404,)),
    RouteRow(
        *edi("PUT", "model/{name}"),
        "Update",
        descriptions.put_model,
        ModelDescription,
        ModelBody,
        (400, 404, 409, 413, 415, 507),
    ),
    RouteRow(*edi("DELETE", "model/{name}"), "Delete", models.delete_model, Done, None, (404, 409)),
    RouteRow(
        *edi("PUT", "model/{name}/operation/start"),
        "Start",
        models.start_model,
        Done,
        None,
        (404, 409),
    ),
    RouteRow(
        *edi("PUT", "model/{name}/operation/stop"), "Stop", models.stop_model, Done, None, (404,)
    ),
    RouteRow(
        *edi("GET", "model/{name}/instance"),
        "List",
        models.get_instance,
        ModelInstance,
        None,
        (404,),
    ),
    RouteRow(*edi("GET", "model/{name}/readme"), "List", profiles.get_readme, Readme, None, (404,)),
    RouteRow(
        *edi("PUT", "model/{name}/readme"),
        "Update",
        profiles.put_readme,
        Done,
        Readme,
        (400, 404, 413, 415, 507),
    ),
    RouteRow(
        *edi("GET", "model/{name}/streaming"),
        "List",
        models.get_streaming,
        StreamingAddress,
        None,
        (404,),
    ),
    RouteRow(
        *edi("GET", "model/{name}/appprofile"), "List", profiles.get_profile, Profile, None, (404,)
    ),
    RouteRow(
        *edi("PUT", "model/{name}/appprofile"),
        "Update",
        profiles.put_profile,
        Done,
        Profile,
        (400, 404, 409, 413, 415, 507),
    ),
    # Inference.
    RouteRow(
        *edi("POST", "inference/{name}"),
        "Run",
        inference.infer,
        "task",
        "task",
        (404, 409, 413, 429, 502, 503, 504),
    ),
    # Beyond EDI.
    RouteRow(*own("GET", "hello"), None, auth.hello, auth.Proof, refusals=(400,), query=_NONCE),
    RouteRow(*own("GET", "capabilities"), "List", observe.capabilities, Capabilities),
    RouteRow(
        *own("GET", "model/{name}/status"),
        "List",
        observe.get_status,
        DeploymentStatus,
        None,
        (404,),
    ),
    RouteRow(
        *own("GET", "model/{name}/logs"),
        "List",
        observe.get_logs,
        LogPage,
        None,
        (400, 404),
        _LOG_PAGE,
    ),
    # What this is.
    RouteRow(*edi("GET", "docs"), None, _DOCUMENTATION.get_page, "page"),
    RouteRow(*edi("GET", "docs/"), None, _DOCUMENTATION.get_page, "page"),
    RouteRow(*edi("GET", "docs/openapi.json"), None, _DOCUMENTATION.get_document, "document"),
)
