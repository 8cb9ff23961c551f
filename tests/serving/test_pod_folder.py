"""The working copy of a package: kernels may do to it what they like, the package stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edi_labext.serving.pod_folder import PodFolder, abandoned, remove

FILES = {
    "kernel.py": "kernel",
    "model.json": "{}",
    "README.md": "# T",
    "weights/a.bin": "weights",
    "run.sh": "#!/bin/sh",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "store" / "repo" / "digits" / "digits-20260101-000000"
    for name, text in FILES.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    (package / "run.sh").chmod(0o700)
    return package


def pod_of(package: Path) -> PodFolder:
    return PodFolder(package.parents[2], package, "12345678-aaaa")


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_paths_have_the_form_of_a_pods(package: Path) -> None:
    pod = pod_of(package)
    assert pod.top == package.parents[2] / "pods" / "digits-20260101-000000-12345678"
    assert pod.model_path == pod.top / "repo" / "digits" / "digits-20260101-000000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${REDHARE_TOP}/work", "{top}/work"),
        ("${REDHARE_TOP}", "{top}"),
        ("", "{top}/work"),
        ("mine/deep", "{top}/mine/deep"),
        ("/somewhere/else", "/somewhere/else"),
        ("/x/${NO_SUCH}/y", "/x/${{NO_SUCH}}/y"),
    ],
)
def test_directories_of_a_profile(package: Path, text: str, expected: str) -> None:
    pod = pod_of(package)
    assert str(pod.expand(text, usual="work")) == expected.format(top=pod.top)


def test_the_copy_is_whole_and_its_modes_are_kept(package: Path) -> None:
    pod = pod_of(package)
    assert pod.prepare("kernel.py") == []
    assert tree(pod.model_path) == FILES
    assert (pod.model_path / "run.sh").stat().st_mode & 0o777 == 0o700
    assert (pod.model_path / "kernel.py").stat().st_mode & 0o777 == 0o600
    assert pod.prepare("kernel.py") == []


def remove_all(copy: Path) -> None:
    shutil.rmtree(copy)


def rewrite(copy: Path) -> None:
    for name in FILES:
        (copy / name).write_text("mine")


def remove_some(copy: Path) -> None:
    shutil.rmtree(copy / "weights")
    (copy / "model.json").unlink()
    (copy / "python_packages").mkdir()
    (copy / "python_packages" / "pkg.py").write_text("installed")


def put_links(copy: Path) -> None:
    (copy / "kernel.py").unlink()
    (copy / "kernel.py").symlink_to("/no/such/file")


@pytest.mark.parametrize(
    ("harm", "mended", "left"),
    [
        (remove_all, [], FILES),
        (
            rewrite,
            ["kernel.py", "model.json"],
            {**dict.fromkeys(FILES, "mine"), "kernel.py": "kernel", "model.json": "{}"},
        ),
        (
            remove_some,
            ["model.json", "weights/a.bin"],
            {**FILES, "python_packages/pkg.py": "installed"},
        ),
        (put_links, ["kernel.py"], FILES),
    ],
)
def test_what_a_kernel_does_to_it_is_mended(package: Path, harm, mended, left) -> None:
    pod = pod_of(package)
    pod.prepare("kernel.py")
    harm(pod.model_path)
    assert tree(package) == FILES
    assert pod.prepare("kernel.py") == mended
    assert tree(pod.model_path) == left


def test_a_copy_that_fails_leaves_nothing_half_done(package: Path, monkeypatch) -> None:
    pod = pod_of(package)
    (package / "weights" / "a.bin").unlink()
    (package / "weights" / "a.bin").symlink_to("/no/such/file")
    with pytest.raises(OSError):
        pod.prepare("kernel.py")
    assert not pod.model_path.exists()
    assert list(pod.model_path.parent.iterdir()) == []


def test_folders_of_nobody_are_found_and_removed(package: Path) -> None:
    pod, store = pod_of(package), package.parents[2]
    assert abandoned(store, []) == []
    pod.prepare("kernel.py")
    assert abandoned(store, [pod]) == []
    old = store / "pods" / "gone-20250101-000000-87654321"
    (old / "work").mkdir(parents=True)
    assert abandoned(store, [pod]) == [old]
    remove([old])
    assert abandoned(store, []) == [pod.top]
    pod.remove()
    assert list((store / "pods").iterdir()) == []
