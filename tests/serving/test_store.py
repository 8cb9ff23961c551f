"""What the store promises while nothing fails."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.failing_disk import FailingDisk
from support.fake_clock import FakeClock
from support.stores import check_whole, facts, staged

from edi_labext.errors import Conflict, EdiError, NotFound, StorageFailure, Unavailable
from edi_labext.models import Profile
from edi_labext.serving.store import Disk, Store
from edi_labext.serving.store.database import Database
from edi_labext.serving.store.migrations import MIGRATIONS

T = TypeVar("T")
CLOCK_DIRECTORY = "digits-20231114-221320"  # FakeClock's wall, 1_700_000_000


def within(path: Path, use: Callable[[Store], Awaitable[T]], *, disk: Disk | None = None) -> T:
    """Open the store, use it, close it."""

    async def run() -> T:
        store = await Store.open(path, FakeClock(), disk=disk)
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(run())


async def _facts(store: Store) -> dict[str, tuple[object, ...]]:
    check_whole(store)
    return facts(store)


def test_a_published_package_is_a_stopped_deployment(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store"

    async def use(store: Store) -> None:
        record = await store.publish(staged(store.staging), creator="ada")
        assert record == store.get("digits") == store.all()[0]
        assert record.directory == path / "repo" / "digits" / CLOCK_DIRECTORY
        description = record.description
        assert description.model_path == str(record.directory)
        assert description.create_time == description.last_updated_time == 1_700_000_000
        assert (description.started_at, description.service_uri, description.size) == (0, "", 12)
        assert (description.creator, len(description.uid)) == ("ada", 36)
        assert record.desired == "stopped"
        assert record.profile == Profile(name="digits")
        check_whole(store)
        before.update(facts(store))

    before: dict[str, tuple[object, ...]] = {}
    within(path, use)
    assert within(path, _facts) == before


def test_changes_are_kept(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        first = await store.publish(staged(store.staging), creator="ada")
        started = await store.update(
            "digits",
            desired="started",
            description=first.description.model_copy(
                update={"started_at": 5, "model_path": "/etc", "name": "other"}
            ),
        )
        assert (started.desired, started.description.started_at) == ("started", 5)
        assert (started.name, started.description.model_path) == (
            "digits",
            first.description.model_path,
        )
        profile = Profile.model_validate({"name": "digits", "replica": 3, "new_field": [1]})
        last = await store.update("digits", profile=profile)
        assert (last.desired, last.profile) == ("started", profile)
        assert first.generation < started.generation < last.generation
        assert await store.update("digits", desired="started") is last
        check_whole(store)
        before.update(facts(store))

    before: dict[str, tuple[object, ...]] = {}
    within(tmp_path, use)
    assert within(tmp_path, _facts) == before


def test_a_deleted_deployment_is_gone_and_its_name_is_free(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        first = await store.publish(staged(store.staging), creator="ada")
        await store.delete("digits")
        assert not first.directory.parent.exists()
        assert store.names() == []
        with pytest.raises(NotFound):
            store.get("digits")
        with pytest.raises(NotFound):
            await store.delete("digits")
        with pytest.raises(NotFound):
            await store.update("digits", desired="started")
        again = await store.publish(staged(store.staging), creator="ada")
        assert again.generation > first.generation
        assert again.description.uid != first.description.uid
        check_whole(store)

    within(tmp_path, use)


def test_an_existing_name_is_refused_and_the_package_removed(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        await store.publish(staged(store.staging, text="one"), creator="ada")
        with pytest.raises(Conflict) as caught:
            await store.publish(staged(store.staging, text="two"), creator="bob")
        assert caught.value.code == "exists"
        assert store.get("digits").readme == "one"
        check_whole(store)

    within(tmp_path, use)


def test_a_taken_second_gives_the_next_one(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        taken = store.directory / "repo" / "digits" / CLOCK_DIRECTORY
        taken.mkdir(parents=True)
        record = await store.publish(staged(store.staging), creator="ada")
        assert record.directory.name == "digits-20231114-221321"
        assert record.description.create_time == 1_700_000_001

    within(tmp_path, use)


def test_deployments_are_listed_by_name(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        for name in ("b", "c", "a-1", "a"):
            await store.publish(staged(store.staging, name), creator="")
        await store.delete("c")
        assert store.names() == [record.name for record in store.all()] == ["a", "a-1", "b"]

    within(tmp_path, use)


def test_of_many_deploys_of_one_name_one_wins(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        packages = [staged(store.staging, text=f"t{number}") for number in range(12)]
        results = await asyncio.gather(
            *(store.publish(package, creator="") for package in packages), return_exceptions=True
        )
        winners = [result for result in results if not isinstance(result, BaseException)]
        assert len(winners) == 1
        assert all(isinstance(r, Conflict) for r in results if r is not winners[0])
        assert store.get("digits") == winners[0]
        check_whole(store)

    within(tmp_path, use)


def test_concurrent_changes_of_one_name_all_count(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        await store.publish(staged(store.staging), creator="")
        await asyncio.gather(
            store.update("digits", desired="started"),
            store.update("digits", profile=Profile(name="digits", replica=2)),
        )
        record = store.get("digits")
        assert (record.desired, record.profile.replica) == ("started", 2)

    within(tmp_path, use)


class HeldDisk(Disk):
    """Stops before a commit until it is let go."""

    def __init__(self) -> None:
        self.hold = False
        self.reached = threading.Event()
        self.go = threading.Event()

    def commit(self, connection: sqlite3.Connection) -> None:
        if self.hold:
            self.reached.set()
            assert self.go.wait(20)
        super().commit(connection)


def test_a_change_whose_caller_leaves_is_finished(tmp_path: Path) -> None:
    disk = HeldDisk()

    async def use(store: Store) -> None:
        package = staged(store.staging)
        disk.hold = True
        task = asyncio.create_task(store.publish(package, creator="ada"))
        await asyncio.to_thread(disk.reached.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert store.names() == []  # not before it is durable
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await store.delete("digits")
        disk.go.set()
        await closing
        assert store.names() == ["digits"]

    within(tmp_path, use, disk=disk)
    assert list(within(tmp_path, _facts)) == ["digits"]


def test_a_store_has_one_engine(tmp_path: Path) -> None:
    holder = (
        "import fcntl, os, sys\n"
        "fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)\n"
        "fcntl.flock(fd, fcntl.LOCK_EX)\n"
        "os.write(fd, b'%d\\n' % os.getpid())\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Conflict) as caught:
            within(tmp_path, _facts)
        assert caught.value.code == "store_in_use"
        assert f"(pid {other.pid})" in caught.value.message
        assert str(tmp_path) in caught.value.message
        other.kill()
    assert within(tmp_path, _facts) == {}


def test_the_lock_names_its_owner_and_is_let_go(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(Conflict):
            await Store.open(tmp_path, FakeClock())
        # The refused second opening must not have taken anything away from the first.
        await store.publish(staged(store.staging), creator="")

    within(tmp_path, use)
    assert (tmp_path / "lock").read_text() == ""


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_nothing_is_open_to_others(tmp_path: Path, umask: int) -> None:
    async def use(store: Store) -> None:
        package = staged(store.staging)
        previous = os.umask(umask)
        try:
            await store.publish(package, creator="")
            await store.update("digits", desired="started")
        finally:
            os.umask(previous)

    path = tmp_path / "store"
    previous = os.umask(umask)
    try:
        within(path, _facts)
    finally:
        os.umask(previous)
    within(path, use)
    for entry in [path, *path.rglob("*")]:
        if entry.is_relative_to(path / "repo" / "digits" / CLOCK_DIRECTORY):
            continue  # made by the test
        expected = 0o700 if entry.is_dir() else 0o600
        assert stat.S_IMODE(entry.stat().st_mode) == expected, entry


def test_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        await store.publish(staged(store.staging), creator="")

    within(tmp_path, use)
    for leftover in (
        "staging/abc/package/x",
        "trash/abc/x",
        "repo/ghost/ghost-20230101-000000/x",
        "repo/digits/digits-20220101-000000/x",
    ):
        (tmp_path / leftover).parent.mkdir(parents=True)
        (tmp_path / leftover).write_text("x")
    (tmp_path / "repo/digits/digits-20220101-000000.json").write_text("{}")
    (tmp_path / "staging/link").symlink_to(tmp_path.parent)
    manifest = tmp_path / "repo/digits" / f"{CLOCK_DIRECTORY}.json"
    manifest.write_text("stale")
    assert list(within(tmp_path, _facts)) == ["digits"]


def test_a_store_may_be_moved(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        await store.publish(staged(store.staging), creator="")

    within(tmp_path / "old", use)
    (tmp_path / "old").rename(tmp_path / "new")

    async def look(store: Store) -> None:
        check_whole(store)
        assert store.get("digits").directory.is_relative_to(tmp_path / "new")

    within(tmp_path / "new", look)


def _database(path: Path, migrations: object = MIGRATIONS) -> Database:
    return Database(path, path.parent / "repo", disk=Disk(), migrations=migrations)  # type: ignore[arg-type]


def test_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    within(tmp_path, _facts)
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StorageFailure) as caught:
        within(tmp_path, _facts)
    assert caught.value.code == "store_newer"
    assert "99" in caught.value.message
    assert (tmp_path / "store.db").read_bytes() == before


def test_a_migration_keeps_a_copy_and_is_all_or_nothing(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        await store.publish(staged(store.staging), creator="")

    within(tmp_path, use)

    def add_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE deployment ADD COLUMN note TEXT NOT NULL DEFAULT ''")

    def break_down(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM deployment")
        raise sqlite3.OperationalError("no")

    path = tmp_path / "store.db"
    with pytest.raises(sqlite3.OperationalError):
        _database(path, [*MIGRATIONS, break_down]).open(may_be_new=False)
    database = _database(path, [*MIGRATIONS, add_column])
    database.open(may_be_new=False)
    assert [record.name for record in database.load()] == ["digits"]
    database.close()
    version = len(MIGRATIONS)
    backup = tmp_path / f"store.db.schema-{version}"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    old = sqlite3.connect(backup)
    assert old.execute("PRAGMA user_version").fetchone() == (version,)
    assert old.execute("SELECT name FROM deployment").fetchall() == [("digits",)]
    old.close()


def test_a_database_held_by_another_program_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edi_labext.serving.store.database._BUSY_MS", 20)

    async def use(store: Store) -> None:
        await store.publish(staged(store.staging), creator="")
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as caught:
            await store.update("digits", desired="started")
        assert caught.value.code == "store_busy"
        assert caught.value.retry_after
        with pytest.raises(Unavailable):
            await store.publish(staged(store.staging, "other"), creator="")
        other.execute("ROLLBACK")
        other.close()
        check_whole(store)
        assert store.get("digits").desired == "stopped"
        assert (await store.update("digits", desired="started")).desired == "started"

    within(tmp_path, use)


def test_a_failed_disk_makes_the_store_read_only(tmp_path: Path) -> None:
    disk = FailingDisk(0, errno.EIO)

    async def use(store: Store) -> None:
        await store.publish(staged(store.staging), creator="")
        disk.number = disk.count + 3
        with pytest.raises(StorageFailure):
            await store.update("digits", desired="started")
        assert store.read_only
        with pytest.raises(StorageFailure) as caught:
            await store.update("digits", desired="started")
        assert caught.value.code == "read_only"
        assert store.get("digits").desired == "stopped"

    within(tmp_path, use, disk=disk)
    assert list(within(tmp_path, _facts)) == ["digits"]


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailure) as caught:
        within(tmp_path / "file", _facts)
    assert str(tmp_path / "file") in caught.value.message


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "start", "stop", "profile", "delete", "reopen"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=12,
)


@given(OPERATIONS)
@settings(max_examples=examples(40), deadline=None)
def test_memory_equals_the_reopened_store(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("store")
    model: dict[str, tuple[str, str, int]] = {}
    last = 0

    async def apply(store: Store, number: int, operation: str, name: str) -> None:
        match operation:
            case "publish":
                await store.publish(staged(store.staging, name, f"t{number}"), creator="")
            case "start" | "stop":
                await store.update(name, desired="started" if operation == "start" else "stopped")
            case "profile":
                await store.update(name, profile=Profile(name=name, replica=number + 1))
            case "delete":
                await store.delete(name)

    async def run() -> None:
        nonlocal last
        store = await Store.open(path, FakeClock())
        for number, (operation, name) in enumerate(operations):
            if operation == "reopen":
                before = facts(store)
                await store.close()
                store = await Store.open(path, FakeClock())
                assert facts(store) == before
                continue
            unchanged = store.get(name) if name in model else None
            try:
                await apply(store, number, operation, name)
            except EdiError:
                assert (operation == "publish") == (name in model)
                continue
            text, desired, replica = model.pop(name, (f"t{number}", "stopped", 1))
            if operation == "profile":
                replica = number + 1
            if operation in ("start", "stop"):
                desired = "started" if operation == "start" else "stopped"
            if operation != "delete":
                model[name] = (text, desired, replica)
                after = store.get(name)
                # A change that changes nothing is none; any other one gets a new number.
                assert after is unchanged or after.generation > last
                last = max(last, after.generation)
        found = {r.name: (r.readme, r.desired, r.profile.replica) for r in store.all()}
        assert found == model
        check_whole(store)
        await store.close()

    asyncio.run(run())
