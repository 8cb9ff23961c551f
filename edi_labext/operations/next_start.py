"""Save a profile for the next start, and give it to the EDI when that can be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..client import EdiClient
from ..errors import Conflict
from ..models import check_profile, profile_revision, refuse_problems
from .next_profile import NextProfile, NextProfiles
from .outcome import save_profile
from .profile_diff import profile_diff
from .progress import Progress, Report, quiet


def save_for_next_start(
    client: EdiClient,
    name: str,
    document: Mapping[str, Any],
    *,
    revision: str | None = None,
    wall: Callable[[], float] = time.time,
) -> NextProfile | None:
    """Keep a whole profile until the deployment is next stopped or started by us.

    Returns ``None``, and forgets what waited, when the EDI's profile says the same.

    Parameters
    ----------
    revision:
        That of the profile that was edited; when it is given and the profile has changed since,
        nothing is kept.

    Raises
    ------
    NotFound
    InvalidInput
        ``invalid_profile`` or ``read_only_field`` with every problem in ``fields``.
    Conflict
        ``changed_since_read``
    StorageFailure
    """
    current = client.app_profile(name)
    if revision is not None and revision != profile_revision(current):
        raise Conflict(
            f"The profile of {name} has changed since you opened it.",
            code="changed_since_read",
            hint="Open it again to see what it is now; your edits were not saved.",
        )
    refuse_problems(check_profile(document, current))
    waiting = NextProfiles.of(client)
    if not profile_diff(current, document):
        waiting.remove(name)
        return None
    profile = NextProfile(dict(document), profile_revision(current), wall())
    waiting.put(name, profile)
    return profile


def require_next_profile_current(client: EdiClient, name: str) -> NextProfile | None:
    """Return what waits for the next start of ``name``, if it can be used as it is.

    Raises
    ------
    NotFound
    Conflict
        ``next_profile_outdated``: the EDI's profile has been changed since by somebody else.
    StorageFailure
    """
    waiting, _ = _require_current(client, name)
    return waiting


def _require_current(client: EdiClient, name: str) -> tuple[NextProfile | None, Mapping[str, Any]]:
    """Return what waits, and the EDI's own profile, which is only asked for if something does."""
    waiting = NextProfiles.of(client).get(name)
    if waiting is None:
        return None, {}
    current = client.app_profile(name)
    if waiting.revision == profile_revision(current):
        return waiting, current
    if not profile_diff(current, waiting.document):
        # The EDI took it after all, when its answer had been lost.
        NextProfiles.of(client).remove(name)
        return None, current
    raise Conflict(
        f"The profile of {name} has been changed since another one was saved for its next start.",
        code="next_profile_outdated",
        hint="Open the profile in JupyterLab: save yours again, or discard it.",
    )


def apply_next_profile(client: EdiClient, name: str, *, report: Report = quiet) -> bool:
    """Give the EDI the profile that waits for the next start; the deployment must be stopped.

    Returns whether there was one.

    Raises
    ------
    NotFound
    Conflict
        ``next_profile_outdated``; it goes on waiting, as after every other error.
    InvalidInput
        The EDI no longer takes it.
    UpstreamError
        ``not_saved``, ``outcome_unknown``: see :func:`.save_profile`.
    StorageFailure
    """
    waiting, current = _require_current(client, name)
    if waiting is None:
        return False
    report(Progress("update", None, "Saving the profile that waited for this"))
    save_profile(client, name, waiting.document, before=current, revision=waiting.revision)
    NextProfiles.of(client).remove(name)
    return True
