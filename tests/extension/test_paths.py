"""T16: a contents path never leaves the root directory."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.contents.manager import ContentsManager

from edi_labext.errors import InvalidInput, NotFound
from edi_labext.extension.paths import resolve_folder


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "a b" / "dïgits").mkdir(parents=True)
    (root / ".hidden" / "inner").mkdir(parents=True)
    (root / "visible" / ".inner").mkdir(parents=True)
    (root / "file.txt").write_text("x")
    (tmp_path / "root-secret").mkdir()
    (root / "out").symlink_to(tmp_path / "root-secret")
    (root / "out-missing").symlink_to(tmp_path / "nothing-here")
    (root / "in").symlink_to(root / "a b")
    (root / "to-hidden").symlink_to(root / ".hidden" / "inner")
    (root / "loop").symlink_to(root / "loop")
    return root


@pytest.fixture(params=[FileContentsManager, AsyncLargeFileManager])
def contents(request, root):
    return request.param(root_dir=str(root))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "."),
        ("a b", "a b"),
        ("a b/", "a b"),
        ("a b/dïgits", "a b/dïgits"),
        ("in/dïgits", "a b/dïgits"),
        ("RTC:a b/dïgits", "a b/dïgits"),
        ("RTC:/a b", "a b"),
        ("RTC:", "."),
        ("RTC:/", "."),
    ],
)
def test_a_folder_below_the_root_is_found(contents, root, path, expected):
    assert resolve_folder(contents, path) == (root / expected).resolve()


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../root-secret",
        "a b/../../root-secret",
        "a b/..",
        "/etc",
        "//etc",
        "/",
        "a b//",
        "a b//dïgits",
        "./a b",
        "RTC:../root-secret",
        "RTC:a b/../..",
        "RTC://etc",
        "a\0b",
        "out",
        "out/x",
        "out-missing",
        "out-missing/x",
    ],
)
def test_a_path_that_leaves_the_root_is_refused(contents, path):
    with pytest.raises(InvalidInput) as refused:
        resolve_folder(contents, path)
    assert refused.value.code == "path_outside"
    assert refused.value.field == "path"


def test_words_alone_refuse_before_the_disk_is_touched(contents, monkeypatch):
    touched = []
    real = os.lstat
    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lambda path, **more: touched.append(path) or real(path, **more))
        for path in ("../root-secret", "/root-secret", "a/../../root-secret", "RTC:../root-secret"):
            with pytest.raises(InvalidInput):
                resolve_folder(contents, path)
        assert touched == []
        resolve_folder(contents, "a b")
        assert touched


def test_a_link_out_tells_nothing_about_what_is_there(contents):
    def said(path: str) -> str:
        with pytest.raises(InvalidInput) as refused:
            resolve_folder(contents, path)
        return refused.value.message.replace(path, "")

    assert said("out") == said("out-missing")


@pytest.mark.parametrize("path", ["nothing", "file.txt/x", "x" * 300, "loop/x"])
def test_what_is_not_there_is_not_found(contents, path):
    with pytest.raises(NotFound) as missing:
        resolve_folder(contents, path)
    assert missing.value.code == "no_such_folder"


def test_a_file_is_not_a_folder(contents):
    with pytest.raises(InvalidInput) as refused:
        resolve_folder(contents, "file.txt")
    assert refused.value.code == "not_a_folder"


@pytest.mark.parametrize("path", [".hidden", ".hidden/inner", "visible/.inner", "to-hidden"])
def test_hidden_folders_follow_the_server_setting(contents, path):
    with pytest.raises(NotFound) as missing:
        resolve_folder(contents, path)
    with pytest.raises(NotFound) as nothing:
        resolve_folder(contents, ".nothing")
    assert missing.value.code == nothing.value.code == "no_such_folder"
    contents.allow_hidden = True
    assert resolve_folder(contents, path).is_dir()


def test_a_hidden_root_is_not_hidden(tmp_path):
    root = tmp_path / ".jupyter-root"
    (root / "x").mkdir(parents=True)
    assert resolve_folder(FileContentsManager(root_dir=str(root)), "x") == (root / "x").resolve()


def test_a_root_that_is_a_link_or_has_a_trailing_slash(tmp_path, root):
    link = tmp_path / "link"
    link.symlink_to(root)
    for name in (str(link), f"{root}/", f"{link}/"):
        contents = FileContentsManager(root_dir=name)
        assert resolve_folder(contents, "a b") == (root / "a b").resolve()
        with pytest.raises(InvalidInput):
            resolve_folder(contents, "out")


def test_the_root_of_the_file_system_is_a_root(tmp_path):
    (tmp_path / "x").mkdir()
    contents = FileContentsManager(root_dir="/")
    path = str(tmp_path / "x").lstrip("/")
    assert resolve_folder(contents, path) == (tmp_path / "x").resolve()


def test_an_unknown_drive_is_refused_but_a_folder_with_a_colon_is_a_folder(contents, root):
    with pytest.raises(InvalidInput) as refused:
        resolve_folder(contents, "s3:bucket/model")
    assert refused.value.code == "contents_not_on_disk"
    assert "s3" in refused.value.message
    (root / "s3:bucket").mkdir()
    assert resolve_folder(contents, "s3:bucket") == (root / "s3:bucket").resolve()


@pytest.mark.parametrize("path", ["x", "RTC:x", ""])
def test_contents_that_are_not_on_disk_are_refused_plainly(path):
    class InMemory(ContentsManager):
        root_dir = "/nowhere"

    for manager in (InMemory(), SimpleNamespace(root_dir="/")):
        with pytest.raises(InvalidInput) as refused:
            resolve_folder(manager, path)
        assert refused.value.code == "contents_not_on_disk"
        assert refused.value.hint
