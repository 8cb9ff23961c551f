"""The folders of one test run: a copy of the examples, and an empty store."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True)
class RunFolder:
    """Where one server of the run keeps what it makes."""

    folder: Path
    root: Path
    store: Path


def prepare(server: str) -> RunFolder:
    """Make the folders of one server below the run's, with the examples in its root."""
    folder = Path(os.environ["EDI_UI_RUN"]) / server
    run = RunFolder(folder, folder / "root", folder / "store")
    run.store.mkdir(parents=True, mode=0o700)
    shutil.copytree(
        EXAMPLES, run.root / "examples", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    broken = run.root / "broken" / "no-kernel"
    broken.mkdir(parents=True)
    (broken / "model.json").write_text('{"name": "no-kernel", "kernel_path": "kernel.py"}\n')
    return run
