"""When a question is asked again, and after how long.

Only questions: what changes something is never repeated, since its answer may be all that was
lost. The exception is a refused token (401), after which nothing was done.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Statuses after which a question may be asked again.
PASSING = frozenset({429, 502, 503, 504})

_GROWTH = 2.0


class RetryBudget:
    """Keeps the share of repeated questions small: a service in trouble must not get more of them.

    Parameters
    ----------
    share:
        Repeats that each question earns.
    most:
        Repeats that can be saved up, and that there are at first.
    """

    def __init__(self, share: float = 0.1, most: float = 10.0) -> None:
        self._share = share
        self._most = most
        self._left = most
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count a question."""
        with self._lock:
            self._left = min(self._most, self._left + self._share)

    def spend(self) -> bool:
        """Tell whether one more repeat is allowed, and count it."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a question is repeated.

    Attributes
    ----------
    repeats:
        At most, for one question.
    patience:
        Seconds of waiting at most, for one question. Where the service asks for more
        (``Retry-After``), its refusal is passed on at once.
    first:
        Seconds before the first repeat; doubled for each further one, less up to half by chance.
    wait, jitter:
        For tests.
    """

    repeats: int = 3
    patience: float = 60.0
    first: float = 0.2
    wait: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    budget: RetryBudget = field(default_factory=RetryBudget)

    def pause(self, repeat: int, waited: float, asked: float | None) -> float | None:
        """Return the seconds to wait before a repeat, or ``None`` to give up.

        Parameters
        ----------
        repeat:
            0 for the first.
        waited:
            Seconds waited for this question so far.
        asked:
            Seconds that the service asked for.
        """
        if repeat >= self.repeats:
            return None
        pause = self.first * _GROWTH**repeat * (1 - self.jitter() / 2)
        pause = max(pause, asked or 0.0)
        if waited + pause > self.patience or not self.budget.spend():
            return None
        return pause


#: Asks once.
NEVER = RetryPolicy(repeats=0)
