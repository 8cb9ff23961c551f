"""A database that is damaged: what is rebuilt from the manifests, and how loudly it is said."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from support.failing_disk import Crash, CrashingDisk
from support.fake_clock import FakeClock
from support.stores import check_whole, facts, staged

from edi_labext.errors import StorageFailure
from edi_labext.models import Profile
from edi_labext.serving.store import Disk, Store

State = dict[str, tuple[object, ...]]


class NoSync(Disk):
    """What is asked here is not whether it lasts."""

    def sync(self, fd: int) -> None: ...


def fill(path: Path, count: int = 7) -> State:
    """A store with deployments that have been started and changed, and one that is gone."""

    async def run() -> State:
        store = await Store.open(path, FakeClock(), disk=NoSync())
        for number in range(count):
            await store.publish(staged(store.staging, f"d{number}", f"t{number}"), creator="ada")
        await store.update("d1", desired="started", profile=Profile(name="d1", replica=3))
        await store.delete("d0")
        await store.close()
        return facts(store)

    return asyncio.run(run())


def reopen(path: Path, disk: Disk | None = None) -> tuple[State, list[str]]:
    async def run() -> tuple[State, list[str]]:
        store = await Store.open(path, FakeClock(), disk=disk or NoSync())
        try:
            check_whole(store)
            return facts(store), store.notices
        finally:
            await store.close()

    return asyncio.run(run())


def damage(path: Path, kind: str) -> None:
    data = path.read_bytes()
    match kind:
        case "zeros":
            path.write_bytes(data[:4096] + bytes(4096) + data[8192:])
        case "noise":
            path.write_bytes(b"no database at all" * 100)
        case "empty":
            path.write_bytes(b"")
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(data[: len(data) // 2])
        case statement:
            connection = sqlite3.connect(path)
            connection.execute(statement)
            connection.commit()
            connection.close()


@pytest.mark.parametrize(
    "kind",
    [
        "zeros",
        "noise",
        "empty",
        "missing",
        "truncated",
        "UPDATE deployment SET description = '{}' WHERE name = 'd3'",
        "UPDATE deployment SET description = CAST(x'ff' AS TEXT) WHERE name = 'd3'",
        "UPDATE deployment SET readme = 'other' WHERE name = 'd3'",
        "UPDATE deployment SET desired = 'stopped' WHERE name = 'd1'",
        "UPDATE deployment SET generation = 10000 WHERE name = 'd3'",
        "UPDATE deployment SET directory = 'd3/elsewhere' WHERE name = 'd3'",
        "DELETE FROM deployment WHERE name = 'd3'",
        "DELETE FROM deployment",
        "DELETE FROM last_generation",
        "DROP TABLE deployment",
        "PRAGMA user_version = -1",
        "PRAGMA user_version = 0",
    ],
)
def test_a_damaged_database_is_rebuilt_as_it_was(
    memory_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = fill(memory_path)
    damage(memory_path / "store.db", kind)
    damaged = (memory_path / "store.db").read_bytes() if kind != "missing" else b""
    after, notices = reopen(memory_path)
    assert after == before
    [notice] = notices
    [place] = (memory_path / "quarantine").iterdir()
    assert str(place) in notice
    assert "6 deployments" in notice
    assert "Rebuilding" in caplog.text
    kept = place / "store.db"
    assert (kept.read_bytes() if kept.exists() else b"") == damaged
    for path in [place.parent, place, *place.iterdir(), memory_path / "store.db"]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    # It is said until the folder is gone, and done only once.
    assert reopen(memory_path) == (before, notices)
    assert list((memory_path / "quarantine").iterdir()) == [place]
    shutil.rmtree(place)
    assert reopen(memory_path) == (before, [])


def test_after_a_rebuild_generations_go_on(memory_path: Path) -> None:
    before = fill(memory_path)
    damage(memory_path / "store.db", "noise")

    async def run() -> int:
        store = await Store.open(memory_path, FakeClock())
        record = await store.publish(staged(store.staging, "d0"), creator="")
        await store.close()
        return record.generation

    # The generation of the deletion of d0 was the last; nothing tells of it any more.
    assert asyncio.run(run()) > max(int(str(fact[4])) for fact in before.values()) + 2


def test_what_no_manifest_tells_of_is_set_aside_not_removed(memory_path: Path) -> None:
    before = fill(memory_path)
    broken = next((memory_path / "repo" / "d5").glob("*.json"))
    broken.write_bytes(broken.read_bytes().replace(b'"t5"', b'"t6"'))
    (memory_path / "repo" / "d6" / "by-hand").mkdir()
    damage(memory_path / "store.db", "noise")
    after, [notice] = reopen(memory_path)
    assert after == {name: fact for name, fact in before.items() if name != "d5"}
    assert "2 folders" in notice
    [place] = (memory_path / "quarantine").iterdir()
    assert (place / "by-hand").is_dir()
    assert (place / broken.with_suffix("").name / "sub" / "w.bin").read_text() == "t5"


def test_of_two_versions_the_newer_is_taken(memory_path: Path) -> None:
    before = fill(memory_path, 3)
    older = next((memory_path / "repo" / "d2").glob("*.json"))
    shutil.copytree(older.with_suffix(""), older.with_name("d2-20200101-000000"))
    damage(memory_path / "store.db", "missing")
    asyncio.run(_age(memory_path, older))
    after, _ = reopen(memory_path)
    assert after == before


async def _age(root: Path, manifest: Path) -> None:
    """Write a manifest of an earlier generation for another directory of the same name."""
    from dataclasses import replace

    from edi_labext.serving.store import Record

    newer = Record.from_manifest(manifest.read_bytes(), manifest.with_suffix(""))
    assert newer is not None
    directory = manifest.with_name("d2-20200101-000000")
    older = replace(newer, generation=newer.generation - 1, directory=directory, readme="old")
    directory.with_name(directory.name + ".json").write_bytes(older.manifest())


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", ["noise", "empty", "missing"])
def test_a_crash_while_rebuilding_is_survived(memory_path: Path, kind: str, after: bool) -> None:
    before = fill(memory_path / "store", 3)
    damage(memory_path / "store" / "store.db", kind)
    for number in range(1, 100):
        path = memory_path / str(number)
        shutil.copytree(memory_path / "store", path)
        # The copy was moved: its manifests name the old place until it is opened.
        expected = {
            name: (*fact[:-1], path / Path(str(fact[-1])).relative_to(memory_path / "store"))
            for name, fact in before.items()
        }
        try:
            reopen(path, CrashingDisk(number, after=after))
            crashed = False
        except Crash:
            crashed = True
        found, notices = reopen(path)
        assert {name: fact[1:] for name, fact in found.items()} == {
            name: fact[1:] for name, fact in expected.items()
        }
        assert notices
        if not crashed:
            assert number > 15
            return
    pytest.fail("never opened")


def test_flipped_bits_lose_nothing(memory_path: Path) -> None:
    """Wherever a bit flips, the deployments are as before, or the store says why it does not open.

    A flip in the number of the schema looks like a newer release, which must not be touched.
    """
    rng = random.Random(10)
    before = fill(memory_path / "store", 4)
    good = (memory_path / "store" / "store.db").read_bytes()
    offsets = [*range(100), *(rng.randrange(100, len(good)) for _ in range(100))]
    rebuilt = 0
    for offset in offsets:
        bad = bytearray(good)
        bad[offset] ^= 1 << rng.randrange(8)
        (memory_path / "store" / "store.db").write_bytes(bad)
        (memory_path / "store" / "store.db-journal").unlink(missing_ok=True)
        try:
            after, notices = reopen(memory_path / "store")
        except StorageFailure as refusal:
            assert refusal.code == "store_newer"
            assert 60 <= offset < 64
            assert (memory_path / "store" / "store.db").read_bytes() == bad
            continue
        assert after == before, offset
        rebuilt += bool(notices)
        shutil.rmtree(memory_path / "store" / "quarantine", ignore_errors=True)
    assert rebuilt > 20
