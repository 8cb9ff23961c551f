"""The environment variables of a kernel process.

A kernel gets what an EDI kernel pod has (``reference/kernel-api.md`` section 5), what its
description and profile ask for, and of the engine's own environment only a short list: no token,
no variable of Jupyter, nothing of a cloud account.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._version import __version__

if TYPE_CHECKING:
    from .store import Record

#: Variables of the engine that a kernel sees too.
INHERITED = frozenset(
    {
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "PATH",
        "SHELL",
        "TMPDIR",
        "TZ",
        "USER",
        "XDG_CACHE_HOME",
    }
)
#: ... and all whose name starts so.
INHERITED_PREFIXES = ("LC_",)
#: Names that only the engine sets.
RESERVED_PREFIXES = ("REDHARE_", "MSD_")


def kernel_environment(
    record: Record,
    *,
    inherited: Mapping[str, str],
    store: Path,
    job_id: str,
    kernel_id: str,
    working_directory: Path,
) -> dict[str, str]:
    """Return the whole environment of one kernel.

    Later sources win: inherited, profile ``kernel.envs``, ``mk_environments``, the engine's own.
    """
    environment = {
        name: value
        for name, value in inherited.items()
        if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
    wanted = [*record.profile.kernel.envs, *record.description.mk_environments]
    environment.update(
        {
            variable.name: variable.value
            for variable in wanted
            if not variable.name.startswith(RESERVED_PREFIXES)
        }
    )
    environment.update(
        {
            "HOSTNAME": kernel_id,
            "IS_K8S": "OFF",
            "MSD_POD_NAME": kernel_id,
            "PWD": str(working_directory),
            "PYTHONUNBUFFERED": "1",
            "REDHARE_MODEL_CREATOR": record.description.creator,
            "REDHARE_MODEL_NAME": record.description.name,
            "REDHARE_MODEL_PATH": str(record.directory),
            "REDHARE_TOP": str(store),
            "REDHARE_VERSION": __version__,
            "TASK_JOB_ID": job_id,
        }
    )
    if record.profile.kernel.gpu == "no":
        # Empty, not absent: absent would show every GPU.
        environment["CUDA_VISIBLE_DEVICES"] = ""
    return environment
