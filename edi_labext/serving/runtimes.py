"""The Python environments that kernels of this engine can run in."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..models import DEFAULT_RUNTIME, WMLA_RUNTIMES, Runtime


@dataclass(frozen=True, slots=True)
class ChosenRuntime:
    """What a description's ``runtime`` comes to.

    Attributes
    ----------
    interpreter:
        Path or name of the Python.
    title:
        For messages, up to the version: ``python = the engine's Python``.
    remark:
        What the person should know about the choice, ``""`` when there is nothing.
    """

    interpreter: str
    title: str
    remark: str = ""


class Runtimes:
    """The table of runtimes.

    Parameters
    ----------
    more:
        Interpreters by the name of their runtime, beside the engine's own Python. They are not
        looked at until a kernel is to run in them. None takes the place of that.
    """

    def __init__(self, more: Mapping[str, str]) -> None:
        own = {DEFAULT_RUNTIME: sys.executable}
        self._interpreters = own | dict(more) | own

    def choose(self, name: str) -> ChosenRuntime:
        """Return what kernels whose description says ``name`` run in; anything comes to something.

        A name of WMLA's or an unknown one comes to the engine's own Python, with a remark.
        """
        interpreter = self._interpreters.get(name)
        if interpreter is not None and interpreter != sys.executable:
            return ChosenRuntime(interpreter, f"{name} = {interpreter}, Python")
        shown = name if name.isprintable() and len(name) <= 100 else ascii(name)[:100]
        title = f"{shown} = the engine's Python"
        if interpreter is not None:
            return ChosenRuntime(interpreter, title)
        who = "is WMLA's" if name in WMLA_RUNTIMES else "is not known here"
        remark = f"The runtime {shown} {who}; the kernel runs in the engine's own {_version()}."
        return ChosenRuntime(self._interpreters[DEFAULT_RUNTIME], title, remark)

    def list(self) -> list[Runtime]:
        """Return all runtimes as EDI's ``GET /deployment/runtime`` lists them."""
        return list(self._listed())

    def _listed(self) -> Iterator[Runtime]:
        for name, interpreter in self._interpreters.items():
            own = interpreter == sys.executable
            yield Runtime(
                type=name,
                launcher=interpreter,
                description=f"The engine's own {_version()}."
                if own
                else "A Python of this machine.",
            )
        for name in WMLA_RUNTIMES:
            if name not in self._interpreters:
                yield Runtime(
                    type=name,
                    launcher=sys.executable,
                    description=f"A name of WMLA's; here the engine's own {_version()}.",
                )


def _version() -> str:
    return f"Python {sys.version_info.major}.{sys.version_info.minor}"
