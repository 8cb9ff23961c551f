"""The state of a deployment as people see it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

#: ``stopped`` → ``starting`` → ``ready``; ``failed`` says why; ``stopping`` drains and ends;
#: ``pending`` is wanted, but this machine lacks what the profile asks for; ``unknown`` when the
#: EDI could not be asked or answered with a state that we do not know.
DeploymentState = Literal[
    "stopped", "starting", "pending", "ready", "failed", "stopping", "unknown"
]

#: Why a deployment is pending on a machine without a GPU, by its GPU mode.
NO_GPU: dict[str, str] = {
    mode: "This machine has no GPU that edi can use; the profile asks for "
    f"{article} {mode} GPU (kernel.gpu). Set kernel.gpu to no, or run it where there is a GPU."
    for mode, article in (("exclusive", "an"), ("shared", "a"))
}


class DeploymentStatus(BaseModel):
    """Answer of the engine's ``GET /edi/v1/model/{name}/status``.

    Attributes
    ----------
    state:
        See :data:`DeploymentState`.
    reason:
        One sentence why, for people; ``""`` when there is nothing to say.
    exit_code:
        Of the last kernel that ended by itself; negative = killed by that signal.
    since:
        Unix seconds UTC at which ``state`` was entered.
    kernels_ready, kernels_wanted:
        Kernels idle or busy, and kernels there should be.
    pending_tasks:
        Requests that wait or run.
    log_tail:
        The last lines that the kernels wrote (stdout, stderr and the engine's own remarks), oldest
        first, at most 100.
    gpu:
        GPU mode of the profile that runs, else of the saved one; ``""`` when not told.
    profile_changed:
        Whether the saved profile is another than the one that runs.
    """

    name: str
    state: DeploymentState
    reason: str = ""
    exit_code: int | None = None
    since: float = 0.0
    kernels_ready: int = 0
    kernels_wanted: int = 0
    pending_tasks: int = 0
    log_tail: list[str] = Field(default_factory=list)
    gpu: str = ""
    profile_changed: bool = False


class LogLine(BaseModel):
    """One line of a log.

    Attributes
    ----------
    number:
        Counts from 1 for each deployment, anew with each engine.
    time:
        Unix seconds UTC.
    kernel:
        Identifier of the kernel, or of the serving service for the engine's own remarks.
    stream:
        ``stdout``, ``stderr`` or ``engine``.
    """

    number: int
    time: float
    kernel: str
    stream: str
    text: str


class LogPage(BaseModel):
    """Answer of the engine's ``GET /edi/v1/model/{name}/logs?after=NUMBER&limit=COUNT``.

    ``lines`` are those after ``after``, oldest first; ask for what follows with the number of the
    last one. Without ``after`` they are the last ``limit``. ``last`` is the number of the last line
    there is; one that is smaller than ``after`` means that the engine has begun anew.
    """

    name: str
    lines: list[LogLine]
    last: int


class Capabilities(BaseModel):
    """Answer of the engine's ``GET /edi/v1/capabilities``: what it has beyond EDI's own API.

    ``honoured_profile_fields`` are the dotted paths of the profile's fields that it acts on at the
    next start; all others it keeps and does not act on. ``notices`` are sentences on the state of
    the engine's store that somebody should read; none while all is well.
    """

    engine: str = "edi_labext"
    version: str
    features: list[str]
    limits: dict[str, int | float]
    honoured_profile_fields: list[str] = Field(default_factory=list)
    notices: list[str] = Field(default_factory=list)
