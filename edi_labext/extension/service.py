"""What the routes offer, as one object: handlers call it and do nothing else.

Imported by the first request. Whatever blocks runs in threads, each kind in a pool of its own, so
that slow inference never holds up the list, nor does a long upload.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..client.environments import LOCAL, EnvironmentSet
from ..client.local_engine import LocalEngine
from ..errors import EdiError, NotFound, echo
from ..models import check_name
from ..models.strict_json import MAX_JSON_BYTES
from ..operations import (
    Cancellation,
    Deployment,
    Report,
    deploy_folder,
    get_deployment,
    infer,
    sample_folder,
    sample_payload,
    start_and_wait,
    stop_and_wait,
    undeploy,
)
from ..submission import inspect
from .answers import environment_info, inference_answer
from .answers import inspection as inspection_answer
from .api import (
    MAX_ANSWER_BYTES,
    MAX_INSPECTED_FILES,
    MAX_PAYLOAD_BYTES,
    Answer,
    DeploymentList,
    DeployRequest,
    FolderSource,
    Info,
    Inspection,
    Job,
    JobKind,
    Limits,
    SamplePayload,
)
from .deployments import DeploymentBoard, deployment_list, local_source, remote_source
from .engine import EngineStarter
from .jobs import JobManager
from .paths import resolve_folder
from .workers import WorkerPool

if TYPE_CHECKING:
    from jupyter_server.services.contents.manager import ContentsManager

#: Seconds that the end of the server waits for jobs to clean up.
CLOSE_SECONDS = 5.0
#: Seconds that it waits for the engine to end, kernels included.
ENGINE_SECONDS = 15.0

_LIFECYCLE = {"start": start_and_wait, "stop": stop_and_wait, "undeploy": undeploy}


class EdiService:
    """Everything that the façade does, for all requests of one Jupyter server.

    Coroutines raise :class:`~edi_labext.errors.EdiError` for whatever a person should know.

    Parameters
    ----------
    contents:
        The server's contents manager, which knows where its folders are.
    store:
        Directory of the embedded engine, which is not started before it is needed.
    log:
        The extension's log.
    variables:
        Environment variables: the remote EDI's address and token.
    """

    def __init__(
        self,
        *,
        contents: ContentsManager,
        store: Path,
        log: logging.Logger,
        variables: Mapping[str, str] = os.environ,
    ) -> None:
        self._contents = contents
        self._engine = LocalEngine(store, owner="jupyter")
        self._environments = EnvironmentSet(variables, self._engine)
        self._reads = WorkerPool(8, name="edi-read")
        self._tasks = WorkerPool(8, name="edi-task")
        self._actions = WorkerPool(4, name="edi-job")
        self._starter = EngineStarter(
            self._engine, self._reads, log=log, on_change=lambda: self._expire(LOCAL)
        )
        self._boards: dict[str, DeploymentBoard] = {}
        self.jobs = JobManager(self._actions, log=log, on_change=self._expire)

    async def close(self) -> None:
        """Cancel jobs, wait a little for them, and end the engine if this server started it."""
        # A thread of its own: the pools may be full of calls that hang.
        ending = WorkerPool(1, name="edi-end")
        await ending.run(self.jobs.close, CLOSE_SECONDS)
        for pool in (self._reads, self._tasks, self._actions):
            pool.close()
        # An engine that is just starting cannot be ended; it goes when this process does.
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.run(self._environments.close), ENGINE_SECONDS)
        ending.close()

    # --- environments -------------------------------------------------------------------------

    async def info(self) -> Info:
        """Return version, environments and limits; starts and asks nothing."""
        environments = await self._reads.run(self._environments.list)
        return Info(
            version=__version__,
            environments=[
                environment_info(environment, await self._problem(environment.id))
                for environment in environments
            ],
            limits=Limits(
                body_bytes=MAX_JSON_BYTES,
                payload_bytes=MAX_PAYLOAD_BYTES,
                answer_bytes=MAX_ANSWER_BYTES,
                inspected_files=MAX_INSPECTED_FILES,
            ),
        )

    # --- deployments --------------------------------------------------------------------------

    async def deployments(self, environment: str) -> DeploymentList:
        """Return the deployments, at most about a second old, and the environment's jobs."""
        view, known = await self._board(environment).look()
        return deployment_list(environment, view, known, self.jobs.list(environment))

    async def deployment(self, environment: str, name: str) -> Deployment:
        """Return one deployment as it is now."""
        self._check(environment, name)
        return await self._reads.run(
            lambda: get_deployment(self._environments.connect(environment), name)
        )

    async def sample_payload(self, environment: str, name: str) -> SamplePayload:
        """Return the request that the deployment's README shows."""
        self._check(environment, name)
        readme = await self._reads.run(lambda: self._environments.connect(environment).readme(name))
        return SamplePayload(payload=sample_payload(readme))

    async def infer(self, environment: str, name: str, payload: str) -> Answer:
        """Send one inference request; a kernel's refusal is an answer, no answer an error."""
        self._check(environment, name)

        def ask() -> Answer:
            client = self._environments.connect(environment)
            return inference_answer(infer(client, name, payload.encode()))

        return await self._tasks.run(ask)

    # --- submissions and actions --------------------------------------------------------------

    async def inspect(self, path: str) -> Inspection:
        """Look at a folder without sending anything."""
        return await self._reads.run(
            lambda: inspection_answer(path, inspect(resolve_folder(self._contents, path)))
        )

    async def deploy(self, environment: str, request: DeployRequest) -> Job:
        """Start a deploy job; raises at once when the folder or its name will not do."""
        self._known(environment)
        folder, name = await self._reads.run(self._submission, request)

        def action(report: Report, cancellation: Cancellation) -> None:
            deploy_folder(
                self._environments.connect(environment),
                folder,
                name=name,
                start=request.start,
                report=report,
                cancellation=cancellation,
            )

        return self.jobs.submit("deploy", environment, name, action)

    async def change(self, kind: JobKind, environment: str, name: str) -> Job:
        """Start a job that starts, stops or undeploys ``name``."""
        self._check(environment, name)
        operation = _LIFECYCLE[kind]

        def action(report: Report, cancellation: Cancellation) -> None:
            client = self._environments.connect(environment)
            operation(client, name, report=report, cancellation=cancellation)

        return self.jobs.submit(kind, environment, name, action)

    # --- parts --------------------------------------------------------------------------------

    def _submission(self, request: DeployRequest) -> tuple[Path, str]:
        """Return the folder to deploy and the name it will have."""
        source = request.source
        if isinstance(source, FolderSource):
            folder = resolve_folder(self._contents, source.path)
        else:
            folder = sample_folder(source.sample)
        description = inspect(folder).require_deployable()
        name = description.name if request.name is None else request.name
        return folder, check_name(name)

    async def _problem(self, environment: str) -> EdiError | None:
        """Return why an environment cannot be used, as far as its settings tell."""
        if environment == LOCAL:
            return None
        try:
            await self._reads.run(self._environments.connect, environment)
        except EdiError as error:
            return error
        return None

    def _board(self, environment: str) -> DeploymentBoard:
        self._known(environment)
        if environment not in self._boards:
            source = (
                local_source(self._environments, environment, self._starter)
                if environment == LOCAL
                else remote_source(self._environments, environment)
            )
            self._boards[environment] = DeploymentBoard(source, self._reads)
        return self._boards[environment]

    def _check(self, environment: str, name: str) -> None:
        """Refuse what cannot be, before an engine is started for it."""
        self._known(environment)
        check_name(name)

    def _known(self, environment: str) -> None:
        if all(known.id != environment for known in self._environments.list()):
            raise NotFound(
                f"There is no EDI environment {echo(environment)}.", code="environment_not_found"
            )

    def _expire(self, environment: str) -> None:
        if board := self._boards.get(environment):
            board.expire()
