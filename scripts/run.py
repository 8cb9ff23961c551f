"""Show the product: the demo on the embedded engine, then JupyterLab on a copy of `examples/`.

Run by `make run`. With a terminal on stdin JupyterLab opens and stays until Ctrl-C; without one
the command ends with the demo's exit status and says how to open the panel.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".scratch"


def main() -> int:
    """Run the demo; then JupyterLab, if somebody is there to use it."""
    status = subprocess.run([sys.executable, "scripts/demo.py"], cwd=ROOT, check=False).returncode
    if status:
        return status
    if not sys.stdin or not sys.stdin.isatty():
        print(
            "\nThe engine works. To open the panel, run `make run` in a terminal, or:\n"
            "    .venv/bin/jupyter lab examples",
            flush=True,
        )
        return 0
    return _open_jupyterlab()


def _open_jupyterlab() -> int:
    folder = _scratch_copy()
    port = _free_port()
    command = [
        str(ROOT / ".venv/bin/jupyter"),
        "lab",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    if not _has_display():
        command.append("--no-browser")
    environment = dict(os.environ, EDI_STORE=str(SCRATCH / "store"))
    print(
        f"\nJupyterLab opens on a scratch copy of examples/ ({folder.relative_to(ROOT)}).\n"
        "Right-click the folder `digits`, choose “Deploy to EDI…”, and send it a digit in the EDI\n"
        "sidebar. Ctrl-C ends it.\n",
        flush=True,
    )
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    except KeyboardInterrupt:
        # JupyterLab got the same Ctrl-C and has said good-bye already.
        return 0


def _scratch_copy() -> Path:
    folder = SCRATCH / "examples"
    # What a person changed in an earlier run stays; missing examples come back.
    shutil.copytree(
        ROOT / "examples",
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
        copy_function=_copy_if_missing,
    )
    return folder


def _copy_if_missing(source: str, target: str) -> None:
    if not Path(target).exists():
        shutil.copy2(source, target)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _has_display() -> bool:
    if sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
