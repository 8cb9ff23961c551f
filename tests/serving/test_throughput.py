"""The rates of an instance equal those of somebody who kept every request in mind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_labext.serving.throughput import WINDOW, Throughput

STEPS = st.lists(
    st.tuples(st.floats(0, 3) | st.floats(0, 40), st.integers(0, 1 << 40), st.booleans()),
    max_size=80,
)


@given(st.floats(0, 1e6), STEPS)
def test_rates_equal_a_brute_force_count(now, steps):
    throughput, seen = Throughput(), []
    for pause, size, look in steps:
        now += pause
        throughput.count(now, size)
        seen.append((int(now), size))
        if look:
            check(throughput, now, seen)
    check(throughput, now + 0.5, seen)


def check(throughput: Throughput, now: float, seen: list[tuple[int, int]]) -> None:
    first = int(now) - WINDOW + 1
    sizes = [size for second, size in seen if second >= first]
    span = now - first
    requests, data = throughput.rates(now)
    assert requests == pytest.approx(len(sizes) / span)
    assert data == pytest.approx(sum(sizes) / span)


def test_a_steady_rate_is_told_as_it_is():
    throughput = Throughput()
    for tenth in range(600):
        throughput.count(tenth / 10, 50)
    requests, data = throughput.rates(59.95)
    assert requests == pytest.approx(10, rel=0.06)
    assert data == pytest.approx(500, rel=0.06)
    assert throughput.rates(59.95 + WINDOW) == (0.0, 0.0)
