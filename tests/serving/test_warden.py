from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.processes import START, gone_within

from edi_labext.serving.launchers.warden import Warden


@pytest.fixture
def group():
    """A process group of two that ignores everything it can."""
    script = "trap '' TERM HUP INT; sleep 1000 & echo $!; wait; wait"
    leader = subprocess.Popen(
        ["/bin/sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    child = int(leader.stdout.readline())
    yield [leader.pid, child]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    leader.stdout.close()


def test_a_released_group_lives_on(group):
    warden = Warden()
    warden.add(group[0])
    pid = warden.pid
    warden.discard(group[0])
    warden.close()
    assert gone_within([pid], 5)
    assert not gone_within(group, 0)
    assert warden.pid is None


def test_a_killed_warden_is_replaced_with_all_groups(group):
    warden = Warden()
    warden.add(group[0])
    first = warden.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    other = subprocess.Popen(["/bin/sh", "-c", "exec sleep 1000"], start_new_session=True)
    warden.add(other.pid)
    assert warden.pid not in (None, first)
    # It takes both with it when its pipe ends, as at the end of the engine.
    os.close(warden._pipe)
    assert gone_within([*group, other.pid], 5)
    other.wait()
    warden._pipe = os.open(os.devnull, os.O_WRONLY)
    warden.close()


def test_signals_of_a_terminal_do_not_touch_it(group):
    warden = Warden()
    warden.add(group[0])
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    wanted = sum(1 << (number - 1) for number in numbers)
    status = Path(f"/proc/{warden.pid}/status")
    while (int(status.read_text().split("SigIgn:")[1].split()[0], 16) & wanted) != wanted:
        pass  # the shell is still starting
    for number in numbers:
        os.kill(warden.pid, number)
    assert os.getsid(warden.pid) != os.getsid(0)
    warden.discard(group[0])
    process = warden._process
    warden.close()
    assert process.returncode == 0


def test_it_is_never_told_of_the_groups_that_kill_means_otherwise():
    warden = Warden()
    for number in (-1, 0, 1):
        with pytest.raises(ValueError):
            warden.add(number)
    assert warden.pid is None


ENGINE = """
import asyncio, os, signal, sys
from pathlib import Path
from edi_labext.serving.launchers.base import LaunchSpec
from edi_labext.serving.launchers.process import ProcessLauncher

async def main(folder):
    launcher = ProcessLauncher(asyncio.get_running_loop(), kernel_path=folder)
    spec = LaunchSpec("k", sys.executable, folder / "kernel.py", folder, {}, 0o022)
    processes = [await launcher.launch(spec) for _ in range(2)]
    for process in processes:
        line = await asyncio.get_running_loop().sock_recv(process.socket, 100)
        print(line.decode(), flush=True)
    print(launcher.warden.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""

# Deaf to the end of its link, like native code that hangs, and so are its children, of which one
# has left the group, the session and the environment.
KERNEL = """
import os, signal
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if (child := os.fork()) == 0:
    if (escaped := os.fork()) == 0:
        os.setsid()
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    link.sendall(f"{os.getppid()} {os.getpid()} {escaped}".encode())
while True:
    signal.pause()
"""


@pytest.mark.parametrize("warden", ["alive", "killed"])
def test_nothing_outlives_a_killed_engine_by_two_seconds(tmp_path: Path, warden: str):
    (tmp_path / "_edi_start.py").write_text(START)
    (tmp_path / "kernel.py").write_text(textwrap.dedent(KERNEL))
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    pids = [int(word) for _ in range(2) for word in engine.stdout.readline().split()]
    assert len(pids) == 6
    assert not gone_within(pids, 0)
    if warden == "killed":
        os.kill(int(engine.stdout.readline()), signal.SIGKILL)
    engine.kill()
    engine.wait()
    engine.stdout.close()
    assert gone_within(pids, 2)


def test_a_kernel_whose_guard_was_killed_does_not_outlive_the_engine_either(tmp_path: Path):
    (tmp_path / "_edi_start.py").write_text(START)
    (tmp_path / "kernel.py").write_text(textwrap.dedent(KERNEL))
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    kernels = []
    for _ in range(2):
        kernel, child, _ = (int(word) for word in engine.stdout.readline().split())
        kernels += [kernel, child]
    guards = [os.getpgid(pid) for pid in kernels]
    # The engine is stopped, so that it is the warden's turn.
    os.kill(engine.pid, signal.SIGSTOP)
    for guard in set(guards):
        os.kill(guard, signal.SIGKILL)
    assert not gone_within(kernels, 0)
    engine.kill()
    engine.wait()
    engine.stdout.close()
    assert gone_within(kernels, 2)
