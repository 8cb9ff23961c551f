"""A small EDI with a memory: deployments that start and stop after so many looks at them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .scripted_edi import Received, Reply, ScriptedEdi


@dataclass
class SmallDeployment:
    """One deployment; ``looks`` counts down to the end of a transition."""

    description: dict[str, Any]
    state: str = "stopped"
    looks: int = 0
    reason: str = ""


class SmallEdi:
    """Speaks EDI on a :class:`ScriptedEdi`.

    Parameters
    ----------
    server:
        Answers for it.
    engine:
        Whether it has ``/edi/v1`` as our engine does; else it is as terse as WMLA.
    looks:
        How often a deployment has to be looked at until it is started or stopped.

    Attributes
    ----------
    redeploys:
        Whether it has the route for that; 405 if not.
    """

    def __init__(self, server: ScriptedEdi, *, engine: bool, looks: int = 2) -> None:
        self.engine = engine
        self.looks = looks
        self.deployments: dict[str, SmallDeployment] = {}
        #: Name → reason: what fails instead of becoming ready.
        self.failing: dict[str, str] = {}
        self.archives: list[bytes] = []
        self.redeploys = False
        #: Called with the state at each look at a deployment.
        self.looked: Callable[[str], None] = lambda state: None
        for method in ("GET", "POST", "PUT", "DELETE"):
            server.on(method, "*", self._answer)

    def add(self, name: str, state: str = "stopped") -> SmallDeployment:
        deployment = SmallDeployment({"name": name, "kernel_path": "kernel.py", "size": 7}, state)
        self.deployments[name] = deployment
        return deployment

    def _answer(self, request: Received) -> Reply:
        path = request.path.partition("?")[0]
        if path.startswith("/edi/v1/"):
            return self._extra(path.removeprefix("/edi/v1/").split("/"))
        match (request.method, *path.removeprefix("/dlim/v1/").split("/")):
            case ("GET", "model"):
                return Reply.json([self.deployments[name].description for name in self.deployments])
            case ("POST", "deployment", "model"):
                return self._deploy(request.body)
            case ("POST", "deployment", "model", name):
                return self._redeploy(name, request.body)
            case (method, "model", name, *rest):
                deployment = self.deployments.get(name)
                if deployment is None:
                    return self._refuse(404, "not_found", f"Model <{name}> does not exist.")
                return self._one(method, rest, deployment)
        return Reply(404, b"<html>nginx</html>")

    def _one(self, method: str, rest: list[str], deployment: SmallDeployment) -> Reply:
        name = deployment.description["name"]
        match (method, *rest):
            case ("GET",):
                return Reply.json(deployment.description)
            case ("DELETE",):
                if deployment.state != "stopped":
                    return self._refuse(
                        409, "started", "The model cannot be removed if it's started."
                    )
                del self.deployments[name]
                return Reply.json({})
            case ("PUT", "operation", "start"):
                deployment.state, deployment.looks = "starting", self.looks
                return Reply.json({})
            case ("PUT", "operation", "stop"):
                deployment.state, deployment.looks = "stopping", self.looks
                return Reply.json({})
            case ("GET", "instance"):
                self._look(deployment)
                return Reply.json(_instance(deployment))
        return Reply(404, b"<html>nginx</html>")

    def _extra(self, path: list[str]) -> Reply:
        if not self.engine:
            return Reply(404, b"<html>nginx</html>")
        match path:
            case ["capabilities"]:
                return Reply.json({"version": "0", "features": ["status"], "limits": {}})
            case ["model", name, "status"] if name in self.deployments:
                deployment = self.deployments[name]
                self._look(deployment)
                return Reply.json(
                    {
                        "name": name,
                        "state": deployment.state,
                        "reason": deployment.reason,
                        "since": 5.0,
                        "kernels_ready": int(deployment.state == "ready"),
                        "kernels_wanted": int(deployment.state != "stopped"),
                        "log_tail": [f"line {number}" for number in range(30)],
                    }
                )
        return self._refuse(404, "not_found", "There is no such model.")

    def _look(self, deployment: SmallDeployment) -> None:
        self.looked(deployment.state)
        if deployment.state not in ("starting", "stopping"):
            return
        deployment.looks -= 1
        if deployment.looks > 0:
            return
        if deployment.state == "stopping":
            deployment.state = "stopped"
        elif (name := deployment.description["name"]) in self.failing:
            deployment.state, deployment.reason = "failed", self.failing[name]
        else:
            deployment.state = "ready"

    def _redeploy(self, name: str, archive: bytes) -> Reply:
        if not self.redeploys:
            return Reply(405, b"<html>nginx</html>")
        assert self.deployments[name].state == "stopped"
        description = self._read(archive)
        assert description["name"] == name
        description["model_path"] = f"/repo/{len(self.archives)}"
        self.deployments[name] = SmallDeployment(description)
        # Its answer is not documented.
        return Reply(200, b"")

    def _read(self, archive: bytes) -> dict[str, Any]:
        self.archives.append(archive)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            top = tar.getnames()[0]
            file = tar.extractfile(f"{top}/model.json")
            assert file is not None
            description = json.load(file)
            return {**description, "size": sum(item.size for item in tar if item.isfile())}

    def _deploy(self, archive: bytes) -> Reply:
        description = self._read(archive)
        name = description["name"]
        if name in self.deployments:
            return self._refuse(409, "exists", f"Model {name} already exists.")
        self.deployments[name] = SmallDeployment(description)
        return Reply.json(self.deployments[name].description)

    def _refuse(self, status: int, code: str, message: str) -> Reply:
        if self.engine:
            return Reply.json({"code": code, "message": message, "error": message}, status)
        return Reply(400 if status == 404 else status, message.encode())


def _instance(deployment: SmallDeployment) -> dict[str, Any]:
    name = deployment.description["name"]
    if deployment.state == "stopped":
        return {"name": name, "state": "disabled"}
    if deployment.state == "starting" and deployment.looks > 1:
        return {"name": name, "state": "not-available"}
    kernels = [{"container_status": "IDLE"}] if deployment.state == "ready" else []
    return {"name": name, "state": "enabled", "instances": [{"isd_container": kernels}]}
