"""Changes whose answer may be lost: they are not repeated, what became of them is looked at.

A gateway that gives up (504), a connection that breaks and an answer that breaks off say nothing
about the change itself: EDI may have done it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..client import EdiClient
from ..errors import (
    EdiError,
    NotFound,
    UpstreamBadResponse,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from .overview import observe
from .profile_diff import ProfileChange, profile_diff

_NOT_REPEATED: Final = "It was not repeated, since it may yet be done. Look again before you do."
#: Differing fields that are named, and most characters of a value among them.
_MOST_FIELDS, _MOST_CHARACTERS = 3, 60


def start(client: EdiClient, name: str) -> None:
    """Ask for a start; raises as :func:`settle` and :meth:`.EdiClient.start`."""

    def now() -> tuple[bool, str]:
        state = observe(client, name).state
        return state != "stopped", f"{name} is {state}"

    settle(lambda: client.start(name), f"{name} was started", now)


def stop(client: EdiClient, name: str) -> None:
    """Ask for a stop; raises as :func:`settle` and :meth:`.EdiClient.stop`."""

    def now() -> tuple[bool, str]:
        state = observe(client, name).state
        return state in ("stopped", "stopping"), f"{name} is {state}"

    settle(lambda: client.stop(name), f"{name} was stopped", now)


def delete(client: EdiClient, name: str) -> None:
    """Remove a deployment; raises as :func:`settle` and :meth:`.EdiClient.delete_model`."""

    def now() -> tuple[bool, str]:
        try:
            client.get_model(name)
        except NotFound:
            return True, f"there is no {name}"
        return False, f"{name} is still there"

    settle(lambda: client.delete_model(name), f"{name} was removed", now)


def save_profile(
    client: EdiClient,
    name: str,
    document: Mapping[str, Any],
    *,
    before: Mapping[str, Any],
    revision: str | None = None,
) -> None:
    """Replace the profile of a stopped deployment; where the answer is lost, read it back.

    What the EDI changes by itself (it may put a value into its own form, or fill in what was left
    out) does not count: a profile is saved once every field that was to change is as wanted.

    Parameters
    ----------
    document, revision:
        As for :meth:`.EdiClient.update_profile`.
    before:
        The profile as it was read before.

    Raises
    ------
    UpstreamError
        ``not_saved``: it reads as before; ``outcome_unknown``: it reads as neither of both, or
        cannot be read.
    EdiError
        As :meth:`.EdiClient.update_profile`, where it was surely not saved.
    """
    try:
        client.update_profile(name, document, revision=revision)
        return
    except UpstreamError as error:
        if not is_lost(error):
            raise
        lost = error
    try:
        saved = client.app_profile(name)
    except EdiError as error:
        raise _unknown(
            lost, f"the profile of {name} was saved", f"that cannot be asked: {error.message}"
        ) from None
    wanted = {change.path for change in profile_diff(before, document)}
    missing = [change for change in profile_diff(document, saved) if change.path in wanted]
    if not missing:
        return
    if not profile_diff(before, saved):
        raise type(lost)(
            f"The profile of {name} was not saved: {lost.message} It is as it was before.",
            code="not_saved",
            hint=_NOT_REPEATED,
        )
    raise _unknown(
        lost,
        f"the profile of {name} was saved",
        f"it is neither the old one nor the new one: {_told(missing)}",
    )


def _told(differing: Sequence[ProfileChange]) -> str:
    """Say how a profile reads where it is not as wanted."""
    told = [
        # What people put into variables is often a secret.
        f"{change.path} is another"
        if change.path.startswith("kernel.envs")
        else f"{change.path} is {_shown(change.new)}, not {_shown(change.old)}"
        for change in differing[:_MOST_FIELDS]
    ]
    more = len(differing) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def _shown(value: Any) -> str:
    # None stands for a field that is not there.
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def settle(change: Callable[[], object], what: str, now: Callable[[], tuple[bool, str]]) -> None:
    """Do something once, and where the answer is lost, look whether it was done.

    Parameters
    ----------
    change:
        Asks for it.
    what:
        The change as done: ``digits was started``.
    now:
        Looks: whether it is as wanted, and how it is in words.

    Raises
    ------
    UpstreamError
        ``outcome_unknown``: it is not (yet) as wanted, or cannot be looked at.
    EdiError
        What ``change`` raises where it was surely not done.
    """
    try:
        change()
        return
    except UpstreamError as error:
        if not is_lost(error):
            raise
        lost = error
    try:
        done, state = now()
    except EdiError as error:
        done, state = False, f"that cannot be asked: {error.message}"
    if done:
        return
    raise _unknown(lost, what, state)


def _unknown(lost: UpstreamError, what: str, state: str) -> UpstreamError:
    return type(lost)(
        f"It is unknown whether {what}: {lost.message} Now {state.rstrip('.')}.",
        code="outcome_unknown",
        hint=_NOT_REPEATED,
    )


def is_lost(error: UpstreamError) -> bool:
    """Tell whether what was asked for may have been done all the same."""
    if isinstance(error, UpstreamUnreachable):
        return error.code == "upstream_reset"
    if isinstance(error, UpstreamBadResponse):
        return error.code != "upstream_redirect"
    return isinstance(error, UpstreamTimeout)
