"""What this server half can reach."""

from __future__ import annotations

from tornado import web

from .base import RESOURCE, EdiHandler, authorized


class InfoHandler(EdiHandler):
    """Version, environments, limits."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Answer ``Info``."""
        self.finish_model(await self.edi.info())


class LeaseHandler(EdiHandler):
    """What a visible tab asks for once in a while, to be told of changes."""

    # A tab left open must not keep an idle server alive.
    _track_activity = False

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def post(self, env: str) -> None:
        """Have the environment watched for the next minute: ``LeaseRequest`` → ``Lease``."""
        from ..api import LeaseRequest

        request = self.read_body(LeaseRequest)
        self.finish_model(await self.edi.renew_lease(env, request.tab))


class RuntimesHandler(EdiHandler):
    """The Python environments that kernels can run in."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, env: str) -> None:
        """Answer ``RuntimeList``."""
        self.finish_model(await self.edi.runtimes(env))
