from __future__ import annotations

import asyncio
import threading

import pytest

from edi_labext.errors import Overloaded, Unavailable
from edi_labext.extension.workers import WorkerPool


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def test_runs_at_most_size_calls_at_once(gate):
    pool = WorkerPool(2, name="t")
    started = threading.Semaphore(0)

    def call() -> None:
        started.release()
        gate.wait(10)

    futures = [pool.submit(call) for _ in range(5)]
    assert started.acquire(timeout=5)
    assert started.acquire(timeout=5)
    assert sum(future.running() for future in futures) == 2
    gate.set()
    for future in futures:
        future.result(5)


def test_refuses_what_would_wait_too_long(gate):
    pool = WorkerPool(1, name="t", waiting=2)
    running = threading.Event()
    pool.submit(lambda: (running.set(), gate.wait(10)))
    assert running.wait(5)
    pool.submit(int)
    pool.submit(int)
    with pytest.raises(Overloaded) as refused:
        pool.submit(int)
    assert refused.value.code == "busy_server"
    assert refused.value.retry_after


def test_what_a_call_raises_reaches_whoever_waits_and_the_thread_lives_on():
    pool = WorkerPool(1, name="t")

    async def main() -> int:
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        return await pool.run(int, "7")

    assert asyncio.run(main()) == 7


def test_close_drops_what_waits_and_ends_the_threads(gate):
    pool = WorkerPool(1, name="closing")
    running = threading.Event()
    first = pool.submit(lambda: (running.set(), gate.wait(10)))
    second = pool.submit(int)
    assert running.wait(5)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("closing")]
    assert len(threads) == 1
    assert threads[0].daemon
    pool.close()
    assert second.cancelled()
    with pytest.raises(Unavailable):
        pool.submit(int)
    gate.set()
    first.result(5)
    threads[0].join(5)
    assert not threads[0].is_alive()
