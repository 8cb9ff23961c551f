"""Changes of what is saved of one deployment, in order with its starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from ..errors import Conflict, InvalidInput, NotFound, echo
from . import description_change, profile_change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .archive import StagedPackage
    from .quarters import Quarters
    from .store import Record
    from .surroundings import Surroundings


class Edits:
    """What may be edited of a deployment.

    Parameters
    ----------
    name:
        The deployment's name.
    surroundings:
        Shared parts of the engine.
    quarters:
        Where the kernels live; they move when the package is another.
    order:
        Held while the deployment starts, stops or is changed.
    is_at_rest:
        Whether it is stopped and none of its kernels is left.
    """

    def __init__(
        self,
        name: str,
        surroundings: Surroundings,
        quarters: Quarters,
        order: asyncio.Lock,
        *,
        is_at_rest: Callable[[], bool],
    ) -> None:
        self._name = name
        self._store = surroundings.store
        self._clock = surroundings.clock
        self._runtimes = surroundings.runtimes
        self._quarters = quarters
        self._order = order
        self._is_at_rest = is_at_rest
        self._uid = surroundings.store.get(name).description.uid
        self._receiving = False

    async def replace_profile(self, data: bytes, *, revision: str | None = None) -> None:
        """Save another profile, for the next start; see :func:`.profile_change.successor`.

        Raises
        ------
        Conflict
            ``started``, ``changed_since_read``
        InvalidInput
        """
        async with self.in_order() as record:
            if record.desired == "started":
                raise profile_change.started(self._name)
            current = profile_change.with_times(record.profile, record.description.create_time)
            profile = profile_change.successor(data, current, revision=revision, now=self._now())
            await self._store.update(self._name, profile=profile)

    async def replace_readme(self, text: str) -> None:
        """Save another readme."""
        async with self.in_order():
            await self._store.update(self._name, readme=text)

    async def replace_description(self, data: bytes) -> None:
        """Save another description; see :func:`.description_change.successor`.

        Raises
        ------
        Conflict
            ``started``
        InvalidInput
        """
        async with self.in_order() as record:
            if not self._is_at_rest():
                raise description_change.started(self._name, "changed")
            # A body repeats what is shown, and that is the model path of the kernels.
            shown = {"model_path": str(self._quarters.pod.model_path)}
            wanted = description_change.successor(
                data,
                record.description.model_copy(update=shown),
                package=record.directory,
                now=self._now(),
            )
            if wanted.runtime != record.description.runtime:
                self._runtimes.choose(wanted.runtime).require_usable()
            await self._store.update(self._name, description=wanted)

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Hold the place of the one package that may be on its way here.

        Raises
        ------
        Conflict
            ``started``; ``upload_in_progress`` when there is one already.
        """
        if not self._is_at_rest():
            raise description_change.started(self._name, "redeployed")
        if self._receiving:
            raise Conflict(
                f"Another package for model <{self._name}> is being uploaded.",
                code="upload_in_progress",
                hint="Wait until that upload has ended.",
            )
        self._receiving = True
        try:
            yield
        finally:
            self._receiving = False

    async def replace_package(self, staged: StagedPackage) -> None:
        """Put ``staged`` in place of what is deployed. The staged package is used up either way.

        Raises
        ------
        InvalidInput
            ``name_mismatch``: the package is for another deployment.
        Conflict
            ``started`` since the upload began.
        """
        handed_on = False
        try:
            self._check_package(staged)
            async with self.in_order():
                if not self._is_at_rest():
                    raise description_change.started(self._name, "redeployed")
                handed_on = True
                record = await self._store.exchange(staged)
                await self._quarters.move_in(record.profile)
        finally:
            if not handed_on:
                await asyncio.to_thread(staged.discard)

    def _check_package(self, staged: StagedPackage) -> None:
        given = staged.submission.name
        if given != self._name:
            raise InvalidInput(
                f"The package is for {echo(given)}, not for model <{self._name}>.",
                code="name_mismatch",
                field="name",
                hint="Correct name in its model.json, or redeploy it under its own name.",
            )
        self._runtimes.choose(staged.submission.runtime).require_usable()

    @asynccontextmanager
    async def in_order(self) -> AsyncIterator[Record]:
        """Wait for this deployment's turn, and insist that it is still there.

        Raises
        ------
        NotFound
            ``no_such_model`` when it was deleted meanwhile.
        """
        async with self._order:
            record = self._store.get(self._name)
            if record.description.uid != self._uid:
                # Deleted while this waited, and what was deployed since is another.
                raise NotFound(f"Model <{self._name}> doesn't exist.", code="no_such_model")
            yield record

    def _now(self) -> int:
        return int(self._clock.wall())
