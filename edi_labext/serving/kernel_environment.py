"""What a kernel process is launched with, above all its environment variables.

A kernel gets what an EDI kernel pod has (``reference/kernel-api.md`` section 5), what its
description and profile ask for, and of the engine's own environment only a short list: no token,
no variable of Jupyter, nothing of a cloud account.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._version import __version__
from ..models import RESERVED_VARIABLES
from .kernel import KERNEL_PATH
from .launchers.base import LaunchSpec

if TYPE_CHECKING:
    from ..models import Profile
    from .pod_folder import PodFolder
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
    pod: PodFolder,
    runtime: ChosenRuntime,
    gpu: str | None,
    address: str,
) -> LaunchSpec:
    """Return what to launch for one kernel; parameters as for :func:`kernel_environment`.

    Raises
    ------
    OSError
        The working directory cannot be made.
    """
    working_directory = pod.expand(profile.kernel.working_directory, usual="work")
    working_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LaunchSpec(
        kernel_id=kernel_id,
        interpreter=runtime.interpreter,
        kernel_file=pod.model_path / record.description.kernel_path,
        working_directory=working_directory,
        environment=kernel_environment(
            record,
            profile,
            inherited=os.environ,
            job_id=job_id,
            kernel_id=kernel_id,
            pod=pod,
            working_directory=working_directory,
            runtime=runtime,
            gpu=gpu,
            address=address,
        ),
        umask=int(profile.kernel.umask, 8),
        runtime=runtime.title,
        runtime_name=runtime.name,
        pre_exec=runtime.pre_exec,
    )


def kernel_environment(
    record: Record,
    profile: Profile,
    *,
    inherited: Mapping[str, str],
    job_id: str,
    kernel_id: str,
    pod: PodFolder,
    working_directory: Path,
    runtime: ChosenRuntime,
    gpu: str | None,
    address: str,
) -> dict[str, str]:
    """Return the whole environment of one kernel.

    Later sources win: inherited, what a pod has, what activating the runtime would set, its
    ``envs``, ``mk_environments``, the profile's ``kernel.envs``, the engine's own.

    Parameters
    ----------
    profile:
        That it runs by, which may be older than the record's.
    pod:
        Where the deployment's kernels live.
    runtime:
        That it runs in; the folder of its interpreter leads the ``PATH``.
    gpu:
        Name (``GPU-…``) of the one GPU that the kernel may use, ``None`` for no GPU.
    address:
        Host and port of the engine.
    """
    environment = {
        name: value
        for name, value in inherited.items()
        if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
    libraries = f"{KERNEL_PATH}:{pod.model_path}"
    environment.update(
        {
            "LD_LIBRARY_PATH": _path(libraries, inherited.get("LD_LIBRARY_PATH")),
            "PATH": _path(_folder_of(runtime.interpreter), inherited.get("PATH", os.defpath)),
            **runtime.activation(),
        }
    )
    wanted = [*runtime.envs, *record.description.mk_environments, *profile.kernel.envs]
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
            "MSD_MK_CONN_TIMEOUT": f"{profile.kernel.connection_timeout:g}",
            "MSD_MK_ID": str(uuid.uuid5(uuid.NAMESPACE_OID, kernel_id)),
            "MSD_POD_AFFINITY_RULE": "",
            "MSD_POD_IP": address.rpartition(":")[0],
            "MSD_POD_NAME": kernel_id,
            "PWD": str(working_directory),
            "PYTHONUNBUFFERED": "1",
            "REDHARE_LD_LIBRARY_PATH": f"{libraries}:",
            "REDHARE_MK_MSD_ADDR": address,
            "REDHARE_MODEL_CREATOR": record.description.creator,
            "REDHARE_MODEL_NAME": record.description.name,
            "REDHARE_MODEL_PATH": str(pod.model_path),
            "REDHARE_PYTHONPATH": str(KERNEL_PATH),
            "REDHARE_TOP": str(pod.top),
            "REDHARE_UNLIMITED_RETRY": "false",
            "REDHARE_VERSION": __version__,
            "TASK_JOB_ID": job_id,
        }
    )
    return environment


def _folder_of(interpreter: str) -> str | None:
    # Not resolved: the folder of a virtual environment's link holds its programs too.
    return str(Path(interpreter).parent) if os.sep in interpreter else None


def _path(*parts: str | None) -> str:
    return os.pathsep.join(part for part in parts if part)
