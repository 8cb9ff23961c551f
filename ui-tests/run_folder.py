"""The folders of one server: a copy of the examples, and an empty store."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True)
class RunFolder:
    """Where a server keeps what it makes."""

    folder: Path
    root: Path
    store: Path


def prepare() -> RunFolder:
    """Make the folders below ``EDI_UI_FOLDER``, with the examples in the server's root."""
    folder = Path(os.environ["EDI_UI_FOLDER"])
    run = RunFolder(folder, folder / "root", folder / "store")
    run.store.mkdir(parents=True, mode=0o700)
    shutil.copytree(
        EXAMPLES, run.root / "examples", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    broken = run.root / "broken" / "no-kernel"
    broken.mkdir(parents=True)
    (broken / "model.json").write_text('{"name": "no-kernel", "kernel_path": "kernel.py"}\n')
    return run
