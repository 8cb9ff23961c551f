"""Stop a deployment and start it again."""

from __future__ import annotations

from ..client import EdiClient
from .lifecycle import START_TIMEOUT, start_and_wait, stop_and_wait
from .next_start import require_next_profile_current
from .overview import Deployment
from .progress import Cancellation, Report, quiet


def restart(
    client: EdiClient,
    name: str,
    *,
    report: Report = quiet,
    cancellation: Cancellation | None = None,
    timeout: float = START_TIMEOUT,
) -> Deployment:
    """Stop a deployment, wait until its kernels are gone, start it, and wait for a kernel.

    One that is stopped is just started. A profile that was saved for the next start is used; if it
    cannot be, because the EDI's has changed meanwhile, nothing is done.

    Parameters
    ----------
    timeout:
        Seconds for the start.

    Raises
    ------
    NotFound
    Conflict
        ``next_profile_outdated``
    Unavailable
        See :func:`.start_and_wait` and :func:`.stop_and_wait`.
    Cancelled
        The message says where it was left.
    """
    cancellation = cancellation or Cancellation()
    require_next_profile_current(client, name)
    stop_and_wait(client, name, report=report, cancellation=cancellation)
    return start_and_wait(client, name, report=report, cancellation=cancellation, timeout=timeout)
