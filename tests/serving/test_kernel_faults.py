"""What goes wrong in kernels: an answer, a state, a log line, and no harm to a neighbour."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.engine_process import EngineProcess
from support.forked_engine import ForkedEngine, Nursery
from support.processes import gone_within
from support.waiting import until

#: Runs ``body`` for the request "fault", with ``task`` and ``self``; answers "fine" to others.
FRAME = """
{head}
import ctypes, json, os, signal, subprocess, sys, threading, time
import redhareapiversion
from redhareapi import Kernel


class Faulty(Kernel):
    def on_kernel_start(self, kernel_context):
        {start}

    def on_task_invoke(self, task):
        if task.get_input_data() != "fault":
            task.set_output_data("fine")
            return
{body}

    def on_kernel_shutdown(self):
        {shutdown}


if __name__ == "__main__":
    Faulty().run()
"""

LINK = """
for fd in map(int, os.listdir("/proc/self/fd")):
    if fd > 2 and os.path.exists(f"/proc/self/fd/{fd}"):
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
"""


def kernel(body: str = "pass", *, head: str = "", start: str = "pass", shutdown: str = "pass"):
    lines = "\n".join(f"        {line}" for line in body.strip("\n").split("\n"))
    return FRAME.format(head=head, start=start, body=lines, shutdown=shutdown)


@pytest.fixture(scope="module")
def engine(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = ForkedEngine(nursery, tmp_path_factory.mktemp("faults") / "store")
    process.running("neighbour")
    yield process
    assert process.stop() == 0


@pytest.fixture
def neighbour(engine: EngineProcess) -> Iterator[None]:
    """Another deployment that is asked all the time: every answer is right and none takes long."""
    over = threading.Event()
    wrong: list[object] = []
    times: list[float] = []
    session = engine.new_session()

    def ask() -> None:
        # Often enough to meet every fault, and not so often that the machine does nothing else.
        while not over.wait(0.01):
            began = time.monotonic()
            answer = session.post(f"{engine.base}inference/neighbour", data=b"as ever", timeout=20)
            times.append(time.monotonic() - began)
            if (answer.status_code, answer.text) != (200, "as ever"):
                wrong.append((answer.status_code, answer.text))

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    over.set()
    thread.join()
    assert times
    assert not wrong
    assert max(times) < 2


@dataclass(frozen=True)
class Fault:
    """What a request meets, and what is to come of it."""

    body: str
    #: Status of the answer, and a part of its text.
    status: int
    words: str
    #: ``code`` of the answer unless it is 200.
    code: str = ""
    #: A part of a line of the log.
    log: str = ""
    #: Whether the kernel is another one afterwards.
    replaced: bool = False


FAULTS = {
    "exception": Fault(
        "raise ValueError('bad digit')",
        502,
        "The kernel raised ValueError: bad digit",
        "kernel_exception",
        "ValueError: bad digit",
    ),
    "no output": Fault("pass", 502, "set no output", "no_output"),
    "set twice": Fault("task.set_output_data('1'); task.set_output_data('2')", 200, "2"),
    "not a string": Fault(
        "task.set_output_data({'a': 1})", 502, "TypeError", "kernel_exception", "json.dumps(value)"
    ),
    "second exception in the handler": Fault(
        "try:\n    while True:\n        task = task.next()\n        task.get_id()\n"
        "except Exception as e:\n    task.set_output_data(str(e))",
        502,
        "AttributeError",
        "kernel_exception",
        "During handling of the above exception",
    ),
    "endless recursion": Fault(
        "def f(): f()\nf()", 502, "RecursionError", "kernel_exception", "RecursionError"
    ),
    "out of memory": Fault("bytearray(1 << 60)", 502, "MemoryError", "kernel_exception"),
    "sys.exit": Fault(
        "sys.exit(3)", 502, "SystemExit: 3", "kernel_exception", "exited with code 3", True
    ),
    "os._exit": Fault(
        "os._exit(7)", 502, "exited with code 7", "kernel_died", "exited with code 7", True
    ),
    "segmentation fault": Fault(
        "ctypes.string_at(0)", 502, "killed by SIGSEGV", "kernel_died", "Segmentation fault", True
    ),
    "abort": Fault("os.abort()", 502, "killed by SIGABRT", "kernel_died", "SIGABRT", True),
    "killed as by the system": Fault(
        "os.kill(os.getpid(), 9)", 502, "memory runs out", "kernel_died", "SIGKILL", True
    ),
    "kills its whole group": Fault(
        "os.killpg(0, 9)", 502, "killed by SIGKILL", "kernel_died", "SIGKILL", True
    ),
    "ends its guard": Fault(
        "os.kill(os.getppid(), 9); time.sleep(60)", 502, "SIGKILL", "kernel_died", "SIGKILL", True
    ),
    "huge output": Fault(
        "task.set_output_data('x' * (65 << 20))", 502, "67108864", "output_too_large"
    ),
    "large output": Fault("task.set_output_data('x' * (20 << 20))", 200, "xxx"),
    "binary output": Fault("task.set_output_data(b'\\x00\\xff\\xfe')", 200, "\x00"),
    "lone surrogate": Fault(
        "task.set_output_data('\\ud800')", 502, "lone surrogate", "output_not_text"
    ),
    "writes into its link": Fault(
        LINK + "            os.write(fd, b'garbage' * 9)\ntime.sleep(60)",
        502,
        "broke the protocol",
        "kernel_died",
        "broke the protocol",
        True,
    ),
    "shuts its link down": Fault(
        LINK + "            os.close(fd)\ntime.sleep(60)",
        502,
        "closed its link",
        "kernel_died",
        "closed its link",
        True,
    ),
    "closes its streams": Fault(
        "os.close(1); os.close(2); task.set_output_data('mute')", 200, "mute"
    ),
    "flood": Fault(
        "block = b'line\\n' * 10000\nfor _ in range(150): os.write(1, block)\n"
        "task.set_output_data('flooded')",
        200,
        "flooded",
        "",
        "bytes dropped here",
    ),
    "endless line": Fault(
        "for _ in range(40): os.write(2, b'\\xff' * 50000)\nos.write(2, b'\\n')\n"
        "task.set_output_data('long')",
        200,
        "long",
        "",
        "more bytes)",
    ),
    "thread that raises": Fault(
        "t = threading.Thread(target=lambda: 1 / 0)\nt.start(); t.join()\n"
        "task.set_output_data('went on')",
        200,
        "went on",
        "",
        "ZeroDivisionError",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_in_a_task(engine: EngineProcess, neighbour: None, what: str) -> None:
    fault, name = FAULTS[what], what.replace(" ", "-").replace(".", "-").replace("_", "-")
    engine.running(name, kernel(fault.body))
    # It has worked, so that it is replaced at once.
    assert engine.infer(name).text == "fine"
    [before] = engine.containers(name)
    answer = engine.infer(name, "fault")
    assert answer.status_code == fault.status, answer.text[:300]
    assert fault.words in answer.text
    assert "Traceback" not in (answer.text if fault.status == 200 else answer.json()["message"])
    assert (fault.status == 200) or answer.json()["code"] == fault.code
    engine.wait_for(name, "ready", "starting")
    assert engine.infer(name).text == "fine"
    [after] = engine.containers(name)
    assert (before != after) == fault.replaced
    log = next(engine.store.glob(f"pods/{name}-2*/logs/{name}.log"))
    until(lambda: fault.log in log.read_text(), lambda: log.read_text()[-2000:])
    assert engine.stop_model(name).status_code == 200
    engine.wait_for(name, "stopped")


STARTS = {
    "raises": (kernel(start="raise OSError('no weights')"), "OSError: no weights (kernel.py, line"),
    "exits": (kernel(start="os._exit(4)"), "exited with code 4 before it was ready"),
    "crashes": (kernel(start="ctypes.string_at(0)"), "killed by SIGSEGV before it was ready"),
    "syntax": ("def f(:\n", "SyntaxError: invalid syntax"),
    "no run": ("print('nothing')\n", "the script ended without calling run()"),
    "import": ("import no_such_module\n", "No module named 'no_such_module'"),
}


@pytest.mark.parametrize("what", STARTS)
def test_a_fault_at_the_start(engine: EngineProcess, neighbour: None, what: str) -> None:
    text, words = STARTS[what]
    name = f"start-{what.replace(' ', '-')}"
    engine.deploy(name, text)
    engine.start_model(name)
    status = engine.wait_for(name, "failed")
    assert words in status["reason"]
    assert any("next try in 1 s" in line for line in status["log_tail"])
    answer = engine.infer(name)
    assert (answer.status_code, answer.json()["code"]) == (503, "deployment_failed")
    assert words in answer.json()["message"]
    engine.stop_model(name)
    engine.wait_for(name, "stopped")


def test_shutdown_is_called_once_and_may_fail(engine: EngineProcess, neighbour: None) -> None:
    noted = "open('shutdowns', 'a').write('x'); 1 / 0"
    engine.running("bye", kernel(shutdown=noted))
    [work] = engine.store.glob("pods/bye-*/work")
    engine.stop_model("bye")
    status = engine.wait_for("bye", "stopped")
    assert (work / "shutdowns").read_text() == "x"
    assert any("ZeroDivisionError" in line for line in status["log_tail"])


def test_a_kernel_that_deletes_its_model_comes_back(engine: EngineProcess, neighbour: None) -> None:
    """As public kernels do when they end."""
    shutdown = "import shutil; shutil.rmtree(os.environ['REDHARE_MODEL_PATH'])"
    engine.running("self-less", kernel(shutdown=shutdown))
    path = Path(engine.call("GET", "model/self-less").json()["model_path"])
    for _ in range(2):
        engine.stop_model("self-less")
        engine.wait_for("self-less", "stopped")
        assert not path.exists()
        engine.start_model("self-less")
        engine.wait_for("self-less", "ready")
        assert engine.infer("self-less").text == "fine"


def test_packages_installed_into_the_model_path_stay(engine: EngineProcess) -> None:
    head = """
import os, sys
target = os.path.join(os.environ["REDHARE_MODEL_PATH"], "python_packages")
sys.path.insert(0, target)
if os.path.isdir(target):
    import installed
    FOUND = installed.WHO
else:
    os.makedirs(target)
    with open(os.path.join(target, "installed.py"), "w") as file:
        file.write("WHO = %r" % os.environ["MSD_POD_NAME"])
    os.remove(os.path.join(os.environ["REDHARE_MODEL_PATH"], "model.json"))
    FOUND = ""
"""
    engine.running("installs", kernel("task.set_output_data(FOUND)", head=head))
    [first] = engine.containers("installs")
    assert engine.infer("installs", "fault").text == ""
    engine.stop_model("installs")
    engine.wait_for("installs", "stopped")
    engine.start_model("installs")
    engine.wait_for("installs", "ready")
    assert engine.infer("installs", "fault").text == first
    assert any(
        line.endswith("brought back: model.json") for line in engine.status("installs")["log_tail"]
    )


ESCAPES = """
child = subprocess.Popen(
    [sys.executable, "-c",
     "import subprocess, sys;"
     "print(subprocess.Popen(['/bin/sleep', '1000'], start_new_session=True, env={},"
     " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"],
    start_new_session=True, stdout=subprocess.PIPE, text=True)
in_group = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM; sleep 1000; sleep 1000"])
task.set_output_data(child.communicate()[0].strip() + " " + str(in_group.pid))
"""


def test_stop_ends_the_whole_tree(engine: EngineProcess, neighbour: None) -> None:
    engine.running("family", kernel(ESCAPES))
    pids = [int(word) for word in engine.infer("family", "fault").text.split()]
    assert not gone_within(pids, 0)
    engine.stop_model("family")
    engine.wait_for("family", "stopped")
    assert gone_within(pids, 0)
    left = engine.call("DELETE", "model/family")
    assert left.status_code == 200
    assert not list(engine.store.glob("pods/family-*"))


def test_what_is_left_over_is_removed_at_the_next_start(own_engine: EngineProcess) -> None:
    own_engine.running("kept", kernel())
    [pod] = own_engine.store.glob("pods/*")
    shutil.copytree(pod, pod.with_name("gone-20250101-000000-12345678"))
    own_engine.kill()
    own_engine.start()
    own_engine.wait_for("kept", "ready")
    until(lambda: os.listdir(own_engine.store / "pods") == [pod.name])
    assert own_engine.infer("kept").text == "fine"
