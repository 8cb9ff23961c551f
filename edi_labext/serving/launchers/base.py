"""The seam between the supervisor and whatever runs a kernel."""

from __future__ import annotations

import asyncio
import signal as signals
import socket as sockets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """All that a launcher is told about one kernel.

    Attributes
    ----------
    kernel_id:
        Name of the kernel, unique within the engine's life.
    interpreter:
        Path or name of the Python that runs the kernel file.
    kernel_file:
        The kernel file, absolute.
    working_directory:
        Where the process starts; must exist.
    environment:
        The complete environment; nothing of the engine's own is added to it but the kernel
        path at the front of ``PYTHONPATH``.
    umask:
        File mode mask of the process, for example ``0o022``.
    runtime:
        How messages call the interpreter, up to its version: ``python = the engine's Python``.
    runtime_name:
        How messages call the runtime alone.
    pre_exec:
        Piece of shell that runs before the interpreter, in the same environment; ``""`` for none.
    """

    kernel_id: str
    interpreter: str
    kernel_file: Path
    working_directory: Path
    environment: Mapping[str, str]
    umask: int
    runtime: str = ""
    runtime_name: str = ""
    pre_exec: str = ""


@dataclass(frozen=True, slots=True)
class KernelExit:
    """How a kernel process ended; neither field is set when nobody can tell any more."""

    code: int | None = None
    signal: int | None = None

    @property
    def status(self) -> int | None:
        """The exit code, or the negative signal number, as ``subprocess`` writes it."""
        return self.code if self.signal is None else -self.signal

    def describe(self) -> str:
        """Return how it ended: ``"exited with code 3"``, ``"was killed by SIGSEGV"``."""
        if self.signal is not None:
            try:
                name = signals.Signals(self.signal).name
            except ValueError:
                name = f"signal {self.signal}"
            return f"was killed by {name}"
        if self.code is not None:
            return f"exited with code {self.code}"
        return "ended"


class KernelProcess(Protocol):
    """One running kernel.

    Who launches it owns ``socket``, ``stdout`` and ``stderr`` from then on and closes them.
    Signals are safe until :meth:`sweep`: the process number stays taken up to there.
    """

    pid: int
    #: Our end of the frame connection, non-blocking.
    socket: sockets.socket
    #: Read ends of the two log pipes, non-blocking.
    stdout: int
    stderr: int
    #: Set once, on the loop, when the process has ended.
    exited: asyncio.Future[KernelExit]

    def terminate(self) -> None:
        """Ask the process and its children to end (SIGTERM)."""

    def kill(self) -> None:
        """End the process and its children (SIGKILL)."""

    def sweep(self) -> None:
        """End the children that outlived the process, and give its number back.

        To be called once ``exited`` is set; further calls do nothing.
        """


class Launcher(Protocol):
    """Makes kernel processes."""

    async def launch(self, spec: LaunchSpec) -> KernelProcess:
        """Start a kernel.

        A caller that is cancelled leaves no process behind.

        Raises
        ------
        Unavailable
            ``launch_failed``: no such interpreter or folder, one that cannot run kernels, or the
            system refused.
        """
