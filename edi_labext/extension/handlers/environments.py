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


class EnvironmentHandler(EdiHandler):
    """One stored environment. Whoever may change an address decides where tokens go."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def put(self, env: str) -> None:
        """Add or change it: ``EnvironmentRequest`` → ``Info``."""
        from ..api import EnvironmentRequest

        request = self.read_body(EnvironmentRequest)
        answer = await self.edi.connections.save(env, request)
        self._note("saved", env)
        self.finish_model(answer)

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def delete(self, env: str) -> None:
        """Forget it: → ``Info``."""
        self.read_no_body()
        answer = await self.edi.connections.remove(env)
        self._note("removed", env)
        self.finish_model(answer)

    def _note(self, what: str, env: str) -> None:
        user = getattr(self.current_user, "username", "?")
        self.log.info("EDI environment %a %s by user %a", env, what, user)


class EnvironmentTokenHandler(EdiHandler):
    """Where the token of an environment comes from; the token itself only ever comes in."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def put(self, env: str) -> None:
        """Choose or paste it: ``TokenRequest`` → ``Info``."""
        from ..api import TokenRequest

        request = self.read_body(TokenRequest)
        self.finish_model(await self.edi.connections.choose_token(env, request))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def delete(self, env: str) -> None:
        """Forget a pasted one: → ``Info``."""
        self.read_no_body()
        self.finish_model(await self.edi.connections.forget_token(env))


class EnvironmentTestHandler(EdiHandler):
    """The way to an environment, step by step."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, env: str) -> None:
        """Test it: → ``ConnectionReport``."""
        self.read_no_body()
        self.finish_model(await self.edi.connections.test(env))


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
