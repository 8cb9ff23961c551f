"""The kernel host, in real processes: whatever a kernel file does, each task has one outcome."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edi_labext.serving.kernel import KERNEL_PATH
from edi_labext.serving.kernel.path._edi_host import frames

PREAMBLE = "import redhareapiversion\nfrom redhareapi import Kernel\n"
ECHO = """
class Echo(Kernel):
    def on_task_invoke(self, task_context):
        while task_context != None:
            task_context.set_output_data(task_context.get_input_data())
            task_context = task_context.next()
"""
RUN = "\nif __name__ == '__main__':\n    Echo().run()\n"


class HostedKernel:
    """A kernel process and the engine's end of its link."""

    def __init__(
        self, script: Path, interpreter: str = sys.executable, context: str = "{}", **environment
    ) -> None:
        self.link, theirs = socket.socketpair()
        self.link.settimeout(15)
        with theirs:
            self.process = subprocess.Popen(
                [
                    interpreter,
                    "-u",
                    str(KERNEL_PATH / "_edi_start.py"),
                    str(theirs.fileno()),
                    str(script),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(KERNEL_PATH), **environment},
                cwd=script.parent,
                start_new_session=True,
            )
        self._reader = frames.FrameReader(frames.FROM_KERNEL)
        self._pending: list[tuple[int, int, bytes]] = []
        self.reads: list[int] = []  #: frames per read, as the kernel wrote them
        payload = context.encode()
        self.send(frames.pack(frames.CONTEXT, 0, payload) + payload)

    def send(self, data: bytes) -> None:
        self.link.sendall(data)

    def frame(self) -> tuple[int, int, bytes] | None:
        """The next frame, or None at the end of the link."""
        while not self._pending:
            try:
                data = self.link.recv(1 << 20)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._pending = self._reader.feed(data)
            self.reads.append(len(self._pending))
        return self._pending.pop(0)

    def start(self) -> HostedKernel:
        kind, _, version = self.frame() or (0, 0, b"")
        assert kind == frames.HELLO
        assert version.split(b".")[0] == b"3"
        assert self.frame() == (frames.READY, 0, b""), self.end()
        return self

    def ask(self, *bodies: bytes, first: int = 1) -> list[tuple[int, bytes]]:
        """Send one batch; its outcomes as (kind, payload), checked to come in order."""
        data = b""
        for number, body in enumerate(bodies, first):
            kind = frames.TASK if number == first + len(bodies) - 1 else frames.TASK_MORE
            data += frames.pack(kind, number, body) + body
        self.send(data)
        outcomes = []
        for number in range(first, first + len(bodies)):
            frame = self.frame()
            assert frame is not None, self.end()
            assert frame[1] == number
            outcomes.append((frame[0], frame[2]))
        return outcomes

    def end(self) -> tuple[int, str, str]:
        """Wait for the process: exit code, stdout, stderr."""
        out, err = self.process.communicate(timeout=15)
        return self.process.returncode, out.decode(), err.decode()

    def shut_down(self) -> tuple[int, str, str]:
        self.send(frames.pack(frames.SHUTDOWN))
        return self.end()

    def destroy(self) -> None:
        self.link.close()
        self.process.kill()
        self.process.communicate()


Launch = Callable[..., HostedKernel]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    kernels: list[HostedKernel] = []

    def start(source: str, **options) -> HostedKernel:
        script = tmp_path / "kernel.py"
        script.write_text(PREAMBLE + textwrap.dedent(source))
        kernels.append(HostedKernel(script, **options))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.destroy()


def failure(code: str, words: str) -> tuple[int, bytes]:
    return frames.FAILED, f"{code}\n{words}".encode()


# --- every Python that a user may have -------------------------------------------------------


def interpreter(minor: int) -> str | None:
    """A working Python 3.``minor``: on the PATH, or one that pyenv has."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    readable = os.access(root, os.R_OK | os.X_OK)
    candidates = sorted(root.glob(f"versions/3.{minor}.*/bin/python3")) if readable else []
    found = shutil.which(f"python3.{minor}")
    for candidate in [*map(str, candidates), *([found] if found else [])]:
        question = [candidate, "-c", "import sys; print(sys.version_info[1])"]
        answer = subprocess.run(question, capture_output=True, text=True, check=False)
        if answer.stdout.strip() == str(minor):
            return candidate
    return None


@pytest.mark.parametrize("minor", range(8, 15))
def test_it_serves_in_every_python(minor: int, launch: Launch) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} here")
    kernel = launch(
        ECHO.replace(
            "task_context.set_output_data(",
            "assert task_context.get_input_data() != 'bad', 'it is bad'\n"
            "            task_context.set_output_data(",
        )
        + "    def on_kernel_shutdown(self):\n        self.log_info('bye')\n"
        + RUN,
        interpreter=python,
    ).start()
    assert kernel.ask(b"a", "é".encode()) == [(19, b"a"), (19, "é".encode())]
    assert kernel.ask(b"bad") == [failure("exception", "AssertionError: it is bad")]
    code, _, log = kernel.shut_down()
    assert code == 0
    assert "raised AssertionError" in log and "kernel.py" in log and "_edi_host" not in log
    assert log.endswith("I bye\n")


# --- the API --------------------------------------------------------------------------------


def test_contexts_tell_what_the_api_promises(launch: Launch) -> None:
    kernel = launch(
        """
        import json, os
        class K(Kernel):
            def on_kernel_start(self, kernel_context):
                self.context = kernel_context
                os.environ.clear()
            def on_task_invoke(self, c):
                k = self.context
                c.set_output_data(json.dumps([
                    json.loads(k.get_model_description())["model_path"], k.get_id(),
                    k.get_instance_id(), c.get_id(), c.get_uuid(), c.get_session_id(),
                    c.get_job_id(), str(c.get_version()), c.get_model_name(),
                    c.get_input_data_extend(), c.report_ready(None), c.next() == None,
                    c.prev() is None, c.set_output_data_extend("x"),
                ]))
        K().run()
        """,
        context='{"model_path": "/models/é"}',
        REDHARE_MODEL_NAME="digits",
        MSD_POD_NAME="edi-digits-1",
        TASK_JOB_ID="edi-digits",
    ).start()
    ((kind, payload),) = kernel.ask(b"in", first=41)
    assert kind == frames.ANSWER
    told = json.loads(payload)
    assert uuid.UUID(told[4]).version == 4
    assert told[4].endswith(f"{41:012x}")
    assert told[:4] == ["/models/é", "edi-digits-1", "edi-digits", "41"]
    assert told[6:] == ["edi-digits", "1", "digits", "in", True, True, True, True]


def test_a_subclass_need_not_call_the_base_and_needs_no_callback(launch: Launch) -> None:
    kernel = launch(
        """
        class K(Kernel):
            def __init__(self, model):
                self.model = model
        K("m").run()
        """
    ).start()
    assert kernel.ask(b"x") == [failure("no_output", "The kernel set no output for this task.")]
    assert kernel.shut_down()[0] == 0


def test_outputs_may_come_late_in_any_order_and_the_last_one_counts(launch: Launch) -> None:
    kernel = launch(
        """
        class K(Kernel):
            def on_task_invoke(self, c):
                batch = []
                while c != None:
                    batch.append(c)
                    c = c.next()
                assert [x.prev() for x in batch] == [None] + batch[:-1]
                for x in reversed(batch):
                    x.note = "contexts take attributes"
                    x.set_output_data("first")
                for x in batch[1:]:
                    assert x.set_output_data(x.get_input_data() * 2) is True
        K().run()
        """
    ).start()
    assert kernel.ask(b"a", b"b", b"c") == [(19, b"first"), (19, b"bb"), (19, b"cc")]


def test_the_answers_of_a_batch_leave_in_one_write_before_the_next_begins(launch: Launch) -> None:
    kernel = launch(
        """
        import os
        class K(Kernel):
            def on_task_invoke(self, c):
                if c.get_input_data() == "wait":
                    os.read(int(os.environ["GATE"]), 1)
                while c:
                    c.set_output_data("ok")
                    c = c.next()
        os.environ["GATE"] = str(os.open(os.environ["FIFO"], os.O_RDONLY))
        K().run()
        """,
        FIFO=(fifo := str(make_fifo())),
    )
    with open(fifo, "wb", buffering=0) as gate:
        kernel.start()
        wait = frames.pack(frames.TASK, 4, b"wait") + b"wait"
        kernel.send(b"".join(frames.pack(kind, n) for kind, n in ((2, 1), (2, 2), (1, 3))) + wait)
        kernel.reads.clear()
        assert [kernel.frame() for _ in range(3)] == [(19, n, b"ok") for n in (1, 2, 3)]
        assert kernel.reads == [3]
        gate.write(b"!")
        assert kernel.frame() == (19, 4, b"ok")
    shutil.rmtree(Path(fifo).parent)


def make_fifo() -> Path:
    path = Path(tempfile.mkdtemp()) / "gate"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    "body",
    [b"", b"\0", bytes(range(256)), "žluťoučký 🐎".encode(), b"\xed\xa0\x80", b"x" * 300_000],
)
def test_any_bytes_come_back_as_they_were(body: bytes, launch: Launch) -> None:
    kernel = launch(ECHO + RUN).start()
    assert kernel.ask(body) == [(frames.ANSWER, body)]


def test_bytes_are_accepted_and_other_types_are_refused_in_the_kernel(launch: Launch) -> None:
    kernel = launch(
        r"""
        class K(Kernel):
            def on_task_invoke(self, c):
                what = c.get_input_data()
                if what == "bytes":
                    c.set_output_data(b"\xff\x00")
                elif what == "caught":
                    try:
                        c.set_output_data({"a": 1})
                    except TypeError as error:
                        c.set_output_data(str(error))
                elif what == "surrogate":
                    c.set_output_data("ab\ud800")
                else:
                    c.set_output_data(None)
        K().run()
        """
    ).start()
    assert kernel.ask(b"bytes") == [(19, b"\xff\0")]
    assert kernel.ask(b"caught") == [
        (
            19,
            b"set_output_data takes text, not dict; turn the value into text first, "
            b"for example with json.dumps(value)",
        )
    ]
    ((kind, payload),) = kernel.ask(b"surrogate")
    assert kind == frames.FAILED
    assert payload.startswith(b"not_text\n") and b"character 2" in payload
    ((kind, payload),) = kernel.ask(b"none")
    assert payload.startswith(b"exception\nTypeError: set_output_data takes text, not NoneType")


def test_an_output_over_the_limit_fails_its_task_alone(launch: Launch) -> None:
    kernel = launch(
        f"""
        class K(Kernel):
            def on_task_invoke(self, c):
                c.set_output_data(b"x" * {frames.MAX_PAYLOAD + 1})
                c.next().set_output_data("small")
        K().run()
        """
    ).start()
    (kind, payload), small = kernel.ask(b"", b"")
    assert (kind, payload.partition(b"\n")[0]) == (frames.FAILED, b"too_large")
    assert small == (frames.ANSWER, b"small")


def test_a_context_used_after_its_batch_changes_nothing(launch: Launch) -> None:
    kernel = launch(
        """
        class K(Kernel):
            kept = None
            def on_task_invoke(self, c):
                if self.kept is None:
                    self.kept = c
                    c.set_output_data("first")
                else:
                    c.set_output_data(str(self.kept.set_output_data("late")))
        K().run()
        """
    ).start()
    assert kernel.ask(b"") == [(19, b"first")]
    assert kernel.ask(b"", first=2) == [(19, b"False")]
    assert "task 1: set_output_data was called after" in kernel.shut_down()[2]


@pytest.mark.parametrize(
    ("level", "letters"),
    [
        ("DEBUG", "DIWE"),
        (None, "IWE"),
        ("info", "IWE"),
        ("WARN", "WE"),
        ("ERROR", "E"),
        ("?", "IWE"),
    ],
)
def test_log_lines_go_to_stderr_by_level(level: str | None, letters: str, launch: Launch) -> None:
    kernel = launch(
        """
        class K(Kernel): pass
        K.log_debug("one"); Kernel.log_info("two é"); K.log(1, 3); K.log_error("four"); print("out")
        K().run()
        """,
        **({"DLIM_MK_LOG_LEVEL": level} if level else {}),
    ).start()
    _, out, log = kernel.shut_down()
    assert out == "out\n"
    lines = log.splitlines()
    assert "".join(line.split(": ", 1)[1][0] for line in lines) == letters
    assert lines[-1].endswith(": E four")
    assert len(lines[-1].split(": ", 1)[0]) == len("2024-01-31 12:00:00.000000")


# --- what goes wrong ------------------------------------------------------------------------


def test_an_exception_fails_what_has_no_output_and_the_kernel_goes_on(launch: Launch) -> None:
    kernel = launch(
        """
        class K(Kernel):
            def on_task_invoke(self, c):
                c.set_output_data("done before")
                c = c.next()
                raise ValueError("bad\\n  input")
        K().run()
        """
    ).start()
    expected = [(19, b"done before"), failure("exception", "ValueError: bad input")]
    assert kernel.ask(b"", b"") == expected
    assert kernel.ask(b"", b"", first=3) == expected
    code, _, log = kernel.shut_down()
    assert code == 0
    assert log.count("Traceback (most recent call last)") == 2
    assert "line 8, in on_task_invoke" in log
    assert "_edi_host" not in log and "runpy" not in log


@pytest.mark.parametrize(
    ("statement", "code", "reason"),
    [
        ("sys.exit(3)", 3, "SystemExit: 3"),
        ("sys.exit()", 0, "SystemExit"),
        ("raise KeyboardInterrupt('stop')", 1, "KeyboardInterrupt: stop"),
        ("raise GeneratorExit()", 1, "GeneratorExit"),
    ],
)
def test_what_ends_a_process_fails_the_batch_first(
    statement: str, code: int, reason: str, launch: Launch
) -> None:
    kernel = launch(
        f"""
        import sys
        class K(Kernel):
            def on_task_invoke(self, c):
                {statement}
            def on_kernel_shutdown(self):
                print("shutdown")
        try:
            K().run()
        finally:
            print("finally")
        """
    ).start()
    kernel.send(frames.pack(frames.TASK_MORE, 1) + frames.pack(frames.TASK, 2))
    assert kernel.frame() == (frames.ENDING, 0, b"")
    for number in (1, 2):
        kind, payload = failure("exception", reason)
        assert kernel.frame() == (kind, number, payload)
    assert kernel.frame() is None
    returncode, out, _ = kernel.end()
    assert (returncode, out) == (code, "shutdown\nfinally\n")


def test_an_exception_without_a_usable_message(launch: Launch) -> None:
    kernel = launch(
        """
        class Odd(Exception):
            def __str__(self): raise RuntimeError("no text")
        class K(Kernel):
            def on_task_invoke(self, c):
                if c.get_input_data(): raise Exception("x" * 5000)
                raise Odd()
        K().run()
        """
    ).start()
    assert kernel.ask(b"") == [failure("exception", "Odd: (its message cannot be shown)")]
    ((_, payload),) = kernel.ask(b"long")
    assert len(payload) < 600


@pytest.mark.parametrize(
    ("source", "reason", "code"),
    [
        ("x = 1\n", "the script ended without calling run()", 0),
        ("import no_such_module\n", "No module named 'no_such_module' (kernel.py, line 3)", 1),
        ("{}['é']\n", "KeyError: 'é' (kernel.py, line 3)", 1),
        ("def f(:\n", "SyntaxError", 1),
        ("import sys; sys.exit(4)\n", "SystemExit: 4 (kernel.py, line 3)", 4),
        ("import broken\n", "ZeroDivisionError: division by zero (broken.py, line 2)", 1),
        (
            "class K(Kernel):\n    def on_kernel_start(self, c):\n        open('/no/such/file')\n"
            "K().run()\n",
            "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file' "
            "(kernel.py, line 5)",
            1,
        ),
        (
            "class K(Kernel):\n    def on_kernel_start(self, c):\n        raise SystemExit(5)\n"
            "K().run()\n",
            "SystemExit: 5 (kernel.py, line 5)",
            5,
        ),
    ],
)
def test_a_kernel_that_cannot_start_says_why(
    source: str, reason: str, code: int, launch: Launch, tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("\n1 / 0\n")
    kernel = launch(source)
    assert (kernel.frame() or [0])[0] == frames.HELLO
    kind, _, payload = kernel.frame() or (0, 0, b"")
    assert kind == frames.START_FAILED
    assert reason in payload.decode()
    assert "\n" not in payload.decode()
    assert kernel.frame() is None
    returncode, _, log = kernel.end()
    assert returncode == code
    assert "_edi_" not in log and "runpy" not in log
    if code == 1:
        assert reason.partition(" (")[0].rpartition(":")[2] in log


def test_run_in_another_thread_is_a_start(launch: Launch) -> None:
    kernel = launch(ECHO + "import threading\nthreading.Thread(target=Echo().run).start()\n")
    kernel.start()
    assert kernel.ask(b"x") == [(19, b"x")]
    assert kernel.shut_down()[0] == 0


# --- the end --------------------------------------------------------------------------------

FAREWELL = """
class K(Kernel):
    def on_task_invoke(self, c):
        c.set_output_data("x")
    def on_kernel_shutdown(self):
        print("shutdown")
k = K()
k.run()
k.run()
print("returned")
"""


def test_shutdown_comes_once_after_what_was_sent_before(launch: Launch) -> None:
    kernel = launch(FAREWELL).start()
    kernel.send(frames.pack(frames.TASK, 1) + frames.pack(frames.TASK, 2))
    code, out, _ = kernel.shut_down()
    assert [kernel.frame(), kernel.frame()] == [(19, 1, b"x"), (19, 2, b"x")]
    assert (code, out) == (0, "shutdown\nreturned\n")


def test_the_end_of_the_link_is_a_shutdown(launch: Launch) -> None:
    kernel = launch(FAREWELL).start()
    kernel.link.close()
    code, out, _ = kernel.end()
    assert (code, out) == (0, "shutdown\nreturned\n")


def test_the_engine_gone_in_the_middle_of_a_task_is_a_shutdown(launch: Launch) -> None:
    kernel = launch(
        FAREWELL.replace('c.set_output_data("x")', 'c.set_output_data("x" * 1_000_000)')
    ).start()
    kernel.send(frames.pack(frames.TASK, 1))
    kernel.link.close()
    code, out, _ = kernel.end()
    assert (code, out) == (0, "shutdown\nreturned\n")


def test_bytes_that_are_no_frames_end_the_kernel_in_order(launch: Launch) -> None:
    kernel = launch(FAREWELL).start()
    kernel.send(b"GET / HTTP/1.1\r\n\r\n")
    code, out, log = kernel.end()
    assert (code, out) == (0, "shutdown\nreturned\n")
    assert "the engine sent no frame" in log


def test_an_exception_in_shutdown_is_logged_and_the_process_ends(launch: Launch) -> None:
    kernel = launch(FAREWELL.replace('print("shutdown")', "1 / 0")).start()
    code, out, log = kernel.shut_down()
    assert (code, out) == (0, "returned\n")
    assert "ZeroDivisionError" in log


def test_ctrl_c_in_the_terminal_of_the_engine_does_not_end_a_kernel(launch: Launch) -> None:
    kernel = launch(ECHO + RUN).start()
    kernel.process.send_signal(signal.SIGINT)
    assert kernel.ask(b"still here") == [(19, b"still here")]


# --- unusual kernels ------------------------------------------------------------------------


def test_a_stand_in_beside_the_kernel_file_is_not_used(launch: Launch, tmp_path: Path) -> None:
    for name in ("redhareapi", "redhareapiversion", "frames", "loop"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemError('{name} of the folder')\n")
    (tmp_path / "sibling.py").write_text("word = 'sibling'\n")
    kernel = launch(
        "import sys, os, sibling\n"
        "here = os.path.dirname(os.path.abspath(__file__))\n"
        "assert sys.argv == [os.path.join(here, 'kernel.py')], sys.argv\n"
        "assert sys.path[0] == here, sys.path\n" + ECHO + RUN
    )
    kernel.start()
    assert kernel.ask(b"x") == [(19, b"x")]


def test_the_kernel_may_patch_and_move_whatever_it_likes(launch: Launch) -> None:
    kernel = launch(
        """
        import os, sys, socket, time, signal, io, threading
        def broken(*args, **kwargs): raise RuntimeError("patched")
        for module in (os, socket, time):
            for name in ("read", "write", "close", "_exit", "socket", "time", "strftime", "sleep"):
                if hasattr(module, name):
                    setattr(module, name, broken)
        class K(Kernel):
            def on_task_invoke(self, c):
                self.log_info("still logging")
                if c.get_input_data() == "raise":
                    raise ValueError("x")
                c.set_output_data("ok")
        os.chdir("/"); os.environ.clear(); sys.path[:] = []; sys.argv[1:] = ['x']
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        sys.stdout = sys.stderr = io.StringIO()
        K().run()
        """
    ).start()
    assert kernel.ask(b"") == [(19, b"ok")]
    assert kernel.ask(b"raise", first=2) == [failure("exception", "ValueError: x")]
    code, out, log = kernel.shut_down()
    assert (code, out) == (0, "")
    assert "still logging" in log and "Traceback" in log


def test_prints_of_kernels_and_their_children_never_reach_the_link(launch: Launch) -> None:
    kernel = launch(
        """
        import os, subprocess, sys
        class K(Kernel):
            def on_task_invoke(self, c):
                print("printed")
                subprocess.run([sys.executable, "-c", "print('child')"], check=True)
                listing = "import os; print(len([f for f in os.listdir('/proc/self/fd')]))"
                c.set_output_data(subprocess.check_output([sys.executable, "-c", listing],
                                                          close_fds=False).decode().strip())
        K().run()
        """
    ).start()
    ((kind, payload),) = kernel.ask(b"")
    assert kind == frames.ANSWER
    assert int(payload) == 4  # 0, 1, 2 and the listing itself: the link is not inherited
    assert kernel.shut_down()[1] == "printed\nchild\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_works_in_a_kernel(method: str, launch: Launch) -> None:
    kernel = launch(
        f"""
        import multiprocessing
        def double(x): return 2 * x
        class K(Kernel):
            def on_task_invoke(self, c):
                with multiprocessing.get_context("{method}").Pool(2) as pool:
                    c.set_output_data(str(pool.map(double, [1, 2, 3])))
        if __name__ == "__main__":
            K().run()
        """
    ).start()
    assert kernel.ask(b"") == [(19, b"[2, 4, 6]")]
    assert kernel.ask(b"", first=2) == [(19, b"[2, 4, 6]")]


@pytest.mark.parametrize("ending", ["pass", "sys.exit(0)", "1 / 0"])
def test_a_fork_that_comes_back_answers_nothing(ending: str, launch: Launch) -> None:
    kernel = launch(
        f"""
        import os, sys
        class K(Kernel):
            def on_task_invoke(self, c):
                pid = os.fork()
                if not pid:
                    c.set_output_data("child")
                    {ending}
                else:
                    _, status = os.waitpid(pid, 0)
                    c.set_output_data("parent, child ended with %d" % (status >> 8))
            def on_kernel_shutdown(self):
                print("shutdown")
        K().run()
        """
    ).start()
    code = 1 if ending == "1 / 0" else 0
    for number in (1, 2):
        answer = f"parent, child ended with {code}".encode()
        assert kernel.ask(b"", first=number) == [(19, answer)]
    assert kernel.shut_down()[:2] == (0, "shutdown\n")


def test_a_child_that_stays_does_not_keep_the_link_open(launch: Launch) -> None:
    kernel = launch(
        """
        import os, subprocess
        class K(Kernel):
            def on_task_invoke(self, c):
                pid = os.fork()
                if not pid:
                    os.execvp("sleep", ["sleep", "30"])
                c.set_output_data(str(pid))
        K().run()
        """
    ).start()
    ((_, pid),) = kernel.ask(b"")
    kernel.process.kill()
    assert kernel.frame() is None
    os.kill(int(pid), signal.SIGKILL)


def test_a_crash_leaves_its_stack_in_the_log(launch: Launch) -> None:
    kernel = launch(
        """
        import os, signal
        class K(Kernel):
            def on_task_invoke(self, c):
                os.kill(os.getpid(), signal.SIGSEGV)
        K().run()
        """
    ).start()
    kernel.send(frames.pack(frames.TASK, 1))
    assert kernel.frame() is None
    code, _, log = kernel.end()
    assert code == -signal.SIGSEGV
    assert "Segmentation fault" in log and "in on_task_invoke" in log


def test_answers_larger_than_the_socket_and_a_slow_reader(launch: Launch) -> None:
    kernel = launch(ECHO + RUN).start()
    body = os.urandom(8 * 1024 * 1024)
    data = frames.pack(frames.TASK, 1, body) + body
    sender = threading.Thread(target=kernel.send, args=(data,))
    sender.start()
    assert kernel.frame() == (frames.ANSWER, 1, body)
    sender.join()


def test_without_an_engine_run_says_what_to_do(tmp_path: Path) -> None:
    script = tmp_path / "kernel.py"
    script.write_text(PREAMBLE + "Kernel().run()\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(KERNEL_PATH)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "deploy the folder instead" in done.stderr


def test_a_start_imports_little() -> None:
    heavy = {"socket", "json", "traceback", "typing", "re", "asyncio", "threading", "logging"}
    code = (
        "import sys; before = set(sys.modules); "
        f"sys.path.insert(0, {str(KERNEL_PATH)!r}); "
        "import atexit, faulthandler, runpy, signal, redhareapi, redhareapiversion; "
        "from _edi_host import loop; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert not heavy & set(done.stdout.split()), done.stdout
