"""Long actions: they run in the server, not in a request, and so survive a closed tab."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from ..errors import Cancelled, Conflict, EdiError, NotFound, echo
from ..operations import Cancellation, Progress, Report
from .api import ErrorInfo, Job, JobKind
from .workers import WorkerPool

#: What a job does: reports progress, heeds the cancellation, raises ``EdiError``.
Action = Callable[[Report, Cancellation], object]

#: Seconds that a finished job stays in the list.
KEEP_SECONDS = 600.0
#: Most finished jobs that stay in the list.
KEEP_FINISHED = 100


@dataclass
class _Entry:
    """A job's present face and what is needed to end it."""

    job: Job
    cancellation: Cancellation
    future: Future[None] | None = None


class JobManager:
    """Runs actions on deployments, one at a time per deployment.

    All methods may be called from any thread and return immutable snapshots.

    Parameters
    ----------
    pool:
        Threads that the actions run in; what does not fit waits with phase ``queued``.
    log:
        Gets one line at the end of a job, and the traceback of an unforeseen error.
    on_change:
        Called with the environment's id after a job of it started or ended, from any thread.
    wall:
        Unix seconds; a parameter for tests.
    """

    def __init__(
        self,
        pool: WorkerPool,
        *,
        log: logging.Logger,
        on_change: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        self._log = log
        self._on_change = on_change
        self._wall = wall
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    @property
    def running(self) -> int:
        """Number of jobs that have not ended."""
        with self._lock:
            return sum(entry.job.state == "running" for entry in self._entries.values())

    def submit(self, kind: JobKind, environment: str, deployment: str, action: Action) -> Job:
        """Start ``action`` in the background.

        Raises
        ------
        Conflict
            ``busy`` when another job of the same deployment is running.
        Overloaded
            ``busy_server`` when too many jobs wait already.
        """
        job = Job(
            id=secrets.token_hex(8),
            kind=kind,
            environment=environment,
            deployment=deployment,
            state="running",
            phase="queued",
            message="Waiting for other actions.",
            created=self._wall(),
        )
        entry = _Entry(job, Cancellation())
        with self._lock:
            self._forget_old()
            for other in self._entries.values():
                if _same_deployment(other.job, job) and other.job.state == "running":
                    raise Conflict(
                        f"{echo(deployment)} is busy: {other.job.kind} has not ended yet.",
                        code="busy",
                        hint="Wait for it to end, or cancel it.",
                    )
            entry.future = self._pool.submit(lambda: self._run(entry, action))
            self._entries[job.id] = entry
        self._on_change(environment)
        return job

    def list(self, environment: str | None = None) -> list[Job]:
        """Return running and lately finished jobs, oldest first."""
        with self._lock:
            self._forget_old()
            return [
                entry.job
                for entry in self._entries.values()
                if environment is None or entry.job.environment == environment
            ]

    def get(self, job_id: str) -> Job:
        """Return one job; raises ``NotFound`` (``no_such_job``) when it is unknown or forgotten."""
        with self._lock:
            return self._find(job_id).job

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end; one that has ended stays as it is. Raises like :meth:`get`."""
        with self._lock:
            entry = self._find(job_id)
            if entry.job.state != "running":
                return entry.job
            entry.job = entry.job.model_copy(update={"cancelling": True})
            dropped = entry.future is not None and entry.future.cancel()
        entry.cancellation.cancel()
        if dropped:
            self._end(entry, "cancelled", message="Cancelled before it began.")
        return entry.job

    def close(self, timeout: float) -> None:
        """Cancel all jobs and wait at most ``timeout`` seconds for them to end."""
        with self._lock:
            entries = [entry for entry in self._entries.values() if entry.job.state == "running"]
        for entry in entries:
            self.cancel(entry.job.id)
        wait([entry.future for entry in entries if entry.future is not None], timeout)

    # --- in the job's thread ------------------------------------------------------------------

    def _run(self, entry: _Entry, action: Action) -> None:
        def report(progress: Progress) -> None:
            self._change(
                entry,
                phase=progress.phase,
                fraction=progress.fraction,
                message=progress.message,
            )

        try:
            entry.cancellation.checkpoint()
            action(report, entry.cancellation)
        except Cancelled as error:
            self._end(entry, "cancelled", message=error.message)
        except EdiError as error:
            info = ErrorInfo(**error.to_wire())
            self._end(entry, "failed", message=error.message, error=info)
        except Exception:
            self._log.exception("EDI job %s: unforeseen error", entry.job.id)
            info = ErrorInfo(
                code="internal_error",
                message="Something went wrong inside edi_labext.",
                hint=f"The Jupyter server's log has the details; look for job {entry.job.id}.",
            )
            self._end(entry, "failed", message=info.message, error=info)
        else:
            self._end(entry, "done", fraction=1.0)

    def _change(self, entry: _Entry, **update: Any) -> None:
        with self._lock:
            entry.job = entry.job.model_copy(update=update)

    def _end(self, entry: _Entry, state: str, **update: Any) -> None:
        self._change(entry, state=state, finished=self._wall(), **update)
        job = entry.job
        outcome = f"{state} ({job.error.code})" if job.error else state
        self._log.info("EDI job %s: %s %s %s", job.id, job.kind, job.deployment, outcome)
        self._on_change(job.environment)

    # --- under the lock -----------------------------------------------------------------------

    def _find(self, job_id: str) -> _Entry:
        self._forget_old()
        entry = self._entries.get(job_id)
        if entry is None:
            raise NotFound(
                f"There is no job {echo(job_id)}.",
                code="no_such_job",
                hint="Finished jobs are forgotten after ten minutes, all when Jupyter restarts.",
            )
        return entry

    def _forget_old(self) -> None:
        horizon = self._wall() - KEEP_SECONDS
        finished = [
            (entry.job.finished, job_id)
            for job_id, entry in self._entries.items()
            if entry.job.finished is not None
        ]
        finished.sort()
        surplus = len(finished) - KEEP_FINISHED
        for index, (end, job_id) in enumerate(finished):
            if index < surplus or end < horizon:
                del self._entries[job_id]


def _same_deployment(one: Job, other: Job) -> bool:
    return one.environment == other.environment and one.deployment == other.deployment
