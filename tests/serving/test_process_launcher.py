"""Real processes; a stand-in start file runs the kernel file without any of the kernel host."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.processes import START, children, gone_within
from support.pythons import FIT

from edi_labext.errors import Unavailable
from edi_labext.serving.launchers import process as process_module
from edi_labext.serving.launchers.base import KernelExit, KernelProcess, LaunchSpec
from edi_labext.serving.launchers.process import ProcessLauncher


class Bench:
    """A launcher and a folder for kernels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "path"
        self.path.mkdir()
        (self.path / "_edi_start.py").write_text(START)
        self.launcher = ProcessLauncher(asyncio.get_running_loop(), kernel_path=self.path)

    def spec(self, code: str, **changes) -> LaunchSpec:
        file = self.folder / "kernel.py"
        file.write_text(textwrap.dedent(code))
        facts = {
            "kernel_id": "k1",
            "interpreter": sys.executable,
            "kernel_file": file,
            "working_directory": self.folder,
            "environment": {"PATH": os.environ["PATH"], "PYTHONPATH": "/theirs"},
            "umask": 0o027,
        }
        return LaunchSpec(**{**facts, **changes})

    async def launch(self, code: str, **changes) -> KernelProcess:
        return await self.launcher.launch(self.spec(code, **changes))


async def said(process: KernelProcess) -> bytes:
    """Return the next bytes of the kernel's end of the link."""
    return await asyncio.get_running_loop().sock_recv(process.socket, 1 << 16)


def let_go(process: KernelProcess) -> None:
    process.sweep()
    process.socket.close()
    os.close(process.stdout)
    os.close(process.stderr)


@pytest.fixture
def bench(tmp_path):
    def run(scene: Callable[[Bench], Awaitable[None]]) -> None:
        async def play() -> None:
            bench = Bench(tmp_path)
            with bench.launcher:
                async with asyncio.timeout(20):
                    await scene(bench)

        asyncio.run(play())

    return run


def test_what_a_kernel_process_gets(bench):
    async def scene(b: Bench):
        process = await b.launch("""
            import os, sys, json
            os.umask(mask := os.umask(0))
            fds = [int(fd) for fd in os.listdir("/proc/self/fd")]
            facts = dict(path=os.environ["PYTHONPATH"], names=sorted(os.environ), mask=mask,
                         cwd=os.getcwd(), led=os.getppid() == os.getsid(0) == os.getpgid(0),
                         stdin=sys.stdin.read(), link=link.fileno(), argv=sys.argv[2:3],
                         fds=[fd for fd in fds if os.path.exists(f"/proc/self/fd/{fd}")])
            link.sendall(json.dumps(facts).encode())
        """)
        facts = json.loads(await said(process))
        assert facts["path"] == f"{b.path}{os.pathsep}/theirs"
        assert set(facts["names"]) <= {"PATH", "PYTHONPATH", "LC_CTYPE"}
        assert facts["mask"] == 0o027
        assert facts["cwd"] == str(b.folder)
        assert facts["led"]
        assert facts["stdin"] == ""
        assert facts["fds"] == sorted({0, 1, 2, facts["link"]})
        assert facts["argv"] == [str(b.folder / "kernel.py")]
        assert await process.exited == KernelExit(code=0)
        let_go(process)

    bench(scene)


@pytest.mark.parametrize(
    ("code", "ended", "words"),
    [
        ("import no_such_module", KernelExit(code=1), "exited with code 1"),
        ("import os; os._exit(3)", KernelExit(code=3), "exited with code 3"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            KernelExit(signal=signal.SIGSEGV),
            "was killed by SIGSEGV",
        ),
    ],
)
@pytest.mark.parametrize("watch", ["pidfd", "thread"])
def test_how_it_ended(bench, monkeypatch, code, ended, words, watch):
    if watch == "thread":
        monkeypatch.delattr(process_module.os, "pidfd_open", raising=False)

    async def scene(b: Bench):
        process = await b.launch(code)
        exit_ = await process.exited
        assert (exit_, exit_.describe()) == (ended, words)
        process.terminate()  # signals are safe until it is swept, and after
        let_go(process)
        process.kill()
        process.sweep()

    bench(scene)


def test_a_traceback_comes_out_of_stderr(bench):
    async def scene(b: Bench):
        process = await b.launch("import no_such_module")
        await process.exited
        assert b"ModuleNotFoundError: No module named 'no_such_module'" in os.read(
            process.stderr, 1 << 16
        )
        let_go(process)

    bench(scene)


def test_a_kernel_that_ignores_sigterm_is_killed(bench):
    async def scene(b: Bench):
        process = await b.launch("""
            import signal
            signal.signal(signal.SIGTERM, lambda *_: link.sendall(b"no"))
            link.sendall(b"up")
            while True:
                signal.pause()
        """)
        assert await said(process) == b"up"
        process.terminate()
        assert await said(process) == b"no"
        assert not process.exited.done()
        process.kill()
        assert await process.exited == KernelExit(signal=signal.SIGKILL)
        let_go(process)

    bench(scene)


def test_grandchildren_end_with_the_kernel(bench):
    async def scene(b: Bench):
        process = await b.launch("""
            import os, signal
            if (child := os.fork()) == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                link.sendall(b"up")
                while True:
                    signal.pause()
            link.recv(1)
            link.sendall(str(child).encode())
        """)
        assert await said(process) == b"up"
        await asyncio.get_running_loop().sock_sendall(process.socket, b".")
        child = int(await said(process))
        await process.exited
        # The guard has ended it before it told of the kernel's end.
        assert gone_within([child], 0)
        let_go(process)

    bench(scene)


#: Leaves a process behind that no group, session, environment or descriptor ties to its kernel.
ESCAPE = """
import os, signal
reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if (pid := os.fork()) == 0:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        link.close()
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    os.write(writing, str(pid).encode())
    os._exit(0)
os.wait()
link.sendall(os.read(reading, 20))
"""


def ends_by_itself(process: KernelProcess, kernel: int) -> None:
    process.socket.send(b".")


def is_killed(process: KernelProcess, kernel: int) -> None:
    process.kill()


def loses_its_lifeline(process: KernelProcess, kernel: int) -> None:
    os.close(process._lifeline)
    process._lifeline = os.open(os.devnull, os.O_RDWR)


def crashes(process: KernelProcess, kernel: int) -> None:
    os.kill(kernel, signal.SIGSEGV)


@pytest.mark.parametrize("how", [ends_by_itself, is_killed, loses_its_lifeline, crashes])
def test_who_escapes_the_group_ends_with_the_kernel(bench, how):
    async def scene(b: Bench):
        process = await b.launch(ESCAPE + "link.sendall(f' {os.getpid()}'.encode())\nlink.recv(1)")
        words = b""
        while b" " not in words or not words.split()[1:]:
            words += await said(process)
        escaped, kernel = map(int, words.split())
        assert os.getsid(escaped) != process.pid
        assert not gone_within([escaped], 0)
        how(process, kernel)
        assert (
            await process.exited
            == {
                ends_by_itself: KernelExit(code=0),
                is_killed: KernelExit(signal=signal.SIGKILL),
                loses_its_lifeline: KernelExit(signal=signal.SIGKILL),
                crashes: KernelExit(signal=signal.SIGSEGV),
            }[how]
        )
        assert gone_within([escaped], 0)
        let_go(process)

    bench(scene)


OLD_PYTHON_ESCAPE = ESCAPE.replace(
    "if (pid := os.fork()) == 0:", "pid = os.fork()\n    if pid == 0:"
)


@pytest.mark.parametrize("python", FIT)
def test_the_guard_stands_in_every_python(bench, python):
    async def scene(b: Bench):
        process = await b.launch(OLD_PYTHON_ESCAPE + "os.abort()\n", interpreter=python)
        escaped = int(await said(process))
        assert await process.exited == KernelExit(signal=signal.SIGABRT)
        assert gone_within([escaped], 0)
        let_go(process)

    bench(scene)


def test_when_the_guard_is_killed_group_and_marked_processes_end(bench):
    async def scene(b: Bench):
        mark = f"k-{os.getpid()}-guardless"
        process = await b.launch(
            """
            import os, subprocess, time
            child = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True)
            link.sendall(f"{os.getpid()} {child.pid}".encode())
            time.sleep(1000)
            """,
            kernel_id=mark,
            environment={"MSD_POD_NAME": mark},
        )
        pids = [int(word) for word in (await said(process)).split()]
        os.kill(process.pid, signal.SIGKILL)
        assert await process.exited == KernelExit(signal=signal.SIGKILL)
        let_go(process)
        assert gone_within(pids, 10)

    bench(scene)


def test_a_guard_that_was_stopped_does_not_keep_the_kernel_alive(bench, monkeypatch):
    monkeypatch.setattr(process_module, "GUARD_GRACE", 0.1)

    async def scene(b: Bench):
        process = await b.launch(
            "import os, time; link.sendall(b'%d' % os.getpid()); time.sleep(99)"
        )
        kernel = int(await said(process))
        os.kill(process.pid, signal.SIGSTOP)
        process.kill()
        assert await process.exited == KernelExit(signal=signal.SIGKILL)
        let_go(process)
        assert gone_within([kernel], 5)

    bench(scene)


def test_signals_to_the_own_group_do_not_end_the_guard(bench):
    async def scene(b: Bench):
        process = await b.launch("""
            import os, signal
            for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP):
                signal.signal(number, lambda *_: None)
                os.killpg(0, number)
            link.sendall(b"still here")
            raise SystemExit(7)
        """)
        assert await said(process) == b"still here"
        assert await process.exited == KernelExit(code=7)
        let_go(process)

    bench(scene)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"interpreter": "/no/such/python"}, "/no/such/python"),
        ({"working_directory": Path("/no/such/folder")}, "working directory '/no/such/folder'"),
        ({"environment": {"A": "\0"}}, "null byte"),
    ],
)
def test_a_launch_that_cannot_be(bench, changes, words):
    async def scene(b: Bench):
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(Unavailable) as caught:
            await b.launch("", **changes)
        assert caught.value.code == "launch_failed"
        assert words in caught.value.message
        assert len(os.listdir("/proc/self/fd")) == before

    bench(scene)


def test_a_cancelled_launch_leaves_no_process(bench):
    async def scene(b: Bench):
        before = children()  # of other tests, such as a shared engine
        forever = "import signal; signal.pause()"
        for _ in range(3):
            launching = asyncio.ensure_future(b.launch(forever))
            await asyncio.sleep(0)
            launching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await launching
        # One that is launched later proves that the thread is done with those before.
        process = await b.launch(forever)
        process.kill()
        await process.exited
        let_go(process)
        async with asyncio.timeout(10):
            while b.launcher.warden.groups:
                await asyncio.sleep(0)
        assert children() - before == {b.launcher.warden.pid}

    bench(scene)


def test_descriptors_and_threads_do_not_grow(bench):
    async def scene(b: Bench):
        async def once():
            process = await b.launch("link.recv(1)")
            process.kill()
            await process.exited
            let_go(process)

        async def count():
            # The look for strays in the spawner's thread is over.
            await asyncio.get_running_loop().run_in_executor(b.launcher._spawner, int)
            return len(os.listdir("/proc/self/fd")), threading.active_count()

        await once()
        before = await count()
        for _ in range(30):
            await once()
        assert await count() == before

    bench(scene)
