"""End the engine of a store that somebody else started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import Conflict, Unavailable
from .hello import Greeter, read_runtime_file

#: Seconds that an engine may take to end: requests get 30 to be answered, kernels some more.
STOP_TIMEOUT = 60.0

_POLL = 0.05


def stop_engine(store: Path, *, timeout: float = STOP_TIMEOUT) -> int | None:
    """End the engine of ``store`` and wait until it is gone; harmless when there is none.

    The runtime file may be stale, and its process number may be an innocent's by now. So the
    process is held first, then who listens must prove to be this store's engine, which then is
    that process, and only what is held gets the signal.

    Parameters
    ----------
    timeout:
        Seconds to wait for its end.

    Returns
    -------
    int or None
        Its process number; ``None`` when no engine is running.

    Raises
    ------
    Conflict
        ``engine_of_jupyter``: a Jupyter server started it and ends it.
    Unavailable
        ``engine_stop_timeout``; it goes on ending.
    """
    facts = read_runtime_file(store.absolute())
    if facts is None:
        return None
    with _held(facts.pid) as process:
        if process is None or not _proves(facts.rest_server, facts.token_file):
            return None
        if facts.owner == "jupyter":
            raise Conflict(
                f"The serving engine (process {facts.pid}) belongs to a Jupyter server and ends "
                "with it.",
                code="engine_of_jupyter",
                hint="Stop services one by one, or end that Jupyter server.",
            )
        process.terminate()
        if not process.wait(timeout):
            raise Unavailable(
                f"The serving engine (process {facts.pid}) has not ended within {timeout:.0f} s.",
                code="engine_stop_timeout",
                hint="It is still answering requests; look again later.",
            )
    return facts.pid


def _proves(rest_server: str, token_file: Path) -> bool:
    greeter = Greeter()
    try:
        return greeter.proves(rest_server, token_file)
    finally:
        greeter.close()


class _Process:
    """A process by its number, or, where the system has them, by a descriptor that is its alone."""

    def __init__(self, pid: int, descriptor: int | None) -> None:
        self._pid = pid
        self._descriptor = descriptor

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is None:
                os.kill(self._pid, signal.SIGTERM)
            else:
                signal.pidfd_send_signal(self._descriptor, signal.SIGTERM)

    def wait(self, timeout: float) -> bool:
        """Tell whether it ended in time."""
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            return bool(poll.poll(timeout * 1000))
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(_POLL)
        return False


@contextlib.contextmanager
def _held(pid: int) -> Iterator[_Process | None]:
    """Hold a process, ``None`` when there is none of that number."""
    if pid <= 0:
        yield None
        return
    if not hasattr(os, "pidfd_open"):
        yield _Process(pid, None)
        return
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        yield _Process(pid, descriptor)
    finally:
        os.close(descriptor)
