"""Deploy a folder: check, pack, upload, start, wait."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..client import EdiClient
from ..errors import (
    Cancelled,
    Conflict,
    NotFound,
    OutOfSpace,
    StorageFailure,
)
from ..models import check_name
from ..submission import CheckReport, PackageSummary, Submission, check_folder, pack
from .lifecycle import START_TIMEOUT, start_and_wait
from .outcome import settle
from .overview import Deployment, get_deployment
from .progress import Cancellation, Phase, Progress, Report, quiet


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
    _send(
        client,
        found.submission,
        name=deployment,
        runtime=runtime,
        description=description,
        report=report,
        cancellation=cancellation,
    )
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


def _send(
    client: EdiClient,
    submission: Submission,
    *,
    name: str,
    runtime: str | None,
    description: Mapping[str, Any] | None,
    report: Report,
    cancellation: Cancellation,
) -> None:
    tell = _Telling(report)
    try:
        # Without a name in the file system, so it is gone however this process ends.
        with tempfile.TemporaryFile(prefix="edi-package-") as package:
            report(Progress("pack", 0.0, "Packing"))
            summary = pack(
                submission,
                package,
                name=name,
                runtime=runtime,
                description=description,
                progress=lambda done, total: tell("pack", done, total),
                checkpoint=cancellation.checkpoint,
            )
            package.seek(0)
            report(Progress("upload", 0.0, "Sending"))
            _upload(client, package, summary, name, tell=tell, cancellation=cancellation)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace(
                "There is no room for the package in the directory for temporary files.",
                hint="Free some space, or set TMPDIR to another directory.",
            ) from None
        raise StorageFailure(
            f"The folder could not be packed: {error.strerror or 'no reason given'}."
        ) from None


def _upload(
    client: EdiClient,
    package: BinaryIO,
    summary: PackageSummary,
    name: str,
    *,
    tell: _Telling,
    cancellation: Cancellation,
) -> None:
    def now() -> tuple[bool, str]:
        try:
            size = client.get_model(name).size
        except NotFound:
            return False, f"there is no deployment {name}"
        # Nobody else has sent as many bytes under this name in the meantime.
        same = size == summary.content_size
        return same, f"there is a deployment {name} of {_size(size)}"

    settle(
        lambda: client.deploy(
            package,
            summary.size,
            progress=lambda done, total: tell("upload", done, total),
            checkpoint=cancellation.checkpoint,
        ),
        f"{name} was deployed",
        now,
    )
    if cancellation.cancelled:
        # Too late to stop the sending, but not yet started: take it back.
        client.delete_model(name)
        cancellation.checkpoint()


class _Telling:
    """Turns bytes into progress, one report for each percent at most."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: tuple[Phase, int] | None = None

    def __call__(self, phase: Phase, done: int, total: int) -> None:
        fraction = min(1.0, done / total) if total else 1.0
        step = (phase, int(fraction * 100))
        if step == self._last:
            return
        self._last = step
        if phase == "upload" and done >= total:
            # The other side unpacks and checks before it answers.
            self._report(Progress("upload", None, "Sent; registering"))
            return
        verb = "Packing" if phase == "pack" else "Sending"
        self._report(Progress(phase, fraction, f"{verb} {_size(done)} of {_size(total)}"))


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
