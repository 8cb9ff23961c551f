"""See and change how a deployment runs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..client import EdiClient
from ..errors import Cancelled, Conflict, EdiError
from ..models import Profile, check_profile, profile_revision, refuse_problems
from .lifecycle import START_TIMEOUT, start_and_wait, stop_and_wait
from .next_profile import NextProfiles
from .outcome import save_profile
from .overview import Deployment, get_deployment, observe
from .profile_diff import ProfileChange, apply_patch, document_of, profile_diff
from .progress import Cancellation, Progress, Report, quiet


def view_profile(client: EdiClient, name: str) -> Profile:
    """Return the saved profile; its ``to_wire`` is the document exactly as the EDI has it.

    Raises
    ------
    NotFound
    """
    return Profile.read(client.app_profile(name))


def edit_profile(
    client: EdiClient,
    name: str,
    change: Mapping[str, Any] | Profile,
    *,
    restart: bool = False,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = START_TIMEOUT,
) -> Deployment:
    """Save another profile, and have the deployment run by it if it runs.

    Everything is checked before anything is done. With ``restart`` a started deployment is
    stopped, changed and started again; if the EDI refuses the profile then, it is started as it
    was. A change that changes nothing does nothing. What was saved for the next start is
    forgotten.

    Parameters
    ----------
    change:
        A whole document if it has every section of the present one; else a merge patch
        (:func:`apply_patch`).
    restart:
        Whether a started one may be stopped for it.
    timeout:
        Seconds for the start.

    Raises
    ------
    NotFound
    InvalidInput
        ``invalid_profile`` or ``read_only_field`` with every problem in ``fields``.
    Conflict
        ``started`` without ``restart``; ``changed_since_read`` when somebody else was faster.
    UpstreamError
        ``not_saved``, ``outcome_unknown``: see :func:`.save_profile`.
    Unavailable
        It is saved, but does not start: see :func:`.start_and_wait`.
    Cancelled
        The message says how far it was.
    """
    cancellation = cancellation or Cancellation()
    report(Progress("check", None, "Checking the profile"))
    current = client.app_profile(name)
    document = _wanted(current, change)
    refuse_problems(check_profile(document, current))
    if not profile_diff(current, document):
        NextProfiles.of(client).remove(name)
        return get_deployment(client, name)
    state = observe(client, name).state
    ran = state not in ("stopped", "stopping")
    if ran and not restart:
        raise Conflict(
            f"{name} is started; its profile can only be changed while it is stopped.",
            code="started",
            hint="Stop it first, or save and restart it.",
        )
    if state != "stopped":
        stop_and_wait(client, name, report=report, cancellation=cancellation, adopt_next=False)
    try:
        cancellation.checkpoint()
        report(Progress("update", None, "Saving the profile"))
        save_profile(client, name, document, before=current, revision=profile_revision(current))
        # What waited for the next start was older than this.
        NextProfiles.of(client).remove(name)
    except (EdiError, Cancelled):
        if ran:
            # Nobody wanted it stopped.
            with contextlib.suppress(EdiError):
                client.start(name)
        raise
    if not ran:
        return get_deployment(client, name)
    return start_and_wait(client, name, report=report, cancellation=cancellation, timeout=timeout)


def _wanted(current: Mapping[str, Any], change: Mapping[str, Any] | Profile) -> dict[str, Any]:
    given = document_of(change)
    whole = all(key in given for key, value in current.items() if isinstance(value, Mapping))
    return dict(given) if whole else apply_patch(current, given)


__all__ = ["ProfileChange", "apply_patch", "edit_profile", "profile_diff", "view_profile"]
