"""Power loss: of all that a disk may then hold, recovery makes what was acknowledged.

``reliability-security.md`` finding 5: killing the process proves nothing about syncs, since the
page cache survives. Here every legal state of the disk is built and opened, and leaving out any one
sync must be noticed.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from support import archives
from support.crash_states import Recorder, State, Step, crash_states

from edi_labext.models import Profile, Runtime
from edi_labext.serving.archive import StagedPackage, extractor, stage
from edi_labext.serving.store import Disk, Record
from edi_labext.serving.store.changes import Changes
from edi_labext.serving.store.database import Database
from edi_labext.serving.store.migrations import MIGRATIONS

NOW = 1_700_000_000
FILES = {**archives.FILES, "w/x.bin": b"12345678", "w/deep/y": b"yy"}

Facts = dict[str, tuple[Any, ...]]


class Life:
    """A store that is worked on step by step, with its disk recorded."""

    def __init__(self, root: Path, disk: Recorder | None = None) -> None:
        self.root = root
        self.disk = disk
        self.changes = Changes(root, disk or Disk())
        self.records: dict[str, Record] = {}
        self.runtimes: dict[str, Runtime] = {}

    def open(self) -> Life:
        records, runtimes = self.changes.open(NOW)
        self.records = {record.name: record for record in records}
        self.runtimes = {runtime.type: runtime for runtime in runtimes}
        self.ack()
        return self

    def ack(self) -> None:
        if self.disk is not None:
            self.disk.ack(facts(self.records.values(), self.runtimes.values(), self.root))

    def package(self, name: str) -> StagedPackage:
        model = archives.MODEL.replace(b"digits", name.encode())
        data = archives.package({**FILES, "model.json": model}, "top")
        staging = self.changes.repository.staging
        return stage(iter([data]), staging, disk=self.disk or Disk())

    def deploy(self, name: str) -> None:
        package = self.package(name)
        self.records[name] = self.changes.publish(
            package, creator="", profile=None, more={}, now=NOW
        )
        self.ack()
        package.discard(self.disk)

    def redeploy(self, name: str) -> None:
        package = self.package(name)
        self.records[name], waste = self.changes.exchange(self.records[name], package, now=NOW)
        self.ack()
        self.changes.repository.remove(waste)
        package.discard(self.disk)

    def put_runtime(self, name: str, **fields: Any) -> None:
        self.runtimes[name] = Runtime(type=name, **fields)
        self.changes.put_runtime(self.runtimes[name])
        self.ack()

    def delete_runtime(self, name: str) -> None:
        del self.runtimes[name]
        self.changes.forget_runtime(name)
        self.ack()

    def change(self, name: str, **fields: Any) -> None:
        old = self.records[name]
        self.records[name] = self.changes.replace(old, replace(old, **fields))
        self.ack()

    def delete(self, name: str) -> None:
        waste = self.changes.forget(self.records.pop(name))
        self.ack()
        if waste is not None:
            self.changes.repository.remove(waste)


def facts(records: Iterable[Record], runtimes: Iterable[Runtime], root: Path) -> Facts:
    """All that there is to know, but where the store lies."""
    deployments: Facts = {
        record.name: (
            record.description.model_copy(update={"model_path": ""}).model_dump_json(),
            record.profile.model_dump_json(),
            record.readme,
            record.desired,
            record.generation,
            record.directory.relative_to(root).as_posix(),
        )
        for record in records
    }
    return deployments | {
        f"runtime {runtime.type}": (runtime.model_dump_json(),) for runtime in runtimes
    }


def files_of(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


# --- scenarios: each ends with a store that may be opened again -------------------------------


def _new_store(root: Path) -> Recorder:
    recorder = Recorder(root)
    Life(root, recorder).open().changes.close()
    return recorder


def _first_deployment(root: Path) -> Recorder:
    recorder = Recorder(root)
    life = Life(root, recorder).open()
    life.deploy("one")
    life.changes.close()
    return recorder


def _changes(root: Path) -> Recorder:
    life = Life(root).open()
    life.deploy("one")
    life.deploy("two")
    life.changes.close()
    recorder = Recorder(root)
    life = Life(root, recorder).open()
    life.change("one", desired="started")
    life.change("two", profile=Profile(name="two", replica=7))
    life.change("two", readme="another")
    life.change("one", desired="stopped")
    life.changes.close()
    return recorder


def _undeploy_and_deploy_again(root: Path) -> Recorder:
    life = Life(root).open()
    life.deploy("one")
    life.deploy("two")
    life.changes.close()
    recorder = Recorder(root)
    life = Life(root, recorder).open()
    life.delete("one")
    life.deploy("one")
    life.delete("two")
    life.changes.close()
    return recorder


class _NoCommit(Disk):
    """The power goes at the commit."""

    commits = 0

    def commit(self, connection: sqlite3.Connection) -> None:
        raise KeyboardInterrupt


def _after_a_crash(root: Path) -> Recorder:
    """Half a deployment lies there, with its manifest; then others come and go."""
    life = Life(root).open()
    life.deploy("one")
    life.changes._database._disk = _NoCommit()
    life.changes.repository._disk = Disk()
    with pytest.raises(KeyboardInterrupt):
        _die_at_commit(life)
    life.changes.close()
    recorder = Recorder(root)
    life = Life(root, recorder).open()
    life.change("one", desired="started")
    life.deploy("two")
    life.changes.close()
    return recorder


def _die_at_commit(life: Life) -> None:
    """As :meth:`Changes.publish`, without the tidying of a process that goes on."""
    package = life.package("ghost")
    target, _ = life.changes.repository.free_place("ghost", NOW)

    def make(generation: int) -> Record:
        one = life.records["one"]
        description = one.description.model_copy(
            update={"name": "ghost", "model_path": str(target)}
        )
        ghost = replace(one, description=description, directory=target, generation=generation)
        life.changes.repository.publish(package.directory, ghost)
        return ghost

    life.changes._database.insert(make)


def _redeploy(root: Path) -> Recorder:
    life = Life(root).open()
    life.deploy("one")
    life.changes.close()
    recorder = Recorder(root)
    life = Life(root, recorder).open()
    life.redeploy("one")
    life.delete("one")
    life.changes.close()
    return recorder


def _runtimes(root: Path) -> Recorder:
    Life(root).open().changes.close()
    recorder = Recorder(root)
    life = Life(root, recorder).open()
    life.put_runtime("mine")
    life.put_runtime("other")
    life.put_runtime("mine", conda_home="/opt/conda")
    life.delete_runtime("other")
    life.changes.close()
    return recorder


def _many_files(root: Path) -> Recorder:
    """So many that they are synced at one stroke."""
    Life(root).open().changes.close()
    recorder = Recorder(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractor, "_MANY", 3)
        life = Life(root, recorder).open()
        life.deploy("one")
    life.changes.close()
    assert [step for step in recorder.steps if step.kind == "sync_all"]
    return recorder


DAMAGED = b"not a database " * 300


def _rebuild(root: Path) -> Recorder:
    """A damaged database, and a directory that no manifest tells of."""
    life = Life(root).open()
    life.deploy("one")
    life.deploy("two")
    life.changes.close()
    (root / "store.db").write_bytes(DAMAGED)
    (root / "repo" / "one" / "by-hand").mkdir()
    (root / "repo" / "one" / "by-hand" / "precious").write_bytes(b"precious")
    recorder = Recorder(root)
    life = Life(root, recorder)
    life.open()
    life.changes.close()
    return recorder


def _migration(root: Path) -> Recorder:
    """A database of an older release; ``facts`` are those of any release."""
    life = Life(root).open()
    life.deploy("one")
    life.changes.close()
    recorder = Recorder(root)
    database = Database(
        root / "store.db", root / "repo", disk=recorder, migrations=[*MIGRATIONS, _add_a_column]
    )
    recorder.ack("to be migrated")
    database.open(may_be_new=False)
    database.close()
    recorder.ack("migrated")
    return recorder


def _add_a_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE deployment ADD COLUMN note TEXT NOT NULL DEFAULT ''")


# --- what must hold in every state ------------------------------------------------------------


@dataclass
class Found:
    """What is wrong with the states of one scenario."""

    states: int = 0
    fault: str = ""


def _recovered(root: Path) -> tuple[Facts, list[str], str]:
    """Open a store as an engine does; return its facts, its notices, and what is wrong."""
    changes = Changes(root, _Fast())
    try:
        records, runtimes = changes.open(NOW)
        wrong = ""
        expected: set[Path] = set()
        for record in records:
            found = files_of(record.directory)
            model = found.get("model.json", b"")
            if found.keys() != FILES.keys() or record.name.encode() not in model:
                wrong = f"{record.name} has the files {sorted(found)}"
            if any(found.get(name) != FILES[name] for name in FILES.keys() - {"model.json"}):
                wrong = f"{record.name} has files with other contents"
            manifest = record.directory.with_name(record.directory.name + ".json")
            if not manifest.is_file() or manifest.read_bytes() != record.manifest():
                wrong = f"{record.name} has another manifest"
            expected |= {record.directory, manifest}
        if set(root.glob("repo/*/*")) != expected:
            wrong = f"left over: {set(root.glob('repo/*/*')) - expected}"
        if [*root.glob("staging/*"), *root.glob("trash/*")]:
            wrong = "staging or trash is not empty"
        return facts(records, runtimes, root), changes.notices(), wrong
    finally:
        changes.close()


class _Fast(Disk):
    """Nobody pulls the plug on what is being checked."""

    def sync(self, fd: int) -> None: ...

    def sync_filesystem(self, fd: int) -> bool:
        return True


def _check(state: State, allowed: list[Any], place: Path, scenario: str) -> str:
    """Return what is wrong with one state, ``""`` if nothing."""
    if scenario == "migration":
        return _check_migration(state, allowed, place)
    # With the database lost as well, the manifests alone must tell the same.
    for lost in (False, True):
        root = place / ("lost" if lost else "kept")
        root.mkdir()
        state.write_to(root)
        store = root / "store"
        if lost:
            if not (store / "store.db").exists():
                continue
            (store / "store.db").write_bytes(b"lost")
        seen, notices, wrong = _recovered(store)
        if lost and not state.acked:
            # Its manifest was there first; nobody was told either way.
            seen.pop("ghost", None)
        if wrong:
            return wrong
        if seen not in allowed:
            return f"with the database {'lost' if lost else 'kept'}: {sorted(seen)}"
        if scenario == "rebuild":
            wrong = _check_quarantine(store, notices, lost=lost)
            if wrong:
                return wrong
        elif bool(notices) != lost:
            return f"notices: {notices}"
    return ""


def _check_quarantine(store: Path, notices: list[str], *, lost: bool) -> str:
    if not notices:
        return "a rebuild that nobody is told of"
    kept = [path.read_bytes() for path in store.glob("quarantine/*/store.db")]
    if DAMAGED not in kept and not lost:
        return "the damaged database is gone"
    if len(kept) > 1 and not lost:
        return "rebuilt twice"
    precious = [*store.glob("quarantine/*/by-hand/precious")]
    if [path.read_bytes() for path in precious] != [b"precious"]:
        return "what was set aside is gone"
    return ""


def _check_migration(state: State, allowed: list[Any], place: Path) -> str:
    state.write_to(place)
    store = place / "store"
    database = Database(
        store / "store.db", store / "repo", disk=_Fast(), migrations=[*MIGRATIONS, _add_a_column]
    )
    if allowed == ["migrated"]:
        with sqlite3.connect(store / f"store.db.schema-{len(MIGRATIONS)}") as backup:
            if backup.execute("SELECT name FROM deployment").fetchall() != [("one",)]:
                return "the copy is empty"
        backup.close()
    database.open(may_be_new=False)
    names = [record.name for record in database.load()]
    database.close()
    return "" if names == ["one"] else f"found {names}"


SCENARIOS = {
    "new_store": _new_store,
    "first_deployment": _first_deployment,
    "changes": _changes,
    "undeploy_and_deploy_again": _undeploy_and_deploy_again,
    "after_a_crash": _after_a_crash,
    "redeploy": _redeploy,
    "runtimes": _runtimes,
    "many_files": _many_files,
    "rebuild": _rebuild,
    "migration": _migration,
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of rebuilds need not be told."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def explore(states: Iterable[tuple[State, list[Any]]], place: Path, scenario: str) -> Found:
    """Build and check every state; end at the first one that is wrong."""
    found = Found()
    for state, allowed in states:
        here = place / "state"
        here.mkdir()
        found.states += 1
        try:
            wrong = _check(state, allowed, here, scenario)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        shutil.rmtree(here)
        if wrong:
            found.fault = f"state {found.states}, after {state.after} operations: {wrong}"
            break
    return found


def recorded(place: Path, scenario: str) -> Recorder:
    (place / scenario).mkdir()
    return SCENARIOS[scenario](place / scenario / "store")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_a_power_loss_leaves_is_recovered(memory_path: Path, scenario: str) -> None:
    """All states of the short scenarios, every sixteenth of the long ones."""
    states = list(crash_states(recorded(memory_path, scenario)))
    found = explore(states[:: 1 if len(states) < 100 else 16], memory_path, scenario)
    assert not found.fault
    assert found.states > 5


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_states_are_recovered(memory_path: Path, scenario: str) -> None:
    states = crash_states(recorded(memory_path, scenario), exhaustive=8)
    found = explore(states, memory_path, scenario)
    print(f"{scenario}: {found.states} states")
    assert not found.fault


def test_leaving_out_any_sync_is_noticed(memory_path: Path) -> None:
    recorders = {scenario: recorded(memory_path, scenario) for scenario in SCENARIOS}
    shortest_first = sorted(recorders, key=lambda scenario: len(recorders[scenario].steps))
    sites: dict[str, list[str]] = {}
    for scenario in shortest_first:
        for step in recorders[scenario].steps:
            if step.site and scenario not in sites.setdefault(step.site, []):
                sites[step.site].append(scenario)
    unnoticed = [
        site
        for site, scenarios in sites.items()
        if not _is_missed(site, {name: recorders[name] for name in scenarios}, memory_path)
    ]
    assert len(sites) >= 16
    assert not unnoticed


def _is_missed(site: str, recorders: dict[str, Recorder], place: Path) -> bool:
    """Tell whether in any scenario any state is wrong when nothing is synced at ``site``."""

    def at_promises(step: Step) -> bool:
        return step.kind in ("ack", "commit")

    def asked_there(step: Step) -> bool:
        return step.site == site

    # Where something was promised the fault shows soonest.
    return any(
        explore(crash_states(recorder, omit=asked_there, at=at), place, scenario).fault
        for at in (at_promises, lambda step: True)
        for scenario, recorder in recorders.items()
    )
