from __future__ import annotations

import threading
import time

import pytest

from edi_labext.errors import Cancelled
from edi_labext.operations import Cancellation


def test_nothing_happens_until_somebody_cancels() -> None:
    cancellation = Cancellation()
    cancellation.checkpoint()
    cancellation.wait(0)
    assert not cancellation.cancelled


def test_cancel_is_met_at_the_next_checkpoint() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    cancellation.cancel()
    assert cancellation.cancelled
    with pytest.raises(Cancelled):
        cancellation.checkpoint()
    with pytest.raises(Cancelled):
        cancellation.wait(60)


def test_a_wait_ends_when_somebody_cancels() -> None:
    cancellation = Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        cancellation.wait(20)
    assert time.monotonic() - started < 10
