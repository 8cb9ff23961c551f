"""Folders before they are deployed."""

from __future__ import annotations

from tornado import web

from .base import RESOURCE, EdiHandler, authorized


class InspectHandler(EdiHandler):
    """What deploying a folder would send, and what stands in the way."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self) -> None:
        """Look at a folder: ``InspectRequest`` → ``Inspection``."""
        from ..api import InspectRequest

        request = self.read_body(InspectRequest)
        self.finish_model(await self.edi.inspect(request.path, request.name))


class FixHandler(EdiHandler):
    """Mending what a check has found."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self) -> None:
        """Apply the fix of a finding: ``FixRequest`` → ``Inspection``."""
        from ..api import FixRequest

        request = self.read_body(FixRequest)
        self.finish_model(await self.edi.fix(request.path, request.fix, request.name))
