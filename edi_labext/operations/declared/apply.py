"""Make services what ``edi.yaml`` says; a second time there is nothing to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from ...client import EdiClient
from ...errors import Cancelled, EdiError
from ..deploy import deploy_folder
from ..lifecycle import START_TIMEOUT, stop_and_wait, undeploy, wait_until_ready
from ..outcome import start
from ..profile import edit_profile
from ..progress import Cancellation, Report, quiet
from ..replace import replace_folder
from .plan import Plan, ServicePlan


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done for one service: the words of :func:`~.plan.describe`, in the past."""

    name: str
    done: tuple[str, ...]


def apply_manifest(
    client: EdiClient,
    plan: Plan,
    *,
    wait: float | None = None,
    tell: Callable[[Applied], None] = lambda applied: None,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
) -> list[Applied]:
    """Do what a plan says, service by service; where nothing changes nothing is called.

    Parameters
    ----------
    wait:
        Seconds to wait for each started service to be ready; ``None``: only ask for the start.
    tell:
        Called after each service.

    Raises
    ------
    EdiError
        Of the first service that fails. The message names it and what was done for it before; the
        services after it are left as they are. Applying again goes on from there.
    """
    cancellation = cancellation or Cancellation()
    applied = []
    for service in plan.services:
        done: list[str] = []
        try:
            _apply(client, service, done, wait=wait, report=report, cancellation=cancellation)
        except EdiError as error:
            before = f" after this was done: {', '.join(done)}" if done else ""
            error.message = f"{service.name}{before}: {error.message}"
            error.args = (error.message,)
            if not isinstance(error, Cancelled):
                error.hint = f"{error.hint or ''} Applying again goes on from here.".strip()
            raise
        applied.append(Applied(service.name, tuple(done)))
        tell(applied[-1])
    return applied


def _apply(
    client: EdiClient,
    plan: ServicePlan,
    done: list[str],
    *,
    wait: float | None,
    report: Report,
    cancellation: Cancellation,
) -> None:
    name = plan.name
    if plan.remove:
        undeploy(client, name, report=report, cancellation=cancellation)
        done.append("removed")
        return
    if plan.stop:
        stop_and_wait(
            client,
            name,
            report=report,
            cancellation=cancellation,
            adopt_next=not plan.profile,
        )
        done.append("stopped")
    try:
        _send(client, plan, done, report=report, cancellation=cancellation)
        if plan.profile:
            edit_profile(client, name, plan.entry.profile, report=report, cancellation=cancellation)
            done.append("profile saved")
    except EdiError:
        if plan.stop and plan.start:
            # It ran, and is to run: as it is now, if the change cannot be had.
            with contextlib.suppress(EdiError):
                client.start(name)
        raise
    if plan.start:
        start(client, name)
        done.append("started")
    if wait is not None and plan.entry.state == "started":
        wait_until_ready(client, name, report=report, cancellation=cancellation, timeout=wait)
        if plan.changes:
            done.append("ready")


def _send(
    client: EdiClient,
    plan: ServicePlan,
    done: list[str],
    *,
    report: Report,
    cancellation: Cancellation,
) -> None:
    if plan.package is None:
        return
    assert plan.folder is not None
    assert plan.fingerprint is not None
    description = plan.fingerprint.description
    if plan.package == "create":
        deploy_folder(
            client,
            plan.folder,
            name=plan.name,
            description=description,
            start=False,
            report=report,
            cancellation=cancellation,
        )
        done.append("deployed")
    else:
        replace_folder(
            client,
            plan.folder,
            name=plan.name,
            description=description,
            report=report,
            cancellation=cancellation,
        )
        done.append("replaced")


__all__ = ["START_TIMEOUT", "Applied", "apply_manifest"]
