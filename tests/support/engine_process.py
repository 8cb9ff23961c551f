"""The real engine as a process, driven over HTTP with the standard library of the field."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import requests

README = "# Test\n"
ECHO = """
import redhareapiversion
from redhareapi import Kernel


class EchoKernel(Kernel):
    def on_task_invoke(self, task_context):
        while task_context != None:
            task_context.set_output_data(task_context.get_input_data())
            task_context = task_context.next()


if __name__ == "__main__":
    EchoKernel().run()
"""


def package(name: str, kernel: str = ECHO, **more_files: str) -> bytes:
    """Return a tar.gz of a submission with one top folder."""
    files = {
        "kernel.py": kernel,
        "model.json": json.dumps({"name": name, "kernel_path": "kernel.py", "tag": "t"}),
        "README.md": README,
        **more_files,
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class EngineProcess:
    """``python -m edi_labext.serving`` on a store of its own.

    ``prefix`` is a command before that command.
    """

    prefix: tuple[str, ...] = ()

    def __init__(self, store: Path, *options: str) -> None:
        self.store = store
        self.options = options
        self.log = store.parent / f"{store.name}.log"
        self.session = requests.Session()
        self.session.trust_env = False
        self.start()

    def new_session(self) -> requests.Session:
        """Another client, for another thread."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update(self.session.headers)
        return session

    def start(self) -> None:
        command = [
            *self.prefix,
            sys.executable,
            "-m",
            "edi_labext.serving",
            "--store",
            str(self.store),
        ]
        self.command = [*command, *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        self.greet()

    def greet(self) -> None:
        """Read the ready line."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.ready_line: dict[str, Any] = json.loads(line)
        self.base = self.ready_line["rest_server"]
        self.token = self.seen(self.ready_line["token_file"]).read_text().strip()
        self.session.headers["X-Auth-Token"] = self.token

    def seen(self, path: str) -> Path:
        """Return where the engine's ``path`` is to be found by us."""
        return Path(path)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            assert self.process.stdout
            self.process.stdout.close()

    # --- EDI's verbs ---

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 20)
        return self.session.request(method, self.base + path, **options)

    def deploy(self, name: str, kernel: str = ECHO, **more_files: str) -> requests.Response:
        return self.call(
            "POST",
            "deployment/model",
            data=package(name, kernel, **more_files),
            headers={"Content-Type": "application/octet-stream"},
        )

    def start_model(self, name: str) -> requests.Response:
        return self.call("PUT", f"model/{name}/operation/start")

    def stop_model(self, name: str) -> requests.Response:
        return self.call("PUT", f"model/{name}/operation/stop")

    def infer(self, name: str, body: str | bytes = "{}", **options: Any) -> requests.Response:
        return self.call("POST", f"inference/{name}", data=body, **options)

    def instance(self, name: str) -> dict[str, Any]:
        return self.call("GET", f"model/{name}/instance").json()

    def containers(self, name: str) -> list[str]:
        """Ids of the kernels that take tasks."""
        [service] = self.instance(name)["instances"]
        return [container["container_uid"] for container in service["isd_container"]]

    def status(self, name: str) -> dict[str, Any]:
        url = self.base.replace("/dlim/v1/", f"/edi/v1/model/{name}/status")
        return self.session.get(url, timeout=20).json()

    def wait_for(self, name: str, *states: str, seconds: float = 15) -> dict[str, Any]:
        """Ask for the status until it is one of ``states``."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status(name)
            if status.get("state") in states:
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.02)

    def running(self, name: str, kernel: str = ECHO, **more_files: str) -> None:
        """Deploy, start and wait until it is ready."""
        assert self.deploy(name, kernel, **more_files).status_code == 200
        assert self.start_model(name).status_code == 200
        self.wait_for(name, "ready")

    def kernel_pids(self) -> set[int]:
        """Process numbers of all kernels of this engine, by their environment."""
        marker = f"REDHARE_TOP={self.store}/".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if marker in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
        return found
