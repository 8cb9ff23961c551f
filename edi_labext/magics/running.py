"""Run a long action: show how far it is, and end it cleanly on Ctrl-C."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import Cancelled

if TYPE_CHECKING:
    from ..operations import Cancellation, Progress, Report
    from .display.progress import Board

Result = TypeVar("Result")

#: Seconds between two looks at the clock while nothing is reported.
TICK = 0.5
#: Seconds that an action has to come to its end after Ctrl-C.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[Result]):
    value: Result | None = None
    error: BaseException | None = None


def run(action: Callable[[Report, Cancellation], Result], board: Board, *, what: str) -> Result:
    """Return what ``action`` returns, or raise what it raises.

    It runs in a thread of its own, so that Ctrl-C meets this function and not the middle of a
    request: the action is told to end, and says itself in which state it left things.

    Parameters
    ----------
    what:
        Names the action in messages: ``deploying digits``.

    Raises
    ------
    Cancelled
        After Ctrl-C, unless the action was done by then.
    """
    from ..operations import Cancellation

    cancellation = Cancellation()
    reports: queue.SimpleQueue[Progress | _Outcome[Result]] = queue.SimpleQueue()

    def work() -> None:
        try:
            reports.put(_Outcome(action(reports.put, cancellation)))
        except BaseException as error:  # Told to the person by the thread that asked.
            reports.put(_Outcome(error=error))

    thread = threading.Thread(target=work, name="edi-action", daemon=True)
    deadline: float | None = None
    ending: str | None = None
    try:
        while True:
            try:
                if thread.ident is None:
                    thread.start()
                outcome = _follow(reports, board, deadline)
                break
            except KeyboardInterrupt:
                cancellation.cancel()
                if deadline is not None:
                    raise _left_alone(what) from None
                deadline = time.monotonic() + PATIENCE
                board.show(f"Stopping {what}", None)
        if outcome is None:
            raise _left_alone(what)
        if outcome.error is not None:
            raise outcome.error
        ending = "Done"
        return outcome.value  # type: ignore[return-value]
    except Cancelled:
        ending = "Cancelled"
        raise
    finally:
        board.finish(what, ending or "Failed")


def _follow(
    reports: queue.SimpleQueue[Progress | _Outcome[Result]], board: Board, deadline: float | None
) -> _Outcome[Result] | None:
    """Show reports until the outcome is there; ``None`` when that is not before ``deadline``."""
    while deadline is None or time.monotonic() < deadline:
        try:
            report = reports.get(timeout=TICK)
        except queue.Empty:
            board.tick()
            continue
        if isinstance(report, _Outcome):
            return report
        if deadline is None:
            board.show(report.message, report.fraction, phase=report.phase)
    return None


def _left_alone(what: str) -> Cancelled:
    return Cancelled(
        f"{what[:1].upper()}{what[1:]} was told to end, and does at its next step.",
        hint="%edi list shows what came of it.",
    )
