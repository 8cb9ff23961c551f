"""The blocking half of the store: each change in the order that makes it survive a crash.

Files, directory entries, manifest, database; only then does anybody hear of it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StorageFailure
from ...models import Profile, Runtime, describe_deployment
from .database import Database
from .disk import Disk, is_media_failure
from .lock import StoreLock
from .rebuild import Rebuild, notices
from .records import Record, RuntimeList
from .repository import Repository

if TYPE_CHECKING:
    from ..archive import StagedPackage

_log = logging.getLogger(__name__)


class Changes:
    """Opens, changes and closes what is on the disk. Every method runs in the store's thread.

    All of them may raise ``OSError`` and ``sqlite3.Error``; then the change did not happen, unless
    the disk itself failed (:func:`~.disk.is_media_failure`): then only the next start can tell.
    """

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = directory
        self._disk = disk
        self._listed = RuntimeList()
        self._lock: StoreLock | None = None
        self.repository = Repository(directory, disk)
        self._database = Database(directory / "store.db", self.repository.published, disk=disk)

    def open(self, now: int) -> tuple[list[Record], list[Runtime]]:
        """Take the store, remove what a crash left half done, and return what is in it.

        A damaged database is rebuilt; ``now`` is Unix seconds.
        """
        self.repository.prepare()
        self._lock = StoreLock(self._directory / "lock")
        try:
            records, runtimes = self._load()
        except StorageFailure as damage:
            if damage.code != "store_corrupt":
                raise
            self._database.close()
            _log.error("%s Rebuilding it from the manifests.", damage.message)
            Rebuild(self._directory, self.repository, self._disk, now).run(damage.message)
            records, runtimes = self._load()
        self.repository.sweep(records)
        self._listed = RuntimeList(tuple(runtimes), self._database.last_generation())
        listed = self.repository.read_runtimes()
        if (listed or RuntimeList()).runtimes != self._listed.runtimes:
            self.repository.write_runtimes(self._listed)
        return records, runtimes

    def _load(self) -> tuple[list[Record], list[Runtime]]:
        self._database.open(may_be_new=not self.repository.holds_anything())
        records, runtimes = self._database.load(), self._database.load_runtimes()
        last = self._database.last_generation()
        doubt = self.repository.doubt(records, last)
        listed = self.repository.read_runtimes()
        if listed and listed.generation <= last and list(listed.runtimes) != runtimes:
            doubt = "the runtimes are not what was written"
        if doubt is not None:
            raise self._database.corrupt(doubt)
        return records, runtimes

    def notices(self) -> list[str]:
        """Return what people should know of this store."""
        return notices(self._directory)

    def close(self) -> None:
        """Let go of the store; harmless when it was never opened."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def publish(
        self,
        staged: StagedPackage,
        *,
        creator: str,
        profile: Profile | None,
        more: Mapping[str, Any],
        now: int,
    ) -> Record:
        """Move a package to its place and record it; ``now`` is Unix seconds."""
        name = staged.submission.name
        directory, created = self.repository.free_place(name, now)

        def make(generation: int) -> Record:
            record = Record(
                description=describe_deployment(
                    staged.submission,
                    **{
                        **more,
                        "uid": str(uuid.uuid4()),
                        "size": staged.size,
                        "model_path": str(directory),
                        "create_time": created,
                        "last_updated_time": created,
                        "creator": creator,
                    },
                ),
                profile=profile or Profile(name=name),
                readme=staged.readme,
                desired="stopped",
                generation=generation,
                directory=directory,
            )
            self.repository.publish(staged.directory, record)
            return record

        with self._taken_back(directory):
            return self._database.insert(make)

    def exchange(self, old: Record, staged: StagedPackage, *, now: int) -> tuple[Record, Path]:
        """Move a package to a place of its own and have the record of ``old`` refer to it.

        What was deployed before is taken away only after that is durable. Returns the new record,
        and what is left to remove of the old files.
        """
        directory, changed = self.repository.free_place(old.name, now)
        before = old.description

        def make(generation: int) -> Record:
            record = replace(
                old,
                description=describe_deployment(
                    staged.submission,
                    uid=before.uid,
                    size=staged.size,
                    model_path=str(directory),
                    create_time=before.create_time,
                    last_updated_time=changed,
                    started_at=before.started_at,
                    creator=before.creator,
                ),
                readme=staged.readme,
                generation=generation,
                directory=directory,
            )
            self.repository.publish(staged.directory, record)
            return record

        with self._taken_back(directory):
            record = self._database.update(make)
        # The new one counts now; what cannot be moved is waste for the next start to sweep.
        with suppress(OSError):
            # Durable before its files go, or it could come back to tell of half of them.
            self.repository.remove_manifest(old.directory)
            return record, self.repository.withdraw(old.directory)
        return record, old.directory

    @contextmanager
    def _taken_back(self, directory: Path) -> Iterator[None]:
        """Take ``directory`` out of the repository again if its publication fails."""
        try:
            yield
        except BaseException as error:
            # After a failure of the disk itself the commit may have happened: then the files
            # must stay, and the next start sees which it was.
            if not is_media_failure(error):
                with suppress(OSError):
                    self.repository.remove_manifest(directory)
                    self.repository.remove(self.repository.withdraw(directory))
            raise

    def replace(self, old: Record, new: Record) -> Record:
        """Put ``new`` in place of ``old`` and return it with its generation."""

        def make(generation: int) -> Record:
            record = replace(new, generation=generation)
            self.repository.write_manifest(record)
            return record

        try:
            return self._database.update(make)
        except BaseException as error:
            if not is_media_failure(error):
                with suppress(OSError):
                    self.repository.write_manifest(old)
            raise

    def forget(self, record: Record) -> Path | None:
        """Remove a record for good; return what is left to remove of its files."""
        try:
            self._database.delete(
                record.name, before=lambda: self.repository.remove_manifests(record.name)
            )
        except BaseException as error:
            if not is_media_failure(error):
                with suppress(OSError):
                    self.repository.write_manifest(record)
            raise
        # It is gone now; what cannot be moved is waste for the next start to sweep.
        with suppress(OSError):
            return self.repository.withdraw(record.directory)
        return None

    def put_runtime(self, runtime: Runtime) -> None:
        """Keep a runtime, in place of an earlier one of its name."""
        others = [item for item in self._listed.runtimes if item.type != runtime.type]
        with self._listing([*others, runtime]) as write:
            self._database.put_runtime(runtime, before=write)

    def forget_runtime(self, name: str) -> None:
        """Remove a runtime."""
        with self._listing([item for item in self._listed.runtimes if item.type != name]) as write:
            self._database.delete_runtime(name, before=write)

    @contextmanager
    def _listing(self, runtimes: list[Runtime]) -> Iterator[Callable[[int], None]]:
        """Yield what writes the list of runtimes, and take it back if the change fails."""
        new = RuntimeList(tuple(sorted(runtimes, key=lambda runtime: runtime.type)))

        def write(generation: int) -> None:
            nonlocal new
            new = replace(new, generation=generation)
            self.repository.write_runtimes(new)

        try:
            yield write
        except BaseException as error:
            if not is_media_failure(error):
                with suppress(OSError):
                    self.repository.write_runtimes(self._listed)
            raise
        self._listed = new
