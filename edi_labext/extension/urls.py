"""The route table: every route of the façade, in one place.

Rows are data, so that tests can walk them. Patterns are relative to ``<base_url>/edi/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from .handlers.base import EdiHandler
from .handlers.deployments import (
    DeploymentHandler,
    DeploymentsHandler,
    InferHandler,
    RestartHandler,
    SamplePayloadHandler,
    StartHandler,
    StopHandler,
)
from .handlers.environments import (
    EnvironmentHandler,
    EnvironmentTestHandler,
    EnvironmentTokenHandler,
    InfoHandler,
    LeaseHandler,
    RuntimesHandler,
)
from .handlers.jobs import JobHandler, JobsHandler
from .handlers.profiles import NextProfileHandler, ProfileDiffHandler, ProfileHandler
from .handlers.submissions import FixHandler, InspectHandler

#: First segment of every route, below the Jupyter server's base URL.
ROOT = "edi"

_GROUP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """One route; ``{word}`` in its pattern is one path segment, an argument of the handler."""

    pattern: str
    handler: type[EdiHandler]

    @property
    def regex(self) -> str:
        """The pattern as tornado wants it, with named groups."""
        return f"/{ROOT}/" + _GROUP.sub(r"(?P<\1>[^/]+)", self.pattern)

    def url(self, **arguments: str) -> str:
        """Return the path below the base URL, every argument quoted as one segment."""
        path = _GROUP.sub(lambda group: quote(arguments[group[1]], safe=""), self.pattern)
        return f"{ROOT}/{path}"


_ENVIRONMENT = "environments/{env}"
_DEPLOYMENTS = _ENVIRONMENT + "/deployments"
_DEPLOYMENT = _DEPLOYMENTS + "/{name}"

ROUTES: tuple[Route, ...] = (
    Route("info", InfoHandler),
    Route(_ENVIRONMENT, EnvironmentHandler),
    Route(_ENVIRONMENT + "/token", EnvironmentTokenHandler),
    Route(_ENVIRONMENT + "/test", EnvironmentTestHandler),
    Route(_ENVIRONMENT + "/lease", LeaseHandler),
    Route(_ENVIRONMENT + "/runtimes", RuntimesHandler),
    Route(_DEPLOYMENTS, DeploymentsHandler),
    Route(_DEPLOYMENT, DeploymentHandler),
    Route(_DEPLOYMENT + "/start", StartHandler),
    Route(_DEPLOYMENT + "/stop", StopHandler),
    Route(_DEPLOYMENT + "/restart", RestartHandler),
    Route(_DEPLOYMENT + "/profile", ProfileHandler),
    Route(_DEPLOYMENT + "/profile/diff", ProfileDiffHandler),
    Route(_DEPLOYMENT + "/profile/next", NextProfileHandler),
    Route(_DEPLOYMENT + "/sample-payload", SamplePayloadHandler),
    Route(_DEPLOYMENT + "/infer", InferHandler),
    Route("submissions/inspect", InspectHandler),
    Route("submissions/fix", FixHandler),
    Route("jobs", JobsHandler),
    Route("jobs/{job}", JobHandler),
)
