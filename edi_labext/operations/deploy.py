"""Deploy a folder: check, pack, upload, start, wait."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..client import EdiClient
from ..errors import (
    Cancelled,
    Conflict,
    NotFound,
)
from ..models import check_name
from ..submission import CheckReport, PackageSummary, check_folder
from .lifecycle import START_TIMEOUT, start_and_wait
from .next_profile import NextProfiles
from .outcome import delete, settle
from .overview import Deployment, get_deployment
from .progress import Cancellation, Progress, Report, quiet
from .sending import Tell, readable_size, send_folder


def deploy_folder(
    client: EdiClient,
    folder: Path,
    *,
    name: str | None = None,
    runtime: str | None = None,
    description: Mapping[str, Any] | None = None,
    start: bool = True,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    start_timeout: float = START_TIMEOUT,
) -> Deployment:
    """Turn ``folder`` into a deployment and, unless told otherwise, start it.

    Parameters
    ----------
    name, runtime:
        Instead of ``model.json``'s.
    description:
        Other keys that take the place of ``model.json``'s.
    start:
        Whether to start it and wait until a kernel is ready.
    report, cancellation:
        Progress and cancel. Warnings of the checks are reported, the first in words; errors
        refuse.
    start_timeout:
        Seconds to wait for a kernel.

    Raises
    ------
    InvalidInput, NotFound
        The folder cannot be deployed; all reasons are listed and nothing has been sent.
    Conflict
        ``exists``; nothing has been sent.
    Unavailable
        It was deployed, but does not start: see :func:`start_and_wait`.
    Cancelled
        Nothing is left of it when it was cancelled before or while it was sent; once it is
        deployed it stays, and the message says so.
    """
    cancellation = cancellation or Cancellation()
    report(Progress("check", None, f"Checking {folder.name}"))
    found = check_folder(folder, name=name)
    deployment = check_name(name or found.require_deployable().name)
    found.require_deployable()
    _tell_warnings(found, report)
    _require_free(client, deployment)
    cancellation.checkpoint()
    send_folder(
        found.submission,
        lambda package, summary, tell: _upload(
            client, package, summary, deployment, tell=tell, cancellation=cancellation
        ),
        name=deployment,
        runtime=runtime,
        description=description,
        report=report,
        cancellation=cancellation,
    )
    # Of another deployment of that name, which was removed elsewhere.
    NextProfiles.of(client).remove(deployment)
    if not start:
        return get_deployment(client, deployment)
    try:
        return start_and_wait(
            client,
            deployment,
            report=report,
            cancellation=cancellation,
            timeout=start_timeout,
        )
    except Cancelled as cancelled:
        raise Cancelled(
            f"{deployment} is deployed. {cancelled.message}", hint=cancelled.hint
        ) from None


def _tell_warnings(found: CheckReport, report: Report) -> None:
    warnings = found.warnings
    if not warnings:
        return
    number = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
    first = warnings[0].message.removesuffix(".")
    report(Progress("check", 1.0, f"{number}; {warnings[0].place}: {first}"))


def _require_free(client: EdiClient, name: str) -> None:
    """Say before packing what the EDI would say after the upload."""
    try:
        client.get_model(name)
    except NotFound:
        return
    raise Conflict(
        f"There is already a deployment {name}.",
        code="exists",
        hint="Choose another name, or undeploy it first.",
        field="name",
    )


def _upload(
    client: EdiClient,
    package: BinaryIO,
    summary: PackageSummary,
    name: str,
    *,
    tell: Tell,
    cancellation: Cancellation,
) -> None:
    def now() -> tuple[bool, str]:
        try:
            size = client.get_model(name).size
        except NotFound:
            return False, f"there is no deployment {name}"
        # Nobody else has sent as many bytes under this name in the meantime.
        same = size == summary.content_size
        return same, f"there is a deployment {name} of {readable_size(size)}"

    settle(
        lambda: client.deploy(
            package,
            summary.size,
            progress=tell,
            checkpoint=cancellation.checkpoint,
        ),
        f"{name} was deployed",
        now,
    )
    if cancellation.cancelled:
        # Too late to stop the sending, but not yet started: take it back.
        delete(client, name)
        cancellation.checkpoint()
