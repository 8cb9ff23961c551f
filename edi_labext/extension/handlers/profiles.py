"""How a deployment runs."""

from __future__ import annotations

from tornado import web

from .base import RESOURCE, EdiHandler, authorized


class ProfileHandler(EdiHandler):
    """The profile of a deployment."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, env: str, name: str) -> None:
        """Answer ``ProfileView``."""
        self.finish_model(await self.edi.view_profile(env, name))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def put(self, env: str, name: str) -> None:
        """Save a whole profile: ``ProfileRequest`` → ``Job``."""
        from ..api import ProfileRequest

        request = self.read_body(ProfileRequest)
        self.finish_job(await self.edi.save_profile(env, name, request))


class NextProfileHandler(EdiHandler):
    """The profile that waits for the next start of a started deployment."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def put(self, env: str, name: str) -> None:
        """Keep a profile for the next start: ``NextProfileRequest`` → ``ProfileView``."""
        from ..api import NextProfileRequest

        request = self.read_body(NextProfileRequest)
        self.finish_model(await self.edi.save_next_profile(env, name, request))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def delete(self, env: str, name: str) -> None:
        """Forget what waits: → ``ProfileView``."""
        self.read_no_body()
        self.finish_model(await self.edi.discard_next_profile(env, name))


class ProfileDiffHandler(EdiHandler):
    """What saving a profile would change."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def post(self, env: str, name: str) -> None:
        """Compare a profile with the saved one: ``ProfileDiffRequest`` → ``ProfileDiff``."""
        from ..api import ProfileDiffRequest

        request = self.read_body(ProfileDiffRequest)
        self.finish_model(await self.edi.diff_profile(env, name, request.profile))
