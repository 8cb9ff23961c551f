"""Kernels that fail: each way has an answer, costs only its own request, and is mended."""

from __future__ import annotations

import concurrent.futures
import json
from typing import Any

import pytest
from support.engine_process import EngineProcess

from contract.facts import Ledger
from contract.service import Service
from contract.test_kernels import ALL, expectation
from contract.wire import Answer

#: What a request may end with when its kernel did not answer it. Nothing else is a careful answer.
FAILED = frozenset((500, 502, 503, 504))
#: Deployments whose kernel never gets ready.
NEVER_READY = [kernel for kernel in ALL if "never_ready" in expectation(kernel)]
#: On a server that waits for a missing output until the task times out, a test waits as long.
QUICK = {"policy.task_execution_timeout": 10, "policy.kernel_max": 1}


def ask(edi: Service, name: str, route: str, do: str, **more: Any) -> Answer:
    return edi.infer(name, json.dumps({"do": do, **more}), route=route)


def still_serves(edi: Service, name: str, route: str) -> None:
    """Wait until the deployment answers again, if the failure cost it a kernel."""
    edi.until(lambda: ask(edi, name, route, "echo").status == 200, f"{name} to serve again")


def check_refusal(fact: Ledger, what: str, where: str, answer: Answer) -> None:
    """Note how a failure is told, and insist that it is told as one."""
    assert answer.status in FAILED, (what, answer)
    assert answer.message, answer
    # The log of the kernel, which may go along as a detail, is another matter.
    assert "Traceback" not in answer.message
    fact.choice(what, where, f"{answer.status} {answer.message}")


#: What a kernel can do wrong: its command, and what that is.
NO_ANSWER = [
    ("throw", "an exception leaves on_task_invoke"),
    ("leave", "SystemExit leaves on_task_invoke"),
    ("set-nothing", "set_output_data is never called"),
    ("set-number", "an output that is no text"),
    ("set-surrogate", "an output that is no UTF-8"),
    ("end-process", "the process exits"),
    ("crash", "the process is killed by a segmentation fault"),
]


@pytest.mark.parametrize(("do", "what"), NO_ANSWER)
def test_a_task_without_an_answer(
    edi: Service, fact: Ledger, route: str, do: str, what: str
) -> None:
    name = edi.running("faults", QUICK)
    neighbour = edi.running("echo")
    before = ask(edi, name, route, "echo").json()["pid"]
    check_refusal(fact, what, "kernel-api 4", ask(edi, name, route, do))
    still_serves(edi, name, route)
    after = ask(edi, name, route, "echo").json()["pid"]
    fact.choice(f"{what}: the kernel", "kernel-api 10", "goes on" if before == after else "is new")
    assert edi.infer(neighbour, '{"n": 1}', route=route).text == '{"n": 1}'


#: The kernel sets something: its command, source of the fact, and the answer; ``None`` for any.
WITH_ANSWER = [
    ({"do": "set-error-text"}, "observed", '{"error": "handled by the kernel itself"}'),
    ({"do": "set-not-json"}, "SDK", "NaN, <b>\0\r\n\u2028"),
    ({"do": "set-large", "size": 3_000_000}, "inferred", "x" * 3_000_000),
    ({"do": "set-empty"}, "inferred", ""),
    ({"do": "set-twice"}, "unknown", None),
    ({"do": "set-then-throw"}, "unknown", None),
    ({"do": "flood", "size": 1_000_000}, "inferred", "flooded"),
    ({"do": "write-bytes"}, "inferred", "written"),
    ({"do": "close-streams"}, "inferred", "closed"),
    ({"do": "leave-child"}, "inferred", "left"),
]


def test_odd_answers(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("faults", QUICK)
    for request, source, expected in WITH_ANSWER:
        answer = edi.infer(name, json.dumps(request), route=route)
        what = f"faults: {request['do']}"
        if expected is None:
            assert answer.status in FAILED | {200}, answer
            fact.choice(what, "kernel-api 10", answer)
        else:
            fact.equal(what, "rest-api 7", source, (answer.status, answer.text), (200, expected))
    still_serves(edi, name, route)


def test_a_context_after_its_call_changes_no_other_answer(
    edi: Service, fact: Ledger, route: str
) -> None:
    name = edi.running("faults", QUICK)
    late = ask(edi, name, route, "set-late", after=0.05)
    assert late.status in FAILED | {200}, late
    fact.choice("an output set after on_task_invoke returned", "kernel-api 10", late)
    answer = ask(edi, name, route, "use-old")
    fact.equal(
        "contexts of an earlier call reach no other caller",
        "kernel-api 4",
        "inferred",
        (answer.status, answer.text),
        (200, "of this task"),
    )
    for number in range(5):
        told = ask(edi, name, route, "echo", number=number).json()
        assert told["number"] == number


def test_a_task_over_its_time(edi: Service, fact: Ledger, route: str) -> None:
    limits = {"policy.task_execution_timeout": 1, "policy.kernel_max": 2}
    name = edi.running("faults", limits)
    answer = ask(edi, name, route, "sleep", seconds=2)
    fact.equal("inference takes longer than allowed", "rest-api 4", "observed", answer.status, 504)
    assert answer.message
    still_serves(edi, name, route)
    told = ask(edi, name, route, "echo", number=1)
    assert told.json()["number"] == 1, "a late answer went to another caller"


def test_no_limit_of_time(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("faults", {"policy.task_execution_timeout": -1})
    answer = ask(edi, name, route, "sleep", seconds=0.2)
    fact.equal(
        "task_execution_timeout -1 is none",
        "rest-api 8",
        "docs",
        (answer.status, answer.text),
        (200, "awake"),
    )


def test_a_second_exception_in_the_handler(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("fails-twice", QUICK)
    answer = edi.infer(name, '{"fail": true}', route=route)
    assert answer.status in FAILED | {200}, answer
    fact.choice("a second exception leaves the handler of the first", "kernel-api 4", answer)
    again = edi.until(
        lambda: (told := edi.infer(name, '{"fail": false}', route=route)).status == 200 and told,
        "the kernel to answer again",
    )
    fact.equal(
        "… and does not bring the service down",
        "kernel-api 4",
        "inferred",
        again.text,
        '{"fail": false}',
    )


def test_a_crash_costs_no_other_request(edi: Service, fact: Ledger, route: str) -> None:
    """One kernel dies in the middle of many requests: all but its own are answered."""
    name = edi.running("faults", {"policy.kernel_min": 2, "policy.kernel_max": 2})
    edi.until(lambda: len(edi.containers(name)) == 2, "two kernels")

    def one(number: int) -> tuple[int, Answer]:
        do = "end-process" if number == 20 else "echo"
        return number, ask(edi, name, route, do, number=number)

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = dict(threads.map(one, range(60)))
    lost = [number for number, answer in answers.items() if answer.status != 200]
    fact.equal(
        "only the request that killed its kernel is lost", "kernel-api 4", "inferred", lost, [20]
    )
    mixed = [n for n, answer in answers.items() if n != 20 and answer.json()["number"] != n]
    assert mixed == []


@pytest.mark.parametrize("kernel", NEVER_READY)
def test_a_kernel_that_never_gets_ready(
    edi: Service, fact: Ledger, route: str, kernel: str, engine: EngineProcess | None
) -> None:
    expected = expectation(kernel)
    name = edi.deploy(kernel)
    edi.edit(name, {"policy.task_execution_timeout": 5, **expected.get("profile", {})})
    edi.start(name)
    if engine is not None:
        # The engine tells why, to whoever asks it and to who infers.
        status = engine.wait_for(name, "failed")
        assert expected["never_ready"] in status["reason"]
        told = edi.infer(name, "{}", route=route)
        assert (told.status, expected["never_ready"] in told.message) == (503, True), told
    answer = edi.infer(name, "{}", route=route)
    check_refusal(fact, f"inference, kernel {kernel}", "kernel-api 4", answer)
    assert edi.containers(name) == []
    fact.choice(f"instance, kernel {kernel}", "kernel-api 4", edi.instance(name)["state"])
    assert edi.stop(name).status == 200
    edi.wait(name, "disabled")


def test_a_request_from_before_the_start_failed(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.deploy("start-throws")
    edi.edit(name, {"policy.task_execution_timeout": 1})
    edi.start(name)
    answer = edi.infer(name, "{}", route=route)
    check_refusal(fact, "inference accepted before the start failed", "kernel-api 4", answer)
