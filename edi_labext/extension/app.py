"""The server extension: settings, life cycle, and the service made by the first request."""

from __future__ import annotations

import asyncio
import os
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from .urls import ROUTES

if TYPE_CHECKING:
    from .service import EdiService


#: What an event that says "this list has changed" is called; see the file.
DEPLOYMENTS_CHANGED = "https://events.edi-labext/deployments/v1"
EVENT_SCHEMAS = (Path(__file__).parent / "events" / "deployments.yaml",)


class EdiLabext(ExtensionApp):
    """Elastic Distributed Inference in JupyterLab: the server half."""

    name = "edi_labext"

    store = Unicode(
        "",
        help="""Directory where the embedded serving engine keeps deployments.

        Empty: $EDI_STORE, or else the user's state directory.""",
    ).tag(config=True)

    rest_server = Unicode(
        "",
        help="""Address of a remote EDI, which gets the server's USER_ACCESS_TOKEN.

        Empty: $EDI_REST_SERVER. Others are added as environments.""",
    ).tag(config=True)

    _service: asyncio.Future[EdiService] | None = None

    def initialize_settings(self) -> None:
        """Register the events that tabs may subscribe to, and warn of an unsafe Jupyter."""
        assert self.serverapp is not None
        from .floors import old_packages

        for package in old_packages():
            self.log.warning("EDI: %s", package.message)
        if self.serverapp.event_logger is not None:
            for schema in EVENT_SCHEMAS:
                self.serverapp.event_logger.register_event_schema(schema)

    def initialize_handlers(self) -> None:
        """Add the routes; see :mod:`.urls`."""
        self.handlers.extend((route.regex, route.handler) for route in ROUTES)

    async def service(self) -> EdiService:
        """Return what the handlers call, made at the first use.

        The first use imports what the server's start must not wait for, in a thread, so that
        notebooks go on meanwhile.
        """
        if self._service is None:
            loop = asyncio.get_running_loop()
            self._service = asyncio.ensure_future(
                loop.run_in_executor(None, self._make_service, loop)
            )
        try:
            return await asyncio.shield(self._service)
        except Exception:
            # What was missing may be there at the next request.
            self._service = None
            raise

    def _make_service(self, loop: asyncio.AbstractEventLoop) -> EdiService:
        from ..client.addresses import SERVER_VARIABLE
        from ..client.local_engine import default_store
        from ..operations import notebook_pythons
        from .service import EdiService

        assert self.serverapp is not None
        specs = self.serverapp.kernel_spec_manager
        return EdiService(
            contents=self.serverapp.contents_manager,
            pythons=lambda: notebook_pythons(specs, log=self.log),
            variables=ChainMap(
                {SERVER_VARIABLE: self.rest_server} if self.rest_server else {},
                os.environ,
            ),
            store=Path(self.store).expanduser() if self.store else default_store(),
            announce=self._announce,
            log=self.log,
            loop=loop,
        )

    def _announce(self, environment: str, revision: str) -> None:
        assert self.serverapp is not None
        if self.serverapp.event_logger is not None:
            self.serverapp.event_logger.emit(
                schema_id=DEPLOYMENTS_CHANGED,
                data={"environment": environment, "revision": revision},
            )

    def current_activity(self) -> dict[str, int] | None:
        """Return running jobs, so that an idle server is not shut down in the middle of one."""
        made = self._service
        if made is None or not made.done() or made.exception() is not None:
            return None
        running = made.result().jobs.running
        return {"jobs": running} if running else None

    async def stop_extension(self) -> None:
        """End jobs and the engine that this server started."""
        if self._service is not None:
            service = await self.service()
            await service.close()
