"""Put a folder in the place of the deployment of its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..client import EdiClient
from ..errors import Cancelled, EdiError
from ..submission import PackageSummary, check_folder
from .deploy import deploy_folder
from .lifecycle import STOP_TIMEOUT, stop_and_wait, undeploy
from .outcome import save_profile, settle
from .overview import Deployment, get_deployment
from .progress import Cancellation, Report, quiet
from .sending import Tell, send_folder

#: Of a profile, what belongs to the deployment and not to how it runs.
_IDENTITY = ("name", "create_time", "last_update_time")


def replace_folder(
    client: EdiClient,
    folder: Path,
    *,
    name: str | None = None,
    description: Mapping[str, Any] | None = None,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = STOP_TIMEOUT,
) -> Deployment:
    """Replace the deployment that ``model.json`` names by ``folder``, keeping its profile.

    The old one is stopped, then the new package is sent by EDI's redeploy route, so the old one
    stays until the new one is whole; the deployment is left stopped. Where there is no such route
    it is undeployed and deployed anew, with another uid.

    Parameters
    ----------
    name, description:
        As for :func:`.deploy_folder`.
    report, cancellation:
        Progress and cancel.
    timeout:
        Seconds to wait for the end of the old one.

    Raises
    ------
    InvalidInput, NotFound
        The folder cannot be deployed, or there is nothing to replace; nothing was changed.
    Unavailable
        ``stop_timeout``; the old one is still there.
    EdiError
        The message says what is left.
    Cancelled
        The message says what is left.
    """
    cancellation = cancellation or Cancellation()
    found = check_folder(folder, name=name)
    name = name or found.require_deployable().name
    found.require_deployable()
    profile = client.app_profile(name)
    stop_and_wait(client, name, report=report, cancellation=cancellation, timeout=timeout)
    step = f"{name} is stopped and was not replaced"
    try:
        replaced = send_folder(
            found.submission,
            lambda package, summary, tell: _redeploy(
                client, package, summary, name, tell=tell, cancellation=cancellation
            ),
            name=name,
            description=description,
            report=report,
            cancellation=cancellation,
        )
        if not replaced:
            cancellation.checkpoint()
            undeploy(client, name, report=report, cancellation=cancellation, timeout=timeout)
            step = f"{name} was removed to be replaced, and its new version is not there"
            deploy_folder(
                client,
                folder,
                name=name,
                description=description,
                start=False,
                report=report,
                cancellation=cancellation,
            )
        step = f"{name} is replaced, but has the default profile"
        _keep(client, name, profile)
    except Cancelled as cancelled:
        raise Cancelled(f"{step}: {cancelled.message}", hint=cancelled.hint) from None
    except EdiError as error:
        error.message = f"{step}: {error.message}"
        error.args = (error.message,)
        raise
    return get_deployment(client, name)


def _redeploy(
    client: EdiClient,
    package: BinaryIO,
    summary: PackageSummary,
    name: str,
    *,
    tell: Tell,
    cancellation: Cancellation,
) -> bool:
    before = client.get_model(name).model_path

    def now() -> tuple[bool, str]:
        # A new package has a directory of its own.
        there = client.get_model(name).model_path
        same = there == before
        return not same, f"{name} has {'the old' if same else 'a new'} package"

    told: list[bool] = []

    def redeploy() -> None:
        told.append(
            client.redeploy(
                name, package, summary.size, progress=tell, checkpoint=cancellation.checkpoint
            )
        )

    settle(redeploy, f"{name} was replaced", now)
    # Where the answer was lost and the package is there, there is such a route.
    return all(told)


def _keep(client: EdiClient, name: str, kept: dict[str, Any]) -> None:
    """Write the old profile over the new one's, unless they say the same."""
    fresh = client.app_profile(name)
    document = {**kept, **{key: fresh[key] for key in _IDENTITY if key in fresh}}
    if document != fresh:
        save_profile(client, name, document, before=fresh)
