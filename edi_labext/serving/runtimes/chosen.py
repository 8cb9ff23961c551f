"""What a description's ``runtime`` comes to: an interpreter, and what belongs around it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...models import EnvironmentVariable, Runtime, refuse_cpp


@dataclass(frozen=True, slots=True)
class ChosenRuntime:
    """What kernels run in.

    Attributes
    ----------
    name:
        As the description has it, fit to be shown.
    interpreter:
        Absolute path of the Python, or a command that is looked for on the kernel's ``PATH``.
    prefix:
        The environment that the interpreter belongs to, ``""`` when it is none of its own.
    runtime:
        What was created for it; ``None`` for the engine's own Python.
    remark:
        What the person should know about the choice, ``""`` when there is nothing.
    """

    name: str
    interpreter: str
    prefix: str = ""
    runtime: Runtime | None = None
    remark: str = ""

    @property
    def title(self) -> str:
        """For messages, up to the version: ``ml = /opt/ml/bin/python, Python``."""
        if self.interpreter == sys.executable:
            return f"{self.name} = the engine's Python"
        return f"{self.name} = {self.interpreter}, Python"

    def require_usable(self) -> None:
        """Refuse (``unsupported_runtime``) what no kernel of this engine can run in."""
        refuse_cpp(self.name)

    @property
    def pre_exec(self) -> str:
        """Piece of shell that runs before the kernel, ``""`` for none."""
        return self.runtime.pre_exec if self.runtime is not None else ""

    @property
    def envs(self) -> Sequence[EnvironmentVariable]:
        """Variables that whoever created it wants every kernel in it to have."""
        return self.runtime.envs if self.runtime is not None else ()

    def activation(self) -> dict[str, str]:
        """Return what activating the environment would set, but for the ``PATH``."""
        runtime = self.runtime
        variables = {
            # Of WMLA's pods (reference/kernel-api.md section 5).
            "DLIM_MK_COND_HOME": runtime.conda_home if runtime is not None else "",
            "DLIM_MK_COND_ENV_NAME": runtime.conda_env_name if runtime is not None else "",
        }
        if not self.prefix:
            return variables
        if (Path(self.prefix) / "pyvenv.cfg").is_file():
            return {**variables, "VIRTUAL_ENV": self.prefix}
        name = runtime.conda_env_name if runtime is not None else ""
        return {
            **variables,
            "CONDA_PREFIX": self.prefix,
            "CONDA_DEFAULT_ENV": name or Path(self.prefix).name,
        }


def choose_created(runtime: Runtime) -> ChosenRuntime:
    """Return what a created runtime comes to; whether it is there, its launch will tell."""
    remark = ""
    if runtime.docker_img:
        remark = f"The runtime {runtime.type} names an image (docker_img), without effect here."
    if runtime.conda_home:
        interpreter, prefix = _in_conda(Path(runtime.conda_home), runtime.conda_env_name)
    elif runtime.python:
        interpreter, prefix = _by_itself(runtime.python)
    else:
        interpreter, prefix = sys.executable, own_prefix()
    return ChosenRuntime(runtime.type, interpreter, prefix, runtime, remark)


def own_prefix() -> str:
    """Return the environment of the engine's own Python, ``""`` when that is in none."""
    return _prefix_of(Path(sys.executable))


def _in_conda(home: Path, name: str) -> tuple[str, str]:
    prefix = home if name in ("", "base") else home / "envs" / name
    return str(prefix / "bin" / "python"), str(prefix)


def _by_itself(python: str) -> tuple[str, str]:
    if "/" not in python:
        return python, ""
    path = Path(python).expanduser()
    if path.is_dir():
        path = path / "bin" / "python"
    return str(path), _prefix_of(path)


def _prefix_of(interpreter: Path) -> str:
    """Return the virtual or conda environment around an interpreter, by its layout."""
    # Links are kept: that of a virtual environment leads out of it.
    prefix = interpreter.parent.parent
    if (prefix / "pyvenv.cfg").is_file() or (prefix / "conda-meta").is_dir():
        return str(prefix)
    return ""
