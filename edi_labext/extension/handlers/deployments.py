"""The deployments of one environment, and what can be done to them."""

from __future__ import annotations

from tornado import web

from .base import RESOURCE, EdiHandler, authorized


class DeploymentsHandler(EdiHandler):
    """All deployments of an environment; the route that tabs poll."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, env: str) -> None:
        """Answer ``DeploymentList``."""
        self.finish_model(await self.edi.deployments(env))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, env: str) -> None:
        """Deploy a folder or sample: ``DeployRequest`` → ``Job``."""
        from ..api import DeployRequest

        request = self.read_body(DeployRequest)
        self.finish_job(await self.edi.deploy(env, request))


class DeploymentHandler(EdiHandler):
    """One deployment."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, env: str, name: str) -> None:
        """Answer ``Deployment``."""
        self.finish_model(await self.edi.deployment(env, name))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def delete(self, env: str, name: str) -> None:
        """Stop, wait and remove it: → ``Job``."""
        self.read_no_body()
        self.finish_job(await self.edi.change("undeploy", env, name))


class StartHandler(EdiHandler):
    """Start a deployment."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, env: str, name: str) -> None:
        """Start and wait until it is ready: → ``Job``."""
        self.read_no_body()
        self.finish_job(await self.edi.change("start", env, name))


class StopHandler(EdiHandler):
    """Stop a deployment."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, env: str, name: str) -> None:
        """Stop and wait until it has stopped: → ``Job``."""
        self.read_no_body()
        self.finish_job(await self.edi.change("stop", env, name))


class RestartHandler(EdiHandler):
    """Restart a deployment."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, env: str, name: str) -> None:
        """Stop it, wait, start it and wait until it is ready: → ``Job``."""
        self.read_no_body()
        self.finish_job(await self.edi.change("restart", env, name))


class SamplePayloadHandler(EdiHandler):
    """The request that a deployment's README shows."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, env: str, name: str) -> None:
        """Answer ``SamplePayload``."""
        self.finish_model(await self.edi.sample_payload(env, name))


class InferHandler(EdiHandler):
    """Inference from the panel."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, env: str, name: str) -> None:
        """Send one request to the kernel: ``InferRequest`` → ``Answer``."""
        from ..api import MAX_PAYLOAD_BYTES, InferRequest

        request = self.read_body(InferRequest, limit=MAX_PAYLOAD_BYTES)
        self.finish_model(await self.edi.infer(env, name, request.payload))
