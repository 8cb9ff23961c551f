"""Waiting for a condition in another process without keeping a processor busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two looks.
PAUSE = 0.005


def until(condition: Callable[[], T], what: object = "", seconds: float = 15) -> T:
    """Wait until ``condition()`` is true, and return it; ``what`` is told when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(PAUSE)
    return found
