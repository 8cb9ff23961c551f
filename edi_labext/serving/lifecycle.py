"""The words of a kernel's life: its states, what happens to it, and what is done about it.

A kernel's life::

    launching -> starting -> ready -> draining -> stopping -> exited -> (gone)

Any step may be left out on the way down.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .launchers.base import KernelExit


@dataclass(frozen=True, slots=True)
class KernelPolicy:
    """How long a kernel may take, in seconds.

    Attributes
    ----------
    connection_timeout:
        From the launch until the kernel says that it is ready.
    overdue_grace:
        From the timeout of its task until a kernel must have returned.
    stop_grace:
        For accepted work, once a kernel is to end.
    exit_grace:
        For the kernel's own shutdown, then comes SIGTERM.
    terminate_grace:
        From SIGTERM to SIGKILL.
    """

    connection_timeout: float = 90.0
    overdue_grace: float = 30.0
    stop_grace: float = 30.0
    exit_grace: float = 5.0
    terminate_grace: float = 2.0


class KernelState(Enum):
    """Where in its life a kernel is; the values are shown to people."""

    LAUNCHING = "launching"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPING = "stopping"
    EXITED = "exited"


# --- events ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to one kernel."""

    kernel: str


class Spawned(Event):
    """Its process exists."""


class Ready(Event):
    """It takes tasks."""


@dataclass(frozen=True, slots=True)
class StartFailed(Event):
    """It could not be launched, or says that it cannot start; ``reason`` is a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkLost(Event):
    """The connection to it ended, or what came over it made no sense; ``reason`` is a sentence."""

    reason: str


class Ending(Event):
    """It ends by itself, in order, once it has written the outcomes of what it is at."""


class Overdue(Event):
    """One of its tasks has timed out and the kernel has not returned from it."""


class Returned(Event):
    """It has returned from a task that had timed out."""


class Drained(Event):
    """It has nothing left to answer."""


@dataclass(frozen=True, slots=True)
class Exited(Event):
    """Its process has ended."""

    exit: KernelExit


@dataclass(frozen=True, slots=True)
class Swept(Event):
    """Nothing is left of it: process, children, connection and log pipes are gone.

    ``worked`` tells whether it had returned from a task.
    """

    worked: bool = False


# --- actions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """Something is to be done to one kernel."""

    kernel: str


class Launch(Action):
    """Make a process; to be answered with ``Spawned``, or ``StartFailed`` and ``Swept``."""


class Attach(Action):
    """Let it have tasks."""


class Detach(Action):
    """Let it have no further task; answered with ``Drained`` if it has none to finish."""


class Shutdown(Action):
    """Tell it to end once it has answered what it has."""


class Terminate(Action):
    """Send SIGTERM to it and its children."""


class Kill(Action):
    """Send SIGKILL to it and its children."""


# --- outcome --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the latest kernel that ended by itself did so.

    Attributes
    ----------
    reason:
        For people, a sentence without a full stop: ``the kernel exited with code 3``.
    exit_code:
        Of its process, negative for a signal.
    since:
        When, in the pool's seconds.
    never_ready:
        Whether it had not even become ready.
    """

    reason: str
    exit_code: int | None
    since: float
    never_ready: bool
