"""Start, stop and undeploy, each to its end: EDI only accepts the wish and acts later."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from ..client import EdiClient
from ..errors import (
    Cancelled,
    Conflict,
    EdiError,
    NotFound,
    Unavailable,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ..models import DeploymentStatus
from .next_profile import NextProfiles
from .next_start import apply_next_profile
from .outcome import delete, start, stop
from .overview import LOG_LINES, Deployment, combine, get_deployment, observe
from .progress import Cancellation, Phase, Progress, Report, quiet

#: Seconds to wait for a kernel; more than the 90 that EDI gives one to start.
START_TIMEOUT = 120.0
#: Seconds to wait for the end; more than the 30 that requests get to finish.
STOP_TIMEOUT = 60.0

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.05, 1.0, 1.4
#: Looks in a row that may fail before a wait is given up.
_BLIND_LOOKS = 3


def start_and_wait(
    client: EdiClient,
    name: str,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = START_TIMEOUT,
) -> Deployment:
    """Start a deployment and return it once a kernel is ready. Harmless when it is started.

    A profile that was saved for the next start is given to the EDI before; for that, one that has
    failed is stopped first.

    Parameters
    ----------
    timeout:
        In seconds.

    Raises
    ------
    NotFound
    Conflict, InvalidInput
        Of :func:`.apply_next_profile`, or the EDI refuses the start; it is not started.
    Unavailable
        ``deployment_failed`` with the reason, and the end of the log in ``detail``;
        ``pending`` when the machine lacks what the profile asks for, which leaves it wanted;
        ``start_timeout`` when no kernel is ready in time, which leaves it starting.
    Cancelled
        It is left starting.
    """
    cancellation = cancellation or Cancellation()
    cancellation.checkpoint()
    report(Progress("start", None, f"Starting {name}"))
    before = observe(client, name)
    if before.state == "ready":
        return combine(client.get_model(name), before)
    if before.state == "stopping":
        # Wanted again before it has ended: an EDI may refuse that, so let it end.
        _wait(
            client,
            name,
            "start",
            reached=_is_stopped,
            report=report,
            cancellation=cancellation,
            timeout=STOP_TIMEOUT,
        )
    _adopt(client, name, before, report=report, cancellation=cancellation)
    try:
        start(client, name)
    except Conflict:
        # Started meanwhile, or already: what counts is what comes of it.
        if observe(client, name).state == "stopped":
            raise
    return wait_until_ready(client, name, report=report, cancellation=cancellation, timeout=timeout)


def wait_until_ready(
    client: EdiClient,
    name: str,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = START_TIMEOUT,
) -> Deployment:
    """Return a deployment that was asked to start, once a kernel is ready; raises as above."""

    def ready(status: DeploymentStatus) -> bool:
        if status.state == "failed":
            raise Unavailable(
                f"{name} failed to start: {status.reason or 'no reason given'}",
                code="deployment_failed",
                hint="Mend what the log says, then deploy it again.",
                detail="\n".join(status.log_tail[-LOG_LINES:]) or None,
            )
        if status.state == "pending":
            # The words are the same wherever it is looked at.
            raise Unavailable(status.reason, code="pending")
        return status.state == "ready"

    try:
        _wait(
            client,
            name,
            "start",
            reached=ready,
            report=report,
            cancellation=cancellation or Cancellation(),
            timeout=timeout,
        )
    except Cancelled:
        raise Cancelled(
            f"You stopped waiting; {name} goes on starting.",
            hint="Stop it if it is not wanted.",
        ) from None
    return get_deployment(client, name)


def stop_and_wait(
    client: EdiClient,
    name: str,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = STOP_TIMEOUT,
    adopt_next: bool = True,
) -> Deployment:
    """Stop a deployment and return it once its kernels are gone. Harmless when it is stopped.

    Parameters
    ----------
    timeout:
        In seconds.
    adopt_next:
        Whether a profile that was saved for the next start is given to the EDI then. One that the
        EDI does not take goes on waiting for the start, which says why.

    Raises
    ------
    NotFound
    Unavailable
        ``stop_timeout``; it goes on stopping.
    Cancelled
        It goes on stopping.
    """
    cancellation = cancellation or Cancellation()
    cancellation.checkpoint()
    report(Progress("stop", None, f"Stopping {name}"))
    if observe(client, name).state == "stopped":
        if adopt_next:
            _adopt_quietly(client, name, report)
        return get_deployment(client, name)
    stop(client, name)
    return wait_until_stopped(
        client,
        name,
        report=report,
        cancellation=cancellation,
        timeout=timeout,
        adopt_next=adopt_next,
    )


def wait_until_stopped(
    client: EdiClient,
    name: str,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = STOP_TIMEOUT,
    adopt_next: bool = True,
) -> Deployment:
    """Return a deployment that was asked to stop, once its kernels are gone; raises as above."""
    try:
        _wait(
            client,
            name,
            "stop",
            reached=_is_stopped,
            report=report,
            cancellation=cancellation or Cancellation(),
            timeout=timeout,
        )
    except Cancelled:
        raise Cancelled(f"You stopped waiting; {name} goes on stopping.") from None
    if adopt_next:
        _adopt_quietly(client, name, report)
    return get_deployment(client, name)


def _adopt_quietly(client: EdiClient, name: str, report: Report) -> None:
    """Apply what waits for the next start; a stop has worked whatever becomes of that."""
    try:
        apply_next_profile(client, name, report=report)
    except NotFound:
        raise
    except EdiError as error:
        report(Progress("stop", None, error.message.rstrip(".")))


def undeploy(
    client: EdiClient,
    name: str,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = STOP_TIMEOUT,
) -> None:
    """Stop a deployment, wait until its kernels are gone, and remove it for good.

    Harmless when there is none of that name. What was saved for its next start is forgotten.

    Raises
    ------
    Unavailable
        ``stop_timeout``
    Cancelled
        It is still there, stopping or stopped.
    """
    cancellation = cancellation or Cancellation()
    with contextlib.suppress(NotFound):
        stop_and_wait(
            client,
            name,
            report=report,
            cancellation=cancellation,
            timeout=timeout,
            adopt_next=False,
        )
        cancellation.checkpoint()
        report(Progress("undeploy", None, f"Removing {name}"))
        _delete(client, name, cancellation, timeout)
    NextProfiles.of(client).remove(name)


def _adopt(
    client: EdiClient,
    name: str,
    before: DeploymentStatus,
    *,
    report: Report,
    cancellation: Cancellation,
) -> None:
    """Apply what waits for the next start, if this start is one that can take it."""
    if before.state in ("stopped", "stopping"):
        apply_next_profile(client, name, report=report)
    elif before.state == "failed" and NextProfiles.of(client).get(name) is not None:
        # It runs nothing that could be missed, and only a stopped one takes a profile.
        stop(client, name)
        _wait(
            client,
            name,
            "stop",
            reached=_is_stopped,
            report=report,
            cancellation=cancellation,
            timeout=STOP_TIMEOUT,
        )
        apply_next_profile(client, name, report=report)


def _delete(client: EdiClient, name: str, cancellation: Cancellation, timeout: float) -> None:
    """Delete; an EDI says "disabled" a little before it allows that."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        try:
            delete(client, name)
            return
        except Conflict:
            if time.monotonic() + pause > deadline:
                raise
        cancellation.wait(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _is_stopped(status: DeploymentStatus) -> bool:
    return status.state == "stopped"


def _wait(
    client: EdiClient,
    name: str,
    phase: Phase,
    *,
    reached: Callable[[DeploymentStatus], bool],
    report: Report,
    cancellation: Cancellation,
    timeout: float,
) -> None:
    """Look again and again until ``reached`` says so; it may also raise."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    blind = 0
    told = ""
    while True:
        reason = ""
        try:
            status = observe(client, name)
        except (UpstreamUnreachable, UpstreamTimeout):
            blind += 1
            if blind >= _BLIND_LOOKS:
                raise
        else:
            blind = 0
            if reached(status):
                return
            reason = status.reason
        if reason and reason != told:
            told = reason
            report(Progress(phase, None, reason.rstrip(".")))
        if time.monotonic() + pause > deadline:
            raise _late(name, phase, timeout, reason)
        cancellation.wait(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _late(name: str, phase: Phase, timeout: float, reason: str) -> EdiError:
    what = "ready" if phase == "start" else "stopped"
    return Unavailable(
        f"{name} was not {what} within {timeout:.0f} s." + (f" {reason}" if reason else ""),
        code=f"{phase}_timeout",
        hint="It may still get there; watch its state in the list.",
    )
