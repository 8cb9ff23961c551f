"""Checks of the kernel file: first whether it can be read, then what is in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from ...errors import echo
from .findings import Finding
from .kernel_answers import check_answers
from .kernel_edits import KernelEdits
from .kernel_hooks import check_hooks
from .kernel_run import check_script
from .kernel_source import KernelSource
from .reasons import finding
from .runtimes import python_version
from .snapshot import MAX_TEXT_BYTES, Snapshot
from .source_text import UnreadableSource, parsed

#: Beginnings of statements that came with Python 3.12 and 3.14, which an older Python that runs
#: this check takes for syntax errors.
_NEWER: tuple[tuple[tuple[int, int], re.Pattern[str]], ...] = (
    ((3, 12), re.compile(r"\s*type\s+\w+\s*(\[.*\])?\s*=")),
    ((3, 12), re.compile(r"\s*(async\s+)?(def|class)\s+\w+\s*\[")),
    ((3, 12), re.compile(r".*\b[rR]?[fF][rR]?(\"[^\"]*\{[^}\"]*\"|'[^']*\{[^}']*')")),
    ((3, 14), re.compile(r".*(?<![\w\"'])[rR]?[tT][rR]?[\"']")),
)

#: Reads a kernel file; kept by the caller, since the same bytes are looked at several times.
ReadSource = Callable[[bytes], KernelSource | UnreadableSource]


def read_source(data: bytes) -> KernelSource | UnreadableSource:
    """Return the source, or why it cannot be read."""
    try:
        return KernelSource(data)
    except UnreadableSource as error:
        return error
    except RecursionError:
        return UnreadableSource("kernel-syntax", "it is nested too deeply", None)


def check_kernel(
    snapshot: Snapshot, path: str, runtime: str | None, read: ReadSource = read_source
) -> Iterator[Finding]:
    """Yield what is to be said about the kernel file ``path``, which is in the folder."""
    if not path.endswith(".py"):
        yield finding(
            "kernel-not-python",
            "error",
            path,
            None,
            f"The kernel file {echo(path)} is not a .py file.",
            hint="Name the Python file that holds the kernel class in kernel_path.",
            field="kernel_path",
        )
        return
    data = snapshot.read(path)
    if data is None:
        return
    if len(data) > MAX_TEXT_BYTES:
        yield finding(
            "kernel-not-checked",
            "warning",
            path,
            None,
            f"{echo(path)} has more than {MAX_TEXT_BYTES >> 20} MiB and was not checked.",
            hint="Keep data in files of their own.",
        )
        return
    source = read(data)
    if isinstance(source, UnreadableSource):
        yield _unreadable(path, data, source)
        return
    yield from _too_new(path, source, runtime)
    edits = KernelEdits(snapshot, path, source)
    yield from check_hooks(path, source, edits)
    yield from check_answers(path, source, edits)
    yield from check_script(path, source, edits, _siblings(snapshot, path, source))


def _unreadable(path: str, data: bytes, error: UnreadableSource) -> Finding:
    here = ".".join(map(str, sys.version_info[:2]))
    newer = _newer_python(data, error) if error.code == "kernel-syntax" else None
    if newer is not None:
        needed = ".".join(map(str, newer))
        return finding(
            "kernel-newer-syntax",
            "warning",
            path,
            error.position,
            f"This line seems to need Python {needed}; the check runs on {here} and cannot read "
            "on.",
            hint=f"Make sure that the runtime has Python {needed}.",
        )
    if error.code == "kernel-not-utf8":
        hint = "Save the file as UTF-8."
    else:
        hint = "Mend the line; the other checks of this file wait for it."
    return finding(
        error.code,
        "error",
        path,
        error.position,
        f"{echo(path)} cannot be read by Python {here}: {error.message}.",
        hint=hint,
    )


def _newer_python(data: bytes, error: UnreadableSource) -> tuple[int, int] | None:
    """Tell which newer Python a line may be written for that this one cannot read."""
    if error.position is None:
        return None
    lines = data.decode("utf-8", "replace").splitlines()
    line = lines[error.position[0] - 1] if error.position[0] <= len(lines) else ""
    for version, pattern in _NEWER:
        if version > sys.version_info[:2] and pattern.match(line[:1000]):
            return version
    return None


def _too_new(path: str, source: KernelSource, runtime: str | None) -> Iterator[Finding]:
    """Yield a warning when the runtime's Python is known and too old for the file."""
    version = python_version(runtime) if runtime else None
    if version is None or not (3, 7) <= version < sys.version_info[:2]:
        return
    try:
        parsed(source.text, version)
    except UnreadableSource as error:
        name = ".".join(map(str, version))
        yield finding(
            "kernel-newer-syntax",
            "warning",
            path,
            error.position,
            f"The runtime {runtime} has Python {name}, which cannot read this: {error.message}.",
            hint=f"Write it as Python {name} knows it, or choose a newer runtime.",
        )


def _siblings(snapshot: Snapshot, path: str, source: KernelSource) -> frozenset[str]:
    """Return the names that the kernel file imports from other files of the folder."""
    folder = PurePosixPath(path).parent
    names = set()
    for name, origin in source.imported.items():
        top = origin.partition(".")[0]
        beside = (folder / top).as_posix()
        if (
            origin.startswith(".")
            or f"{beside}.py" in snapshot.files
            or beside in snapshot.submission.folders
        ) and top not in ("redhareapi", "redhareapiversion"):
            names.add(name)
    return frozenset(names)
