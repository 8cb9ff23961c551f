from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MakeFolder = Callable[..., Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Write a submission folder; ``None`` as content leaves a file out."""

    def make(files: dict[str, str | bytes | None] | None = None) -> Path:
        folder = tmp_path / "submission"
        content: dict[str, str | bytes | None] = {
            "model.json": '{"name": "digits", "kernel_path": "kernel.py"}',
            "README.md": "# Digits\n",
            "kernel.py": "pass\n",
            **(files or {}),
        }
        folder.mkdir()
        for path, data in content.items():
            if data is not None:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data if isinstance(data, bytes) else data.encode())
        return folder

    return make
