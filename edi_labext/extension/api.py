"""Bodies and answers of the façade: the one schema of both sides.

``scripts/generate_schema.py`` writes the JSON Schema of these models, from which
``src/_schema.ts`` is made. Bodies refuse unknown fields; answers never hold a token or an
absolute path of the server.

Times are Unix seconds UTC, sizes are bytes, fractions go from 0 to 1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..client.local_engine import EngineState
from ..operations import Deployment

#: What a job does to its deployment.
JobKind = Literal["deploy", "start", "stop", "undeploy"]
#: ``done``, ``failed`` and ``cancelled`` are final.
JobState = Literal["running", "done", "failed", "cancelled"]

#: Longest body of an inference request from the browser, in bytes of its JSON (8 MiB).
MAX_PAYLOAD_BYTES = 8 << 20
#: Longest part of an answer that is sent to the browser, in bytes (4 MiB).
MAX_ANSWER_BYTES = 4 << 20
#: Most files, and most ignored entries, that an inspection lists.
MAX_INSPECTED_FILES = 200


class Body(BaseModel):
    """Base of request bodies: an unknown field is an error, so that a typo is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    """Base of answers; immutable, so that they can be shared between requests."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- bodies -----------------------------------------------------------------------------------


class FolderSource(Body):
    """A folder of the Jupyter server; ``path`` is local to its contents manager."""

    kind: Literal["folder"]
    path: str


class SampleSource(Body):
    """A submission that ships inside the package."""

    kind: Literal["sample"]
    sample: Literal["pingpong"]


class DeployRequest(Body):
    """What to deploy; ``name`` defaults to the one in ``model.json``."""

    source: Annotated[FolderSource | SampleSource, Field(discriminator="kind")]
    name: str | None = None
    start: bool = True


class InferRequest(Body):
    """One inference request; ``payload`` goes to the kernel as UTF-8, unparsed."""

    payload: str


class InspectRequest(Body):
    """The folder to look at before it is deployed."""

    path: str


class NoBody(Body):
    """The body of a route that takes none: empty, or ``{}``."""


# --- answers ----------------------------------------------------------------------------------


class ErrorInfo(Reply):
    """An :class:`~edi_labext.errors.EdiError` on the wire: what happened, and the next step."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    detail: str | None = None


class ErrorReply(ErrorInfo):
    """Body of every answer with a status of 400 or more; ``request_id`` is in the log too."""

    request_id: str


class EnvironmentInfo(Reply):
    """One EDI that can be used; ``problem`` says why it cannot be used just now."""

    id: str
    title: str
    kind: Literal["local", "remote"]
    host: str | None = None
    problem: ErrorInfo | None = None


class Limits(Reply):
    """What the façade takes, in bytes and entries."""

    body_bytes: int
    payload_bytes: int
    answer_bytes: int
    inspected_files: int


class Info(Reply):
    """What this server half is and can reach."""

    version: str
    environments: list[EnvironmentInfo]
    limits: Limits


class Job(Reply):
    """A long action; it lives in the Jupyter server and so survives a closed tab."""

    id: str
    kind: JobKind
    environment: str
    deployment: str
    state: JobState
    phase: str
    fraction: float | None = None
    message: str = ""
    created: float
    finished: float | None = None
    cancelling: bool = False
    error: ErrorInfo | None = None


class JobList(Reply):
    """Running jobs and those that finished in the last minutes, oldest first."""

    jobs: list[Job]


class DeploymentList(Reply):
    """The deployments of one environment and what is being done to them.

    Attributes
    ----------
    engine:
        State of the embedded engine; ``None`` for a remote EDI.
    revision:
        Digest of everything else: equal revisions mean equal content.
    error:
        Why the EDI could not be asked just now, although it could before.
    stale:
        Whether ``deployments`` are the last known ones and not the present ones.
    """

    environment: str
    engine: EngineState | None
    deployments: list[Deployment]
    jobs: list[Job]
    revision: str
    error: ErrorInfo | None = None
    stale: bool = False


class SamplePayload(Reply):
    """The request that the deployment's README shows, if it shows one."""

    payload: str | None


class Answer(Reply):
    """What the kernel answered, or why it did not.

    ``body`` is the answer as text, at most ``Limits.answer_bytes`` of it (``truncated`` then);
    ``size`` is that of the whole. ``error`` is set when ``ok`` is not.
    """

    status: int
    ok: bool
    content_type: str
    body: str
    size: int
    truncated: bool = False
    elapsed_ms: float
    error: ErrorInfo | None = None


class InspectedFile(Reply):
    """One file that would be sent; ``path`` is relative to the folder."""

    path: str
    size: int


class IgnoredPath(Reply):
    """One entry that would be left out, and why."""

    path: str
    reason: str


class Problem(Reply):
    """Something to mend before the folder can be deployed."""

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    path: str | None = None


class Inspection(Reply):
    """What deploying a folder would send, and what stands in the way."""

    path: str
    name: str | None
    kernel_path: str | None
    runtime: str | None
    files: list[InspectedFile]
    file_count: int
    total_size: int
    ignored: list[IgnoredPath]
    problems: list[Problem]


#: Models that come in, described as they are validated.
BODIES: tuple[type[BaseModel], ...] = (DeployRequest, InferRequest, InspectRequest)
#: Models that go out, described as they are serialised.
REPLIES: tuple[type[BaseModel], ...] = (
    Answer,
    Deployment,
    DeploymentList,
    ErrorReply,
    Info,
    Inspection,
    Job,
    JobList,
    SamplePayload,
)
