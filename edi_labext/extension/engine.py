"""Bringing the embedded engine up without making anybody wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from ..client.local_engine import EngineState, LocalEngine
from ..errors import EdiError, Unavailable
from .workers import WorkerPool

#: Seconds after a failed start before a poll tries again.
RETRY_PAUSE = 5.0


class EngineStarter:
    """Starts the engine in the background, one attempt at a time.

    Parameters
    ----------
    engine:
        The engine of this Jupyter server's store.
    pool:
        Thread in which the start waits for the engine to be ready.
    log:
        Gets the traceback of an unforeseen error.
    on_change:
        Called from a thread when an attempt has ended, either way.
    clock:
        Monotonic seconds; a parameter for tests.
    """

    def __init__(
        self,
        engine: LocalEngine,
        pool: WorkerPool,
        *,
        log: logging.Logger,
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._pool = pool
        self._log = log
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        self._attempt: Future[object] | None = None
        self._retry_at = 0.0
        self._error: EdiError | None = None

    def look(self) -> tuple[EngineState, EdiError | None]:
        """Return the engine's state and why it could not be started; starts one if there is none.

        Blocks for as long as one local request takes (about a second at worst), never for the
        engine's start.
        """
        if self._engine.find() is not None:
            with self._lock:
                self._error = None
            return "running", None
        with self._lock:
            if self._attempt is not None:
                return "starting", None
            if self._error is not None and self._clock() < self._retry_at:
                return "stopped", self._error
            self._attempt = self._pool.submit(self._start)
            return "starting", None

    def _start(self) -> None:
        error: EdiError | None = None
        try:
            self._engine.ensure()
        except EdiError as failure:
            error = failure
        except Exception:
            self._log.exception("The EDI engine could not be started")
            error = Unavailable(
                "The embedded engine could not be started.",
                code="engine_failed",
                hint="The Jupyter server's log says why.",
            )
        finally:
            with self._lock:
                self._attempt = None
                self._error = error
                self._retry_at = self._clock() + RETRY_PAUSE
            self._on_change()
