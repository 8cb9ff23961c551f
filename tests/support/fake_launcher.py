"""Kernels without processes: a test plays the kernel's side of link, pipes and exit."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

from edi_labext.serving.kernel.path._edi_host import frames
from edi_labext.serving.launchers.base import KernelExit, LaunchSpec


class FakeKernel:
    """One kernel, seen from both sides; implements ``launchers.base.KernelProcess``.

    ``signals`` lists what was done to it: ``term``, ``kill``, ``sweep``. Unless ``stubborn``,
    it ends at the first signal; unless ``hangs``, it ends at SHUTDOWN. Tasks are answered with
    their own body while ``answers`` is set.
    """

    def __init__(self, spec: LaunchSpec, pid: int) -> None:
        self.spec = spec
        self.pid = pid
        self.stubborn = False
        self.hangs = False
        self.answers = True
        self.signals: list[str] = []
        self.received: list[tuple[int, int, bytes]] = []
        self.exited: asyncio.Future[KernelExit] = asyncio.get_running_loop().create_future()
        self.socket, self._far = socket.socketpair()
        self.socket.setblocking(False)
        self._far.setblocking(False)
        self.stdout, self._out = os.pipe()
        self.stderr, self._err = os.pipe()
        for fd in (self.stdout, self.stderr):
            os.set_blocking(fd, False)
        self._reader = frames.FrameReader(frames.FROM_ENGINE)
        asyncio.get_running_loop().add_reader(self._far, self._readable)

    # --- as the engine sees it

    def terminate(self) -> None:
        self.signals.append("term")
        if not self.stubborn:
            self.exit(signal=15)

    def kill(self) -> None:
        self.signals.append("kill")
        self.exit(signal=9)

    def sweep(self) -> None:
        assert self.exited.done()
        self.signals.append("sweep")

    # --- as the kernel does

    def send(self, kind: int, number: int = 0, payload: bytes = b"") -> None:
        self._far.sendall(frames.pack(kind, number, payload) + payload)

    def ready(self) -> None:
        self.send(frames.HELLO, payload=b"3.11.7")
        self.send(frames.READY)

    def start_failed(self, reason: str, code: int = 1) -> None:
        self.send(frames.HELLO, payload=b"3.11.7")
        self.send(frames.START_FAILED, payload=reason.encode())
        self.exit(code=code)

    def answer(self, number: int, body: bytes) -> None:
        self.send(frames.ANSWER, number, body)

    def print(self, text: str, *, stderr: bool = False) -> None:
        os.write(self._err if stderr else self._out, text.encode())

    def exit(self, code: int | None = None, signal: int | None = None) -> None:
        """End: link, pipes and process."""
        self.close_link()
        self.close_pipes()
        self.end_process(code, signal)

    def close_link(self) -> None:
        if self._far.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._far)
            self._far.close()

    def close_pipes(self) -> None:
        for fd in (self._out, self._err):
            if fd >= 0:
                os.close(fd)
        self._out = self._err = -1

    def end_process(self, code: int | None = None, signal: int | None = None) -> None:
        if not self.exited.done():
            self.exited.set_result(KernelExit(code=code, signal=signal))

    def _readable(self) -> None:
        try:
            data = self._far.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.close_link()
            return
        for frame in self._reader.feed(data):
            self.received.append(frame)
            kind, number, body = frame
            if kind in (frames.TASK, frames.TASK_MORE) and self.answers:
                self.answer(number, body)
            elif kind == frames.SHUTDOWN and not self.hangs:
                self.exit(code=0)
                return


class FakeLauncher:
    """Implements ``launchers.base.Launcher``.

    ``on_launch`` prepares each new kernel, for example ``lambda kernel: kernel.ready()``; what it
    raises is raised by the launch. While ``gate`` is cleared, launches wait.
    """

    def __init__(self, on_launch: Callable[[FakeKernel], None] = lambda _: None) -> None:
        self.on_launch = on_launch
        self.kernels: list[FakeKernel] = []
        self.specs: list[LaunchSpec] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def last(self) -> FakeKernel:
        return self.kernels[-1]

    @property
    def alive(self) -> list[FakeKernel]:
        return [kernel for kernel in self.kernels if not kernel.exited.done()]

    async def launch(self, spec: LaunchSpec) -> FakeKernel:
        self.specs.append(spec)
        await self.gate.wait()
        kernel = FakeKernel(spec, pid=1_000_000 + len(self.kernels))
        try:
            self.on_launch(kernel)
        except BaseException:
            kernel.socket.close()
            kernel.exit()
            os.close(kernel.stdout)
            os.close(kernel.stderr)
            raise
        self.kernels.append(kernel)
        return kernel
