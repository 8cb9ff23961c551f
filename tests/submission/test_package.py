from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.errors import Cancelled, Conflict, InvalidInput
from edi_labext.submission import build, inspect, pack
from edi_labext.submission import package as package_module

MakeFolder = Callable[..., Path]


def contents(archive: bytes) -> dict[str, bytes]:
    """Return the regular files of a package by path, its top folder left out."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            if member.isfile():
                file = tar.extractfile(member)
                assert file is not None
                found[member.name.partition("/")[2]] = file.read()
    return found


def packed(folder: Path, **options: object) -> bytes:
    out = io.BytesIO()
    summary = build(folder, out, **options)  # type: ignore[arg-type]
    data = out.getvalue()
    assert summary.size == len(data)
    assert summary.sha256 == hashlib.sha256(data).hexdigest()
    return data


def test_one_top_folder_sorted_and_without_traces_of_the_owner(make_folder: MakeFolder) -> None:
    folder = make_folder({"run.sh": "#!/bin/sh\n", "a/b.txt": "b", "a-b.txt": "c"})
    (folder / "run.sh").chmod(0o4777)
    (folder / "empty").mkdir(mode=0o700)
    with tarfile.open(fileobj=io.BytesIO(packed(folder)), mode="r:gz") as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == [
        "digits",
        "digits/README.md",
        "digits/a",
        "digits/a-b.txt",
        "digits/a/b.txt",
        "digits/empty",
        "digits/kernel.py",
        "digits/model.json",
        "digits/run.sh",
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 0)}
    modes = {member.name: member.mode for member in members}
    assert modes["digits/run.sh"] == modes["digits/empty"] == 0o755
    assert modes["digits/kernel.py"] == 0o644


def test_the_gzip_header_tells_neither_name_nor_time(make_folder: MakeFolder) -> None:
    header = packed(make_folder())[:10]
    assert header[3] == 0
    assert header[4:8] == bytes(4)


def test_another_name_is_written_into_model_json_and_nothing_else(make_folder: MakeFolder) -> None:
    model = '{"name": "digits", "kernel_path": "kernel.py", "team": "Z\xfcrich", "n": 3}'
    folder = make_folder({"model.json": model})
    files = contents(packed(folder, name="other-name"))
    assert json.loads(files["model.json"]) == {**json.loads(model), "name": "other-name"}
    assert contents(packed(folder))["model.json"] == model.encode()
    with tarfile.open(fileobj=io.BytesIO(packed(folder, name="other-name"))) as tar:
        assert tar.getnames()[0] == "other-name"


def test_a_name_stands_for_one_that_cannot_be_used(make_folder: MakeFolder) -> None:
    model = '{"name": "Bad Name", "kernel_path": "kernel.py"}'
    folder = make_folder({"model.json": model})
    out = io.BytesIO()
    pack(inspect(folder, name="good"), out, name="good")
    assert json.loads(contents(out.getvalue())["model.json"]) == {
        "name": "good",
        "kernel_path": "kernel.py",
    }


def test_the_name_that_is_there_already_leaves_the_file_as_it_is(make_folder: MakeFolder) -> None:
    model = '{ "name":"digits",  "kernel_path":"kernel.py" }'
    folder = make_folder({"model.json": model})
    assert contents(packed(folder, name="digits"))["model.json"] == model.encode()


def test_summary_counts_what_edi_calls_size(make_folder: MakeFolder) -> None:
    out = io.BytesIO()
    summary = build(make_folder({"w.bin": b"1" * 1000}), out, name="longer-name-than-before")
    files = contents(out.getvalue())
    assert summary.files == len(files) == 4
    assert summary.content_size == sum(map(len, files.values()))


@pytest.mark.parametrize("name", ["A", "a/b", "../x", "-rf", "a\n", "a" * 64])
def test_a_wrong_name_is_refused(make_folder: MakeFolder, name: str) -> None:
    with pytest.raises(InvalidInput):
        packed(make_folder(), name=name)


def test_a_folder_with_problems_is_not_packed(make_folder: MakeFolder) -> None:
    out = io.BytesIO()
    with pytest.raises(InvalidInput) as raised:
        build(make_folder({"README.md": None}), out)
    assert raised.value.code == "missing_file"
    assert out.getvalue() == b""


def test_links_inside_become_files(make_folder: MakeFolder) -> None:
    folder = make_folder({"weights/real.bin": b"123"})
    (folder / "weights" / "link.bin").symlink_to("real.bin")
    assert contents(packed(folder))["weights/link.bin"] == b"123"


def test_progress_and_checkpoint(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_module, "_CHUNK", 1000)
    folder = make_folder({"w.bin": os.urandom(10_500)})
    told: list[tuple[int, int]] = []
    packed(folder, progress=lambda done, total: told.append((done, total)))
    total = inspect(folder).total_size
    assert told[-1] == (total, total)
    assert len(told) >= 11
    assert told == sorted(told)

    countdown = iter(range(5))

    def checkpoint() -> None:
        if next(countdown, None) is None:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        build(folder, io.BytesIO(), checkpoint=checkpoint)


@pytest.mark.parametrize("change", ["shorter", "longer", "gone", "link", "pipe"])
@pytest.mark.timeout(5)
def test_a_file_that_changes_between_looking_and_packing(
    make_folder: MakeFolder, tmp_path: Path, change: str
) -> None:
    folder = make_folder({"w.bin": b"1" * 1000})
    (tmp_path / "outside").write_bytes(b"2" * 1000)
    submission = inspect(folder)
    target = folder / "w.bin"
    target.unlink()
    match change:
        case "shorter":
            target.write_bytes(b"1" * 999)
        case "longer":
            target.write_bytes(b"1" * 1001)
        case "link":
            target.symlink_to(tmp_path / "outside")
        case "pipe":
            os.mkfifo(target)
    with pytest.raises(Conflict) as raised:
        pack(submission, io.BytesIO())
    assert raised.value.code == "changed_while_packed"
    assert "'w.bin'" in raised.value.message


def append(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"more")


def rewrite(file: Path) -> None:
    """Replace the content by other bytes of the same number."""
    file.write_bytes(b"2" * file.stat().st_size)
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1_000_000))


def cut(file: Path) -> None:
    os.truncate(file, 0)


@pytest.mark.parametrize("change", [append, rewrite, cut])
def test_a_file_that_changes_while_it_is_read(
    make_folder: MakeFolder, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder({"w.bin": b"1" * 10})
    submission = inspect(folder)
    read = os.read

    def meanwhile(descriptor: int, count: int) -> bytes:
        data = read(descriptor, min(count, 4))
        if os.path.sameopenfile(descriptor, target.fileno()):
            change(folder / "w.bin")
        return data

    monkeypatch.setattr(package_module.os, "read", meanwhile)
    with (folder / "w.bin").open("rb") as target, pytest.raises(Conflict) as raised:
        pack(submission, io.BytesIO())
    assert raised.value.code == "changed_while_packed"


def test_a_folder_swapped_for_a_link_is_not_followed(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    folder = make_folder({"weights/w.bin": b"1"})
    submission = inspect(folder)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w.bin").write_bytes(b"2")
    (folder / "weights").rename(tmp_path / "old")
    (folder / "weights").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Conflict) as raised:
        pack(submission, io.BytesIO())
    assert raised.value.code == "changed_while_packed"


def test_memory_does_not_grow_with_the_folder(make_folder: MakeFolder) -> None:
    folder = make_folder()
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(64 << 20)

    class Sink(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    tracemalloc.start()
    try:
        build(folder, Sink())  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


_NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"),
    min_size=1,
    max_size=40,
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 200)
_TREES = st.dictionaries(
    st.lists(_NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=2000), max_size=8
)


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=_TREES)
def test_a_package_is_deterministic_and_gives_the_folder_back(tree: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        written = {}
        for path, data in tree.items():
            try:
                for top in (first, second):
                    target = Path(top, "f", path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
                written[path] = data
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                continue
        required = {
            "model.json": b'{"name": "digits", "kernel_path": "kernel.py"}',
            "README.md": b"x",
            "kernel.py": b"x",
        }
        for top in (first, second):
            for name, data in required.items():
                Path(top, "f").mkdir(exist_ok=True)
                Path(top, "f", name).write_bytes(data)
        # Another owner's machine: other times, other modes, another order of creation.
        for path in Path(second).rglob("*"):
            os.utime(path, (1, 1))
            path.chmod(0o700 if path.is_dir() else 0o600)
        submission = inspect(Path(first, "f"))
        if submission.problems:
            assert {problem.code for problem in submission.problems} <= {"duplicate_path"}
            return
        one, other = packed(Path(first, "f")), packed(Path(second, "f"))
        assert one == other
        sent = contents(one)
        ignored = tuple(entry.path for entry in submission.ignored)
        assert sent == {
            path: data
            for path, data in {**written, **required}.items()
            if not any(
                path == left or (path.startswith(left) and left[-1] == "/") for left in ignored
            )
        }
        # gzip says so too: one member, nothing behind it.
        assert len(gzip.decompress(one)) % 512 == 0
