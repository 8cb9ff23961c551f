"""What all connections of the engine share."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ...errors import EdiError, Overloaded
from ..clock import Clock
from ..settings import Settings
from ..task import Task
from .deadlines import Deadlines
from .errors import InternalError
from .gate import Gate

log = logging.getLogger(__name__)


class Door:
    """Limits, policy, deadlines, and the way to the queues.

    Parameters
    ----------
    settings, gate, clock:
        Limits, the policy, and time.
    submit:
        Puts a task into the queue of a deployment; raises :class:`~edi_labext.errors.EdiError`
        if it may not wait there. Called from the parser, so it must not block.
    cancel:
        Says that nobody waits for a task any more.

    Attributes
    ----------
    in_flight:
        Tasks that were submitted and have no outcome yet.
    """

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        clock: Clock,
        *,
        submit: Callable[[str, Task], None],
        cancel: Callable[[Task], None],
    ) -> None:
        self.settings = settings
        self.gate = gate
        self.deadlines = Deadlines(clock, settings.sweep_interval)
        self.in_flight = 0
        self._submit = submit
        self._cancel = cancel

    def submit(self, deployment: str, task: Task) -> None:
        """Put ``task`` into the queue of ``deployment``; a refusal becomes its outcome.

        Each submitted task must be followed by one :meth:`settled` or :meth:`cancel`.
        """
        self.in_flight += 1
        try:
            limit = self.settings.in_flight_limit
            if self.in_flight > limit:
                raise Overloaded(
                    f"{limit} requests are being worked on already.",
                    code="too_many_requests",
                    retry_after=1.0,
                )
            self._submit(deployment, task)
        except EdiError as error:
            task.fail(error)
        except Exception:
            log.exception("An inference could not be submitted")
            task.fail(InternalError("The engine met an unexpected error; its log has more."))

    def settled(self) -> None:
        """Count a task that has its outcome."""
        self.in_flight -= 1

    def cancel(self, task: Task) -> None:
        """Say that nobody waits for ``task`` any more, be it that it has its outcome."""
        self.in_flight -= 1
        self._cancel(task)
