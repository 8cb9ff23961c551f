"""Ctrl-C while something is under way that should be taken back."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from . import output

if TYPE_CHECKING:
    from ..operations import Cancellation


@contextlib.contextmanager
def cancel_on_ctrl_c() -> Iterator[Cancellation]:
    """Give a cancellation that the first Ctrl-C asks for; the second one ends at once.

    Between the two the action comes to its next step, where it takes back what it has begun.
    """
    from ..operations import Cancellation

    cancellation = Cancellation()

    def told(number: int, frame: FrameType | None) -> None:
        if cancellation.cancelled:
            raise KeyboardInterrupt
        cancellation.cancel()
        output.note("\nCancelling; Ctrl-C again ends at once.")

    if threading.current_thread() is not threading.main_thread():
        # Signals are another thread's business.
        yield cancellation
        return
    before = signal.signal(signal.SIGINT, told)
    try:
        yield cancellation
    finally:
        signal.signal(signal.SIGINT, before)
