"""Which EDIs there are, and which one is used."""

from __future__ import annotations

from ..display.environments import EnvironmentTable
from .call import Call


def env(call: Call) -> EnvironmentTable:
    """Choose one, if one is named, and show all."""
    if call.arguments.id:
        call.session.choose(call.arguments.id)
    return EnvironmentTable(tuple(call.session.environments()), call.session.current)
