"""Put a folder in the place of the deployment of its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..client import EdiClient
from ..errors import Cancelled, EdiError
from ..submission import check_folder
from .deploy import deploy_folder
from .lifecycle import STOP_TIMEOUT, undeploy
from .overview import Deployment, get_deployment
from .progress import Cancellation, Report, quiet

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

    The old one is stopped and undeployed before the new one is sent, and the new one is left
    stopped: EDI's redeploy route is not used yet. So it has a new uid, and for the time of the
    upload there is no deployment of that name.

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
        After the old one was removed: the message says so.
    Cancelled
        The message says what is left.
    """
    cancellation = cancellation or Cancellation()
    name = name or check_folder(folder).require_deployable().name
    check_folder(folder, name=name).require_deployable()
    profile = client.app_profile(name)
    undeploy(client, name, report=report, cancellation=cancellation, timeout=timeout)
    step = f"{name} was removed to be replaced, and its new version is not there"
    try:
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


def _keep(client: EdiClient, name: str, kept: dict[str, Any]) -> None:
    """Write the old profile over the new one's, unless they say the same."""
    fresh = client.app_profile(name)
    document = {**kept, **{key: fresh[key] for key in _IDENTITY if key in fresh}}
    if document != fresh:
        client.update_profile(name, document)
