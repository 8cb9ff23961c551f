"""What the routes offer, as one object: handlers call it and do nothing else.

Imported by the first request. Whatever blocks runs in threads, each kind in a pool of its own, so
that slow inference never holds up the list, nor does a long upload.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client.environments import LOCAL, EnvironmentSet
from ..client.local_engine import LocalEngine
from ..client.retries import RetryPolicy
from ..errors import NotFound, echo
from ..models import check_name
from ..operations import (
    Cancellation,
    Deployment,
    NextProfiles,
    NotebookPython,
    Report,
    apply_fix,
    check_folder,
    deploy_folder,
    ensure_runtime,
    get_deployment,
    infer,
    require_next_profile_current,
    restart,
    sample_folder,
    sample_payload,
    start_and_wait,
    stop_and_wait,
    undeploy,
)
from .answers import inference_answer
from .answers import inspection as inspection_answer
from .api import (
    Answer,
    DeploymentList,
    DeployRequest,
    FolderSource,
    Info,
    Inspection,
    Job,
    JobKind,
    Lease,
    NextProfileRequest,
    ProfileDiff,
    ProfileRequest,
    ProfileView,
    RuntimeList,
    SamplePayload,
)
from .connections import Connections
from .deployments import Source, local_source, remote_source
from .engine import EngineStarter
from .jobs import JobManager
from .live import LiveState
from .paths import resolve_folder
from .profiles import Profiles
from .runtimes import local_runtimes, remote_runtimes
from .workers import WorkerPool

if TYPE_CHECKING:
    from jupyter_server.services.contents.manager import ContentsManager

    from ..client import EdiClient

#: Seconds that the end of the server waits for jobs to clean up.
CLOSE_SECONDS = 5.0
#: Seconds that it waits for the engine to end, kernels included.
ENGINE_SECONDS = 15.0

_LIFECYCLE = {
    "start": start_and_wait,
    "stop": stop_and_wait,
    "restart": restart,
    "undeploy": undeploy,
}


class EdiService:
    """Everything that the façade does, for all requests of one Jupyter server.

    Coroutines raise :class:`~edi_labext.errors.EdiError` for whatever a person should know.

    Parameters
    ----------
    contents:
        The server's contents manager, which knows where its folders are.
    pythons:
        Returns those of notebook kernels, which deployments on Local can run in too; blocks.
    store:
        Directory of the embedded engine, which is not started before it is needed.
    announce:
        Takes environment and revision whenever a list that somebody looks at has changed.
    log:
        The extension's log.
    loop:
        The server's event loop.
    variables:
        Environment variables: the remote EDI's address and token.
    """

    def __init__(
        self,
        *,
        contents: ContentsManager,
        pythons: Callable[[], Sequence[NotebookPython]],
        store: Path,
        announce: Callable[[str, str], None],
        log: logging.Logger,
        loop: asyncio.AbstractEventLoop,
        variables: Mapping[str, str] = os.environ,
    ) -> None:
        self._contents = contents
        self._pythons = pythons
        self._engine = LocalEngine(store, owner="jupyter")
        self._environments = EnvironmentSet(
            variables,
            self._engine,
            # A tab that waits is better told of trouble than kept waiting.
            retry=RetryPolicy(repeats=2, patience=2.0),
            warn=lambda text: log.warning("EDI: %s", text),
        )
        self._reads = WorkerPool(8, name="edi-read")
        self._tasks = WorkerPool(8, name="edi-task")
        self._actions = WorkerPool(4, name="edi-job")
        self._starter = EngineStarter(
            self._engine, self._reads, log=log, on_change=lambda: self._changed(LOCAL)
        )
        self.jobs = JobManager(self._actions, log=log, on_change=self._changed)
        self._live = LiveState(
            source=self._source,
            jobs=self.jobs.list,
            announce=announce,
            pool=self._reads,
            log=log,
            loop=loop,
        )
        self._profiles = Profiles(self._environments, self._reads, self.jobs, self._changed)
        self.connections = Connections(self._environments, self._reads, on_change=self._live.forget)

    async def close(self) -> None:
        """Cancel jobs, wait a little for them, and end the engine if this server started it."""
        self._live.close()
        # A thread of its own: the pools may be full of calls that hang.
        ending = WorkerPool(1, name="edi-end")
        await ending.run(self.jobs.close, CLOSE_SECONDS)
        for pool in (self._reads, self._tasks, self._actions):
            pool.close()
        # An engine that is just starting cannot be ended; it goes when this process does.
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.run(self._environments.close), ENGINE_SECONDS)
        ending.close()

    async def info(self) -> Info:
        """Return version, environments and limits; starts and asks nothing."""
        return await self.connections.info()

    # --- deployments --------------------------------------------------------------------------

    async def deployments(self, environment: str) -> DeploymentList:
        """Return the deployments, at most about a second old, and the environment's jobs."""
        self._known(environment)
        return await self._live.list(environment)

    async def renew_lease(self, environment: str, tab: str) -> Lease:
        """Have the deployments watched for a tab; from then on events say when they change."""
        self._known(environment)
        return self._live.renew_lease(environment, tab)

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

    async def runtimes(self, environment: str) -> RuntimeList:
        """Return the Python environments that kernels can run in."""
        self._known(environment)

        def look() -> RuntimeList:
            listed = self._environments.connect(environment).runtimes()
            if environment == LOCAL:
                return local_runtimes(listed, self._pythons())
            return remote_runtimes(listed)

        return await self._reads.run(look)

    # --- profiles -----------------------------------------------------------------------------

    async def view_profile(self, environment: str, name: str) -> ProfileView:
        """Return the saved profile and what is needed to edit it."""
        self._check(environment, name)
        return await self._profiles.view(environment, name)

    async def diff_profile(
        self, environment: str, name: str, document: dict[str, Any]
    ) -> ProfileDiff:
        """Return what saving a profile would change, and why it would be refused."""
        self._check(environment, name)
        return await self._profiles.diff(environment, name, document)

    async def save_profile(self, environment: str, name: str, request: ProfileRequest) -> Job:
        """Start a job that saves a profile; raises at once when it would be refused."""
        self._check(environment, name)
        return await self._profiles.save(environment, name, request)

    async def save_next_profile(
        self, environment: str, name: str, request: NextProfileRequest
    ) -> ProfileView:
        """Keep a profile for the next start of a deployment."""
        self._check(environment, name)
        return await self._profiles.save_next(environment, name, request)

    async def discard_next_profile(self, environment: str, name: str) -> ProfileView:
        """Forget what waits for the next start."""
        self._check(environment, name)
        return await self._profiles.discard_next(environment, name)

    # --- submissions and actions --------------------------------------------------------------

    async def inspect(self, path: str, name: str | None) -> Inspection:
        """Look at a folder without sending anything; ``name`` stands for ``model.json``'s."""
        return await self._reads.run(self._inspect, path, name)

    async def fix(self, path: str, fix: str, name: str | None) -> Inspection:
        """Apply one fix to a folder and look at it again."""

        def mend() -> Inspection:
            apply_fix(resolve_folder(self._contents, path), fix, name=name)
            return self._inspect(path, name)

        return await self._reads.run(mend)

    async def deploy(self, environment: str, request: DeployRequest) -> Job:
        """Start a deploy job; raises at once when the folder or its name will not do."""
        self._known(environment)
        folder, name, runtime = await self._reads.run(self._submission, request)

        def action(report: Report, cancellation: Cancellation) -> None:
            client = self._environments.connect(environment)
            if environment == LOCAL:
                self._offer_python(client, runtime)
            deploy_folder(
                client,
                folder,
                name=name,
                runtime=request.runtime,
                start=request.start,
                report=report,
                cancellation=cancellation,
            )

        return self.jobs.submit("deploy", environment, name, action)

    async def change(self, kind: JobKind, environment: str, name: str) -> Job:
        """Start a job that starts, stops, restarts or undeploys ``name``.

        Raises at once when a start would need a decision between two profiles
        (``next_profile_outdated``).
        """
        self._check(environment, name)
        operation = _LIFECYCLE[kind]
        if kind in ("start", "restart"):
            await self._reads.run(self._require_next_profile_current, environment, name)

        def action(report: Report, cancellation: Cancellation) -> None:
            client = self._environments.connect(environment)
            operation(client, name, report=report, cancellation=cancellation)

        return self.jobs.submit(kind, environment, name, action)

    # --- parts --------------------------------------------------------------------------------

    def _inspect(self, path: str, name: str | None) -> Inspection:
        folder = resolve_folder(self._contents, path)
        return inspection_answer(path, check_folder(folder, name=name))

    def _submission(self, request: DeployRequest) -> tuple[Path, str, str]:
        """Return the folder to deploy, the name it will have and the runtime."""
        source = request.source
        if isinstance(source, FolderSource):
            folder = resolve_folder(self._contents, source.path)
        else:
            folder = sample_folder(source.sample)
        name = None if request.name is None else check_name(request.name)
        description = check_folder(folder, name=name).require_deployable()
        return folder, name or description.name, request.runtime or description.runtime

    def _offer_python(self, client: EdiClient, runtime: str) -> None:
        """Tell the engine of the Python of a notebook kernel that a deployment is to run in.

        From then on the engine knows it, also when it is started by somebody without Jupyter.
        """
        for item in self._pythons():
            if item.name == runtime:
                ensure_runtime(client, item.runtime())

    def _require_next_profile_current(self, environment: str, name: str) -> None:
        client = self._environments.connect(environment)
        if name in NextProfiles.of(client).names():
            require_next_profile_current(client, name)

    def _source(self, environment: str) -> Source:
        if environment == LOCAL:
            return local_source(self._environments, environment, self._starter)
        return remote_source(self._environments, environment)

    def _check(self, environment: str, name: str) -> None:
        """Refuse what cannot be, before an engine is started for it."""
        self._known(environment)
        check_name(name)

    def _known(self, environment: str) -> None:
        if all(known.id != environment for known in self._environments.list()):
            raise NotFound(
                f"There is no EDI environment {echo(environment)}.", code="environment_not_found"
            )

    def _changed(self, environment: str) -> None:
        self._live.changed(environment)
