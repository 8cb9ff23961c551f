"""What a kernel process is launched with, above all its environment variables.

A kernel gets what an EDI kernel pod has (``reference/kernel-api.md`` section 5), what its
description and profile ask for, and of the engine's own environment only a short list: no token,
no variable of Jupyter, nothing of a cloud account.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._version import __version__
from ..models import RESERVED_VARIABLES
from .launchers.base import LaunchSpec

if TYPE_CHECKING:
    from ..models import Profile
    from .runtimes import ChosenRuntime
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


def launch_spec(
    record: Record,
    profile: Profile,
    *,
    kernel_id: str,
    job_id: str,
    store: Path,
    runtime: ChosenRuntime,
    gpu: str | None,
) -> LaunchSpec:
    """Return what to launch for one kernel; parameters as for :func:`kernel_environment`."""
    working_directory = store / "work" / record.name
    working_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LaunchSpec(
        kernel_id=kernel_id,
        interpreter=runtime.interpreter,
        kernel_file=record.directory / record.description.kernel_path,
        working_directory=working_directory,
        environment=kernel_environment(
            record,
            profile,
            inherited=os.environ,
            store=store,
            job_id=job_id,
            kernel_id=kernel_id,
            working_directory=working_directory,
            gpu=gpu,
        ),
        umask=int(profile.kernel.umask, 8),
        runtime=runtime.title,
    )


def kernel_environment(
    record: Record,
    profile: Profile,
    *,
    inherited: Mapping[str, str],
    store: Path,
    job_id: str,
    kernel_id: str,
    working_directory: Path,
    gpu: str | None,
) -> dict[str, str]:
    """Return the whole environment of one kernel.

    Later sources win: inherited, profile ``kernel.envs``, ``mk_environments``, the engine's own.

    Parameters
    ----------
    profile:
        That it runs by, which may be older than the record's.
    gpu:
        Name (``GPU-…``) of the one GPU that the kernel may use, ``None`` for no GPU.
    """
    environment = {
        name: value
        for name, value in inherited.items()
        if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
    wanted = [*profile.kernel.envs, *record.description.mk_environments]
    environment.update(
        {
            variable.name: variable.value
            for variable in wanted
            if not variable.name.startswith(RESERVED_VARIABLES)
        }
    )
    environment.update(
        {
            # By name, since CUDA counts GPUs in another order than the driver. Without a GPU empty,
            # not absent: absent would show every GPU.
            "CUDA_VISIBLE_DEVICES": gpu or "",
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
    return environment
