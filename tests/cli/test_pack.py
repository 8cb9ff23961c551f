"""``edi pack``, and where it may write (bad input 119)."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import CommandLine

Folder = Callable[[str], Path]
FILES = ["packed/README.md", "packed/kernel.py", "packed/model.json"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Folder) -> Path:
    folder("packed")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_of(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return sorted(member.name for member in archive if member.isfile())


def test_a_package_is_what_a_deploy_would_send(alone: CommandLine, here: Path) -> None:
    result = alone("pack", "packed")
    data = (here / "packed.tgz").read_bytes()
    assert (result.exit_code, result.stdout) == (
        0,
        f"{hashlib.sha256(data).hexdigest()}  packed.tgz\n",
    )
    assert files_of(data) == FILES
    assert not alone.store.exists(), "an engine was started for it"
    assert alone("pack", "packed", "-o", "again.tgz").exit_code == 0
    assert (here / "again.tgz").read_bytes() == data


def test_a_package_on_stdout(alone: CommandLine, here: Path) -> None:
    done = subprocess.run(
        alone.command("pack", "packed", "-o", "-"), env=alone.environment(), capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert files_of(done.stdout) == FILES


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("taken", "there already"),
        ("folder", "is a folder"),
        ("link", "there already"),
        ("dangling", "there already"),
        ("missing/out.tgz", "does not exist"),
        ("taken/out.tgz", "does not exist"),
    ],
)
def test_where_nothing_may_be_written(
    alone: CommandLine, here: Path, target: str, said: str
) -> None:
    (here / "taken").write_text("mine")
    (here / "folder").mkdir()
    (here / "link").symlink_to("taken")
    (here / "dangling").symlink_to("nowhere")
    before = sorted(os.listdir(here))
    result = alone("pack", "packed", "-o", target)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert sorted(os.listdir(here)) == before
    assert (here / "taken").read_text() == "mine"


def test_a_file_is_replaced_only_when_told_to_and_through_links(
    alone: CommandLine, here: Path
) -> None:
    (here / "taken").write_text("mine")
    (here / "link").symlink_to("taken")
    assert alone("pack", "packed", "-o", "link", "-f").exit_code == 0
    assert (here / "link").is_symlink()
    assert files_of((here / "taken").read_bytes()) == FILES
    assert stat.S_IMODE((here / "taken").stat().st_mode) & 0o111 == 0


def test_a_full_disk_leaves_nothing(
    alone: CommandLine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", lambda handle, mode: full(handle))
    before = sorted(os.listdir(here))
    result = alone("pack", "packed")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No space left on device" in result.stderr
    assert sorted(os.listdir(here)) == before


def test_a_folder_that_cannot_be_packed(alone: CommandLine, here: Path) -> None:
    (here / "packed" / "kernel.py").unlink()
    result = alone("pack", "packed")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "kernel.py" in result.stderr
    assert not (here / "packed.tgz").exists()
