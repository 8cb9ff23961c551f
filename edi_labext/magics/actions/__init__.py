"""What each verb does. Imported with the first verb that is used, since it needs the client."""

from __future__ import annotations

from collections.abc import Callable

from .call import Call
from .deployments import deploy, list_, logs, restart, start, stop, undeploy, view
from .environments import env
from .folders import check
from .inference import infer
from .profiles import profile
from .runtimes import runtimes

#: What to call for a verb; each returns what is shown.
ACTIONS: dict[str, Callable[[Call], object]] = {
    "list": list_,
    "view": view,
    "deploy": deploy,
    "check": check,
    "start": start,
    "stop": stop,
    "restart": restart,
    "profile": profile,
    "undeploy": undeploy,
    "infer": infer,
    "logs": logs,
    "env": env,
    "runtimes": runtimes,
}

__all__ = ["ACTIONS", "Call"]
