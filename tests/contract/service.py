"""Deployments on the EDI that is judged: made under names of their own, and always removed."""

from __future__ import annotations

import contextlib
import io
import json
import secrets
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contract.wire import Answer, Wire

KERNELS = Path(__file__).parent / "kernels"
#: Files of a kernel's folder that are ours and not part of the submission.
OURS = frozenset(("expectation.json", "__pycache__"))
OCTETS = {"Content-Type": "application/octet-stream"}

Files = dict[str, bytes]


def kernel_files(kernel: str) -> Files:
    """Return the submission in ``kernels/<kernel>``: contents by relative path."""
    folder = KERNELS / kernel
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not OURS & set(path.relative_to(folder).parts)
    }


def archive(
    files: Mapping[str, bytes], *, top: str | None = "submission", gzip: bool = True
) -> bytes:
    """Return a tar of ``files``, below one top folder unless ``top`` is ``None``."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if gzip else "w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(f"{top}/{path}" if top else path)
            info.size = len(data)
            info.mtime = 1_600_000_000
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Service:
    """What tests do with an EDI.

    Parameters
    ----------
    wire:
        How to reach it.
    runtime:
        Put into every description.
    patience:
        Longest wait for a kernel, in seconds.
    """

    def __init__(self, wire: Wire, *, runtime: str, patience: float) -> None:
        self.wire = wire
        self.runtime = runtime
        self.patience = patience
        self.prefix = f"edi-contract-{secrets.token_hex(3)}-"
        self._made: list[str] = []
        self._runtimes: list[str] = []

    # --- making and removing ----------------------------------------------------------------

    def name(self, word: str) -> str:
        """Return a name that nobody else uses; it is removed at the end if it then exists."""
        name = f"{self.prefix}{word}-{secrets.token_hex(2)}"[:63].rstrip("-")
        self._made.append(name)
        return name

    def runtime_name(self, word: str) -> str:
        """Like :meth:`name`, for a runtime."""
        name = f"{self.prefix}{word}".replace("-", "")
        self._runtimes.append(name)
        return name

    def files(self, kernel: str, name: str, **description: Any) -> Files:
        """Return the files of ``kernel`` with ``name`` and other fields in its description."""
        files = kernel_files(kernel)
        document = {**json.loads(files["model.json"]), "name": name, "runtime": self.runtime}
        document.update(description)
        return {**files, "model.json": json.dumps(document).encode()}

    def deploy(self, kernel: str, *, more: Files | None = None, **description: Any) -> str:
        """Deploy ``kernel`` and return its name; the answer must be EDI's."""
        name = self.name(kernel)
        files = {**self.files(kernel, name, **description), **(more or {})}
        answer = self.send_package(archive(files, top=kernel))
        assert answer.status == 200, answer
        assert answer.json()["name"] == name
        return name

    def send_package(self, data: bytes) -> Answer:
        return self.wire.ask("POST", "deployment/model", body=data, headers=OCTETS)

    def remove(self, name: str) -> None:
        """Stop and delete ``name``, if it is there."""
        if not self.model(name).ok:
            return
        self.stop(name)
        self.wait(name, "disabled")
        self.until(lambda: self.delete(name).ok or not self.model(name).ok, f"{name} to be removed")

    def clean(self) -> None:
        """Remove all that was made, whatever a test has left it in; one failure stops no other."""
        failures: list[Exception] = []
        made, self._made = self._made, []
        for name in made:
            try:
                self.remove(name)
            except Exception as error:
                failures.append(error)
                self._made.append(name)  # tried again at the end of the run
        runtimes, self._runtimes = self._runtimes, []
        for name in runtimes:
            with contextlib.suppress(OSError):
                self.wire.ask("DELETE", f"deployment/runtime/{name}")
        if failures:
            raise ExceptionGroup("not removed", failures)

    def left_behind(self) -> list[str]:
        """Return the deployments of this run that are still there."""
        models = self.wire.ask("GET", "model").json()
        return [model["name"] for model in models if model["name"].startswith(self.prefix)]

    # --- EDI's verbs ------------------------------------------------------------------------

    def model(self, name: str) -> Answer:
        return self.wire.ask("GET", f"model/{name}")

    def start(self, name: str) -> Answer:
        return self.wire.ask("PUT", f"model/{name}/operation/start")

    def stop(self, name: str) -> Answer:
        return self.wire.ask("PUT", f"model/{name}/operation/stop")

    def delete(self, name: str) -> Answer:
        return self.wire.ask("DELETE", f"model/{name}")

    def instance(self, name: str) -> dict[str, Any]:
        answer = self.wire.ask("GET", f"model/{name}/instance")
        assert answer.status == 200, answer
        return answer.json()

    def containers(self, name: str) -> list[dict[str, Any]]:
        """Return the kernels of all replicas."""
        services = self.instance(name).get("instances") or []
        return [kernel for service in services for kernel in service.get("isd_container") or []]

    def profile(self, name: str) -> dict[str, Any]:
        answer = self.wire.ask("GET", f"model/{name}/appprofile")
        assert answer.status == 200, answer
        return answer.json()

    def put_profile(self, name: str, document: Any) -> Answer:
        return self.wire.ask("PUT", f"model/{name}/appprofile", document=document)

    def edit(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change fields of the profile by their dotted paths; only while stopped."""
        document = self.profile(name)
        for path, value in changes.items():
            *way, last = path.split(".")
            place = document
            for step in way:
                place = place[step]
            place[last] = value
        answer = self.put_profile(name, document)
        assert answer.ok, answer

    def infer(
        self,
        name: str,
        body: bytes | str,
        *,
        route: str = "as given",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request; ``route`` as the fixture of that name."""
        target = f"inference/{name}"
        if route == "application":
            # The same address to every reader; the engine's short way takes plain names only.
            target = f"inference/%{ord(name[0]):02x}{name[1:]}"
        return self.wire.ask(
            "POST",
            target,
            body=body,
            headers={"Content-Type": "application/json", **(headers or {})},
            timeout=timeout or self.patience + 30,
        )

    # --- waiting ----------------------------------------------------------------------------

    def until(self, condition: Callable[[], Any], what: str, seconds: float | None = None) -> Any:
        """Ask until ``condition`` returns something; fail with ``what`` when it takes too long."""
        deadline = time.monotonic() + (seconds or self.patience)
        pause = 0.01
        while True:
            found = condition()
            if found:
                return found
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0 if self.patience > 100 else 0.1)

    def wait(self, name: str, *states: str) -> dict[str, Any]:
        """Wait for a state of the instance."""
        return self.until(
            lambda: (found := self.instance(name))["state"] in states and found,
            f"{name} to be {' or '.join(states)}",
        )

    def wait_idle(self, name: str) -> None:
        """Wait until a kernel is ready."""
        self.until(
            lambda: any(kernel["container_status"] == "IDLE" for kernel in self.containers(name)),
            f"a kernel of {name}",
        )

    def running(self, kernel: str, profile: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Deploy, set the profile, start, and wait for a kernel."""
        name = self.deploy(kernel, **more)
        if profile:
            self.edit(name, profile)
        answer = self.start(name)
        assert answer.status == 200, answer
        self.wait_idle(name)
        return name
