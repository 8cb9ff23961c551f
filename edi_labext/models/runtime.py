"""The Python environments that kernels run in: EDI's *Runtime*."""

from __future__ import annotations

from pydantic import Field

from .base import WireModel
from .description import Attribute, EnvironmentVariable

#: The runtime of a description that names none, and what an unknown one is run in on Local.
DEFAULT_RUNTIME = "python"

#: Runtimes that releases of WMLA bring along (``reference/rest-api.md`` section 8). All are
#: Python; ``cpp``, the only other, is not among them.
WMLA_RUNTIMES = (
    "dlipy3",
    "dlipy3-cpu",
    "condaenvpy37",
    "condaenvpy38",
    "condaenvpy39",
    "dlipy36-wmlce170",
)


class Runtime(WireModel):
    """One entry of ``GET /deployment/runtime``.

    ``type`` is its name, which descriptions use; ``launcher`` is a path in the service.
    ``epoch_created`` and ``epoch_updated`` are Unix seconds. ``conda_home`` and
    ``conda_env_name`` are ``""`` unless it is a conda environment.
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
