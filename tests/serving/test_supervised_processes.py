"""Supervisor, process launcher and kernel host together, with real processes and real time."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.processes import children, gone_within

from edi_labext.errors import EdiError
from edi_labext.serving.clock import LoopClock
from edi_labext.serving.dispatcher import TaskQueue
from edi_labext.serving.launchers.base import LaunchSpec
from edi_labext.serving.launchers.process import ProcessLauncher
from edi_labext.serving.lifecycle import KernelPolicy
from edi_labext.serving.link import KernelLink
from edi_labext.serving.logs import LogBook, LogPump
from edi_labext.serving.queue_policy import QueuePolicy
from edi_labext.serving.supervisor import Supervisor
from edi_labext.serving.task import Task

ECHO = """
from redhareapi import Kernel

class Echo(Kernel):
    def on_task_invoke(self, task):
        task.set_output_data(task.get_input_data())
    def on_kernel_shutdown(self):
        print("goodbye")

Echo().run()
"""

QUICK = KernelPolicy(
    connection_timeout=20, overdue_grace=0.1, stop_grace=0.1, exit_grace=0.1, terminate_grace=0.1
)


class Request(Task):
    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def deliver_answer(self, data: bytes) -> None:
        self.outcome.set_result(data)

    def deliver_error(self, error: EdiError) -> None:
        self.outcome.set_exception(error)


class Stage:
    def __init__(self, folder: Path, pump: LogPump, launcher: ProcessLauncher, group) -> None:
        self.folder = folder
        self.pump = pump
        self.launcher = launcher
        self.group = group
        self.changed = asyncio.Event()

    def serve(self, code: str, policy: KernelPolicy = QUICK, timeout: float = 10) -> Supervisor:
        (self.folder / "kernel.py").write_text(textwrap.dedent(code).lstrip())
        clock = LoopClock(asyncio.get_running_loop())
        self.book = LogBook(self.folder / "logs", "digits", clock.wall)
        self.queue = TaskQueue(
            clock, QueuePolicy(timeout=timeout), name="digits", on_overdue=self.overdue
        )
        self.supervisor = Supervisor(
            name="digits",
            clock=clock,
            launcher=self.launcher,
            pump=self.pump,
            book=self.book,
            queue=self.queue,
            make_spec=self.make_spec,
            context_text=lambda: "{}",
            policy=policy,
            on_change=self.changed.set,
            spawn=self.group.create_task,
        )
        self.supervisor.want(1)
        return self.supervisor

    def overdue(self, link: KernelLink) -> None:
        self.supervisor.overdue(link)

    def make_spec(self, kernel_id: str) -> LaunchSpec:
        environment = {"PATH": os.environ["PATH"]}
        file = self.folder / "kernel.py"
        return LaunchSpec(kernel_id, sys.executable, file, self.folder, environment, 0o022)

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def ask(self, body: bytes) -> bytes:
        request = Request(body)
        self.queue.submit(request)
        return await request.outcome


@pytest.fixture
def stage(tmp_path):
    def run(scene: Callable[[Stage], Awaitable[None]]) -> None:
        async def play() -> None:
            loop = asyncio.get_running_loop()
            with LogPump() as pump, ProcessLauncher(loop) as launcher:
                async with asyncio.timeout(25), asyncio.TaskGroup() as group:
                    stage = Stage(tmp_path, pump, launcher, group)
                    await scene(stage)
                    await stage.supervisor.stop()
                    stage.book.close()
                assert launcher.warden.groups == frozenset()

        asyncio.run(play())

    return run


def test_a_life(stage):
    async def scene(s: Stage):
        s.serve(ECHO)
        assert await s.ask(b"seven") == b"seven"
        await s.supervisor.stop()
        assert s.supervisor.kernels == []
        assert "goodbye" in s.book.tail(100)

    stage(scene)


def test_a_module_that_is_missing(stage):
    async def scene(s: Stage):
        supervisor = s.serve("import os\nimport no_such_module\n")
        await s.until(lambda: supervisor.failure)
        assert supervisor.failure.reason == (
            "the kernel did not start: ModuleNotFoundError: "
            "No module named 'no_such_module' (kernel.py, line 2)"
        )
        assert supervisor.failure.exit_code == 1
        assert "ModuleNotFoundError: No module named 'no_such_module'" in s.book.tail(100)

    stage(scene)


@pytest.mark.parametrize(
    ("crash", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "The kernel was killed by SIGSEGV."),
        ("os._exit(3)", "The kernel exited with code 3."),
    ],
)
def test_a_crash_in_a_task(stage, crash, message):
    async def scene(s: Stage):
        code = f"import os, signal, sys\n{ECHO}".replace(
            "task.set",
            f'print("so far", flush=True)\n        if b"crash" in task.get_input_data'
            f"().encode(): {crash}\n        task.set",
        )
        s.serve(code)
        with pytest.raises(EdiError) as caught:
            await s.ask(b"crash")
        error = caught.value
        assert (error.code, error.message) == ("kernel_died", message)
        assert "so far" in error.detail
        if "SEGV" in crash:
            assert "Fatal Python error: Segmentation fault" in error.detail
        assert await s.ask(b"again") == b"again"

    stage(scene)


DEAF = """
import os, signal, subprocess
from redhareapi import Kernel

child = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done"])

class Deaf(Kernel):
    def on_task_invoke(self, task):
        if task.get_input_data() == "who":
            task.set_output_data(f"{os.getpid()} {child.pid}")
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        while True:
            signal.pause()

Deaf().run()
"""


def test_stop_of_a_deaf_kernel_with_a_child(stage):
    async def scene(s: Stage):
        s.serve(DEAF)
        pids = [int(word) for word in (await s.ask(b"who")).split()]
        request = Request(b"hang")
        s.queue.submit(request)
        await s.supervisor.stop()
        with pytest.raises(EdiError) as caught:
            await request.outcome
        assert caught.value.code == "stopped"
        assert gone_within(pids, 2)

    stage(scene)


def test_an_overdue_kernel_is_replaced(stage):
    async def scene(s: Stage):
        s.serve(DEAF, timeout=0.3)
        first = (await s.ask(b"who")).split()[0]
        with pytest.raises(EdiError) as caught:
            await s.ask(b"hang")
        assert caught.value.http_status == 504
        await s.until(lambda: s.supervisor.failure)
        assert s.supervisor.failure.reason == (
            "the kernel did not return 0.1 s after its task had timed out"
        )
        await s.until(lambda: s.supervisor.ready)
        assert (await s.ask(b"who")).split()[0] != first

    stage(scene)


LINGERING = """
import threading
from redhareapi import Kernel

class Lingering(Kernel):
    def on_task_invoke(self, task):
        if task.get_input_data() == "end":
            threading.Thread(target=threading.Event().wait).start()
            raise SystemExit(3)
        task.set_output_data(task.get_input_data())
    def on_kernel_shutdown(self):
        print("goodbye", flush=True)

Lingering().run()
"""


def test_a_kernel_that_ends_itself_but_for_a_thread_is_replaced(stage):
    async def scene(s: Stage):
        s.serve(LINGERING)
        with pytest.raises(EdiError) as caught:
            await s.ask(b"end")
        assert caught.value.message == "The kernel raised SystemExit: 3"
        assert await s.ask(b"again") == b"again"
        assert s.book.tail(100).count("goodbye") == 1
        assert any("to end by itself" in line for line in s.book.tail(100))

    stage(scene)


def test_descriptors_threads_and_children_do_not_grow(stage):
    def census() -> tuple[int, int, int]:
        gc.collect()  # what other tests have left behind
        return len(os.listdir("/proc/self/fd")), threading.active_count(), len(children())

    async def scene(s: Stage):
        supervisor = s.serve(ECHO)
        assert await s.ask(b"1") == b"1"
        await supervisor.stop()
        before = census()
        for _ in range(30):
            supervisor.want(1)
            await s.until(lambda: supervisor.ready)
            await supervisor.stop()
        assert census() == before

    stage(scene)
