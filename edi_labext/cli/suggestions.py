"""What a shell offers for a name: services and environments that there are.

Whoever types waits for it: it is there soon or not at all, and nothing is started or said for it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..errors import EdiError
from .connection import Target, resolve
from .endings import WrongUse

if TYPE_CHECKING:
    from ..client import EnvironmentSet

#: Seconds that an EDI has to name its services.
PATIENCE = 1.0


def suggest_services(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the services of the EDI that the flags before name."""
    target = ctx.find_object(Target) or Target()
    found: list[str] = []

    def look() -> None:
        # What is wrong is told by the command itself, once it is called.
        with contextlib.suppress(EdiError, WrongUse, click.ClickException):
            found.extend(_services(target))

    # A thread of its own, which nobody waits for at the end.
    thread = threading.Thread(target=look, name="edi-names", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return [name for name in sorted(found) if name.startswith(incomplete)]


def suggest_environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the identifiers of all environments."""
    with contextlib.suppress(EdiError), _environments(dict(os.environ)) as known:
        return [item.id for item in known.list() if item.id.startswith(incomplete)]
    return []


def _services(target: Target) -> list[str]:
    from ..client import LOCAL

    if target.jwt_token is not None:
        # One from stdin would have to be waited for, one in plain be warned of.
        return []
    environment, variables = resolve(target, os.environ)
    with _environments(variables) as known:
        if environment == LOCAL and known.engine.find() is None:
            return []
        return [model.name for model in known.connect(environment).list_models()]


@contextlib.contextmanager
def _environments(variables: dict[str, str]) -> Iterator[EnvironmentSet]:
    from ..client import EnvironmentSet, LocalEngine, default_store

    engine = LocalEngine(default_store(), "background")
    known = EnvironmentSet(variables, engine, warn=lambda text: None)
    try:
        yield known
    finally:
        known.close()
