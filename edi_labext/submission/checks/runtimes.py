"""The names of runtimes that EDI installations are known to have."""

from __future__ import annotations

import re

from ...models import DEFAULT_RUNTIME, WMLA_RUNTIMES

#: Python versions of the runtimes whose version is known (``reference/kernel-api.md`` section 5).
_VERSIONS = {"dlipy3": (3, 8), "dlipy3-cpu": (3, 8)}

_CPP = "cpp"

#: Usual names (``reference/kernel-api.md`` section 1).
KNOWN_RUNTIMES = (DEFAULT_RUNTIME, *WMLA_RUNTIMES, _CPP)

_VERSION_IN_NAME = re.compile(r"py3([0-9]{1,2})(?![0-9])", re.ASCII)


def is_known_runtime(runtime: str) -> bool:
    """Tell whether EDI installations with a runtime of this name are known."""
    return runtime in KNOWN_RUNTIMES


def is_python_runtime(runtime: str) -> bool:
    """Tell whether kernel files of this runtime are Python; all are, except for C++."""
    return runtime != _CPP


def python_version(runtime: str) -> tuple[int, int] | None:
    """Return the Python version of a runtime as far as its name tells it."""
    if runtime in _VERSIONS:
        return _VERSIONS[runtime]
    found = _VERSION_IN_NAME.search(runtime)
    return (3, int(found[1])) if found else None
