"""Changes whose answer may be lost: they are not repeated, what became of them is looked at.

A gateway that gives up (504), a connection that breaks and an answer that breaks off say nothing
about the change itself: EDI may have done it.
"""

from __future__ import annotations

from collections.abc import Callable

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
    raise type(lost)(
        f"It is unknown whether {what}: {lost.message} Now {state.rstrip('.')}.",
        code="outcome_unknown",
        hint="It was not repeated, since it may yet be done. Look again before you do.",
    )


def is_lost(error: UpstreamError) -> bool:
    """Tell whether what was asked for may have been done all the same."""
    if isinstance(error, UpstreamUnreachable):
        return error.code == "upstream_reset"
    if isinstance(error, UpstreamBadResponse):
        return error.code != "upstream_redirect"
    return isinstance(error, UpstreamTimeout)
