"""The live state of all environments: lists for who asks, events for who waits."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import suppress

from ..errors import EdiError
from .api import DeploymentList, Job, Lease
from .deployments import DeploymentBoard, Source, deployment_list
from .watcher import LEASE_SECONDS, Sight, Watcher
from .workers import WorkerPool

#: States of a deployment that end by themselves.
_MOVING_STATES = frozenset({"starting", "stopping"})


class LiveState:
    """What is known of each environment, and its watcher.

    Belongs to the event loop; only :meth:`changed` may be called from any thread.

    Parameters
    ----------
    source:
        Returns the question for an environment.
    jobs:
        Returns the jobs of an environment.
    announce:
        Takes environment and revision whenever a watched list has changed.
    pool:
        Threads for the questions.
    log:
        Is told once when an EDI is lost, and once when it is back.
    loop:
        The server's event loop.
    """

    def __init__(
        self,
        *,
        source: Callable[[str], Source],
        jobs: Callable[[str], list[Job]],
        announce: Callable[[str, str], None],
        pool: WorkerPool,
        log: logging.Logger,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._source = source
        self._jobs = jobs
        self._announce = announce
        self._pool = pool
        self._log = log
        self._loop = loop
        self._boards: dict[str, DeploymentBoard] = {}
        self._watchers: dict[str, Watcher] = {}
        self._closed = False

    async def list(self, environment: str) -> DeploymentList:
        """Return the deployments, at most about a second old, and the environment's jobs."""
        view, known = await self._board(environment).look()
        return deployment_list(environment, view, known, self._jobs(environment))

    def renew_lease(self, environment: str, tab: str) -> Lease:
        """Have the environment watched for ``tab`` during the next minute."""
        watcher = self._watcher(environment)
        watcher.renew(tab)
        return Lease(seconds=LEASE_SECONDS, revision=watcher.revision)

    def changed(self, environment: str) -> None:
        """Make the next look a new one, and have it soon; thread safe."""
        board = self._boards.get(environment)
        if board is not None:
            board.expire()
        # The loop may have ended before the last job did.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake, environment)

    def forget(self, environment: str) -> None:
        """Know nothing more of what was there: its address or token has changed."""
        self._boards.pop(environment, None)
        self._wake(environment)

    def close(self) -> None:
        """Watch nothing any more."""
        self._closed = True
        for watcher in self._watchers.values():
            watcher.close()

    def _wake(self, environment: str) -> None:
        if not self._closed:
            self._watcher(environment).changed()

    def _board(self, environment: str) -> DeploymentBoard:
        board = self._boards.get(environment)
        if board is None:
            board = self._boards[environment] = DeploymentBoard(
                self._source(environment), self._pool, name=environment, log=self._log
            )
        return board

    def _watcher(self, environment: str) -> Watcher:
        watcher = self._watchers.get(environment)
        if watcher is None:
            watcher = self._watchers[environment] = Watcher(
                lambda: self._see(environment),
                lambda revision: self._announce(environment, revision),
                log=self._log,
                timer=self._loop,
            )
        return watcher

    async def _see(self, environment: str) -> Sight:
        try:
            listing = await self.list(environment)
        except EdiError as error:
            told = json.dumps(error.to_wire()).encode()
            return Sight(
                revision=hashlib.blake2b(told, digest_size=16).hexdigest(),
                moving=any(job.state == "running" for job in self._jobs(environment)),
                failed=True,
            )
        return Sight(listing.revision, moving=is_moving(listing), failed=listing.error is not None)


def is_moving(listing: DeploymentList) -> bool:
    """Tell whether something in the list is on its way to another state."""
    return (
        listing.engine == "starting"
        or any(job.state == "running" for job in listing.jobs)
        or any(row.state in _MOVING_STATES for row in listing.deployments)
    )
