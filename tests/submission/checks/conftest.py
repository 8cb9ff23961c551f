from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

#: Path in the folder → content; ``None`` leaves a file out.
Files = Mapping[str, str | bytes | None]
MakeSubmission = Callable[..., Path]

MODEL = b'{\n  "name": "digits",\n  "kernel_path": "kernel.py",\n  "schema_version": "1"\n}\n'
README = '# Digits\n\n```json\n{"image": []}\n```\n'
KERNEL = '''"""Answers with what it was sent."""

import redhareapiversion
from redhareapi import Kernel


class Echo(Kernel):
    def on_kernel_start(self, kernel_context):
        self.description = kernel_context.get_model_description()

    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data(task_context.get_input_data())
            task_context = task_context.next()


if __name__ == "__main__":
    Echo().run()
'''


def write(folder: Path, files: Files) -> Path:
    """Write a submission folder; without ``files``, one that has no findings."""
    folder.mkdir(parents=True)
    content: dict[str, str | bytes | None] = {
        "model.json": MODEL,
        "README.md": README,
        "kernel.py": KERNEL,
        **files,
    }
    for path, data in content.items():
        if data is not None:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


@pytest.fixture
def make(tmp_path: Path) -> MakeSubmission:
    return lambda files=None, **more: write(tmp_path / "digits", {**(files or {}), **more})
