"""Crashes among many requests: who fails was begun, nobody is begun twice, no answer is crossed."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter

import pytest
from support.engine_process import EngineProcess

#: Notes what it begins before it does anything, then crashes or answers.
NOTING = """
import json, os, signal
from redhareapi import Kernel

notes = os.open("begun", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
CRASHES = {
    "exit": lambda: os._exit(3),
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "group": lambda: os.killpg(0, signal.SIGKILL),
}

class Noting(Kernel):
    def on_task_invoke(self, task):
        tasks = []
        while task != None:
            tasks.append(task)
            task = task.next()
        bodies = [item.get_input_data() for item in tasks]
        os.write(notes, json.dumps(bodies).encode() + b"\\n")
        for body in bodies:
            if body.split("-")[0] in CRASHES:
                CRASHES[body.split("-")[0]]()
        for item, body in zip(tasks, bodies):
            item.set_output_data(body)

Noting().run()
"""
CLIENTS = 16
REQUESTS = 320
#: Every so many requests one that crashes its kernel.
EVERY = 64


@pytest.mark.parametrize(
    ("policy", "kernels"),
    [
        ({}, 1),
        ({"task_pipe_size": 8}, 2),
        ({"task_batch_size": 4, "task_pipe_size": 3}, 1),
        ({"task_batch_size": 4, "task_pipe_size": 4, "task_parallel_size": 2}, 2),
    ],
    ids=["one by one", "ahead", "batches", "parallel"],
)
def test_only_what_was_begun_fails(engine: EngineProcess, policy, kernels: int) -> None:
    name = f"noting-{'-'.join(map(str, policy.values())) or 'plain'}"
    engine.deploy(name, NOTING)
    profile = engine.call("GET", f"model/{name}/appprofile").json()
    profile["policy"].update(policy, kernel_min=kernels)
    assert engine.call("PUT", f"model/{name}/appprofile", json=profile).status_code == 200
    engine.start_model(name)
    engine.wait_for(name, "ready")

    kinds = itertools.cycle(["exit", "segfault", "group"])
    bodies = [
        f"{next(kinds) if number % EVERY == EVERY // 2 else 'fine'}-{number}"
        for number in range(REQUESTS)
    ]
    answers: dict[str, tuple[int, str]] = {}
    source = iter(bodies)
    turn = threading.Lock()

    def client() -> None:
        session = engine.new_session()
        while True:
            with turn:
                body = next(source, None)
            if body is None:
                return
            answer = session.post(f"{engine.base}inference/{name}", data=body, timeout=60)
            answers[body] = answer.status_code, answer.text

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [notes] = engine.store.glob(f"pods/{name}-2*/work/begun")
    begun = [json.loads(line) for line in notes.read_text().splitlines()]
    assert set(answers) == set(bodies)
    failed = {body for body, (status, _) in answers.items() if status != 200}
    assert all(text == body for body, (status, text) in answers.items() if status == 200)
    assert {answers[body][0] for body in failed} == {502}
    # Nobody is begun twice, whatever became of the kernel.
    assert set(Counter(itertools.chain(*begun)).values()) == {1}
    crashed = {
        body
        for batch in begun
        if any(not body.startswith("fine") for body in batch)
        for body in batch
    }
    assert crashed <= failed
    if policy.get("task_parallel_size", 1) == 1:
        assert failed == crashed
    else:
        # Of each kernel the oldest two batches count as running, and it ran one.
        assert not (failed - crashed) & set(itertools.chain(*begun))
        assert len(failed - crashed) <= 4 * REQUESTS / EVERY
    engine.stop_model(name)
    engine.wait_for(name, "stopped")
