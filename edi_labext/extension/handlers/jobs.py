"""Long actions that run in the server."""

from __future__ import annotations

from tornado import web

from .base import RESOURCE, EdiHandler, authorized


class JobsHandler(EdiHandler):
    """All jobs of this server."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Answer ``JobList``."""
        from ..api import JobList

        self.finish_model(JobList(jobs=self.edi.jobs.list()))


class JobHandler(EdiHandler):
    """One job."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, job: str) -> None:
        """Answer ``Job``."""
        self.finish_model(self.edi.jobs.get(job))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def delete(self, job: str) -> None:
        """Ask it to cancel: → ``Job``."""
        self.read_no_body()
        self.finish_job(self.edi.jobs.cancel(job))
