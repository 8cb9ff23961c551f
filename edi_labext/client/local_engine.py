"""Find the serving engine of a store, or start it (``design.md`` section 5, "Engine lifetime")."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from ..errors import EdiError, StorageFailure, Unavailable, echo_path
from .engine_process import EngineProcess, open_log, read_tail
from .hello import Greeter, read_runtime_file

#: Who an engine is started for; a ``jupyter`` one ends with this process, a ``background`` one not.
Owner = Literal["jupyter", "background"]
EngineState = Literal["stopped", "starting", "running"]

#: Seconds an engine may take until it is ready.
START_TIMEOUT = 20.0
#: Name of the file in the store that takes what the engine says on stderr.
LOG_FILE = "engine.log"

_POLL = 0.05
#: Exit status of an engine that found another one at the store.
_STORE_IN_USE = 3
_LOG_TAIL_LINES = 20


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where an engine listens, as checked by its proof of holding the store's token."""

    rest_server: str
    token_file: Path
    pid: int


def default_store(env: Mapping[str, str] = os.environ) -> Path:
    """Return ``$EDI_STORE``, or the user's state directory of this package."""
    configured = env.get("EDI_STORE")
    return Path(configured) if configured else platformdirs.user_state_path("edi_labext")


class LocalEngine:
    """The one engine of a store, whoever started it. Usable from several threads.

    Parameters
    ----------
    store:
        Directory of deployments, logs and the token; created with mode 0700.
    owner:
        What an engine started here is told about its end. A ``jupyter`` one ends when this
        process does, even by ``kill -9``: it holds the other end of its stdin.
    python:
        Interpreter to run it with.
    start_timeout:
        In seconds.
    """

    def __init__(
        self,
        store: Path,
        owner: Owner,
        python: str = sys.executable,
        *,
        start_timeout: float = START_TIMEOUT,
    ) -> None:
        self.store = store.absolute()
        self._owner = owner
        self._python = python
        self._start_timeout = start_timeout
        self._lock = threading.Lock()
        self._greeter = Greeter()
        self._child: EngineProcess | None = None
        self._found = False
        self._starting = False

    def __repr__(self) -> str:
        return f"LocalEngine({self.store}, {self.state})"

    @property
    def state(self) -> EngineState:
        """What is known without asking: of the last look, and of a child that has ended since."""
        if self._starting:
            return "starting"
        child = self._child
        if child is not None and child.exit_status() is not None:
            return "stopped"
        return "running" if self._found else "stopped"

    @property
    def log_file(self) -> Path:
        """What engines of this store said on stderr."""
        return self.store / LOG_FILE

    def find(self) -> EngineAddress | None:
        """Return the running engine, or ``None``.

        The runtime file may be stale, and its port may meanwhile be anybody's; so whoever
        listens there must first prove that it holds the store's token.
        """
        address = self._look()
        self._found = address is not None
        return address

    def ensure(self) -> EngineAddress:
        """Return the running engine, starting one if there is none.

        Blocks for up to 20 s; a second caller waits for the first.

        Raises
        ------
        StorageFailure
            The store cannot be created or is not ours.
        Unavailable
            ``engine_failed`` with the end of its log in ``detail``.
        """
        address = self.find()
        if address is not None:
            return address
        with self._lock:
            address = self.find()
            if address is not None:
                return address
            self._starting = True
            try:
                return self._start()
            finally:
                self._starting = False

    def close(self) -> None:
        """End the engine if this object started it and it is not meant to stay.

        Its stdin is closed; one that does not end then gets SIGTERM, and at last is killed.
        Kernels end with it, and come back with the next engine of the store.
        """
        with self._lock:
            child, self._child = self._child, None
            self._greeter.close()
            if child is None:
                return
            if self._owner == "background":
                child.release()
            else:
                child.end()
                self._found = False

    def _look(self) -> EngineAddress | None:
        facts = read_runtime_file(self.store)
        if facts is None or not self._greeter.proves(facts.rest_server, facts.token_file):
            return None
        return EngineAddress(facts.rest_server, facts.token_file, facts.pid)

    def _start(self) -> EngineAddress:
        if self._child is not None:
            # Ended, or alive and deaf: then the new one says that the store is in use.
            self._child.release()
            self._child = None
        _private_directory(self.store)
        deadline = time.monotonic() + self._start_timeout
        with open_log(self.log_file) as log:
            child = EngineProcess.start(
                self._python,
                self.store,
                self._owner,
                log,
                keep_stdin=self._owner == "jupyter",
            )
        try:
            return self._wait(child, deadline)
        finally:
            if self._child is not child:
                child.end(patience=0.0)

    def _wait(self, child: EngineProcess, deadline: float) -> EngineAddress:
        ready = child.wait_for_ready_line(deadline - time.monotonic())
        if ready:
            address = self.find()
            if address is not None:
                self._child = child
                return address
            raise self._failed("It started, but did not prove to be the engine of this store.")
        status = child.exit_status()
        if status == _STORE_IN_USE:
            # Another process was faster; its engine is about to be ready.
            return self._wait_for_other(deadline)
        if status is None:
            raise self._failed(f"It was not ready within {self._start_timeout:.0f} s.")
        raise self._failed(f"It ended with {_describe(status)}.")

    def _wait_for_other(self, deadline: float) -> EngineAddress:
        pause = threading.Event()
        while time.monotonic() < deadline:
            address = self.find()
            if address is not None:
                return address
            pause.wait(_POLL)
        raise self._failed("Another engine has the store, but does not answer.")

    def _failed(self, what: str) -> EdiError:
        return Unavailable(
            f"The serving engine could not be started. {what}",
            code="engine_failed",
            hint=f"Its log is {self.log_file}.",
            detail="\n".join(read_tail(self.log_file, _LOG_TAIL_LINES)) or None,
        )


def _describe(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def _private_directory(path: Path) -> None:
    """Create the store with mode 0700 whatever the umask; an existing one keeps its mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
            path.chmod(0o700)
        except FileExistsError:
            if not path.is_dir():
                raise
        if path.stat().st_uid != os.geteuid():
            raise StorageFailure(
                f"The store {echo_path(str(path))} belongs to another user.",
                code="store_not_ours",
                hint="Set EDI_STORE to a directory of your own.",
            )
    except OSError as error:
        raise StorageFailure(
            f"The store {echo_path(str(path))} cannot be used: {error.strerror}.",
            hint="Set EDI_STORE to a directory where you may write.",
        ) from None
