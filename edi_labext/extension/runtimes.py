"""The Python environments that kernels can run in, those of notebook kernels among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..models import DEFAULT_RUNTIME, KERNELSPEC_ATTRIBUTE, Runtime
from ..operations import NotebookPython
from .api import RuntimeInfo, RuntimeList


def local_runtimes(listed: Sequence[Runtime], pythons: Sequence[NotebookPython]) -> RuntimeList:
    """Return what deployments on this machine can run in.

    Parameters
    ----------
    listed:
        What the engine has.
    pythons:
        Those of notebook kernels. The engine is told of one when it is chosen; until then its name
        is free, unless the engine has a runtime of that name that somebody made.
    """
    titles = {item.name: item.title for item in pythons}
    made = [item for item in listed if not (item.is_stand_in and item.type in titles)]
    known = {item.type for item in made}
    infos = [_local_runtime(item, titles) for item in made]
    infos += [
        RuntimeInfo(
            type=item.name,
            title=item.title,
            description=item.runtime().description,
            source="kernelspec",
        )
        for item in pythons
        if item.name not in known
    ]
    return _runtime_list(infos)


def remote_runtimes(listed: Sequence[Runtime]) -> RuntimeList:
    """Return what another EDI offers, in its own words."""
    return _runtime_list(
        [
            RuntimeInfo(
                type=runtime.type,
                title=runtime.type,
                description=runtime.description,
                source="edi",
            )
            for runtime in listed
        ]
    )


def _runtime_list(infos: list[RuntimeInfo]) -> RuntimeList:
    has_default = any(info.type == DEFAULT_RUNTIME for info in infos)
    return RuntimeList(runtimes=infos, default=DEFAULT_RUNTIME if has_default else None)


def _local_runtime(runtime: Runtime, titles: Mapping[str, str]) -> RuntimeInfo:
    if notebook := runtime.attribute(KERNELSPEC_ATTRIBUTE):
        return RuntimeInfo(
            type=runtime.type,
            title=titles.get(notebook, runtime.type),
            description=runtime.description,
            source="kernelspec",
        )
    if runtime.is_stand_in:
        return RuntimeInfo(
            type=runtime.type, title=runtime.type, source="engine", note=runtime.description
        )
    title = "Python" if runtime.type == DEFAULT_RUNTIME else runtime.type
    return RuntimeInfo(
        type=runtime.type, title=title, description=runtime.description, source="engine"
    )
