"""The blocking half of the store: each change in the order that makes it survive a crash.

Files, directory entries, manifest, database; only then does anybody hear of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models import Profile, Runtime, describe_deployment
from .database import Database
from .disk import Disk, is_media_failure
from .lock import StoreLock
from .records import Record
from .repository import Repository

if TYPE_CHECKING:
    from ..archive import StagedPackage


class Changes:
    """Opens, changes and closes what is on the disk. Every method runs in the store's thread.

    All of them may raise ``OSError`` and ``sqlite3.Error``; then the change did not happen, unless
    the disk itself failed (:func:`~.disk.is_media_failure`): then only the next start can tell.
    """

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = directory
        self._lock: StoreLock | None = None
        self.repository = Repository(directory, disk)
        self._database = Database(directory / "store.db", self.repository.published, disk=disk)

    def open(self) -> tuple[list[Record], list[Runtime]]:
        """Take the store, remove what a crash left half done, and return what is in it."""
        self.repository.prepare()
        self._lock = StoreLock(self._directory / "lock")
        self._database.open(may_be_new=not self.repository.holds_deployments())
        records = self._database.load()
        self.repository.sweep(records)
        return records, self._database.load_runtimes()

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
        self._database.delete(record.name)
        # It is gone now; what cannot be moved is waste for the next start to sweep.
        with suppress(OSError):
            return self.repository.withdraw(record.directory)
        return None

    def put_runtime(self, runtime: Runtime) -> None:
        """Keep a runtime, in place of an earlier one of its name."""
        self._database.put_runtime(runtime)

    def forget_runtime(self, name: str) -> None:
        """Remove a runtime."""
        self._database.delete_runtime(name)
