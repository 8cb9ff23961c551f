"""The Python environments that kernels run in: EDI's *Runtime*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import Field

from .base import WireModel
from .description import Attribute, EnvironmentVariable

#: The runtime of a description that names none, and what an unknown one is run in on Local.
DEFAULT_RUNTIME = "python"

#: Runtimes that releases of WMLA bring along (``reference/rest-api.md`` section 8). All are
#: Python; :data:`CPP_RUNTIME`, the only other, is not among them.
WMLA_RUNTIMES = (
    "dlipy3",
    "dlipy3-cpu",
    "condaenvpy37",
    "condaenvpy38",
    "condaenvpy39",
    "dlipy36-wmlce170",
)
#: WMLA's runtime of kernels in C++, and the launcher that gives such a runtime away.
CPP_RUNTIME: Final = "cpp"
CPP_LAUNCHER: Final = "cpp_launcher.sh"
#: What WMLA starts kernels in Python with.
PYTHON_LAUNCHER: Final = "${REDHARE_TOP}/${REDHARE_VERSION}/script/python_launcher.sh"

#: Attribute of ours: the interpreter, or the folder of a virtual environment.
PYTHON_ATTRIBUTE: Final = "edi-python"
#: Attribute of ours: the notebook kernel that the interpreter was taken from, for people.
KERNELSPEC_ATTRIBUTE: Final = "edi-kernelspec"

OUR_ATTRIBUTES: Final = (PYTHON_ATTRIBUTE, KERNELSPEC_ATTRIBUTE)

#: Names of runtimes that can be created, valid in Python and in JavaScript.
RUNTIME_NAME_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_NAME = re.compile(RUNTIME_NAME_PATTERN, re.ASCII)


class Runtime(WireModel):
    """One entry of ``GET /deployment/runtime``.

    ``type`` is its name, which descriptions use; ``launcher`` is a path in the service.
    ``epoch_created`` and ``epoch_updated`` are Unix seconds. ``conda_home`` and
    ``conda_env_name`` are ``""`` unless it is a conda environment. ``pre_exec`` is a piece of
    shell that runs before the kernel, in the same environment.
    """

    type: str
    launcher: str = ""
    conda_home: str = ""
    conda_env_name: str = ""
    docker_img: str = ""
    pre_exec: str = ""
    machine_type: str = ""
    description: str = ""
    envs: list[EnvironmentVariable] = Field(default_factory=list)
    attributes: list[Attribute] = Field(default_factory=list)
    schema_version: str = "1"
    epoch_created: int = 0
    epoch_updated: int = 0

    def to_wire(self) -> dict[str, object]:
        """Return the JSON object; no field is optional, so ``null`` in an unknown one stays."""
        return self.model_dump(mode="json")

    def attribute(self, key: str) -> str:
        """Return the first value of an attribute, ``""`` without one."""
        return next((item.value for item in self.attributes if item.key == key), "")

    @property
    def python(self) -> str:
        """The interpreter or folder that it names itself, ``""`` for a conda one or the default."""
        return self.attribute(PYTHON_ATTRIBUTE)

    @property
    def place(self) -> str:
        """Where its Python is, for people; ``""`` when the service alone knows."""
        if not self.conda_home:
            return self.python
        base = self.conda_env_name in ("", "base")
        return self.conda_home if base else f"{self.conda_home}/envs/{self.conda_env_name}"

    def with_python(self, python: str) -> Runtime:
        """Return a copy that names another interpreter or folder, and no conda environment."""
        others = [item for item in self.attributes if item.key != PYTHON_ATTRIBUTE]
        own = Attribute(key=PYTHON_ATTRIBUTE, value=python)
        return self.model_copy(
            update={"attributes": [own, *others], "conda_home": "", "conda_env_name": ""}
        )

    def with_conda(self, home: str, name: str) -> Runtime:
        """Return a copy that names a conda environment, or for ``""`` no Python at all."""
        others = [item for item in self.attributes if item.key not in OUR_ATTRIBUTES]
        return self.model_copy(
            update={"attributes": others, "conda_home": home, "conda_env_name": name}
        )

    def with_variables(self, variables: Mapping[str, str]) -> Runtime:
        """Return a copy with more variables, or other values of those that it has."""
        kept = [item for item in self.envs if item.name not in variables]
        new = [EnvironmentVariable(name=name, value=value) for name, value in variables.items()]
        return self.model_copy(update={"envs": [*kept, *new]})

    @property
    def is_stand_in(self) -> bool:
        """Whether it is a mere name of WMLA's that our engine lists, for its own Python."""
        names_python = self.python or self.conda_home
        return self.type in WMLA_RUNTIMES and not (names_python or self.pre_exec or self.envs)


def is_runtime_name(name: object) -> bool:
    """Tell whether a runtime of this name can be created."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
