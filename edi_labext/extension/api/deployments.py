"""Deployments of one environment, and what is done to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ...client.local_engine import EngineState
from ...operations import Deployment
from .base import Body, ErrorInfo, Reply

#: What a job does to its deployment.
JobKind = Literal["deploy", "start", "stop", "restart", "undeploy", "profile"]
#: ``done``, ``failed`` and ``cancelled`` are final.
JobState = Literal["running", "done", "failed", "cancelled"]

#: Longest body of an inference request from the browser, in bytes of its JSON (8 MiB).
MAX_PAYLOAD_BYTES = 8 << 20
#: Longest part of an answer that is sent to the browser, in bytes (4 MiB).
MAX_ANSWER_BYTES = 4 << 20


class FolderSource(Body):
    """A folder of the Jupyter server; ``path`` is local to its contents manager."""

    kind: Literal["folder"]
    path: str


class SampleSource(Body):
    """A submission that ships inside the package."""

    kind: Literal["sample"]
    sample: Literal["pingpong"]


class DeployRequest(Body):
    """What to deploy; ``name`` and ``runtime`` default to those in ``model.json``."""

    source: Annotated[FolderSource | SampleSource, Field(discriminator="kind")]
    name: str | None = None
    runtime: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    start: bool = True


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


class LeaseRequest(Body):
    """The tab that looks at an environment: any identifier that no other tab has."""

    tab: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Lease(Reply):
    """For how many seconds the environment is watched; ``revision`` is that of the last look.

    While it is watched, an event says when the list has changed: see ``events/deployments.yaml``.
    """

    seconds: float
    revision: str | None


class SamplePayload(Reply):
    """The request that the deployment's README shows, if it shows one."""

    payload: str | None


class InferRequest(Body):
    """One inference request; ``payload`` goes to the kernel as UTF-8, unparsed."""

    payload: str


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
