"""Live state: one look at an environment serves all tabs that ask within a second."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..client.environments import EnvironmentSet
from ..client.local_engine import EngineState
from ..errors import EdiError, UpstreamUnreachable
from ..operations import Deployment, list_deployments
from .api import DeploymentList, ErrorInfo, Job
from .engine import EngineStarter
from .workers import WorkerPool

#: Seconds for which one look is good enough for every tab.
FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class View:
    """What one look at an environment found.

    ``deployments`` are ``None`` when they could not be asked for; ``engine`` is ``None`` for a
    remote EDI.
    """

    engine: EngineState | None
    deployments: Sequence[Deployment] | None
    error: EdiError | None = None


#: A look at an environment, blocking; raises ``EdiError``.
Source = Callable[[], View]


class DeploymentBoard:
    """The last known deployments of one environment.

    Belongs to the event loop; only :meth:`expire` may be called from any thread.

    Parameters
    ----------
    source:
        Asks the EDI; run in ``pool``, one call at a time however many tabs wait.
    pool:
        Threads for the question.
    name:
        The environment, for the log.
    log:
        Gets one line when the EDI can no longer be asked, and one when it can again.
    clock:
        Monotonic seconds; a parameter for tests.
    """

    def __init__(
        self,
        source: Source,
        pool: WorkerPool,
        *,
        name: str,
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._pool = pool
        self._name = name
        self._log = log
        self._clock = clock
        self._in_trouble = False
        self._epoch = object()
        self._seen: object = None
        self._flight: asyncio.Task[None] | None = None
        self._fresh_until = float("-inf")
        self._view = View(engine=None, deployments=None)
        self._known: Sequence[Deployment] | None = None

    def expire(self) -> None:
        """Make the next look a new one, since something was changed; thread safe."""
        self._epoch = object()

    async def look(self) -> tuple[View, Sequence[Deployment] | None]:
        """Return what the last look found and the last known deployments, if any are known."""
        # Twice, since the look that is under way may have begun before a change.
        for _ in range(2):
            if self._seen is self._epoch and self._clock() < self._fresh_until:
                break
            if self._flight is None:
                self._flight = asyncio.create_task(self._refresh())
            # A tab that leaves must not end the look of the others.
            await asyncio.shield(self._flight)
        return self._view, self._known

    async def _refresh(self) -> None:
        epoch = self._epoch
        try:
            self._view = await self._pool.run(self._source)
        except EdiError as error:
            # The loop ends at an error too, or every tab would ask a dead EDI anew.
            self._view = View(self._view.engine, None, error.with_traceback(None))
        finally:
            self._flight = None
        if self._view.deployments is not None:
            self._known = self._view.deployments
        self._note_trouble()
        self._seen = epoch
        self._fresh_until = self._clock() + FRESH_SECONDS

    def _note_trouble(self) -> None:
        """Log that the EDI was lost or is back, but not every look that fails meanwhile."""
        error = self._view.error
        if error is not None and not self._in_trouble:
            self._in_trouble = True
            self._log.warning(
                "EDI environment %s cannot be used: %a (%s)", self._name, error.message, error.code
            )
        elif self._view.deployments is not None and self._in_trouble:
            self._in_trouble = False
            self._log.info("EDI environment %s can be used again", self._name)


def remote_source(environments: EnvironmentSet, environment: str) -> Source:
    """Return the question for a remote EDI."""

    def ask() -> View:
        return View(None, list_deployments(environments.connect(environment)))

    return ask


def local_source(environments: EnvironmentSet, environment: str, starter: EngineStarter) -> Source:
    """Return the question for the embedded engine; it starts one if there is none."""

    def ask() -> View:
        state, error = starter.look()
        if state != "running":
            return View(state, None, error)
        try:
            return View(state, list_deployments(environments.connect(environment)))
        except UpstreamUnreachable as lost:
            # It died between the two requests: say so, not that it cannot be reached.
            state, error = starter.look()
            return View(state, None, lost if state == "running" else error)

    return ask


def deployment_list(
    environment: str, view: View, known: Sequence[Deployment] | None, jobs: list[Job]
) -> DeploymentList:
    """Put an answer together.

    Raises
    ------
    EdiError
        Why the EDI could not be asked, when it never could and there is nothing to show.
    """
    if view.error is not None and known is None:
        raise view.error.with_traceback(None)
    answer = DeploymentList(
        environment=environment,
        engine=view.engine,
        deployments=list(known or ()),
        jobs=jobs,
        revision="",
        error=ErrorInfo(**view.error.to_wire()) if view.error else None,
        stale=known is not None and view.deployments is None,
    )
    digest = hashlib.blake2b(answer.model_dump_json().encode(), digest_size=16).hexdigest()
    return answer.model_copy(update={"revision": digest})
