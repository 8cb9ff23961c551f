"""Real engines that start in a fraction of the time: forked from a process that has imported all.

The engine itself is the real one, with its own process, sockets and kernels. What it writes goes
through :class:`support.failpoints.Failpoints`, so that it can be killed at a named step.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from .engine_process import EngineProcess


class Nursery:
    """The process that engines are forked from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Each message is one of its own.
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.forked_engine", str(theirs.fileno())],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def fork(self, arguments: list[str], *, plan: Path | None, stdout: int, stderr: int) -> int:
        """Start an engine with command line ``arguments``; return its process number."""
        words = json.dumps({"arguments": arguments, "plan": plan and str(plan)})
        with self._lock:
            socket.send_fds(self._socket, [words.encode()], [stdout, stderr])
            return int(self._socket.recv(20))

    def status(self, pid: int) -> int:
        """Return the status of an engine that has ended, as :mod:`subprocess` tells it; once."""
        with self._lock:
            self._socket.sendall(json.dumps({"ended": pid}).encode())
            return int(self._socket.recv(20))

    def close(self) -> None:
        self._socket.close()
        self._process.wait(20)


class Child:
    """An engine's process as :class:`subprocess.Popen` shows one, as far as tests look."""

    def __init__(self, nursery: Nursery, pid: int, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._nursery = nursery
        self._fd: int | None = os.pidfd_open(pid)

    def send_signal(self, number: int) -> None:
        if self._fd is not None:
            signal.pidfd_send_signal(self._fd, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float = 20) -> int:
        """Wait for its end and return its status, which its parent tells."""
        if self._fd is not None:
            if not select.select([self._fd], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("engine", timeout)
            os.close(self._fd)
            self._fd = None
            self.returncode = self._nursery.status(self.pid)
        assert self.returncode is not None
        return self.returncode


class ForkedEngine(EngineProcess):
    """An engine on a store of its own, to be killed and started again many times."""

    def __init__(
        self, nursery: Nursery, store: Path, *options: str, plan: Path | None = None
    ) -> None:
        self._nursery = nursery
        self._plan = plan
        super().__init__(store, *options)

    def start(self) -> None:
        reader, writer = os.pipe()
        with self.log.open("ab") as log:
            pid = self._nursery.fork(
                ["--store", str(self.store), *self.options],
                plan=self._plan,
                stdout=writer,
                stderr=log.fileno(),
            )
        os.close(writer)
        self.process: Any = Child(self._nursery, pid, os.fdopen(reader, "rb"))
        self.greet()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def restart(self) -> None:
        """Start again after its end."""
        self.process.wait()
        self.process.stdout.close()
        self.start()


def _serve(channel: socket.socket) -> None:
    from edi_labext.serving import __main__ as program
    from edi_labext.serving import process  # noqa: F401 - imported once for all

    from .failpoints import Failpoints

    while True:
        words, fds, _, _ = socket.recv_fds(channel, 65536, 2)
        if not words:
            return
        told = json.loads(words)
        if "ended" in told:
            _, status = os.waitpid(told["ended"], 0)
            channel.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if pid:
            for fd in fds:
                os.close(fd)
            channel.sendall(str(pid).encode())
            continue
        status = 1
        try:
            channel.close()
            os.dup2(fds[0], 1)
            os.dup2(fds[1], 2)
            for fd in fds:
                os.close(fd)
            disk = Failpoints(Path(told["plan"])) if told["plan"] else None
            status = program.main(told["arguments"], disk=disk)
            sys.stdout.flush()
        finally:
            os._exit(status)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
