"""The SQLite database: records that survive, written by one connection in one thread.

Rollback journal in ``PERSIST`` mode with ``synchronous=FULL``: a commit has returned only when
the journal's end is on the disk. The journal keeps its blocks, so that a full disk does not stand
in the way of undeploying. A write-ahead log would save one sync per commit, of which there are a
few a day, and would bring a shared-memory map that network homes lack and the reset bug of SQLite
3.7.0-3.51.2 (``reliability-security.md`` finding 9). No memory map, for the same reason.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...errors import StorageFailure
from ...models import ModelDescription, Profile, Runtime
from .disk import FILE_MODE, Disk
from .migrations import MIGRATIONS, Migration
from .records import Record

#: How long a change waits for another program that looks into the database, in milliseconds.
_BUSY_MS = 2000

#: What SQLite says of a file that is no database of ours any more; text that is not UTF-8 has no
#: code of its own.
_DAMAGE = (sqlite3.SQLITE_OK, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

#: Marks the file as ours (``PRAGMA application_id``): "EDIs" in ASCII.
_APPLICATION_ID = 0x45444973


class Database:
    """The one connection to ``path``. Every method runs in the thread that called :meth:`open`.

    Parameters
    ----------
    repository:
        Directory that the records' directories are relative to, so that a store may be moved.
    """

    def __init__(
        self,
        path: Path,
        repository: Path,
        *,
        disk: Disk,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self._path = path
        self._repository = repository
        self._disk = disk
        self._migrations = migrations
        self._opened: sqlite3.Connection | None = None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            raise RuntimeError("the database is closed")
        return self._opened

    def open(self, *, may_be_new: bool) -> None:
        """Connect, check and migrate.

        Parameters
        ----------
        may_be_new:
            Whether an empty database is in order. When deployments lie on the disk it is not: it
            was lost, and starting afresh would throw them away.

        Raises
        ------
        StorageFailure
            ``store_corrupt`` or ``store_newer``.
        sqlite3.Error, OSError
            When the file cannot be used.
        """
        if not self._path.exists():
            # SQLite would create it with the umask's mode; its journal copies the mode of this.
            os.close(self._disk.create_file(self._path))
        # The file's name, and those of the folders beside it, before anything is put into them.
        self._disk.sync_directory(self._path.parent)
        self._path.chmod(FILE_MODE)
        self._opened = sqlite3.connect(
            self._path, timeout=_BUSY_MS / 1000, isolation_level=None, cached_statements=16
        )
        try:
            with self._damage_told():
                self._opened.execute("PRAGMA journal_mode=PERSIST")
                self._opened.execute("PRAGMA synchronous=FULL")
                self._opened.execute("PRAGMA mmap_size=0")
                faults = [row[0] for row in self._opened.execute("PRAGMA integrity_check(3)")]
                if faults != ["ok"]:
                    raise self.corrupt("; ".join(" ".join(str(fault).split()) for fault in faults))
                self._check_format()
            self._migrate(may_be_new=may_be_new)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def load(self) -> list[Record]:
        """Return every record; ``store_corrupt`` if one of them cannot be understood."""
        with self._damage_told():
            rows = self._connection.execute(
                "SELECT name, description, profile, readme, desired, generation, directory "
                "FROM deployment ORDER BY name"
            )
            return [self._record(row) for row in rows]

    def last_generation(self) -> int:
        """Return the generation that was given last."""
        with self._damage_told():
            row = self._connection.execute("SELECT value FROM last_generation").fetchone()
            if row is None or not isinstance(row[0], int):
                raise self.corrupt("it does not tell the last generation")
            return row[0]

    def fill(
        self, records: Iterable[Record], runtimes: Iterable[Runtime], *, last_generation: int
    ) -> None:
        """Put all that as it is into a new database, in one transaction."""
        with self._transaction():
            for record in records:
                self._insert(record)
            for runtime in runtimes:
                self._put_runtime(runtime)
            self._connection.execute("UPDATE last_generation SET value = ?", (last_generation,))

    def insert(self, make: Callable[[int], Record]) -> Record:
        """Add the record that ``make`` returns for its generation.

        ``make`` runs inside the transaction and may do what must be done before the commit; what
        it raises undoes the transaction.
        """
        with self._transaction() as generation:
            record = make(generation)
            self._insert(record)
        return record

    def update(self, make: Callable[[int], Record]) -> Record:
        """Put the record that ``make`` returns in place of the one of its name.

        See :meth:`insert` for ``make``.
        """
        with self._transaction() as generation:
            record = make(generation)
            self._connection.execute(
                "UPDATE deployment SET description = ?, profile = ?, readme = ?, desired = ?, "
                "generation = ?, directory = ? WHERE name = ?",
                self._row(record),
            )
        return record

    def delete(self, name: str, *, before: Callable[[], None]) -> None:
        """Remove the record of that name; ``before`` runs inside the transaction."""
        with self._transaction():
            self._connection.execute("DELETE FROM deployment WHERE name = ?", (name,))
            before()

    def load_runtimes(self) -> list[Runtime]:
        """Return every created runtime; ``store_corrupt`` if one of them cannot be understood."""
        with self._damage_told():
            rows = self._connection.execute("SELECT name, document FROM runtime ORDER BY name")
            return [self._runtime(name, document) for name, document in rows]

    def put_runtime(self, runtime: Runtime, *, before: Callable[[int], None]) -> None:
        """Add a runtime, or put it in place of the one of its name.

        ``before`` is called with the generation of the change, inside the transaction.
        """
        with self._transaction() as generation:
            self._put_runtime(runtime)
            before(generation)

    def delete_runtime(self, name: str, *, before: Callable[[int], None]) -> None:
        """Remove the runtime of that name; ``before`` as in :meth:`put_runtime`."""
        with self._transaction() as generation:
            self._connection.execute("DELETE FROM runtime WHERE name = ?", (name,))
            before(generation)

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """Run one durable transaction; yields the generation of the change in it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute("UPDATE last_generation SET value = value + 1")
            yield int(self._connection.execute("SELECT value FROM last_generation").fetchone()[0])
            self._disk.commit(self._connection)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _migrate(self, *, may_be_new: bool) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and not may_be_new:
            raise self.corrupt("it is empty, but there are deployments on the disk")
        newest = len(self._migrations)
        if version < 0:
            raise self.corrupt(f"its schema has the number {version}")
        if version > newest:
            raise StorageFailure(
                f"The store {self._path.parent} was written by a newer edi_labext (its schema is "
                f"{version}, this one knows {newest}).",
                code="store_newer",
                hint="Upgrade edi_labext, or set EDI_STORE to another directory.",
            )
        if 0 < version < newest:
            self._back_up(version)
        for step in range(version, newest):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._migrations[step](self._connection)
                self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._connection.execute(f"PRAGMA user_version = {step + 1}")
                self._disk.commit(self._connection)
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _check_format(self) -> None:
        """Refuse a header by which SQLite would read but never write."""
        with self._path.open("rb") as file:
            formats = file.read(20)[18:]
        if formats.strip(b"\x01"):
            raise self.corrupt("its header names an unknown format")

    def _back_up(self, version: int) -> None:
        """Copy the database as it is before the first migration step."""
        backup = self._path.with_name(f"{self._path.name}.schema-{version}")
        partial = backup.with_name(backup.name + ".partial")
        self._disk.remove_file(partial)
        os.close(self._disk.create_file(partial))
        self._connection.execute("VACUUM INTO ?", (os.fspath(partial),))
        self._disk.sync_file(partial)
        self._disk.rename(partial, backup)
        self._disk.sync_directory(backup.parent)

    def _insert(self, record: Record) -> None:
        self._connection.execute(
            "INSERT INTO deployment (description, profile, readme, desired, generation, "
            "directory, name) VALUES (?, ?, ?, ?, ?, ?, ?)",
            self._row(record),
        )

    def _put_runtime(self, runtime: Runtime) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO runtime (name, document) VALUES (?, ?)",
            (runtime.type, runtime.model_dump_json()),
        )

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        """Say ``store_corrupt`` where SQLite finds that the file is damaged."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in _DAMAGE:
                raise self.corrupt(str(error)) from error
            raise

    def _row(self, record: Record) -> tuple[str, str, str, str, int, str, str]:
        return (
            record.description.model_dump_json(exclude={"model_path"}),
            record.profile.model_dump_json(),
            record.readme,
            record.desired,
            record.generation,
            record.directory.relative_to(self._repository).as_posix(),
            record.name,
        )

    def _record(self, row: tuple[Any, ...]) -> Record:
        name, description, profile, readme, desired, generation, directory = row
        try:
            path = self._repository / directory
            model = ModelDescription.model_validate_json(description)
            model.model_path = str(path)
            if model.name != name or desired not in ("started", "stopped"):
                raise ValueError(name)
            return Record(
                description=model,
                profile=Profile.model_validate_json(profile),
                readme=readme,
                desired="started" if desired == "started" else "stopped",
                generation=generation,
                directory=path,
            )
        except (ValidationError, ValueError, TypeError) as error:
            raise self.corrupt(f"the record of {name!a} cannot be read") from error

    def _runtime(self, name: object, document: str) -> Runtime:
        try:
            runtime = Runtime.model_validate_json(document)
            if runtime.type != name:
                raise ValueError(name)
        except (ValidationError, ValueError, TypeError) as error:
            raise self.corrupt(f"the runtime {name!a} cannot be read") from error
        return runtime

    def corrupt(self, reason: str) -> StorageFailure:
        """Return ``store_corrupt`` with that reason, which has no full stop."""
        return StorageFailure(
            f"The database {self._path} is damaged: {reason}.",
            code="store_corrupt",
            hint=f"The deployments' files and manifests are in the folder repo of "
            f"{self._path.parent}.",
        )
