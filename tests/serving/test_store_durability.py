"""What the store promises when something fails: old or new, never a mix."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.failing_disk import Crash, CrashingDisk, FailingDisk
from support.fake_clock import FakeClock
from support.stores import check_whole, facts, staged

from edi_labext.errors import EdiError, OutOfSpace, StorageFailure
from edi_labext.models import Profile
from edi_labext.serving.store import Disk, Store

State = dict[str, tuple[object, ...]]


async def _publish(store: Store) -> None:
    await store.publish(staged(store.staging, "new", "fresh"), creator="ada")


async def _start(store: Store) -> None:
    await store.update("old", desired="started", profile=Profile(name="old", replica=2))


async def _delete(store: Store) -> None:
    await store.delete("old")


async def _exchange(store: Store) -> None:
    await store.exchange(staged(store.staging, "old", "fresh"))


CHANGES = [_publish, _exchange, _start, _delete]


def prepare(path: Path) -> State:
    """A store with one deployment, left as a clean engine leaves it."""

    async def run() -> State:
        store = await Store.open(path, FakeClock())
        await store.publish(staged(store.staging, "old", "kept"), creator="")
        await store.close()
        return facts(store)

    return asyncio.run(run())


def reopen(path: Path) -> State:
    async def run() -> State:
        store = await Store.open(path, FakeClock())
        check_whole(store)
        await store.close()
        return facts(store)

    return asyncio.run(run())


def _comparable(state: State) -> object:
    """What is the same in every run of one change: not the uid, nor how often it was tried."""
    return {
        name: (fact[2], fact[3], '"replica":2' in str(fact[1]), str(fact[5]).rpartition("-")[2])
        for name, fact in state.items()
    }


def _outcome(change: Callable[[Store], Awaitable[None]], memory_path: Path) -> object:
    prepare(memory_path / "goal")

    async def run() -> State:
        store = await Store.open(memory_path / "goal", FakeClock())
        await change(store)
        await store.close()
        return facts(store)

    return _comparable(asyncio.run(run()))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_at_every_failing_operation_old_or_new(
    memory_path: Path, change: Callable[[Store], Awaitable[None]], error: int
) -> None:
    goal = _outcome(change, memory_path)

    async def attempt(path: Path, number: int) -> tuple[bool, int, State]:
        disk = FailingDisk(0, error)
        store = await Store.open(path, FakeClock(), disk=disk)
        disk.count, disk.number = 0, number
        done = True
        try:
            await change(store)
        except EdiError as refusal:
            done = False
            assert isinstance(refusal, OutOfSpace if error == errno.ENOSPC else StorageFailure)
        disk.number = 0
        seen = facts(store)
        if error == errno.ENOSPC:
            assert not store.read_only
            check_files(store)
        await store.close()
        return done, disk.count, seen

    for number in range(1, 100):
        path = memory_path / str(number)
        before = prepare(path)
        done, count, seen = asyncio.run(attempt(path, number))
        after = reopen(path)
        assert _comparable(after) in (_comparable(before), goal)
        if done:
            assert _comparable(seen) == _comparable(after) == goal
        elif error == errno.ENOSPC:
            assert seen == after == before
        if count < number:
            assert done
            assert number > 3
            return
    pytest.fail("never succeeded")


def check_files(store: Store) -> None:
    """Every deployment has its files; waste may lie around until the next start."""
    for record in store.all():
        text = record.description.tag
        assert (record.directory / "sub" / "w.bin").read_text() == text


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("after", [False, True])
def test_at_every_crash_old_or_new(
    memory_path: Path, change: Callable[[Store], Awaitable[None]], after: bool
) -> None:
    goal = _outcome(change, memory_path)

    async def attempt(path: Path, number: int) -> bool:
        disk = CrashingDisk(10**9, after=after)
        store = await Store.open(path, FakeClock(), disk=disk)
        disk.count, disk.number = 0, number
        try:
            await change(store)
            return True
        except Crash:
            return False
        finally:
            disk.armed = False
            await store.close()

    crashes = 0
    for number in range(1, 100):
        path = memory_path / str(number)
        before = prepare(path)
        acknowledged = asyncio.run(attempt(path, number))
        found = _comparable(reopen(path))
        assert found in (_comparable(before), goal)
        if acknowledged:
            assert found == goal
            break
        crashes += 1
    assert 2 < crashes < 99


@pytest.mark.parametrize("change", CHANGES)
def test_a_commit_that_happened_but_was_reported_failed(
    memory_path: Path, change: Callable[[Store], Awaitable[None]]
) -> None:
    goal = _outcome(change, memory_path)

    class Liar(Disk):
        lies = False

        def commit(self, connection: sqlite3.Connection) -> None:
            super().commit(connection)
            if self.lies:
                raise OSError(errno.EIO, "reported")

    async def attempt() -> None:
        disk = Liar()
        store = await Store.open(memory_path / "store", FakeClock(), disk=disk)
        disk.lies = True
        with pytest.raises(StorageFailure):
            await change(store)
        assert store.read_only
        await store.close()

    prepare(memory_path / "store")
    asyncio.run(attempt())
    assert _comparable(reopen(memory_path / "store")) == goal


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_while_opening_is_survived(memory_path: Path, after: bool) -> None:
    prepare(memory_path)
    for number in range(1, 40):
        (memory_path / "staging" / "left" / "over").mkdir(parents=True, exist_ok=True)
        (memory_path / "repo" / "ghost" / "ghost-1").mkdir(parents=True, exist_ok=True)

        async def attempt(disk: Disk) -> bool:
            try:
                store = await Store.open(memory_path, FakeClock(), disk=disk)
            except Crash:
                return False
            await store.close()
            return True

        opened = asyncio.run(attempt(CrashingDisk(number, after=after)))
        assert list(reopen(memory_path)) == ["old"]
        if opened:
            return
    pytest.fail("never opened")


def test_a_new_store_survives_a_crash_while_it_is_made(memory_path: Path) -> None:
    for number in range(1, 40):
        path = memory_path / str(number)

        async def attempt(path: Path, disk: Disk) -> bool:
            try:
                store = await Store.open(path, FakeClock(), disk=disk)
            except Crash:
                return False
            await store.close()
            return True

        opened = asyncio.run(attempt(path, CrashingDisk(number, after=False)))
        assert reopen(path) == {}
        if opened:
            assert number > 5
            return
    pytest.fail("never opened")


def test_kill_9_loses_nothing_acknowledged(memory_path: Path) -> None:
    """A child works on the store and reports what was acknowledged, until it is killed."""
    rng = random.Random(9)
    path = memory_path / "store"
    known: dict[str, tuple[str, str]] = {}
    killed = 0
    for round_ in range(30):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reader)
                asyncio.run(_work(path, writer, round_))
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as lines:
            intent: tuple[str, str, str] | None = None
            wanted = rng.randrange(1, 60)
            for count, line in enumerate(lines):
                kind, verb, name, value = line.split()
                if kind == "begin":
                    intent = (verb, name, value)
                elif kind == "done":
                    _apply(known, verb, name, value)
                    intent = None
                if count >= wanted:
                    break
            os.kill(pid, signal.SIGKILL)
            for line in lines:  # what it still managed to say
                if not line.endswith("\n"):
                    break
                kind, verb, name, value = line.split()
                if kind == "begin":
                    intent = (verb, name, value)
                else:
                    _apply(known, verb, name, value)
                    intent = None
        _, status = os.waitpid(pid, 0)
        killed += os.WIFSIGNALED(status)
        found = {name: (str(fact[2]), str(fact[3])) for name, fact in reopen(path).items()}
        with_intent = dict(known)
        if intent is not None:
            _apply(with_intent, *intent)
        assert found in (known, with_intent), round_
        known = found
    assert killed >= 25


def _apply(known: dict[str, tuple[str, str]], verb: str, name: str, value: str) -> None:
    match verb:
        case "publish":
            known[name] = (value, "stopped")
        case "exchange":
            known[name] = (value, known[name][1])
        case "update":
            known[name] = (known[name][0], value)
        case "delete":
            known.pop(name, None)


async def _work(path: Path, writer: int, round_: int) -> None:
    rng = random.Random(round_)
    store = await Store.open(path, FakeClock())

    def say(kind: str, *words: str) -> None:
        os.write(writer, (" ".join((kind, *words)) + "\n").encode())

    for number in range(10_000):
        name = rng.choice(["a", "b", "c"])
        if name not in store.names():
            words = ("publish", name, f"r{round_}n{number}")
            package = staged(store.staging, name, words[2])
            say("begin", *words)
            await store.publish(package, creator="")
        elif rng.random() < 0.2:
            words = ("exchange", name, f"r{round_}n{number}")
            package = staged(store.staging, name, words[2])
            say("begin", *words)
            await store.exchange(package)
        elif rng.random() < 0.6:
            words = ("update", name, rng.choice(["started", "stopped"]))
            say("begin", *words)
            await store.update(name, desired=words[2])  # type: ignore[arg-type]
        else:
            words = ("delete", name, "-")
            say("begin", *words)
            await store.delete(name)
        say("done", *words)
