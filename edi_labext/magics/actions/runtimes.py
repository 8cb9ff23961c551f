"""What deployments can run in."""

from __future__ import annotations

from ..display.runtimes import RuntimeTable
from .call import Call


def runtimes(call: Call) -> RuntimeTable:
    """Show the runtimes of the environment."""
    return RuntimeTable(tuple(call.client().runtimes()))
