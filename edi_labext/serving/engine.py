"""The engine's deployments, and what is done with them by name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ..errors import InvalidInput, NotFound, echo
from ..models import (
    ModelDescription,
    Profile,
    SubmissionDescription,
    parse_description,
)
from .archive import ArchiveLimits, Intake, StagedPackage, stage_nothing
from .deployment import Deployment
from .http.credentials import Credentials
from .pod_folder import abandoned, remove
from .runtimes import Runtimes
from .settings import Settings
from .surroundings import Surroundings
from .task import Task

log = logging.getLogger(__name__)


class Engine:
    """All deployments of one store.

    Parameters
    ----------
    surroundings:
        Store, clock, launcher and so on; shared by all deployments.
    credentials:
        Of this engine.
    """

    def __init__(self, surroundings: Surroundings, credentials: Credentials) -> None:
        self.credentials = credentials
        self._around = surroundings
        settings = surroundings.settings
        self._intake = Intake(
            surroundings.store.staging,
            surroundings.clock,
            limits=ArchiveLimits(
                packed=settings.upload_limit,
                expanded=settings.expanded_limit,
                entries=settings.entry_limit,
                depth=settings.depth_limit,
                record=settings.metadata_record_limit,
                readme=settings.readme_limit,
                ratio=settings.expansion_limit,
            ),
            disk=surroundings.store.disk,
            seconds=settings.request_total,
        )
        self._deployments = {
            name: Deployment(name, surroundings) for name in surroundings.store.names()
        }

    @property
    def settings(self) -> Settings:
        """Limits and addresses."""
        return self._around.settings

    @property
    def notices(self) -> list[str]:
        """Sentences on the state of the store; none while all is well."""
        return self._around.store.notices

    @property
    def runtimes(self) -> Runtimes:
        """What kernels can run in."""
        return self._around.runtimes

    async def delete_runtime(self, name: str) -> None:
        """Remove a runtime; refused (``Conflict``) while a deployment is started in it."""
        used_by = [
            deployment.name
            for deployment in self.deployments()
            if deployment.started and deployment.record.description.runtime == name
        ]
        await self.runtimes.delete(name, used_by=used_by)

    def resume(self) -> None:
        """Bring back what was started when the engine last ran."""
        for notice in self.notices:
            log.warning("%s", notice)
        pods = [deployment.quarters.pod for deployment in self._deployments.values()]
        # Looked for now, removed in time: what is deployed from now on is not among it.
        waste = abandoned(self._around.settings.store, pods)
        self._around.spawn(asyncio.to_thread(remove, waste))
        for deployment in self._deployments.values():
            if deployment.started:
                log.info("%s was started; bringing it back", deployment.name)
                self._around.spawn(deployment.resume())

    def deployments(self) -> list[Deployment]:
        """Return all deployments, sorted by name."""
        return [self._deployments[name] for name in sorted(self._deployments)]

    def deployment(self, name: str) -> Deployment:
        """Return one deployment (``NotFound`` when there is none of that name)."""
        try:
            return self._deployments[name]
        except KeyError:
            # The words are dlim's (reference/dlim-cli.md section 6).
            known = name if name.isascii() and name.isprintable() and len(name) < 64 else echo(name)
            raise NotFound(
                f"Model <{known}> doesn't exist.",
                code="no_such_model",
                hint="GET /dlim/v1/model lists the names.",
            ) from None

    async def deploy(
        self, body: AsyncIterator[bytes], *, creator: str, digest: str | None = None
    ) -> ModelDescription:
        """Take a package, unpack it strictly and make it a deployment, not started.

        ``digest`` is the SHA-256 that it must have, in hexadecimal.

        Raises
        ------
        InvalidInput, TooLarge, UnsupportedMedia
            The archive or what is in it is refused; nothing was changed.
        Conflict
            ``exists`` when a deployment of that name exists.
        """
        return await self._publish(await self._intake.receive(body, digest=digest), creator)

    async def redeploy(
        self, name: str, body: AsyncIterator[bytes], *, digest: str | None = None
    ) -> ModelDescription:
        """Take a package and put it in the place of the one of deployment ``name``.

        ``digest`` as in :meth:`deploy`.

        Raises
        ------
        InvalidInput, TooLarge, UnsupportedMedia
            The package is refused, or is for another name; nothing was changed.
        NotFound
            ``no_such_model``
        Conflict
            ``started``, ``upload_in_progress``
        """
        deployment = self.deployment(name)
        # What is refused anyway is refused before the package is read.
        with deployment.edits.receiving():
            staged = await self._intake.receive(body, digest=digest)
            await deployment.edits.replace_package(staged)
        deployment.remark("redeployed: a new package is in place")
        await self._welcome(deployment)
        log.info("%s is redeployed (%d bytes)", name, deployment.record.description.size)
        return deployment.description()

    async def register(self, data: bytes, *, creator: str) -> ModelDescription:
        """Make a deployment of a description alone; a package may be redeployed to it.

        Raises
        ------
        InvalidInput
            See :func:`~edi_labext.models.parse_description`.
        Conflict
            ``exists`` when a deployment of that name exists.
        """
        wanted = parse_description(data)
        submission = SubmissionDescription.model_validate(
            wanted.model_dump(include=set(SubmissionDescription.model_fields))
        )
        staging = self._around.store.staging
        staged = await asyncio.to_thread(
            stage_nothing, submission, staging, disk=self._around.store.disk
        )
        return await self._publish(staged, creator, more=wanted.model_extra)

    async def _publish(
        self, staged: StagedPackage, creator: str, *, more: Mapping[str, Any] | None = None
    ) -> ModelDescription:
        around = self._around
        try:
            around.runtimes.choose(staged.submission.runtime).require_usable()
        except InvalidInput:
            await asyncio.to_thread(staged.discard)
            raise
        profile = Profile(name=staged.submission.name)
        profile.policy.task_execution_timeout = around.settings.task_execution_timeout
        profile.kernel.connection_timeout = around.settings.connection_timeout
        record = await around.store.publish(staged, creator=creator, profile=profile, more=more)
        name = record.description.name
        deployment = Deployment(name, around)
        self._deployments[name] = deployment
        await self._welcome(deployment)
        log.info("%s is deployed (%d bytes)", name, record.description.size)
        return deployment.description()

    async def _welcome(self, deployment: Deployment) -> None:
        """Make room for the kernels of a package that is new, and say what they will run in."""
        try:
            await deployment.quarters.prepare()
        except OSError as error:  # tried again at each launch
            deployment.remark(f"The working copy could not be made: {error}")
        runtime = self._around.runtimes.choose(deployment.record.description.runtime)
        deployment.remark(runtime.remark)

    async def delete(self, name: str) -> None:
        """Undeploy one deployment; refused (``Conflict``) while it is started."""
        deployment = self.deployment(name)
        await deployment.delete()
        # The name is free before the last file is gone, and may be taken again by now.
        if self._deployments.get(name) is deployment:
            del self._deployments[name]
        log.info("%s is undeployed", name)

    def submit(self, name: str, task: Task) -> None:
        """Give a request to a deployment's queue; raises what the caller is to be told."""
        self.deployment(name).submit(task)

    @staticmethod
    def cancel(task: Task) -> None:
        """Take note that nobody waits for ``task`` any more."""
        if task.queue is not None:
            task.queue.cancel(task)

    async def shut_down(self) -> None:
        """End all kernels; what is started stays started in the store."""
        ends = [deployment.shut_down() for deployment in self._deployments.values()]
        for outcome in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("a deployment did not end cleanly", exc_info=outcome)
        self._intake.close()
