from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edi_labext.errors import InvalidInput, NotFound, TooLarge
from edi_labext.submission import Submission, inspect
from edi_labext.submission import folder as folder_module
from edi_labext.submission import tree as tree_module

MakeFolder = Callable[..., Path]


def paths(submission: Submission) -> list[str]:
    return [file.path for file in submission.files]


def codes(submission: Submission) -> list[str]:
    return [problem.code for problem in submission.problems]


def test_a_good_folder_has_everything_and_no_problems(make_folder: MakeFolder) -> None:
    folder = make_folder({"weights/w.bin": b"\0" * 10, "weights/b.bin": b"\0" * 5})
    (folder / "empty").mkdir()
    found = inspect(folder)
    assert found.problems == ()
    assert paths(found) == [
        "README.md",
        "kernel.py",
        "model.json",
        "weights/b.bin",
        "weights/w.bin",
    ]
    assert found.folders == ("empty", "weights")
    assert found.readme == "# Digits\n"
    assert found.total_size == sum(file.size for file in found.files)
    assert found.require_deployable().name == "digits"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as raised:
        inspect(tmp_path / "nowhere")
    assert raised.value.code == "folder_not_found"


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidInput) as raised:
            inspect(path)
        assert raised.value.code == "not_a_folder"


def test_an_empty_folder_lacks_both_required_files(tmp_path: Path) -> None:
    found = inspect(tmp_path)
    assert [(problem.code, problem.path) for problem in found.problems] == [
        ("missing_file", "model.json"),
        ("missing_file", "README.md"),
    ]


@pytest.mark.parametrize(
    ("model_json", "code"),
    [
        (b"", "invalid_json"),
        (b"  \n", "invalid_json"),
        (b'{"name": "a", }', "invalid_json"),
        (b"{'name': 'a'}", "invalid_json"),
        (b'{"name": "a"} // no', "invalid_json"),
        ('{"name": "a"}'.encode("utf-16"), "not_utf8"),
        ('{"name": "\xe4"}'.encode("latin-1"), "not_utf8"),
        (b"[]", "expected_object"),
        (b"null", "expected_object"),
        (b'{"name": "a", "name": "b", "kernel_path": "kernel.py"}', "duplicate_key"),
        (b'{"name": "a", "kernel_path": "kernel.py", "x": NaN}', "invalid_number"),
        (b'{"name": "a", "kernel_path": "kernel.py", "x": 1e999}', "invalid_number"),
        (b'{"x": ' + b"9" * 5000 + b"}", "invalid_number"),
        (b"[" * 100_000, "too_deep"),
        (b'{"x": "' + b" " * (1 << 20) + b'"}', "file_too_large"),
        (b'{"name": "\\ud800", "kernel_path": "kernel.py"}', "invalid_text"),
        (b'{"kernel_path": "kernel.py"}', "missing_field"),
        (b'{"name": null, "kernel_path": "kernel.py"}', "missing_field"),
        (b'{"name": 3, "kernel_path": "kernel.py"}', "invalid_field"),
        (b'{"name": "Digits!", "kernel_path": "kernel.py"}', "invalid_name"),
        (b'{"name": "a"}', "missing_field"),
        (b'{"name": "a", "kernel_path": "other.py"}', "kernel_not_found"),
        (b'{"name": "a", "kernel_path": "../k.py"}', "path_outside"),
        (b'{"name": "a", "kernel_path": "/etc/k.py"}', "path_outside"),
        (b'{"name": "a", "kernel_path": "kernel.py", "schema_version": "2"}', "invalid_field"),
    ],
)
def test_a_wrong_model_json_is_one_problem(
    make_folder: MakeFolder, model_json: bytes, code: str
) -> None:
    assert codes(inspect(make_folder({"model.json": model_json}))) == [code]


def test_a_byte_order_mark_is_accepted(make_folder: MakeFolder) -> None:
    text = b'\xef\xbb\xbf{"name": "a", "kernel_path": "./kernel.py"}'
    assert inspect(make_folder({"model.json": text})).problems == ()


def test_a_model_json_elsewhere_is_pointed_at(make_folder: MakeFolder) -> None:
    found = inspect(make_folder({"model.json": None, "sub/model.json": "{}"}))
    assert codes(found) == ["missing_file"]
    assert "'sub/model.json'" in str(found.problems[0].hint)


def test_a_readme_in_other_letters_is_pointed_at(make_folder: MakeFolder) -> None:
    found = inspect(make_folder({"README.md": None, "readme.md": "x"}))
    assert [problem.hint for problem in found.problems] == ["Rename 'readme.md' to README.md."]


def test_a_kernel_that_is_a_folder(make_folder: MakeFolder) -> None:
    found = inspect(make_folder({"kernel.py": None, "kernel.py/x": "x"}))
    assert [(problem.code, problem.hint) for problem in found.problems] == [
        ("kernel_not_found", "It is a folder.")
    ]


def test_a_needed_file_that_is_left_out_says_why(make_folder: MakeFolder) -> None:
    found = inspect(make_folder({".ediignore": "# weights\n*.md\n"}))
    assert [(problem.code, problem.hint) for problem in found.problems] == [
        ("missing_file", "It is left out: line 2 of .ediignore.")
    ]


def test_a_huge_readme_is_too_large(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "MAX_README_BYTES", 3)
    found = inspect(make_folder())
    assert codes(found) == ["file_too_large"]
    with pytest.raises(TooLarge):
        found.require_deployable()


def test_a_readme_of_bytes_is_shown_escaped(make_folder: MakeFolder) -> None:
    found = inspect(make_folder({"README.md": b"caf\xe9"}))
    assert found.problems == ()
    assert found.readme == "caf\\xe9"


def test_links(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder({"weights/real.bin": b"123", ".env": "SECRET=1"})
    (tmp_path / "outside.txt").write_text("outside")
    (tmp_path / "submission-twin").mkdir()
    (tmp_path / "submission-twin" / "x").write_text("twin")
    (folder / "inside.bin").symlink_to("weights/real.bin")
    (folder / "absolute.bin").symlink_to(folder / "weights" / "real.bin")
    (folder / "sneaky").symlink_to(".env")
    (folder / "up").symlink_to("../outside.txt")
    (folder / "twin").symlink_to("../submission-twin/x")
    (folder / "broken").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "directory").symlink_to("weights")
    (folder / "etc").symlink_to("/etc")
    found = inspect(folder)
    assert {problem.path: problem.code for problem in found.problems} == {
        "up": "link_outside",
        "twin": "link_outside",
        "etc": "link_outside",
        "broken": "broken_link",
        "loop": "broken_link",
        "directory": "link_to_folder",
    }
    sources = {file.path: (file.source, file.size) for file in found.files}
    assert sources["inside.bin"] == sources["absolute.bin"] == ("weights/real.bin", 3)
    assert {entry.path for entry in found.ignored} >= {"sneaky", ".env"}
    assert "sneaky" not in sources


def test_a_kernel_that_is_a_link_outside(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder({"kernel.py": None})
    (tmp_path / "k.py").write_text("pass")
    (folder / "kernel.py").symlink_to(tmp_path / "k.py")
    assert "link_outside" in codes(inspect(folder))


@pytest.mark.timeout(5)
def test_special_files_are_named_and_never_opened(make_folder: MakeFolder) -> None:
    folder = make_folder()
    os.mkfifo(folder / "pipe")
    # The name of a socket is limited to about 100 bytes, so it is made elsewhere and moved.
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(short / "s"))
    (short / "s").rename(folder / "socket")
    shutil.rmtree(short)
    found = inspect(folder)
    assert [(problem.code, problem.path) for problem in found.problems] == [
        ("special_file", "pipe"),
        ("special_file", "socket"),
    ]


@pytest.mark.timeout(5)
def test_required_files_that_are_pipes_do_not_block(make_folder: MakeFolder) -> None:
    folder = make_folder({"model.json": None, "README.md": None})
    for name in ("model.json", "README.md", ".ediignore"):
        os.mkfifo(folder / name)
    assert codes(inspect(folder)) == ["invalid_ignore_file", "special_file", "special_file"]


def test_names_that_cannot_be_sent(make_folder: MakeFolder) -> None:
    folder = make_folder()
    for name in (b"line\nbreak", b"back\\slash", b"latin-\xe9"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"x")
    found = inspect(folder)
    assert codes(found) == ["invalid_path"] * 3
    for problem in found.problems:
        # Everything has to survive on its way to a browser.
        (problem.message + str(problem.path)).encode()


def test_twins_by_case_and_by_accents(make_folder: MakeFolder) -> None:
    folder = make_folder({"Data.bin": "1", "data.bin": "2", "e\u0301.txt": "3", "\xe9.txt": "4"})
    assert codes(inspect(folder)) == ["duplicate_path"] * 2


def test_limits(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder({f"many/{number}": "x" for number in range(20)})
    monkeypatch.setattr(tree_module, "MAX_ENTRIES", 10)
    assert codes(inspect(folder))[-1] == "too_many_files"
    monkeypatch.setattr(tree_module, "MAX_ENTRIES", 1000)
    monkeypatch.setattr(tree_module, "MAX_TOTAL_SIZE", 20)
    found = inspect(folder)
    assert codes(found) == ["file_too_large"]
    monkeypatch.setattr(tree_module, "MAX_TOTAL_SIZE", 60)
    assert codes(inspect(folder)) == ["too_large"]
    monkeypatch.setattr(tree_module, "MAX_TOTAL_SIZE", 1000)
    monkeypatch.setattr(tree_module, "MAX_DEPTH", 1)
    assert codes(inspect(folder)) == ["too_deep"]


def test_a_sparse_giant_is_too_large_and_not_read(make_folder: MakeFolder) -> None:
    folder = make_folder()
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(3 << 30)
    found = inspect(folder)
    assert [(problem.code, problem.path) for problem in found.problems] == [
        ("file_too_large", "weights.bin")
    ]


def test_what_cannot_be_read_is_named(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder({"locked.bin": "x"})
    # root may read everything, so the question is answered here instead of by the kernel.
    monkeypatch.setattr(os, "access", lambda path, *_, **__: path != "locked.bin")
    assert [(problem.code, problem.path) for problem in inspect(folder).problems] == [
        ("unreadable", "locked.bin")
    ]


def test_several_problems_are_all_listed(make_folder: MakeFolder) -> None:
    folder = make_folder({"README.md": None, "kernel.py": None})
    with pytest.raises(InvalidInput) as raised:
        inspect(folder).require_deployable()
    assert raised.value.code == "invalid_submission"
    assert "2 problems" in raised.value.message
    assert len(str(raised.value.detail).splitlines()) == 2
