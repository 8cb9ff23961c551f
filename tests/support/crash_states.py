"""What a disk may hold after a power loss: a recorder of disk operations, and all legal states.

The model is harsher than today's filesystems. What was not synced may be there or not, each piece
for itself and in any order:

- Bytes of a file are certain after a sync of that file; before, they may be missing, cut, or zeros.
- A name is certain after a sync of its directory, a renamed one after a sync of the target's. A
  rename happens as a whole or not at all.
- A commit of SQLite is certain when it has returned (``synchronous=FULL`` is SQLite's promise), and
  says nothing about other files. The name of the database file is a name like any other.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edi_labext.serving.store.disk import Disk

#: What may have become of bytes that were not synced.
_KINDS: tuple[Callable[[bytes, bytes], bytes], ...] = (
    lambda synced, written: written,
    lambda synced, written: synced,
    lambda synced, written: written[: len(written) // 2],
    lambda synced, written: bytes(len(written)),
)


@dataclass(frozen=True)
class Step:
    """One operation: ``make``, ``write``, ``sync``, ``sync_all``, ``move``, ``unlink``, ``commit``
    or ``ack``. Directories and files are numbers; ``site`` tells which code asked for a sync."""

    kind: str
    node: int = -1
    parent: int = -1
    name: str = ""
    target: int = -1
    target_name: str = ""
    data: bytes = b""
    directory: bool = False
    site: str = ""
    state: Any = None


class Recorder(Disk):
    """The real disk, and a record of all that was asked of it below ``root``'s parent."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[Step] = []
        self._nodes: dict[tuple[int, int], int] = {}
        self._count = 0
        self._top = self._new(root.parent)
        self.given = _tree(root.parent, self)

    def ack(self, state: Any) -> None:
        """Note that whoever asked was told that all up to here has happened."""
        self.steps.append(Step("ack", state=state))

    def make_directory(self, path: Path | bytes, *, dir_fd: int | None = None) -> None:
        super().make_directory(path, dir_fd=dir_fd)
        self._made(path, dir_fd, directory=True)

    def create_file(
        self, path: Path | bytes, *, mode: int = 0o600, dir_fd: int | None = None
    ) -> int:
        fd = super().create_file(path, mode=mode, dir_fd=dir_fd)
        self._made(path, dir_fd, directory=False)
        return fd

    def write(self, fd: int, data: bytes) -> None:
        super().write(fd, data)
        self.steps.append(Step("write", self._of(os.fstat(fd)), data=bytes(data)))

    def sync(self, fd: int) -> None:
        status = os.fstat(fd)
        data = b""
        if (path := Path(os.readlink(f"/proc/self/fd/{fd}"))).is_file():
            data = path.read_bytes()
        self.steps.append(Step("sync", self._of(status), data=data, site=_site()))

    def sync_filesystem(self, fd: int) -> bool:
        self.steps.append(Step("sync_all", site=_site()))
        return True

    def rename(self, source: Path, target: Path) -> None:
        if (status := source.lstat()) and (status.st_dev, status.st_ino) not in self._nodes:
            # SQLite makes journals by itself, and syncs their directory.
            self._made(source, None, directory=False)
            self.steps.append(Step("commit", self._of(status), data=source.read_bytes()))
        node = self._of(status)
        parents = self._of(source.parent.stat()), self._of(target.parent.stat())
        super().rename(source, target)
        self.steps.append(Step("move", node, parents[0], source.name, parents[1], target.name))

    def commit(self, connection: sqlite3.Connection) -> None:
        super().commit(connection)
        path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
        self.steps.append(Step("commit", self._of(path.stat()), data=path.read_bytes()))

    def remove_file(self, path: Path) -> None:
        if path.exists():
            self._unlinked(path)
        super().remove_file(path)

    def remove_directory(self, path: Path) -> None:
        super().remove_directory(path)
        self.steps.append(Step("unlink", parent=self._of(path.parent.stat()), name=path.name))

    def remove_tree(self, path: Path) -> None:
        for inner in sorted(path.rglob("*"), reverse=True):
            self._unlinked(inner)
        if path.exists():
            self._unlinked(path)
        super().remove_tree(path)

    def _made(self, path: Path | bytes, dir_fd: int | None, *, directory: bool) -> None:
        if dir_fd is not None:
            path = Path(os.readlink(f"/proc/self/fd/{dir_fd}")) / os.fsdecode(path)
        assert isinstance(path, Path)
        node = self._new(path)
        parent = self._of(path.parent.stat())
        self.steps.append(Step("make", node, parent, path.name, directory=directory))

    def _unlinked(self, path: Path) -> None:
        self.steps.append(Step("unlink", parent=self._of(path.parent.stat()), name=path.name))

    def _new(self, path: Path) -> int:
        # Numbers of files are used again, so a new file is a new node.
        status = path.stat()
        self._count += 1
        self._nodes[status.st_dev, status.st_ino] = self._count
        return self._count

    def _of(self, status: os.stat_result) -> int:
        return self._nodes[status.st_dev, status.st_ino]


def _site() -> str:
    """Return the function and line outside of ``disk.py`` that asked for a sync."""
    frame = sys._getframe(1)
    inside = {__file__, sys.modules[Disk.__module__].__file__}
    means = ""
    while frame.f_code.co_filename in inside:
        means = frame.f_code.co_name
        assert frame.f_back is not None
        frame = frame.f_back
    where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
    return f"{means} in {where}, {frame.f_code.co_qualname}"


def _tree(directory: Path, recorder: Recorder) -> list[Step]:
    """The steps that make what is there before anything is recorded."""
    steps = []
    for path in sorted(directory.iterdir()):
        node = recorder._new(path)
        parent = recorder._of(directory.stat())
        steps.append(Step("make", node, parent, path.name, directory=path.is_dir()))
        if path.is_dir():
            steps += _tree(path, recorder)
        else:
            steps.append(Step("write", node, data=path.read_bytes()))
    return steps


@dataclass
class State:
    """One thing that the disk may hold: contents by path, ``None`` for a directory."""

    entries: dict[str, bytes | None]
    #: How many operations there had been, and how many acknowledgements among them.
    after: int
    acked: int = 0

    def key(self) -> bytes:
        digest = hashlib.sha256()
        for path in sorted(self.entries):
            data = self.entries[path]
            digest.update(f"{path}\0{-1 if data is None else len(data)}\0".encode())
            digest.update(data or b"")
        return digest.digest()

    def write_to(self, directory: Path) -> None:
        for path in sorted(self.entries):
            data = self.entries[path]
            if data is None:
                (directory / path).mkdir(mode=0o700)
            else:
                (directory / path).write_bytes(data)


@dataclass
class _Model:
    """What is certain, and what is not, after some operations."""

    synced: dict[int, bytes] = field(default_factory=dict)
    written: dict[int, bytes] = field(default_factory=dict)
    directories: set[int] = field(default_factory=set)
    certain: dict[int, dict[str, int]] = field(default_factory=dict)
    pending: list[Step] = field(default_factory=list)
    exhaustive: int = 5

    def take(self, step: Step, *, omitted: bool) -> None:
        match step.kind:
            case "make":
                if step.directory:
                    self.directories.add(step.node)
                    self.certain.setdefault(step.node, {})
                else:
                    self.synced[step.node] = self.written[step.node] = b""
                self.pending.append(step)
            case "move" | "unlink":
                self.pending.append(step)
            case "write":
                self.written[step.node] += step.data
            case "commit":
                self.synced[step.node] = self.written[step.node] = step.data
            case "sync":
                if step.node not in self.directories:
                    # What others have written to it without our seeing it comes to light here.
                    self.written[step.node] = step.data
                if not omitted:
                    self._sync(step.node)
            case "sync_all":
                if not omitted:
                    self.settle()

    def settle(self) -> None:
        for step in self.pending:
            _apply(self.certain, step)
        self.pending.clear()
        self.synced.update(self.written)

    def _sync(self, node: int) -> None:
        if node not in self.directories:
            self.synced[node] = self.written[node]
            return
        rest = []
        for step in self.pending:
            place = step.target if step.kind == "move" else step.parent
            if place == node:
                _apply(self.certain, step)
            else:
                rest.append(step)
        self.pending = rest

    def states(self, top: int, after: int) -> Iterator[State]:
        """Yield all states that a crash now may leave behind."""
        unsure = {node for node, data in self.written.items() if data != self.synced.get(node, b"")}
        for subset in self._subsets(top):
            names = {node: dict(entries) for node, entries in self.certain.items()}
            for step in subset:
                _apply(names, step)
            places = dict(_walk(names, top))
            concerned = [
                node for path, node in places.items() if node in unsure and not _is_passing(path)
            ]
            for kinds in _variants(len(concerned)):
                contents = dict(zip(concerned, kinds, strict=True))
                entries: dict[str, bytes | None] = {}
                for path, node in places.items():
                    if node in self.directories:
                        entries[path] = None
                    else:
                        synced = self.synced.get(node, b"")
                        kind = contents.get(node, _KINDS[0])
                        entries[path] = kind(synced, self.written.get(node, b""))
                yield State(entries, after)

    def _subsets(self, top: int) -> Iterator[list[Step]]:
        waste, rest = self._apart(top)
        for chosen in _choices(rest, self.exhaustive):
            for part in (waste, []) if waste else ([],):
                yield sorted([*chosen, *part], key=self.pending.index)

    def _apart(self, top: int) -> tuple[list[Step], list[Step]]:
        """Tell what only concerns staging and trash, which every start empties, from the rest."""
        names = {node: dict(entries) for node, entries in self.certain.items()}
        for step in self.pending:
            _apply(names, step)
        passing = {node for path, node in _walk(names, top) if _is_passing(path)}
        waste = [
            step
            for step in self.pending
            if step.parent in passing and step.target in ({-1} | passing) and step.kind != "move"
        ]
        return waste, [step for step in self.pending if step not in waste]


def _is_passing(path: str) -> bool:
    return not {"staging", "trash"}.isdisjoint(path.split("/"))


def _apply(names: dict[int, dict[str, int]], step: Step) -> None:
    if step.kind == "make":
        names.setdefault(step.parent, {})[step.name] = step.node
    elif step.kind == "unlink":
        names.setdefault(step.parent, {}).pop(step.name, None)
    else:
        source = names.setdefault(step.parent, {})
        if source.get(step.name) == step.node:
            del source[step.name]
        names.setdefault(step.target, {})[step.target_name] = step.node


def _walk(names: dict[int, dict[str, int]], node: int, base: str = "") -> Iterator[tuple[str, int]]:
    for name, inner in names.get(node, {}).items():
        yield base + name, inner
        yield from _walk(names, inner, f"{base}{name}/")


def _choices(steps: list[Step], exhaustive: int) -> Iterator[list[Step]]:
    count = len(steps)
    if count <= exhaustive:
        for bits in range(1 << count):
            yield [step for at, step in enumerate(steps) if bits >> at & 1]
        return
    rng = random.Random(count)
    for at in range(count + 1):
        yield steps[:at]
        yield steps[at:]
    for at in range(count):
        yield [steps[at]]
        yield steps[:at] + steps[at + 1 :]
    for _ in range(8):
        yield [step for step in steps if rng.random() < 0.5]


def _variants(count: int) -> Iterator[tuple[Callable[[bytes, bytes], bytes], ...]]:
    """Yield what becomes of ``count`` files: the same of all, and something of each one alone."""
    if not count:
        yield ()
        return
    for kind in _KINDS:
        yield (kind,) * count
    if count > 1:
        for at in range(count):
            for kind in _KINDS[1:]:
                yield tuple(kind if number == at else _KINDS[0] for number in range(count))


def crash_states(
    recorder: Recorder,
    *,
    omit: Callable[[Step], bool] = lambda step: False,
    at: Callable[[Step], bool] = lambda step: True,
    exhaustive: int = 5,
) -> Iterator[tuple[State, list[Any]]]:
    """Yield each state that a power loss may leave, and what may then be true.

    What may be true is what was acknowledged last before the crash, and what is acknowledged next.

    Parameters
    ----------
    omit:
        Which syncs are taken not to have happened.
    at:
        Behind which operations the power may go.
    exhaustive:
        Up to this many uncertain names all subsets are tried, of more of them each one alone, each
        one missing, and some by chance.
    """
    model = _Model(certain={1: {}}, directories={1}, exhaustive=exhaustive)
    for step in recorder.given:
        model.take(step, omitted=False)
    model.settle()
    acks = [(at, step.state) for at, step in enumerate(recorder.steps) if step.kind == "ack"]
    seen: set[tuple[bytes, int]] = set()
    for after, step in enumerate([None, *recorder.steps]):
        if step is not None:
            model.take(step, omitted=step.site != "" and omit(step))
            if not at(step):
                continue
        done = [state for at, state in acks if at < after]
        coming = [state for at, state in acks if at >= after]
        allowed = [*done[-1:], *coming[:1]]
        for state in model.states(1, after):
            key = state.key(), len(done)
            if key not in seen:
                seen.add(key)
                state.acked = len(done)
                yield state, allowed
