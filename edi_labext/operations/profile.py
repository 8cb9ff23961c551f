"""See and change how a deployment runs."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..client import EdiClient
from ..errors import Cancelled, Conflict, EdiError
from ..models import Profile, check_profile, profile_revision, refuse_problems
from .lifecycle import START_TIMEOUT, start_and_wait, stop_and_wait
from .overview import Deployment, get_deployment, observe
from .progress import Cancellation, Progress, Report, quiet

#: What the service sets at every change; it is no change of its own.
_SET_BY_SERVICE: Final = "last_update_time"
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """One field that differs.

    ``path`` is dotted, with a variable of ``kernel.envs`` named in place of its number; ``old`` or
    ``new`` is ``None`` where there is none.
    """

    path: str
    old: Any
    new: Any


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
    was. A change that changes nothing does nothing.

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
        stop_and_wait(client, name, report=report, cancellation=cancellation)
    try:
        cancellation.checkpoint()
        report(Progress("update", None, "Saving the profile"))
        client.update_profile(name, document, revision=profile_revision(current))
    except (EdiError, Cancelled):
        if ran:
            # Nobody wanted it stopped.
            with contextlib.suppress(EdiError):
                client.start(name)
        raise
    if not ran:
        return get_deployment(client, name)
    return start_and_wait(client, name, report=report, cancellation=cancellation, timeout=timeout)


def apply_patch(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``document`` merged with a JSON merge patch (RFC 7396): ``None`` removes a field.

    Lists are replaced as a whole; neither argument is changed.
    """
    merged = copy.deepcopy(dict(document))
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            present = merged.get(key)
            merged[key] = apply_patch(present if isinstance(present, dict) else {}, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def profile_diff(
    old: Mapping[str, Any] | Profile, new: Mapping[str, Any] | Profile
) -> list[ProfileChange]:
    """Return what differs, in the order of ``old``, then what is only in ``new``.

    The time of the last change is left out.
    """
    before, after = _document(old), _document(new)
    changes = _changes(before, after, ())
    return [change for change in changes if change.path != _SET_BY_SERVICE]


def _wanted(current: Mapping[str, Any], change: Mapping[str, Any] | Profile) -> dict[str, Any]:
    given = _document(change)
    whole = all(key in given for key, value in current.items() if isinstance(value, Mapping))
    return dict(given) if whole else apply_patch(current, given)


def _document(profile: Mapping[str, Any] | Profile) -> Mapping[str, Any]:
    return profile.to_wire() if isinstance(profile, Profile) else profile


def _changes(old: Any, new: Any, way: tuple[str, ...]) -> Iterator[ProfileChange]:
    before, after = _parts(old), _parts(new)
    # A section against nothing, too, field by field.
    if before is not None and (after is not None or new is _ABSENT):
        after = after or {}
    elif after is not None and old is _ABSENT:
        before = {}
    if before is None or after is None:
        # 1 and True, or 60 and 60.0: equal in Python, and only the latter in JSON.
        if old != new or isinstance(old, bool) is not isinstance(new, bool):
            yield ProfileChange(
                ".".join(way),
                None if old is _ABSENT else old,
                None if new is _ABSENT else new,
            )
        return
    for key in dict.fromkeys((*before, *after)):
        yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), (*way, key))


def _parts(value: Any) -> Mapping[str, Any] | None:
    """Return the parts of an object or of a list of named values, ``None`` of anything else."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and value:
        named = {
            item["name"]: item["value"]
            for item in value
            if isinstance(item, Mapping)
            and set(item) == {"name", "value"}
            and isinstance(item["name"], str)
        }
        if len(named) == len(value):
            return named
    return None
