"""The table of runtimes: those that the engine brings along, and those that somebody created."""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import Conflict, InvalidInput, echo
from ...models import (
    CPP_RUNTIME,
    DEFAULT_RUNTIME,
    PYTHON_LAUNCHER,
    WMLA_RUNTIMES,
    Runtime,
    parse_runtime,
)
from .chosen import ChosenRuntime, choose_created, own_prefix

if TYPE_CHECKING:
    from ..clock import Clock
    from ..store import Store


class Runtimes:
    """All runtimes of one engine.

    ``python`` is built in and does not change: the engine's own interpreter. WMLA's names stand
    for it until somebody creates a runtime of that name.

    Parameters
    ----------
    store:
        Keeps those that were created. Their interpreters are not looked at until a kernel is to
        run in them.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._order = asyncio.Lock()
        since = int(clock.wall())
        self._own = _builtin(DEFAULT_RUNTIME, _OWN, since)
        self._wmla = {name: _builtin(name, _OF_WMLA, since) for name in WMLA_RUNTIMES}

    # --- what there is ----------------------------------------------------------------------

    def list(self) -> list[Runtime]:
        """Return all runtimes as EDI lists them: the own one, created by name, WMLA's names."""
        created = self._store.runtimes()
        others = (item for name, item in self._wmla.items() if name not in created)
        return [self._own, *created.values(), *others]

    def get(self, name: str) -> Runtime:
        """Return one runtime.

        Raises
        ------
        InvalidInput
            ``no_such_runtime``, in EDI's own words and with its status 400.
        """
        if name == DEFAULT_RUNTIME:
            return self._own
        runtime = self._store.runtime(name) or self._wmla.get(name)
        if runtime is None:
            # reference/rest-api.md section 4.
            shown = name if name.isascii() and name.isprintable() and len(name) <= 100 else None
            raise InvalidInput(
                f"Runtime <{shown or echo(name)}> does not exists.",
                code="no_such_runtime",
                hint="GET /dlim/v1/deployment/runtime lists the names.",
            )
        return runtime

    def choose(self, name: str) -> ChosenRuntime:
        """Return what kernels whose description says ``name`` run in; anything comes to something.

        A name of WMLA's or an unknown one comes to the engine's own Python, with a remark; that of
        C++ kernels to what :meth:`.ChosenRuntime.require_usable` refuses.
        """
        created = self._store.runtime(name)
        if created is not None:
            return choose_created(created)
        shown = name if name.isprintable() and len(name) <= 100 else ascii(name)[:100]
        remark = ""
        if name == CPP_RUNTIME:
            remark = "The runtime cpp is for kernels in C++; this engine runs kernels in Python."
        elif name != DEFAULT_RUNTIME:
            who = "is WMLA's" if name in self._wmla else "is not known here"
            remark = f"The runtime {shown} {who}; the kernel runs in the engine's own {_VERSION}."
        return ChosenRuntime(shown, sys.executable, own_prefix(), None, remark)

    # --- changes ----------------------------------------------------------------------------

    async def create(self, data: bytes) -> Runtime:
        """Keep a new runtime and return it.

        Raises
        ------
        InvalidInput
            See :func:`~edi_labext.models.parse_runtime`.
        Conflict
            ``exists``
        """
        wanted = parse_runtime(data)
        async with self._order:
            name = wanted.type
            if name == DEFAULT_RUNTIME or self._store.runtime(name) is not None:
                raise Conflict(
                    f"There is already a runtime {echo(name)}.",
                    code="exists",
                    field="type",
                    hint="Choose another name, or PUT the whole runtime to change that one."
                    if name != DEFAULT_RUNTIME
                    else "It is the engine's own; choose another name.",
                )
            now = int(self._clock.wall())
            return await self._keep(wanted, created=now, updated=now)

    async def replace(self, name: str, data: bytes) -> Runtime:
        """Keep another runtime in place of ``name``; deployments that run go on in the old one.

        Raises
        ------
        InvalidInput
            ``no_such_runtime``, or see :func:`~edi_labext.models.parse_runtime`.
        Conflict
            ``built_in``
        """
        async with self._order:
            current = self._created(name, "changed")
            wanted = parse_runtime(data, name=name)
            # Always later than before, so that the time tells one version from the next.
            now = max(int(self._clock.wall()), current.epoch_updated + 1)
            return await self._keep(wanted, created=current.epoch_created, updated=now)

    async def delete(self, name: str, *, used_by: Sequence[str]) -> None:
        """Remove a created runtime.

        Parameters
        ----------
        used_by:
            Started deployments of this runtime: they could not come back after the engine's end.

        Raises
        ------
        InvalidInput
            ``no_such_runtime``
        Conflict
            ``built_in``, ``in_use``
        """
        async with self._order:
            self._created(name, "removed")
            if used_by:
                more = f" and {len(used_by) - 1} more" if len(used_by) > 1 else ""
                raise Conflict(
                    f"The runtime {echo(name)} cannot be removed: model <{used_by[0]}>{more} "
                    "is started in it.",
                    code="in_use",
                    hint="Stop what runs in it first.",
                )
            await self._store.delete_runtime(name)

    def _created(self, name: str, done: str) -> Runtime:
        runtime = self._store.runtime(name)
        if runtime is not None:
            return runtime
        self.get(name)
        raise Conflict(
            f"The runtime {echo(name)} is built in and cannot be {done}.",
            code="built_in",
            hint="Create one of your own (POST /dlim/v1/deployment/runtime)"
            + ("; it may have this name." if name in self._wmla else "."),
        )

    async def _keep(self, wanted: Runtime, *, created: int, updated: int) -> Runtime:
        runtime = wanted.model_copy(
            update={
                "launcher": wanted.launcher or PYTHON_LAUNCHER,
                "machine_type": wanted.machine_type or platform.machine(),
                "epoch_created": created,
                "epoch_updated": updated,
            }
        )
        await self._store.put_runtime(runtime)
        return runtime


def _builtin(name: str, description: str, since: int) -> Runtime:
    return Runtime(
        type=name,
        launcher=PYTHON_LAUNCHER,
        machine_type=platform.machine(),
        description=description,
        epoch_created=since,
        epoch_updated=since,
    )


_VERSION = f"Python {sys.version_info.major}.{sys.version_info.minor}"
_OWN = f"The engine's own {_VERSION}."
_OF_WMLA = f"A name of WMLA's; here the engine's own {_VERSION}."
