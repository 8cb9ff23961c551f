"""Kernels as processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket as sockets
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ...errors import Unavailable, echo
from ..kernel.path._edi_host import strays
from .base import KernelExit, KernelProcess, LaunchSpec
from .command import kernel_command
from .interpreters import Interpreters
from .warden import Warden

#: The folder that is put on the path of the user's interpreter.
KERNEL_PATH = Path(__file__).resolve().parent.parent / "kernel" / "path"
#: Seconds that a guard has to end its kernel before its group is killed.
GUARD_GRACE = 1.0
#: Variable by which a process is known to belong to a kernel; the kernel's id is its value.
MARKER = "MSD_POD_NAME"
#: File of the kernel path that runs a kernel file.
START_FILE = "_edi_start.py"


@dataclass(frozen=True, slots=True)
class _Spawned:
    """What the spawner thread hands to the loop."""

    kernel_id: str
    popen: subprocess.Popen[bytes]
    socket: sockets.socket
    #: Our end of the pipe that the guard listens on.
    lifeline: int
    stdout: int
    stderr: int


class ProcessLauncher:
    """Launches kernels, each below a guard (``_edi_host/guard.py``) in a session of its own.

    Parameters
    ----------
    loop:
        The engine's loop; all methods are called on it.
    kernel_path:
        The folder that goes to the front of the kernel's ``PYTHONPATH`` and holds
        ``_edi_start.py``.

    Notes
    -----
    What is left of a kernel is ended by one of three: its guard, which adopts whoever leaves the
    group; the engine, by group and by environment, when the guard was killed; the warden, by group,
    when both are gone. None of them needs the death signal of ``prctl(2)``, which follows the
    thread that made a process.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, kernel_path: Path = KERNEL_PATH) -> None:
        self._loop = loop
        self._kernel_path = kernel_path
        self._warden = Warden()
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="edi-spawner")
        # Beside the spawner, which nobody may hold up: an interpreter may be slow to answer.
        self._probes = ThreadPoolExecutor(max_workers=4, thread_name_prefix="edi-probe")
        self._interpreters = Interpreters()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def warden(self) -> Warden:
        """Who ends the kernels when the engine is killed."""
        return self._warden

    async def launch(self, spec: LaunchSpec) -> KernelProcess:
        """See :meth:`.base.Launcher.launch`."""
        if spec.interpreter != sys.executable:
            await self._loop.run_in_executor(self._probes, self._interpreters.check, spec)
        spawning = self._loop.run_in_executor(self._spawner, self._spawn, spec)
        try:
            spawned = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            # The thread cannot be called back: what it makes is ended as soon as it is there.
            spawning.add_done_callback(self._abandon)
            raise
        return _Process(spawned, self._warden, self._spawner, self._loop)

    def close(self) -> None:
        """End the spawner thread and the warden. No kernel may be left by then."""
        self._probes.shutdown(cancel_futures=True)
        self._spawner.shutdown()
        self._warden.close()

    def _spawn(self, spec: LaunchSpec) -> _Spawned:
        environment = dict(spec.environment)
        search_path = [str(self._kernel_path), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, search_path))
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            try:
                near, far = sockets.socketpair()
                ours.callback(near.close)
                theirs.callback(far.close)
                near.setblocking(False)
                stdout, child_stdout = _log_pipe(ours, theirs)
                stderr, child_stderr = _log_pipe(ours, theirs)
                listening, lifeline = os.pipe()
                theirs.callback(os.close, listening)
                ours.callback(os.close, lifeline)
                os.set_blocking(lifeline, False)
                # By file: "-m" would put the working directory before the standard library.
                arguments = ["-u", str(self._kernel_path / START_FILE)]
                arguments += [str(far.fileno()), str(spec.kernel_file), str(listening)]
                popen = subprocess.Popen(
                    kernel_command(spec.interpreter, arguments, spec.pre_exec),
                    stdin=subprocess.DEVNULL,
                    stdout=child_stdout,
                    stderr=child_stderr,
                    pass_fds=[far.fileno(), listening],
                    cwd=spec.working_directory,
                    env=environment,
                    start_new_session=True,
                    umask=spec.umask,
                )
            except (OSError, ValueError) as error:
                raise _launch_failure(spec, error) from error
            ours.pop_all()
            return _Spawned(spec.kernel_id, popen, near, lifeline, stdout, stderr)

    def _abandon(self, spawning: asyncio.Future[_Spawned]) -> None:
        if spawning.cancelled() or spawning.exception() is not None:
            return
        spawned = spawning.result()
        spawned.socket.close()
        os.close(spawned.stdout)
        os.close(spawned.stderr)
        process = _Process(spawned, self._warden, self._spawner, self._loop)
        process.kill()
        process.exited.add_done_callback(lambda _: process.sweep())


class _Process:
    """A kernel process; implements :class:`.base.KernelProcess`."""

    def __init__(
        self,
        spawned: _Spawned,
        warden: Warden,
        spawner: ThreadPoolExecutor,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.pid = spawned.popen.pid
        self.socket = spawned.socket
        self.stdout = spawned.stdout
        self.stderr = spawned.stderr
        self.exited: asyncio.Future[KernelExit] = loop.create_future()
        self._kernel_id = spawned.kernel_id
        self._lifeline = spawned.lifeline
        self._popen = spawned.popen
        self._warden = warden
        self._spawner = spawner
        self._loop = loop
        self._last_resort: asyncio.TimerHandle | None = None
        self._swept = False
        warden.add(self.pid)
        _watch(spawned.popen, self._on_exit, loop)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        if self._swept:
            return
        # The guard ends those too who have left the group; only if it does not, the group ends.
        with contextlib.suppress(OSError):
            os.write(self._lifeline, b"k")
        if self._last_resort is None:
            self._last_resort = self._loop.call_later(GUARD_GRACE, self._signal, signal.SIGKILL)

    def sweep(self) -> None:
        if self._swept:
            return
        if not self.exited.done():
            raise RuntimeError(f"process {self.pid} is swept before it has ended")
        # The unreaped process still holds the number of its group, so this hits nobody else.
        self._signal(signal.SIGKILL)
        self._swept = True
        self._warden.discard(self.pid)
        self._popen.wait()
        os.close(self._lifeline)
        if self._last_resort is not None:
            self._last_resort.cancel()
        if self.exited.result().signal == signal.SIGKILL:
            # The guard itself may have been killed, and did not see to those outside the group.
            self._spawner.submit(lambda: strays.kill(strays.marked(MARKER, self._kernel_id)))

    def _signal(self, number: int) -> None:
        if self._swept:
            return
        # No such group: nobody is left. Not permitted: all that is left is a zombie (macOS).
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _on_exit(self, exit_: KernelExit) -> None:
        if not self.exited.done():
            self.exited.set_result(exit_)


def _log_pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    ours.callback(os.close, reading)
    theirs.callback(os.close, writing)
    os.set_blocking(reading, False)
    return reading, writing


def _watch(
    popen: subprocess.Popen[bytes],
    on_exit: Callable[[KernelExit], None],
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Call ``on_exit`` on the loop when the process has ended, without reaping it."""
    try:
        pidfd = os.pidfd_open(popen.pid)
    except (AttributeError, OSError):  # not Linux, or a sandbox without this call
        _watch_by_thread(popen, on_exit, loop)
        return

    def readable() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        on_exit(_wait(popen))

    loop.add_reader(pidfd, readable)


def _watch_by_thread(
    popen: subprocess.Popen[bytes],
    on_exit: Callable[[KernelExit], None],
    loop: asyncio.AbstractEventLoop,
) -> None:
    def wait() -> None:
        exit_ = _wait(popen)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
            loop.call_soon_threadsafe(on_exit, exit_)

    threading.Thread(target=wait, name=f"edi-wait-{popen.pid}", daemon=True).start()


def _wait(popen: subprocess.Popen[bytes]) -> KernelExit:
    """Wait for the end of the process; where the system can, leave the zombie."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        code = popen.wait()
        return KernelExit(code=code) if code >= 0 else KernelExit(signal=-code)
    try:
        result = os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:  # reaped by the system: SIGCHLD was ignored when we were started
        return KernelExit()
    if result is None:
        return KernelExit()
    if result.si_code == os.CLD_EXITED:
        return KernelExit(code=result.si_status)
    return KernelExit(signal=result.si_status)


def _launch_failure(spec: LaunchSpec, error: OSError | ValueError) -> Unavailable:
    hint = None
    if not isinstance(error, OSError):
        reason = str(error)
    elif error.filename is not None and os.fspath(error.filename) == spec.interpreter:
        reason = f"the interpreter {echo(spec.interpreter)}: {error.strerror}"
        hint = "Choose a runtime whose Python exists on this machine."
    elif isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        reason = f"the working directory {echo(str(spec.working_directory))}: {error.strerror}"
    else:
        reason = error.strerror or str(error)
    return Unavailable(
        f"The kernel could not be launched: {reason}.", code="launch_failed", hint=hint
    )
