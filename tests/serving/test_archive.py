"""Packages from bytes to a staged folder: what is accepted, refused, and left behind."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import random
import stat
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support import archives
from support.failing_disk import FailingDisk
from support.fake_clock import FakeClock
from support.hostile_archives import REALPATH_OVERFLOW

from edi_labext.errors import (
    Cancelled,
    EdiError,
    InvalidInput,
    OutOfSpace,
    RequestTimeout,
    StorageFailure,
    TooLarge,
)
from edi_labext.serving.archive import ArchiveLimits, Deadline, Intake, StagedPackage, stage
from edi_labext.serving.store import Disk


@pytest.fixture
def staging(memory_path: Path) -> Path:
    path = memory_path / "staging"
    path.mkdir()
    (memory_path / "sentinel").write_text("unchanged")
    return path


def outside(staging: Path) -> list[tuple[str, bytes]]:
    """Everything around the staging directory."""
    around = staging.parent
    return sorted(
        (path.relative_to(around).as_posix(), path.read_bytes() if path.is_file() else b"")
        for path in around.rglob("*")
    )


def refuse(data: bytes, staging: Path, limits: ArchiveLimits | None = None) -> EdiError:
    before = outside(staging)
    with pytest.raises(EdiError) as caught:
        stage(iter([data]), staging, limits=limits)
    assert outside(staging) == before
    return caught.value


@pytest.mark.parametrize("top", ["digits", "some-folder", ""])
@pytest.mark.parametrize("mode", ["w:gz", "w:"])
def test_stages_a_package(staging: Path, top: str, mode: str) -> None:
    files = {**archives.FILES, "weights/w.json": b"[1, 2]", "empty": b""}
    data = archives.package(files, top, mode=mode)
    staged = stage(iter([data[:100], b"", data[100:]]), staging)
    found = {
        path.relative_to(staged.directory).as_posix(): path.read_bytes()
        for path in staged.directory.rglob("*")
        if path.is_file()
    }
    assert found == files
    assert staged.size == sum(map(len, files.values()))
    assert staged.files == len(files)
    assert staged.digest == hashlib.sha256(data).hexdigest()
    assert staged.readme == "# Digits\n"
    assert staged.submission.name == "digits"
    assert staged.submission.kernel_path == "kernel.py"
    assert [staged.holder] == list(staging.iterdir())
    staged.discard()
    assert list(staging.iterdir()) == []


def test_tolerates_what_macos_and_tar_dot_write(staging: Path) -> None:
    data = archives.zipped(
        archives.pax({b"comment": b"x"}, b"g")
        + archives.member(b"./", kind=b"5")
        + archives.member(b"./._digits", b"Mac OS X")
        + archives.member(b"./digits", kind=b"5")
        + archives.member(b"./digits/._kernel.py", b"Mac")
        + archives.valid(b"./digits/")
        + archives.END
    )
    staged = stage(iter([data]), staging)
    assert sorted(os.listdir(staged.directory)) == sorted([*archives.FILES, "._kernel.py"])
    assert staged.size == sum(map(len, archives.FILES.values())) + len(b"Mac OS X" + b"Mac")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_modes_are_normalised_under_any_umask(staging: Path, umask: int) -> None:
    data = archives.zipped(
        archives.valid()
        + archives.member(b"bin", kind=b"5", mode=b"0007777\0")
        + archives.member(b"bin/run", b"#!", mode=b"0006777\0", mtime=b"77777777777\0")
        + archives.END
    )
    previous = os.umask(umask)
    try:
        staged = stage(iter([data]), staging)
    finally:
        os.umask(previous)
    for path in staged.holder.rglob("*"):
        expected = 0o700 if path.is_dir() or path.name == "run" else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
        assert path.stat().st_uid == os.getuid()
        assert path.stat().st_mtime < time.time() + 60


def test_a_readme_that_is_not_utf8_is_escaped(staging: Path) -> None:
    data = archives.package({**archives.FILES, "README.md": b"caf\xe9"})
    assert stage(iter([data]), staging).readme == "caf\\xe9"


def _without(name: str) -> dict[str, bytes]:
    return {key: value for key, value in archives.FILES.items() if key != name}


@pytest.mark.parametrize(
    ("code", "files", "words"),
    [
        ("missing_file", _without("model.json"), "model.json not found at the top of the folder"),
        ("missing_file", _without("README.md"), "README.md"),
        ("missing_file", {}, "model.json"),
        ("kernel_not_found", _without("kernel.py"), "'kernel.py'"),
        (
            "kernel_not_found",
            {**_without("kernel.py"), "kernel.py/inner": b""},
            "is a folder",
        ),
        ("invalid_json", {**archives.FILES, "model.json": b"{,}"}, "line 1"),
        ("file_too_large", {**archives.FILES, "model.json": b" " * (1 << 20) + b"{}"}, "1048578"),
        ("file_too_large", {**archives.FILES, "README.md": b" " * ((1 << 20) + 1)}, "README.md"),
        ("duplicate_path", {**archives.FILES, "MODEL.json": b"{}"}, "MODEL.json"),
        (
            "path_outside",
            {**archives.FILES, "model.json": b'{"name": "x", "kernel_path": "../k.py"}'},
            "kernel_path",
        ),
        (
            "invalid_name",
            {**archives.FILES, "model.json": b'{"name": "X/Y", "kernel_path": "kernel.py"}'},
            "X/Y",
        ),
    ],
)
@pytest.mark.parametrize("top", ["", "digits"])
def test_refuses_incomplete_submissions(
    staging: Path, code: str, files: dict[str, bytes], words: str, top: str
) -> None:
    if not files and not top:
        files = {"other": b""}
    error = refuse(archives.package(files, top), staging)
    assert error.code == code
    assert words in error.message


def test_a_misplaced_model_json_is_pointed_out(staging: Path) -> None:
    files = {f"digits/{name}": data for name, data in archives.FILES.items()}
    error = refuse(archives.package({**files, "notes.txt": b""}, ""), staging)
    assert error.code == "missing_file"
    assert "digits/model.json" in (error.hint or "")


@pytest.mark.parametrize(
    ("code", "entries"),
    [
        ("duplicate_path", [archives.member(b"kernel.py")]),
        ("duplicate_path", [archives.member(b"KERNEL.py")]),
        ("duplicate_path", [archives.member(b"kernel.py/x")]),
        ("duplicate_path", [archives.member(b"kernel.py", kind=b"5")]),
        ("duplicate_path", [archives.member("é".encode()), archives.member("e\u0301".encode())]),
        ("unsafe_path", [archives.member(b"../sentinel", b"changed")]),
        ("links_not_allowed", [archives.header(b"out", kind=b"2", link=b"..")]),
        (
            "links_not_allowed",
            [archives.header(b"out", kind=b"2", link=b"/"), archives.member(b"out/x", b"y")],
        ),
        ("links_not_allowed", [archives.header(b"h", kind=b"1", link=b"../../sentinel")]),
    ],
)
def test_refuses_hostile_entries(staging: Path, code: str, entries: list[bytes]) -> None:
    assert refuse(archives.with_entry(*entries), staging).code == code


def test_the_realpath_overflow_archive_stays_inside(staging: Path) -> None:
    assert refuse(REALPATH_OVERFLOW, staging).code == "links_not_allowed"


def test_stops_writing_at_the_limit(staging: Path) -> None:
    written = 0

    class Meter(Disk):
        def write(self, fd: int, data: bytes) -> None:
            nonlocal written
            written += len(data)
            super().write(fd, data)

    data = archives.zipped(
        archives.member(b"a", bytes(900)) + archives.member(b"b", bytes(900)) + archives.END
    )
    with pytest.raises(TooLarge):
        stage(iter([data]), staging, limits=ArchiveLimits(expanded=1000), disk=Meter())
    assert written <= 1000
    assert list(staging.iterdir()) == []


def test_a_bomb_costs_neither_time_nor_disk(staging: Path) -> None:
    def bomb() -> Iterator[bytes]:
        packer = zlib.compressobj(9, wbits=31)
        yield packer.compress(archives.header(b"zeros", size=4 << 30))
        while True:
            yield packer.compress(bytes(1 << 20))

    start = time.monotonic()
    with pytest.raises(TooLarge) as caught:
        stage(bomb(), staging, limits=ArchiveLimits(ratio_from=8 << 20))
    assert caught.value.code == "expands_too_large"
    assert time.monotonic() - start < 5
    assert list(staging.iterdir()) == []


def test_a_flood_of_entries_is_refused(staging: Path) -> None:
    flood = b"".join(archives.header(b"f%d" % number) for number in range(1200))
    limits = ArchiveLimits(entries=1000)
    error = refuse(archives.zipped(flood + archives.END), staging, limits)
    assert error.code == "too_many_entries"
    deep = b"".join(archives.member(b"%d/" % n + b"d/" * 30 + b"f") for n in range(40))
    assert refuse(deep + archives.END, staging, limits).code == "too_many_entries"


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.ENOSPC, OutOfSpace), (errno.EIO, StorageFailure)]
)
def test_any_failing_disk_operation_leaves_nothing(
    staging: Path, number: int, expected: type[EdiError]
) -> None:
    data = archives.package({**archives.FILES, "a/b/c": b"x"})
    for nth in range(1, 200):
        disk = FailingDisk(nth, number)
        try:
            staged = stage(iter([data]), staging, disk=disk)
        except expected:
            assert list(staging.iterdir()) == []
        else:
            assert disk.count < nth
            assert nth > 10
            staged.discard()
            return
    pytest.fail("never succeeded")


def test_many_files_are_synced_at_one_stroke_where_that_is_possible(staging: Path) -> None:
    files = {**archives.FILES, **{f"f{number}": b"x" for number in range(300)}}
    data = archives.package(files)

    class Meter(Disk):
        has_syncfs = True
        syncs = strokes = 0

        def sync(self, fd: int) -> None:
            self.syncs += 1

        def sync_filesystem(self, fd: int) -> bool:
            self.strokes += 1
            return self.has_syncfs and super().sync_filesystem(fd)

    with_it, without = Meter(), Meter()
    without.has_syncfs = False
    stage(iter([data]), staging, disk=with_it)
    stage(iter([data]), staging, disk=without)
    assert (with_it.strokes, with_it.syncs) == (1, 0)
    assert (without.strokes, without.syncs) == (1, 303 + 2)  # with the top folder and the root
    failing = FailingDisk(10**9, errno.EIO)
    stage(iter([data]), staging, disk=failing).discard()
    failing = FailingDisk(failing.count, errno.EIO)  # the last is the stroke
    with pytest.raises(StorageFailure):
        stage(iter([data]), staging, disk=failing)


def test_a_name_that_the_disk_cannot_hold_is_the_archives_fault(staging: Path) -> None:
    class Picky(Disk):
        def create_file(self, path: Path | bytes, **options: int) -> int:
            if path == b"odd":
                raise OSError(errno.ENAMETOOLONG, "too long")
            return super().create_file(path, **options)

    with pytest.raises(InvalidInput) as caught:
        stage(iter([archives.with_entry(archives.member(b"odd"))]), staging, disk=Picky())
    assert caught.value.code == "invalid_path"


def test_the_deadline_ends_reading(staging: Path) -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10.0)
    data = archives.package()

    def slowly() -> Iterator[bytes]:
        yield data[:100]
        clock.advance(10.5)
        yield data[100:]

    with pytest.raises(RequestTimeout):
        stage(slowly(), staging, deadline=deadline)
    assert list(staging.iterdir()) == []


def test_mutants_give_typed_refusals_only(staging: Path) -> None:
    rng = random.Random(2)
    plain = archives.with_entry(
        archives.pax({b"path": b"some/long/name", b"mtime": b"1.5"}),
        archives.member(b"name", b"contents"),
        archives.member(b"././@LongLink", b"another-long-name\0", kind=b"L"),
        archives.member(b"short", b"more contents"),
        archives.member(b"folder", kind=b"5"),
    )
    zipped = archives.zipped(plain)
    before = outside(staging)
    limits = ArchiveLimits(expanded=1 << 20, entries=50)
    accepted = 0
    for number in range(3000):
        data = bytearray(zipped if number % 3 == 0 else plain)
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(len(data))
            match rng.randrange(5):
                case 0:
                    data[at] ^= 1 << rng.randrange(8)
                case 1:
                    del data[at : at + rng.randrange(1, 700)]
                case 2:
                    data[at:at] = rng.randbytes(rng.randrange(1, 600))
                case 3:
                    data[at : at + 8] = rng.choice((b"\xff" * 8, b"7" * 8, b"\0" * 8, b"../../x/"))
                case 4:
                    block = at // 512 * 512
                    data[block:block] = data[:512]
            if not data:
                data = bytearray(b"x")
        if number % 3 == 1 and len(data) >= 512:
            _mend_checksums(data)
        try:
            staged = stage(iter([bytes(data)]), staging, limits=limits, disk=_NoSync())
        except InvalidInput:
            pass  # TooLarge and UnsupportedMedia are kinds of it
        else:
            accepted += 1
            assert staged.size <= limits.expanded
            staged.discard()
        if number % 100 == 0:
            assert outside(staging) == before
    assert outside(staging) == before
    assert 20 < accepted < 2000


class _NoSync(Disk):
    """Syncing hundreds of folders that are thrown away again is no part of the question."""

    def sync(self, fd: int) -> None: ...


def _mend_checksums(data: bytearray) -> None:
    """Make mutants get past the first check."""
    for at in range(0, len(data) - 511, 512):
        if data[at + 257 : at + 262] == b"ustar":
            data[at + 148 : at + 156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])


# --- uploads: bodies from the loop -----------------------------------------------------------


async def _chunks(data: bytes, size: int = 100) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def receive(staging: Path, body: AsyncIterator[bytes], **options: object) -> StagedPackage:
    async def run() -> StagedPackage:
        intake = Intake(staging, FakeClock(), **options)  # type: ignore[arg-type]
        try:
            return await intake.receive(body)
        finally:
            await asyncio.to_thread(intake.close)

    return asyncio.run(run())


def test_an_upload_becomes_a_staged_package(staging: Path) -> None:
    data = archives.package({**archives.FILES, "w": random.Random(1).randbytes(50_000)})
    staged = receive(staging, _chunks(data))
    assert staged.size == 50_000 + sum(map(len, archives.FILES.values()))
    assert staged.digest == hashlib.sha256(data).hexdigest()


def test_a_refused_body_is_not_read_on(staging: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"no archive" * 100
            await asyncio.sleep(0)

    with pytest.raises(InvalidInput) as caught:
        receive(staging, endless())
    assert caught.value.code == "not_an_archive"
    assert list(staging.iterdir()) == []
    assert taken < 10_000


def test_a_slow_disk_holds_the_client_back(staging: Path) -> None:
    data = archives.package({**archives.FILES, "w": random.Random(1).randbytes(300_000)}, mode="w:")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        reached, go = asyncio.Event(), asyncio.Event()

        class Stuck(Disk):
            def write(self, fd: int, piece: bytes) -> None:
                loop.call_soon_threadsafe(reached.set)
                asyncio.run_coroutine_threadsafe(go.wait(), loop).result(20)
                super().write(fd, piece)

        taken = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal taken
            async for chunk in _chunks(data, 1000):
                taken += 1
                yield chunk

        intake = Intake(staging, FakeClock(), disk=Stuck())
        task = asyncio.create_task(intake.receive(body()))
        await reached.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert taken <= 12  # of 300
        go.set()
        assert (await task).files == 4
        await asyncio.to_thread(intake.close)

    asyncio.run(run())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_client_that_leaves_leaves_nothing(staging: Path, share: float) -> None:
    data = archives.package()

    async def cut() -> AsyncIterator[bytes]:
        yield data[: int(len(data) * share)]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        receive(staging, cut())
    assert list(staging.iterdir()) == []


def test_a_cancelled_upload_leaves_nothing(staging: Path) -> None:
    async def run() -> None:
        intake = Intake(staging, FakeClock())
        begun = asyncio.Event()

        async def hanging() -> AsyncIterator[bytes]:
            yield archives.package()[:50]
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(intake.receive(hanging()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(intake.close)

    asyncio.run(run())
    assert list(staging.iterdir()) == []


def test_a_package_that_is_ready_when_nobody_waits_is_removed(staging: Path) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        syncing, go = asyncio.Event(), asyncio.Event()

        class Stuck(Disk):
            def sync(self, fd: int) -> None:
                loop.call_soon_threadsafe(syncing.set)
                asyncio.run_coroutine_threadsafe(go.wait(), loop).result(20)

        intake = Intake(staging, FakeClock(), disk=Stuck())
        task = asyncio.create_task(intake.receive(_chunks(archives.package())))
        await syncing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        await asyncio.to_thread(intake.close)

    asyncio.run(run())
    assert list(staging.iterdir()) == []


def test_giving_up_is_told_apart(staging: Path) -> None:
    deadline = Deadline(FakeClock(), 10)
    deadline.cancel()
    with pytest.raises(Cancelled):
        stage(iter([archives.package()]), staging, deadline=deadline)
