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
