"""Where the kernels of one deployment live, and what they are launched with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .kernel_environment import launch_spec
from .logs.book import LogBook
from .pod_folder import PodFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ..models import Profile
    from .launchers.base import LaunchSpec
    from .runtimes import ChosenRuntime
    from .store import Record
    from .surroundings import Surroundings


class Quarters:
    """One deployment's folder and log.

    Parameters
    ----------
    surroundings:
        Shared parts of the engine.
    record:
        Returns the deployment as the store knows it.

    Attributes
    ----------
    pod:
        The folder of the package that is published, or that the last kernels ran.
    runtime:
        What the kernels run in; another one is taken up when all of them have ended.
    book:
        The log; its files lie where the profile says.
    """

    def __init__(self, surroundings: Surroundings, record: Callable[[], Record]) -> None:
        self._around = surroundings
        self._record = record
        self.pod = self._present_pod()
        self.runtime = self.choose()
        settings = surroundings.settings
        self.book = LogBook(
            self._log_directory(record().profile),
            record().name,
            surroundings.clock.wall,
            file_limit=settings.log_file_bytes,
            files=settings.log_files,
            line_limit=settings.log_line_bytes,
        )

    def _present_pod(self) -> PodFolder:
        record = self._record()
        return PodFolder(self._around.settings.store, record.directory, record.description.uid)

    def _log_directory(self, profile: Profile) -> Path:
        return self.pod.expand(profile.kernel.log_directory, usual="logs")

    def remark(self, who: str, text: str) -> None:
        """Write a line of the engine's own into the log; nothing for no text."""
        if text:
            self.book.append(who, "engine", text)
            self._around.pump.call(self.book.flush)

    def choose(self) -> ChosenRuntime:
        """Return what the description's runtime comes to now."""
        return self._around.runtimes.choose(self._record().description.runtime)

    async def move_in(self, profile: Profile) -> None:
        """Go by the present package and runtime and by ``profile``; only without a kernel."""
        self.runtime = self.choose()
        before, pod = self.pod, self._present_pod()
        if before.top != pod.top:
            self.pod = pod
            await asyncio.to_thread(before.remove)
        self.book.move(self._log_directory(profile))

    async def prepare(self) -> None:
        """Make the working copy of the package, or mend what a kernel did to it.

        Raises
        ------
        OSError
            The disk refuses.
        """
        record = self._record()
        mended = await asyncio.to_thread(self.pod.prepare, record.description.kernel_path)
        if mended:
            names = ", ".join(mended[:3])
            more = f" and {len(mended) - 3} more" if len(mended) > 3 else ""
            self.remark(
                record.name, f"Gone or changed in the model path, brought back: {names}{more}"
            )

    def spec(self, kernel_id: str, job_id: str, profile: Profile, gpu: str | None) -> LaunchSpec:
        """Return what to launch for one kernel; see :func:`.kernel_environment.launch_spec`.

        Raises
        ------
        InvalidInput
            ``unsupported_runtime``
        """
        record = self._record()
        self.runtime.require_usable()
        return launch_spec(
            record,
            profile,
            kernel_id=kernel_id,
            job_id=job_id,
            pod=self.pod,
            runtime=self.runtime,
            gpu=gpu,
            address=self._around.rest_server().split("/")[2],
        )

    async def clear(self) -> None:
        """Remove log and folder; the deployment is gone."""
        self.book.remove()
        await asyncio.to_thread(self.pod.remove)
