"""The Pythons of notebook kernels: those that Jupyter's kernelspecs on this machine name.

Somebody who works in the notebook kernel "Python 3 (ml-env)" wants a deployment to run in the same
Python; as a runtime it is kept by the engine, whatever becomes of the notebook.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models import (
    DEFAULT_RUNTIME,
    KERNELSPEC_ATTRIBUTE,
    PYTHON_ATTRIBUTE,
    PYTHON_LAUNCHER,
    Attribute,
    Runtime,
    is_runtime_name,
)

#: Longest description made here, in characters.
DESCRIPTION_LIMIT = 500

_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?", re.ASCII)
#: What jupyter_client replaces with its own interpreter when it starts a notebook kernel.
_OWN_NAMES = frozenset(
    {
        "python",
        f"python{sys.version_info.major}",
        f"python{sys.version_info.major}.{sys.version_info.minor}",
    }
)


@dataclass(frozen=True, slots=True)
class NotebookPython:
    """The Python of a notebook kernel.

    Attributes
    ----------
    name:
        Of the kernelspec: ``python3``, ``ml-env``.
    title:
        As the launcher shows it: ``Python 3 (ml-env)``.
    python:
        Absolute path of the interpreter; links are kept, since a virtual environment is one.
    """

    name: str
    title: str
    python: Path

    def runtime(self, name: str | None = None) -> Runtime:
        """Return it as a runtime, of the kernelspec's name or another."""
        return Runtime(
            type=name or self.name,
            launcher=PYTHON_LAUNCHER,
            description=f"The Python of the notebook kernel {self.title}."[:DESCRIPTION_LIMIT],
            attributes=[
                Attribute(key=PYTHON_ATTRIBUTE, value=str(self.python)),
                Attribute(key=KERNELSPEC_ATTRIBUTE, value=self.name),
            ],
        )


def notebook_pythons(specs: object, *, log: logging.Logger) -> list[NotebookPython]:
    """Return the Pythons of this machine that have a kernelspec, by name.

    Blocks: reads files, and some managers run conda.

    Parameters
    ----------
    specs:
        The Jupyter server's kernelspec manager, or one of this process.
    log:
        Gets the traceback when it fails, which only means that there are none.
    """
    find = getattr(specs, "get_all_specs", None)
    # A gateway's manager answers with a coroutine: its kernels run on another machine.
    if find is None or inspect.iscoroutinefunction(find):
        return []
    try:
        found = dict(find())
    except Exception:
        log.exception("The notebook kernels could not be listed")
        return []
    pythons = []
    for name, entry in sorted(found.items()):
        spec = entry.get("spec") if isinstance(entry, dict) else None
        if name == DEFAULT_RUNTIME or not is_runtime_name(name) or not isinstance(spec, dict):
            continue  # The default's name is the engine's own Python.
        if (python := _interpreter(spec)) is not None:
            title = spec.get("display_name")
            pythons.append(NotebookPython(name, title if isinstance(title, str) else name, python))
    return pythons


def _interpreter(spec: Mapping[str, Any]) -> Path | None:
    """Return the Python that a kernelspec runs, if it runs one directly and it is there."""
    argv, language = spec.get("argv"), spec.get("language")
    if not isinstance(language, str) or language.casefold() != "python":
        return None
    if not isinstance(argv, list) or not argv or not isinstance(argv[0], str):
        return None
    metadata = spec.get("metadata")
    conda = metadata.get("conda_env_path") if isinstance(metadata, dict) else None
    if isinstance(conda, str):
        # Started by a runner of another environment (nb_conda_kernels).
        command = str(Path(conda, "bin", "python"))
    elif argv[0] in _OWN_NAMES:
        command = sys.executable
    else:
        command = argv[0]
    if not _PYTHON.fullmatch(Path(command).name):
        return None
    variables = spec.get("env")
    path = variables.get("PATH") if isinstance(variables, dict) else None
    try:
        found = shutil.which(command, path=path if isinstance(path, str) else None)
    except ValueError:  # a NUL in it
        return None
    if found is None or not found.isprintable():
        return None
    return Path(os.path.abspath(found))  # noqa: PTH100 - must not follow links
