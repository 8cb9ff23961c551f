"""The store: what deployments there are, surviving any crash from the moment it says so.

Every read is answered from memory. A change is made durable first (``changes``, in one thread of
its own) and then shown in memory. Owned by the loop.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import Conflict, NotFound, StorageFailure, Unavailable, echo
from ...models import ModelDescription, Profile, Runtime
from ..clock import Clock
from .changes import Changes
from .disk import Disk, is_media_failure, storage_error
from .records import Desired, Record, Records

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
        self._changes = Changes(directory, disk)
        self._records = Records(())
        self._runtimes: dict[str, Runtime] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edi-store")
        self._turn = asyncio.Lock()
        self._effects: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._read_only = False
        self._notices: list[str] = []
        self.staging = self._changes.repository.staging

    @classmethod
    async def open(cls, directory: Path, clock: Clock, *, disk: Disk | None = None) -> Store:
        """Open the store in ``directory``, which is created if need be.

        What a crash left half done is removed. Directories get mode 0700 and files 0600.

        Raises
        ------
        Conflict
            ``store_in_use``: another engine has it.
        StorageFailure
            ``store_newer``, or what the disk said. A damaged database is no reason: it is
            rebuilt, and :attr:`notices` says so.
        """
        store = cls(directory, clock, disk or Disk())
        loop = asyncio.get_running_loop()
        try:
            now = int(clock.wall())
            opening = loop.run_in_executor(store._thread, store._changes.open, now)
            records, runtimes = await opening
            store._notices = await loop.run_in_executor(store._thread, store._changes.notices)
        except BaseException as error:
            # Behind the opening, so that the lock is let go when nothing works on the store.
            await loop.run_in_executor(store._thread, store._changes.close)
            store._thread.shutdown(wait=False)
            if isinstance(error, OSError | sqlite3.Error):
                raise storage_error(error, "open the store", store.directory) from error
            raise
        store._records = Records(records)
        store._runtimes = {runtime.type: runtime for runtime in runtimes}
        return store

    async def close(self) -> None:
        """Finish the changes under way, refuse further ones, and let go of the store."""
        if self._closing:
            return
        self._closing = True
        while self._effects:
            await asyncio.wait(self._effects)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._changes.close)
        self._thread.shutdown()

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

    def runtimes(self) -> dict[str, Runtime]:
        """Return the runtimes that were created, by name and sorted by it."""
        return {name: self._runtimes[name] for name in sorted(self._runtimes)}

    def runtime(self, name: str) -> Runtime | None:
        """Return the created runtime of that name, if there is one."""
        return self._runtimes.get(name)

    @property
    def read_only(self) -> bool:
        """Whether the disk has failed, so that every change is refused until a restart."""
        return self._read_only

    @property
    def notices(self) -> list[str]:
        """What people should know of the store, in sentences; empty while all is well."""
        failed = f"The disk of the store {self.directory} has failed; nothing can be changed."
        return [*self._notices, failed] if self._read_only else self._notices

    @property
    def disk(self) -> Disk:
        """What everything in the store is written through."""
        return self._disk

    # --- changes --------------------------------------------------------------------------

    async def publish(
        self,
        staged: StagedPackage,
        *,
        creator: str,
        profile: Profile | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Record:
        """Make a staged package a deployment, not started. The package is used up either way.

        Parameters
        ----------
        creator:
            User name shown as the deployment's creator.
        profile:
            How it will run; EDI's defaults if not given.
        more:
            Fields of its description that a package does not have.

        Raises
        ------
        Conflict
            ``exists``: the name is taken.
        OutOfSpace, StorageFailure, Unavailable
            Nothing was published.
        """
        return await self._effect(self._publish(staged, creator, profile, more or {}))

    async def exchange(self, staged: StagedPackage) -> Record:
        """Put a staged package in the place of the one that is deployed under its name.

        Profile, ``uid``, ``create_time``, ``creator`` and what is wanted stay. At a crash there is
        the old package or the new one, whole. The staged package is used up either way.

        Raises
        ------
        NotFound
            There is no such deployment.
        OutOfSpace, StorageFailure, Unavailable
            Nothing was changed.
        """
        return await self._effect(self._exchange(staged))

    async def update(
        self,
        name: str,
        *,
        desired: Desired | None = None,
        profile: Profile | None = None,
        description: ModelDescription | None = None,
        readme: str | None = None,
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
        return await self._effect(self._update(name, desired, profile, description, readme))

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

    async def put_runtime(self, runtime: Runtime) -> None:
        """Keep a runtime, in place of an earlier one of its name.

        Raises
        ------
        OutOfSpace, StorageFailure, Unavailable
            Nothing was changed.
        """

        async def put() -> None:
            async with self._turn:
                work = self._changes.put_runtime
                await self._in_thread(lambda: work(runtime), "keep the runtime")
                self._runtimes[runtime.type] = runtime

        await self._effect(put())

    async def delete_runtime(self, name: str) -> None:
        """Remove a runtime; nothing happens when there is none. Raises like :meth:`put_runtime`."""

        async def delete() -> None:
            async with self._turn:
                if name in self._runtimes:
                    work = self._changes.forget_runtime
                    await self._in_thread(lambda: work(name), "remove the runtime")
                    del self._runtimes[name]

        await self._effect(delete())

    async def _publish(
        self,
        staged: StagedPackage,
        creator: str,
        profile: Profile | None,
        more: Mapping[str, Any],
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
                    return self._changes.publish(
                        staged, creator=creator, profile=profile, more=more, now=now
                    )

                record = await self._in_thread(work, "publish the package")
                self._records.put(record)
                return record
        finally:
            await asyncio.to_thread(staged.discard, self._disk)

    async def _exchange(self, staged: StagedPackage) -> Record:
        try:
            async with self._turn:
                old = self.get(staged.submission.name)
                now = int(self._clock.wall())
                record, waste = await self._in_thread(
                    lambda: self._changes.exchange(old, staged, now=now), "publish the package"
                )
                self._records.put(record)
            await asyncio.to_thread(self._changes.repository.remove, waste)
            return record
        finally:
            await asyncio.to_thread(staged.discard, self._disk)

    async def _update(
        self,
        name: str,
        desired: Desired | None,
        profile: Profile | None,
        description: ModelDescription | None,
        readme: str | None,
    ) -> Record:
        async with self._turn:
            old = self.get(name)
            new = replace(
                old,
                desired=desired or old.desired,
                profile=profile or old.profile,
                readme=old.readme if readme is None else readme,
                description=old.description
                if description is None
                else description.model_copy(
                    update={"name": name, "model_path": old.description.model_path}
                ),
            )
            if new == old:
                return old
            record = await self._in_thread(
                lambda: self._changes.replace(old, new), "write the change"
            )
            self._records.put(record)
            return record

    async def _delete(self, name: str) -> None:
        async with self._turn:
            record = self.get(name)
            waste = await self._in_thread(
                lambda: self._changes.forget(record), "remove the deployment"
            )
            self._records.remove(name)
        if waste is not None:
            # Outside the store's thread: large folders must not hold up other changes.
            await asyncio.to_thread(self._changes.repository.remove, waste)

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
