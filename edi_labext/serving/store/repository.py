"""The directories of a store: where packages are staged, published and thrown away.

::

    <store>/
      lock  store.db           one engine, one database
      staging/<token>/         a package while it is read
      repo/<name>/<name>-YYYYMMDD-HHMMSS/       a deployment's files
      repo/<name>/<name>-YYYYMMDD-HHMMSS.json   its manifest
      trash/<token>            what is being removed

A directory in ``repo`` counts only when a record of the database refers to it, so a publish that
was cut short leaves nothing but waste, which :meth:`Repository.sweep` removes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from .disk import DIRECTORY_MODE, Disk
from .records import Record, RuntimeList


class Repository:
    """The directories below ``root``. All methods block and run in the store's thread."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._disk = disk
        self._root = root
        self.staging = root / "staging"
        self.published = root / "repo"
        self.trash = root / "trash"
        self.runtimes = root / "runtimes.json"

    def prepare(self) -> None:
        """Create what is missing and close everything to other users.

        The new names are durable once the database, beside them, has been opened.
        """
        if not self._root.is_dir():
            self._root.parent.mkdir(parents=True, exist_ok=True)
            self._disk.make_directory(self._root)
            self._disk.sync_directory(self._root.parent)
        self._root.chmod(DIRECTORY_MODE)
        for directory in (self.staging, self.published, self.trash):
            if not directory.is_dir():
                self._disk.make_directory(directory)
            directory.chmod(DIRECTORY_MODE)

    def free_place(self, name: str, when: int) -> tuple[Path, int]:
        """Return a directory for a new deployment, and its time of creation.

        The directory's name tells the time in UTC (``reference/rest-api.md`` section 5). If it is
        taken, the next free second is used.
        """
        while True:
            stamp = datetime.fromtimestamp(when, UTC).strftime("%Y%m%d-%H%M%S")
            path = self.published / name / f"{name}-{stamp}"
            if not path.exists() and not self.manifest_of(path).exists():
                return path, when
            when += 1

    def publish(self, source: Path, record: Record) -> None:
        """Move a staged directory, whose files are durable, to its place and write its manifest.

        Both are durable on return.
        """
        parent = record.directory.parent
        if not parent.is_dir():
            self._disk.make_directory(parent)
            self._disk.sync_directory(self.published)
        self._disk.rename(source, record.directory)
        self.write_manifest(record)

    def write_manifest(self, record: Record) -> None:
        """Write the manifest beside a deployment's directory, in place of an earlier one."""
        self._put(self.manifest_of(record.directory), record.manifest())

    def remove_manifest(self, directory: Path) -> None:
        """Remove the manifest of one directory; durable on return."""
        self._unlist(directory.parent, [self.manifest_of(directory)])

    def remove_manifests(self, name: str) -> None:
        """Remove all manifests of one name; durable on return."""
        self._unlist(self.published / name, list((self.published / name).glob("*.json")))

    def write_runtimes(self, listed: RuntimeList) -> None:
        """Write the manifest of the created runtimes, in place of an earlier one."""
        self._put(self.runtimes, listed.manifest())

    def read_runtimes(self) -> RuntimeList | None:
        """Return the list of created runtimes, if there is one and it is intact."""
        if not self.runtimes.is_file():
            return None
        return RuntimeList.from_manifest(self.runtimes.read_bytes())

    def _put(self, target: Path, data: bytes) -> None:
        """Put a file in its place, whole and durable on return."""
        partial = self.staging / f"{secrets.token_hex(8)}.json"
        try:
            self._disk.write_file(partial, data)
            self._disk.rename(partial, target)
        except BaseException:
            with suppress(OSError):
                self._disk.remove_file(partial)
            raise
        self._disk.sync_directory(target.parent)

    def _unlist(self, parent: Path, manifests: list[Path]) -> None:
        for manifest in manifests:
            self._disk.remove_file(manifest)
        if parent.is_dir():
            self._disk.sync_directory(parent)

    def withdraw(self, directory: Path) -> Path:
        """Take a deployment's directory out of ``repo``; return what to remove."""
        waste = self._throw(directory)
        with suppress(OSError):  # another deployment's directory is in it
            self._disk.remove_directory(directory.parent)
        return waste

    def survey(self, known: Mapping[Path, bytes] = MappingProxyType({})) -> list[Record]:
        """Return a record for each intact manifest that lies beside its directory.

        Manifests that are ``known`` to the byte, by their directory, are left out.
        """
        found = []
        for manifest in self.published.glob("*/*.json"):
            directory, data = manifest.with_suffix(""), manifest.read_bytes()
            if data != known.get(directory) and directory.is_dir():
                record = Record.from_manifest(data, directory)
                if record is not None and record.name == directory.parent.name:
                    found.append(record)
        return found

    def doubt(self, records: Iterable[Record], last_generation: int) -> str | None:
        """Return in what the manifests contradict the database; ``None`` if in nothing.

        A manifest is durable before the record it tells of, and gone before its record is. So
        an intact one may be ahead of the database, but never behind it or beside it.
        """
        by_name = {record.name: record for record in records}
        written = {record.directory: record.manifest() for record in by_name.values()}
        for record in by_name.values():
            if record.generation > last_generation:
                return f"the record of {record.name!a} comes from the future"
        for told in self.survey(known=written):
            known = by_name.get(told.name)
            if known is None or not known.directory.is_dir():
                if told.generation <= last_generation:
                    return f"the record of {told.name!a} is missing"
            elif told.generation == known.generation and told.manifest() != known.manifest():
                return f"the record of {told.name!a} is not what was written"
        return None

    def sweep(self, records: Iterable[Record]) -> None:
        """Remove what no record refers to, and bring the manifests up to date."""
        kept: dict[Path, set[Path]] = {}
        for record in records:
            manifest = self.manifest_of(record.directory)
            kept.setdefault(manifest.parent, set()).update((record.directory, manifest))
            current = self._read_manifest(record.directory)
            if record.directory.is_dir() and current != record.manifest():
                self.write_manifest(record)
        waste = [
            path
            for parent in self.published.iterdir()
            for path in ([parent] if parent not in kept else parent.iterdir())
            if parent not in kept or path not in kept[parent]
        ]
        for path in waste:
            self._throw(path)
        if waste:
            # A manifest that came back would be taken for that of a record that was lost.
            self._disk.sync_directory(self.trash)
        for room in (self.staging, self.trash):
            for path in list(room.iterdir()):
                self.remove(path)

    def remove(self, path: Path) -> None:
        """Remove a file or directory that nobody refers to. Errors are left to the next sweep."""
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                self._disk.remove_tree(path)
            else:
                self._disk.remove_file(path)

    def holds_anything(self) -> bool:
        """Tell whether the manifests know of anything that the database must know too."""
        listed = self.read_runtimes()
        return any(self.published.glob("*/*.json")) or bool(listed and listed.runtimes)

    def _read_manifest(self, directory: Path) -> bytes:
        manifest = self.manifest_of(directory)
        return manifest.read_bytes() if manifest.is_file() else b""

    @staticmethod
    def manifest_of(directory: Path) -> Path:
        """Return the path of the manifest of the deployment in ``directory``."""
        return directory.with_name(directory.name + ".json")

    def _throw(self, path: Path) -> Path:
        waste = self.trash / secrets.token_hex(8)
        if path.exists() or path.is_symlink():
            self._disk.rename(path, waste)
        return waste
