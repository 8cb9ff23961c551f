"""``edi check``: its lines, its JSON, its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_labext.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
KERNEL = """
from redhareapi import Kernel

class Echo(Kernel):
    def on_kernal_start(self, kernel_context):
        pass

    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data(task_context.get_input_data())
            task_context = task_context.next()

Echo().run()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A submission with one error, one warning, and something that is left out."""
    made = tmp_path / "echo"
    made.mkdir()
    (made / "model.json").write_text('{"name": "echo", "kernel_path": "kernel.py"}\n')
    (made / "README.md").write_text("```json\n{}\n```\n")
    (made / "kernel.py").write_text(KERNEL)
    (made / ".git").mkdir()
    return made


def edi(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


def test_a_good_folder() -> None:
    result = edi(EXAMPLES / "digits")
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing found in ")


def test_errors_are_lines_with_place_and_code(folder: Path) -> None:
    result = edi(folder)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == (
        'model.json:1:1 warning schema-version schema_version is missing; it should be "1".'
    )
    at = next(number for number, line in enumerate(lines) if line.startswith("kernel.py"))
    assert lines[at : at + 4] == [
        "kernel.py:5:5 error kernel-hook-misspelt EDI has no hook on_kernal_start; "
        "on_kernel_start is probably meant.",
        "    why: EDI calls hooks by name, so this method is never called.",
        "    hint: Rename it to on_kernel_start.",
        "    fix available: Rename to on_kernel_start",
    ]
    assert lines[-2] == "1 error, 1 warning (2 can be mended with --fix) in 3 files."
    assert lines[-1] == "Left out: .git/ (version control)."
    assert result.stderr == ""


def test_warnings_alone_end_with_0(folder: Path) -> None:
    (folder / "kernel.py").write_text(KERNEL.replace("kernal", "kernel"))
    result = edi(folder)
    assert result.exit_code == 0
    assert "1 warning (1 can be mended with --fix) in 3 files." in result.stdout


def test_json_has_everything(folder: Path) -> None:
    result = edi(folder, "-o", "json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["name"], document["errors"], document["warnings"]) == ("echo", 1, 1)
    assert document["folder"] == str(folder)
    assert document["files"] == 3
    assert document["total_size"] > 0
    assert document["ignored"] == [{"path": ".git/", "reason": "version control"}]
    error = document["findings"][1]
    assert set(error) == {
        *("code", "severity", "file", "line", "column"),
        *("message", "why", "hint", "field", "fix"),
    }
    assert (error["file"], error["line"], error["column"]) == ("kernel.py", 5, 5)
    assert set(error["fix"]) == {"id", "title", "description"}


def test_fix_mends_what_can_be_mended(folder: Path) -> None:
    result = edi(folder, "--fix")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "Mended model.json:1:1: Set schema_version to '1'.",
        "Mended kernel.py:5:5: Rename to on_kernel_start.",
    ]
    assert result.stdout.startswith("Nothing found in 3 files.")
    assert (folder / "kernel.py").read_text() == KERNEL.replace("kernal", "kernel")


def test_without_fix_nothing_is_written(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    edi(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["one", "two"],
        ["nowhere"],
        [__file__],
        [".", "-o", "xml"],
        [".", "-o", "json", "-o", "text"],
        [".", "--fixx"],
    ],
)
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    result = edi(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_file_names_cannot_talk_to_the_terminal(folder: Path) -> None:
    (folder / "\x1b[2Jred\nkernel.py:1:1 error x").touch()
    result = edi(folder)
    assert "\x1b" not in result.stdout
    assert not any(line.startswith("kernel.py:1:1") for line in result.stdout.splitlines())
    json.loads(edi(folder, "-o", "json").stdout)


def test_the_faulty_example_is_mended_by_fix(tmp_path: Path) -> None:
    copy = tmp_path / "faulty"
    shutil.copytree(EXAMPLES / "faulty", copy)
    assert edi(copy).exit_code == 1
    assert edi(copy, "--fix").exit_code == 0
