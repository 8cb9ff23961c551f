"""The servers that are compared: each a process of its own that answers the same ping-pong."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BODY = b'{"data":"xxxxx","seq":1}'
ANSWER = {"data": "xxxxx", "seq": 1}
#: Longest wait for a first answer, in seconds.
_PATIENCE = 60.0

KERNEL = """
import json
import redhareapiversion
from redhareapi import Kernel


class PingPong(Kernel):
    def on_task_invoke(self, task_context):
        while task_context != None:
            value = json.loads(task_context.get_input_data())
            task_context.set_output_data(json.dumps(value))
            task_context = task_context.next()


if __name__ == "__main__":
    PingPong().run()
"""


@dataclass(frozen=True)
class Contestant:
    """A server that runs.

    Attributes
    ----------
    name:
        For the table.
    url, headers:
        Where and how it is asked.
    pid:
        Its first process; those below it count too.
    """

    name: str
    url: str
    headers: dict[str, str]
    pid: int

    def ask(self) -> object:
        """Return the answer to one request."""
        request = urllib.request.Request(self.url, BODY, self.headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_PATIENCE) as response:
            return json.load(response)

    def cpu(self) -> float:
        """Return the CPU seconds of all its processes so far; none of them may have ended."""
        ticks = os.sysconf("SC_CLK_TCK")
        return sum(sum(_stat(pid)[11:13]) for pid in _tree(self.pid)) / ticks


def _stat(pid: int) -> list[int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]


def _tree(top: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = _stat(int(entry.name))[1]
            except OSError:
                continue
    found = [top]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


@contextmanager
def engine(python: str = sys.executable, name: str = "engine") -> Iterator[Contestant]:
    """Run the serving engine of ``python``'s edi_labext with one kernel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "edi_labext.serving", "--store", f"{folder}/store"]
        process = subprocess.Popen(
            command,
            # Not here: "-m" would take the edi_labext of this checkout for that of any Python.
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with _ended(process):
            assert process.stdout
            ready = json.loads(process.stdout.readline())
            token = Path(ready["token_file"]).read_text().strip()
            root, headers = ready["rest_server"], {"X-Auth-Token": token}
            for method, path, data in (
                ("POST", "deployment/model", _package()),
                ("PUT", "model/pingpong/operation/start", b""),
            ):
                request = urllib.request.Request(root + path, data, headers, method=method)  # noqa: S310
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
            url = f"{root}inference/pingpong"
            yield _answering(Contestant(name, url, headers, process.pid))


@contextmanager
def script(name: str, python: str, file: str, path: str) -> Iterator[Contestant]:
    """Run ``file PORT`` beside this file with another Python."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [python, str(HERE / file), str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    headers = {"Content-Type": "application/json"}
    with _ended(process, group=True):
        url = f"http://127.0.0.1:{port}{path}"
        yield _answering(Contestant(name, url, headers, process.pid))


def _answering(contestant: Contestant) -> Contestant:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            answer = contestant.ask()
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    assert answer == ANSWER, (contestant.name, answer)
    return contestant


@contextmanager
def _ended(process: subprocess.Popen[bytes], *, group: bool = False) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        finally:
            if group:
                try:  # noqa: SIM105
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            process.kill()
            process.wait()


def _package() -> bytes:
    out = io.BytesIO()
    description = {"name": "pingpong", "kernel_path": "kernel.py", "schema_version": "1"}
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in {
            "kernel.py": KERNEL,
            "model.json": json.dumps(description),
            "README.md": "# Ping-pong\n",
        }.items():
            info = tarfile.TarInfo(path)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()
