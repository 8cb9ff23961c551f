"""The store: what deployments there are, surviving any crash from the moment it says so.

A change is durable in this order: files, directory entries, manifest, database, memory. Every
read is answered from memory. Owned by the loop; the disk is used in one thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import Conflict, NotFound, StorageFailure, Unavailable, echo
from ...models import ModelDescription, Profile, describe_deployment
from ..clock import Clock
from .database import Database
from .disk import Disk, is_media_failure, storage_error
from .lock import StoreLock
from .records import Desired, Record, Records
from .repository import Repository

if TYPE_CHECKING:
    from ..archive import StagedPackage

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Store:
    """Deployments on disk and in memory; make one with :meth:`open`.

    Changes are made one after the other, and run to their end even when the caller is cancelled.
    The models in a record belong to the store: copy before changing them.

    Attributes
    ----------
    directory:
        Absolute path of the store.
    staging:
        Where packages are unpacked (:class:`~edi_labext.serving.archive.Intake`).
    """

    def __init__(self, directory: Path, clock: Clock, disk: Disk) -> None:
        directory = directory.absolute()
        self.directory = directory
        self._clock = clock
        self._disk = disk
        self._repository = Repository(directory, disk)
        self._database = Database(directory / "store.db", self._repository.published, disk=disk)
        self._records = Records(())
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edi-store")
        self._turn = asyncio.Lock()
        self._effects: set[asyncio.Task[Any]] = set()
        self._lock: StoreLock | None = None
        self._closing = False
        self._read_only = False
        self.staging = self._repository.staging

    @classmethod
    async def open(cls, directory: Path, clock: Clock, *, disk: Disk | None = None) -> Store:
        """Open the store in ``directory``, which is created if need be.

        What a crash left half done is removed. Directories get mode 0700 and files 0600.

        Raises
        ------
        Conflict
            ``store_in_use``: another engine has it.
        StorageFailure
            ``store_corrupt``, ``store_newer``, or what the disk said.
        """
        store = cls(directory, clock, disk or Disk())
        loop = asyncio.get_running_loop()
        try:
            records = await loop.run_in_executor(store._thread, store._open)
        except BaseException as error:
            # In this order: the lock is let go only when nothing works on the store any more.
            await loop.run_in_executor(store._thread, store._database.close)
            store._thread.shutdown(wait=False)
            if store._lock is not None:
                store._lock.release()
            if isinstance(error, OSError | sqlite3.Error):
                raise storage_error(error, "open the store", store.directory) from error
            raise
        store._records = Records(records)
        return store

    def _open(self) -> list[Record]:
        self._repository.prepare()
        self._lock = StoreLock(self.directory / "lock")
        self._database.open(may_be_new=not self._repository.holds_deployments())
        records = self._database.load()
        self._repository.sweep(records)
        return records

    async def close(self) -> None:
        """Finish the changes under way, refuse further ones, and let go of the store."""
        if self._closing:
            return
        self._closing = True
        while self._effects:
            await asyncio.wait(self._effects)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._database.close)
        self._thread.shutdown()
        if self._lock is not None:
            self._lock.release()

    # --- reads, from memory ---------------------------------------------------------------

    def get(self, name: str) -> Record:
        """Return the deployment of that name; :class:`NotFound` if there is none."""
        record = self._records.get(name)
        if record is None:
            raise NotFound(
                f"There is no deployment named {echo(name)}.",
                hint="List the deployments to see their names.",
            )
        return record

    def names(self) -> list[str]:
        """Return the names of all deployments, sorted."""
        return [record.name for record in self._records.all()]

    def all(self) -> tuple[Record, ...]:
        """Return all deployments, sorted by name."""
        return self._records.all()

    @property
    def read_only(self) -> bool:
        """Whether the disk has failed, so that every change is refused until a restart."""
        return self._read_only

    # --- changes --------------------------------------------------------------------------

    async def publish(
        self, staged: StagedPackage, *, creator: str, profile: Profile | None = None
    ) -> Record:
        """Make a staged package a deployment, not started. The package is used up either way.

        Parameters
        ----------
        creator:
            User name shown as the deployment's creator.
        profile:
            How it will run; EDI's defaults if not given.

        Raises
        ------
        Conflict
            ``exists``: the name is taken.
        OutOfSpace, StorageFailure, Unavailable
            Nothing was published.
        """
        return await self._effect(self._publish(staged, creator, profile))

    async def update(
        self,
        name: str,
        *,
        desired: Desired | None = None,
        profile: Profile | None = None,
        description: ModelDescription | None = None,
    ) -> Record:
        """Change what is given and return the new record; the rest stays.

        The ``name`` and ``model_path`` of a new description are not taken over.

        Raises
        ------
        NotFound
            There is no such deployment.
        OutOfSpace, StorageFailure, Unavailable
            Nothing was changed.
        """
        return await self._effect(self._update(name, desired, profile, description))

    async def delete(self, name: str) -> None:
        """Remove a deployment and its files for good.

        Raises
        ------
        NotFound
            There is no such deployment.
        OutOfSpace, StorageFailure, Unavailable
            Nothing was removed.
        """
        await self._effect(self._delete(name))

    async def _publish(
        self, staged: StagedPackage, creator: str, profile: Profile | None
    ) -> Record:
        name = staged.submission.name
        try:
            async with self._turn:
                if self._records.get(name) is not None:
                    raise Conflict(
                        f"A deployment named {echo(name)} exists.",
                        code="exists",
                        field="name",
                        hint="Undeploy it first, or deploy under another name.",
                    )
                now = int(self._clock.wall())

                def work() -> Record:
                    return self._publish_files(staged, creator, profile, now)

                record = await self._in_thread(work, "publish the package")
                self._records.put(record)
                return record
        finally:
            await asyncio.to_thread(staged.discard, self._disk)

    def _publish_files(
        self, staged: StagedPackage, creator: str, profile: Profile | None, now: int
    ) -> Record:
        name = staged.submission.name
        directory, created = self._repository.free_place(name, now)

        def make(generation: int) -> Record:
            record = Record(
                description=describe_deployment(
                    staged.submission,
                    uid=str(uuid.uuid4()),
                    size=staged.size,
                    model_path=str(directory),
                    create_time=created,
                    last_updated_time=created,
                    creator=creator,
                ),
                profile=profile or Profile(name=name),
                readme=staged.readme,
                desired="stopped",
                generation=generation,
                directory=directory,
            )
            self._repository.publish(staged.directory, record)
            return record

        try:
            return self._database.insert(make)
        except BaseException as error:
            # After a failure of the disk itself the commit may have happened: then the files
            # must stay, and the next start sees which it was.
            if not is_media_failure(error):
                with suppress(OSError):
                    self._repository.remove(self._repository.withdraw(directory))
            raise

    async def _update(
        self,
        name: str,
        desired: Desired | None,
        profile: Profile | None,
        description: ModelDescription | None,
    ) -> Record:
        async with self._turn:
            old = self.get(name)
            new = replace(
                old,
                desired=desired or old.desired,
                profile=profile or old.profile,
                description=old.description
                if description is None
                else description.model_copy(
                    update={"name": name, "model_path": old.description.model_path}
                ),
            )
            if new == old:
                return old
            record = await self._in_thread(lambda: self._write(old, new), "write the change")
            self._records.put(record)
            return record

    def _write(self, old: Record, new: Record) -> Record:
        def make(generation: int) -> Record:
            record = replace(new, generation=generation)
            self._repository.write_manifest(record)
            return record

        try:
            return self._database.update(make)
        except BaseException as error:
            if not is_media_failure(error):
                with suppress(OSError):
                    self._repository.write_manifest(old)
            raise

    async def _delete(self, name: str) -> None:
        async with self._turn:
            record = self.get(name)
            waste = await self._in_thread(lambda: self._forget(record), "remove the deployment")
            self._records.remove(name)
        if waste is not None:
            # Outside the store's thread: large folders must not hold up other changes.
            await asyncio.to_thread(self._repository.remove, waste)

    def _forget(self, record: Record) -> Path | None:
        self._database.delete(record.name)
        # It is gone for good now; what cannot be moved is waste for the next start to sweep.
        with suppress(OSError):
            return self._repository.withdraw(record.directory)
        return None

    async def _effect(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a change that goes on when its caller leaves; its error belongs to the caller."""
        if self._closing:
            work.close()
            raise Unavailable("The serving engine is shutting down.", hint="Start it again.")
        task = asyncio.get_running_loop().create_task(work)
        self._effects.add(task)
        task.add_done_callback(self._effects.discard)
        return await asyncio.shield(task)

    async def _in_thread(self, work: Callable[[], _T], doing: str) -> _T:
        if self._read_only:
            raise StorageFailure(
                f"The disk of the store {self.directory} has failed; nothing can be changed.",
                code="read_only",
                hint="Check the disk, then restart the serving engine.",
            )
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (OSError, sqlite3.Error) as error:
            if is_media_failure(error):
                self._read_only = True
                _log.error("the store %s is read-only from now on: %s", self.directory, error)
            raise storage_error(error, doing, self.directory) from error
