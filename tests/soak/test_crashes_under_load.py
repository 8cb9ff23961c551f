"""Kernels that crash while others ask: every other request is answered."""

from __future__ import annotations

import collections
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from support.engine_process import EngineProcess

#: Echoes, and ends as it is told; a crash of each kind that a kernel can have.
CRASHING = """
import os, signal
from redhareapi import Kernel


class Crashing(Kernel):
    def on_task_invoke(self, task_context):
        while task_context != None:
            data = task_context.get_input_data()
            if data == "crash _exit":
                os._exit(4)
            if data == "crash segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            if data == "crash kill":
                os.kill(os.getpid(), signal.SIGKILL)
            task_context.set_output_data(data)
            task_context = task_context.next()


Crashing().run()
"""
KINDS = ("crash _exit", "crash segfault", "crash kill")


def crash_under_load(engine: EngineProcess, crashes: int, callers: int = 4) -> dict[str, int]:
    """Crash kernels one after the other while ``callers`` ask two deployments without a break."""
    engine.running("crashing", CRASHING)
    engine.running("neighbour", CRASHING)
    over = threading.Event()
    wrong: list[str] = []
    count: collections.Counter[str] = collections.Counter()

    def ask(number: int) -> None:
        rng = random.Random(number)
        session = requests.Session()
        session.trust_env = False
        session.headers.update(engine.session.headers)
        name = "neighbour" if number % callers == 0 else "crashing"
        while not over.is_set():
            body = str(rng.random())
            answer = session.post(f"{engine.base}inference/{name}", data=body, timeout=60)
            count[name] += 1
            if (answer.status_code, answer.text) != (200, body):
                wrong.append(f"{name}: {answer.status_code} {answer.text[:300]}")
        session.close()

    with ThreadPoolExecutor(callers) as threads:
        asking = [threads.submit(ask, number) for number in range(callers)]
        try:
            for number in range(crashes):
                answer = engine.infer("crashing", KINDS[number % len(KINDS)], timeout=60)
                assert answer.status_code == 502, answer.text
                assert answer.json()["code"] == "kernel_died"
                engine.wait_for("crashing", "ready", seconds=90)
        finally:
            over.set()
        for each in asking:
            each.result()
    assert wrong == []
    assert engine.status("neighbour")["state"] == "ready"
    assert count["neighbour"] and count["crashing"]
    return dict(count)


def test_8_crashes_under_load(engine: EngineProcess) -> None:
    assert crash_under_load(engine, 8)["neighbour"] > 8


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_100_crashes_under_load(engine: EngineProcess) -> None:
    print("100 crashes, answered:", crash_under_load(engine, 100))
