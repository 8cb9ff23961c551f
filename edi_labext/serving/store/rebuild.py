"""A database that is damaged or gone, made anew from the manifests beside the deployments.

Nothing is thrown away: the damaged file, and what lies in ``repo`` without an intact manifest, go
to ``quarantine/<time>`` with a note. While that folder is there, the engine says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from .database import Database
from .disk import Disk
from .records import Record, RuntimeList
from .repository import Repository

#: Folder of the store that holds what was taken out of use.
QUARANTINE = "quarantine"
_NOTE = "note.json"
#: Generations that are left out, since numbers were given to what is not known any more.
_GAP = 1000


class Rebuild:
    """Makes ``store.db`` anew. Blocks; runs in the store's thread, before anything else.

    A crash on the way leaves no database, or the damaged one, and so a rebuild at the next start.

    Parameters
    ----------
    root:
        Directory of the store.
    now:
        Unix seconds, for the name of the quarantine.
    """

    def __init__(self, root: Path, repository: Repository, disk: Disk, now: int) -> None:
        self._root = root
        self._repository = repository
        self._disk = disk
        self._now = now
        self._path = root / "store.db"

    def run(self, reason: str) -> None:
        """Put a new database in place of the damaged one, which ``reason`` is about."""
        records = newest(self._repository.survey())
        fresh = self._make(records)
        place = self._quarantine()
        for path in (self._path, _journal(self._path)):
            # An empty file has nothing to tell.
            if path.is_file() and path.stat().st_size:
                self._disk.rename(path, place / path.name)
            else:
                self._disk.remove_file(path)
        strange = self._set_aside(place)
        note = {
            "when": self._now,
            "reason": reason,
            "deployments": [record.name for record in records],
            "set_aside": strange,
        }
        self._disk.write_file(place / _NOTE, json.dumps(note, indent=1).encode() + b"\n")
        self._disk.sync_directory(place)
        # Durable once the database is opened: that begins with a sync of its directory.
        self._disk.rename(fresh, self._path)

    def _make(self, records: list[Record]) -> Path:
        """Write the new database beside the old one; durable on return, as SQLite's commits are."""
        fresh = self._root / "store.db.rebuilt"
        for path in (fresh, _journal(fresh)):
            self._disk.remove_file(path)
        database = Database(fresh, self._repository.published, disk=self._disk)
        try:
            database.open(may_be_new=True)
            listed = self._repository.read_runtimes() or RuntimeList()
            last = max(listed.generation, *(record.generation for record in records), 0)
            database.fill(records, listed.runtimes, last_generation=last + _GAP)
        finally:
            database.close()
        self._disk.remove_file(_journal(fresh))
        return fresh

    def _quarantine(self) -> Path:
        stamp = datetime.fromtimestamp(self._now, UTC).strftime("%Y%m%d-%H%M%S")
        parent = self._root / QUARANTINE
        if not parent.is_dir():
            self._disk.make_directory(parent)
        number, place = 1, parent / stamp
        while place.exists():
            number += 1
            place = parent / f"{stamp}-{number}"
        self._disk.make_directory(place)
        # Before anything is moved there.
        self._disk.sync_directory(parent)
        self._disk.sync_directory(self._root)
        return place

    def _set_aside(self, place: Path) -> list[str]:
        """Move directories out of ``repo`` that no intact manifest names; return their names."""
        known = {record.directory for record in self._repository.survey()}
        strange = [
            path
            for path in self._repository.published.glob("*/*")
            if path.is_dir() and path not in known
        ]
        for path in strange:
            self._disk.rename(path, place / path.name)
        return sorted(path.name for path in strange)


def newest(records: Iterable[Record]) -> list[Record]:
    """Return one record for each name, the one of the highest generation."""
    found: dict[str, Record] = {}
    for record in records:
        other = found.get(record.name)
        if other is None or record.generation > other.generation:
            found[record.name] = record
    return [found[name] for name in sorted(found)]


def notices(root: Path) -> list[str]:
    """Return a sentence for each rebuild whose quarantine nobody has removed yet."""
    told = []
    for note in sorted((root / QUARANTINE).glob(f"*/{_NOTE}")):
        try:
            value = json.loads(note.read_bytes())
            when = datetime.fromtimestamp(value["when"], UTC).strftime("%Y-%m-%d %H:%M UTC")
            count, aside = len(value["deployments"]), len(value["set_aside"])
            reason = str(value["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        told.append(
            f"{reason} It was rebuilt on {when} from the manifests of {count} deployments. "
            + (f"{aside} folders without a manifest were set aside. " if aside else "")
            + f"What was damaged lies in {note.parent}; remove that folder when nothing is missing."
        )
    return told


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-journal")
