"""The saved profile of a deployment, and another one that is to take its place."""

from __future__ import annotations

from ..errors import Conflict
from ..models import Profile, parse_profile, profile_revision, profile_time, seconds_of


def with_times(profile: Profile, created: int) -> Profile:
    """Return ``profile`` with its times; until somebody changes it, both are ``created``."""
    text = profile_time(created)
    times = {
        "create_time": profile.create_time or text,
        "last_update_time": profile.last_update_time or text,
    }
    return profile.model_copy(update=times)


def started(name: str) -> Conflict:
    """Return why the profile of a started deployment does not change."""
    return Conflict(
        f"The profile of model <{name}> cannot be changed while it is started.",
        code="started",
        hint="Stop it first; the new profile is used at its next start.",
    )


def successor(data: bytes, current: Profile, *, revision: str | None, now: int) -> Profile:
    """Return the profile that is to be saved in place of ``current``.

    Parameters
    ----------
    data:
        The whole profile, JSON.
    revision:
        :func:`~edi_labext.models.profile_revision` of the profile that it was made from, if told.
    now:
        Unix seconds.

    Raises
    ------
    Conflict
        ``changed_since_read``
    InvalidInput
        See :func:`~edi_labext.models.parse_profile`.
    """
    if revision is not None and revision != profile_revision(current.to_wire()):
        raise Conflict(
            f"The profile of model <{current.name}> has changed since it was read.",
            code="changed_since_read",
            hint="Read it again and repeat the change.",
        )
    profile = parse_profile(data, current=current)
    # Always later than before, so that the time tells one version from the next.
    changed = max(now, (seconds_of(current.last_update_time) or 0) + 1)
    return profile.model_copy(update={"last_update_time": profile_time(changed)})
