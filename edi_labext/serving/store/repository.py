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
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from .disk import DIRECTORY_MODE, Disk
from .records import Record


class Repository:
    """The directories below ``root``. All methods block and run in the store's thread."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._disk = disk
        self._root = root
        self.staging = root / "staging"
        self.published = root / "repo"
        self.trash = root / "trash"

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
        target = self.manifest_of(record.directory)
        partial = self.staging / f"{secrets.token_hex(8)}.json"
        try:
            self._disk.write_file(partial, record.manifest())
            self._disk.rename(partial, target)
        except BaseException:
            with suppress(OSError):
                self._disk.remove_file(partial)
            raise
        self._disk.sync_directory(target.parent)

    def withdraw(self, directory: Path) -> Path:
        """Take a deployment's directory and manifest out of ``repo``; return what to remove."""
        waste = self._throw(directory)
        self._disk.remove_file(self.manifest_of(directory))
        with suppress(OSError):  # another deployment's directory is in it
            directory.parent.rmdir()
        return waste

    def sweep(self, records: Iterable[Record]) -> None:
        """Remove what no record refers to, and bring the manifests up to date."""
        kept: dict[Path, set[Path]] = {}
        for record in records:
            manifest = self.manifest_of(record.directory)
            kept.setdefault(manifest.parent, set()).update((record.directory, manifest))
            current = manifest.read_bytes() if manifest.is_file() else b""
            if record.directory.is_dir() and current != record.manifest():
                self.write_manifest(record)
        for parent in list(self.published.iterdir()):
            if parent not in kept:
                self._throw(parent)
                continue
            for path in list(parent.iterdir()):
                if path not in kept[parent]:
                    self._throw(path)
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

    def holds_deployments(self) -> bool:
        """Tell whether anything was ever published here and not removed."""
        return any(self.published.glob("*/*.json"))

    @staticmethod
    def manifest_of(directory: Path) -> Path:
        """Return the path of the manifest of the deployment in ``directory``."""
        return directory.with_name(directory.name + ".json")

    def _throw(self, path: Path) -> Path:
        waste = self.trash / secrets.token_hex(8)
        if path.exists() or path.is_symlink():
            self._disk.rename(path, waste)
        return waste
