"""The life of a deployment: what each step answers, in whatever time it takes."""

from __future__ import annotations

import concurrent.futures
import json
import re
import time

from contract.facts import Ledger
from contract.service import Service, archive

STATES = {"not-available", "enabled", "disabled"}


def test_the_steps_of_a_life(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.deploy("echo")
    model = edi.model(name).json()
    where = "rest-api 6"
    fact.equal("after deploy: started_at", where, "observed", model["started_at"], 0)
    fact.equal("after deploy: service_uri", where, "observed", model["service_uri"], "")
    fact.equal("after deploy: no stream_uri", where, "observed", "stream_uri" in model, False)
    fact.equal(
        "instance of what was never started",
        where,
        "observed",
        edi.instance(name),
        {"name": name, "state": "disabled"},
    )

    before = int(time.time())
    answer = edi.start(name)
    fact.equal(
        "start answers 200 {}", where, "observed", (answer.status, answer.json_or_none()), (200, {})
    )
    early = edi.instance(name)
    fact.holds(
        "instance right after a start",
        where,
        "observed",
        early["state"] in ("not-available", "enabled"),
        expected="not-available or enabled",
        seen=early["state"],
    )
    if early["state"] == "not-available":
        fact.equal(
            "not-available has no instances",
            where,
            "observed",
            early,
            {"name": name, "state": "not-available"},
        )
    enabled = edi.wait(name, "enabled")
    fact.holds(
        "enabled has instances",
        where,
        "observed",
        bool(enabled.get("instances")),
        expected="instances",
        seen=sorted(enabled),
    )
    answer = edi.infer(name, '{"data":"123"}', route=route)
    fact.equal(
        "inference works as soon as it is enabled",
        where,
        "inferred",
        (answer.status, answer.text),
        (200, '{"data": "123"}'),
    )
    started = edi.model(name).json()
    fact.holds(
        "started_at is the time of the start",
        "rest-api 8",
        "observed",
        abs(started["started_at"] - before) < 120,
        expected=f"about {before}",
        seen=started["started_at"],
    )
    fact.holds(
        "service_uri is the way to infer",
        "rest-api 8",
        "observed",
        started["service_uri"].endswith(f"/dlim/v1/inference/{name}"),
        expected="…/dlim/v1/inference/<name>",
        seen=started["service_uri"],
    )
    fact.choice("stream_uri while started", "rest-api 8", started.get("stream_uri"))

    refused = edi.delete(name)
    fact.holds(
        "delete of what is started is refused",
        where,
        "observed",
        400 <= refused.status < 500,
        expected="4xx",
        seen=refused,
    )
    fact.choice("delete of what is started", "rest-api 4", f"{refused.status} {refused.message}")
    assert edi.infer(name, "{}", route=route).status == 200

    answer = edi.stop(name)
    fact.equal(
        "stop answers 200 {}", where, "observed", (answer.status, answer.json_or_none()), (200, {})
    )
    after = edi.instance(name)
    fact.holds(
        "instance right after a stop",
        where,
        "observed",
        after["state"] in STATES,
        expected="enabled, then disabled",
        seen=after["state"],
    )
    fact.equal(
        "instance after a stop",
        where,
        "observed",
        edi.wait(name, "disabled"),
        {"name": name, "state": "disabled"},
    )
    stopped = edi.model(name).json()
    fact.choice(
        "started_at after a stop", "rest-api 10", "kept" if stopped["started_at"] else "reset"
    )
    fact.choice("service_uri after a stop", "rest-api 8", stopped["service_uri"] or '""')

    answer = edi.stop(name)
    fact.equal(
        "stop of what is stopped is accepted",
        where,
        "observed",
        (answer.status, answer.json_or_none()),
        (200, {}),
    )
    answer = edi.delete(name)
    fact.equal(
        "delete answers 200 {}",
        "rest-api 3",
        "observed",
        (answer.status, answer.json_or_none()),
        (200, {}),
    )
    gone = edi.model(name)
    assert gone.status in (400, 404), gone
    fact.choice("a model that is not there", "rest-api 10", f"{gone.status} {gone.message}")


def test_a_start_may_be_repeated(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("counter", {"policy.kernel_max": 1})
    assert edi.infer(name, "{}", route=route).text == '{"count": 11}'
    started = edi.model(name).json()["started_at"]
    answer = edi.start(name)
    assert answer.status < 500, answer
    fact.choice("start of what is started", "rest-api 10", f"{answer.status} {answer.text}")
    count = edi.infer(name, "{}", route=route).text
    fact.equal("… leaves its kernels alone", "rest-api 6", "inferred", count, '{"count": 12}')
    fact.equal(
        "… and its started_at",
        "rest-api 8",
        "inferred",
        edi.model(name).json()["started_at"],
        started,
    )


def test_what_comes_before_the_kernel_is_ready_waits(
    edi: Service, fact: Ledger, route: str
) -> None:
    name = edi.deploy("slow-start")
    edi.start(name)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: edi.infer(name, "{}", route=route), range(8)))
    seen = sorted({(answer.status, answer.text) for answer in answers})
    fact.equal(
        "requests wait for the first kernel",
        "rest-api 6",
        "inferred",
        seen,
        [(200, '{"ready": true}')],
    )


def test_no_kernel_until_a_request_comes(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.deploy("echo")
    edi.edit(name, {"policy.kernel_min": 0})
    edi.start(name)
    edi.wait(name, "enabled")
    fact.equal(
        "kernel_min 0: no kernel without a request",
        "kernel-api 7",
        "observed",
        edi.containers(name),
        [],
    )
    answer = edi.infer(name, '{"n": 1}', route=route)
    fact.equal(
        "… and the first request waits for one",
        "kernel-api 7",
        "inferred",
        (answer.status, answer.text),
        (200, '{"n": 1}'),
    )


def test_the_profile_is_edited_only_while_stopped(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("echo")
    document = edi.profile(name)
    document["policy"]["task_execution_timeout"] = 77
    refused = edi.put_profile(name, document)
    fact.holds(
        "a profile edit while started is refused",
        "rest-api 6",
        "docs",
        400 <= refused.status < 500,
        expected="4xx",
        seen=refused,
    )
    fact.choice("a profile edit while started", "rest-api 4", f"{refused.status} {refused.message}")
    assert edi.profile(name)["policy"]["task_execution_timeout"] != 77
    edi.stop(name)
    edi.wait(name, "disabled")
    answer = edi.put_profile(name, document)
    fact.equal("a profile edit while stopped", "rest-api 3", "observed", answer.status, 200)
    fact.equal(
        "… is kept",
        "rest-api 8",
        "observed",
        edi.profile(name)["policy"]["task_execution_timeout"],
        77,
    )
    edi.start(name)
    assert edi.infer(name, "{}", route=route).status == 200


def test_an_edit_takes_effect_at_the_next_start(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.deploy("environment")
    for value in ("first", "second"):
        edi.edit(name, {"kernel.envs": [{"name": "MOOD", "value": value}]})
        edi.start(name)
        told = edi.infer(name, "{}", route=route).json()
        fact.equal(
            "kernel.envs of the profile at the next start",
            "rest-api 6",
            "docs",
            told["environment"].get("MOOD"),
            value,
        )
        edi.stop(name)
        edi.wait(name, "disabled")


def test_inference_on_what_is_not_started(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.deploy("echo")
    answer = edi.infer(name, "{}", route=route)
    assert 400 <= answer.status < 600, answer
    assert answer.message
    fact.choice("inference on a stopped model", "rest-api 10", f"{answer.status} {answer.message}")
    edi.start(name)
    edi.infer(name, "{}", route=route)
    edi.stop(name)
    edi.wait(name, "disabled")
    assert 400 <= edi.infer(name, "{}", route=route).status < 600


def test_what_was_accepted_is_answered_at_a_stop(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("faults", {"policy.kernel_max": 1})
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        for seconds in (0.5, 2, 8, 30):
            body = json.dumps({"do": "sleep", "seconds": seconds})
            waiting = threads.submit(edi.infer, name, body, route=route)
            edi.until(
                lambda request=waiting: (
                    request.done() or any(kernel["running_task"] for kernel in edi.containers(name))
                ),
                "the request to be worked on",
            )
            edi.stop(name)
            # On a slow machine it may be over before it was seen; then once more, and longer.
            if not waiting.done():
                break
            edi.wait(name, "disabled")
            edi.start(name)
            edi.wait_idle(name)
        answer = waiting.result()
    fact.equal(
        "a request that was accepted before a stop",
        "rest-api 6",
        "inferred",
        (answer.status, answer.text),
        (200, "awake"),
    )
    edi.wait(name, "disabled")


def test_counters(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("faults", {"policy.kernel_max": 1})
    for number in range(3):
        edi.infer(name, json.dumps({"do": "echo", "number": number}), route=route)
    edi.infer(name, '{"do": "throw"}', route=route)
    instance = edi.instance(name)
    where = "rest-api 8"
    fact.equal(
        "name and state of an instance",
        where,
        "observed",
        (instance["name"], instance["state"]),
        (name, "enabled"),
    )
    types = {
        "isd_uid": str,
        "pj_jobid": str,
        "gpu_mode": str,
        "client_number": int,
        "pending_tasks": int,
        "request_per_sec": float,
        "data_size_per_sec": float,
        "isd_container": list,
    }
    [service] = instance["instances"]
    for key, kind in types.items():
        kinds = (int, float) if kind is float else (kind,)
        fact.holds(
            f"instances[].{key}",
            where,
            "observed",
            isinstance(service.get(key), kinds),
            expected=kind.__name__,
            seen=service.get(key),
        )
    fact.equal(
        "gpu_mode is the profile's kernel.gpu",
        where,
        "observed",
        service["gpu_mode"],
        edi.profile(name)["kernel"]["gpu"],
    )
    fact.holds(
        "pj_jobid names the serving pod",
        where,
        "observed",
        re.fullmatch(f"edi-{name}-[a-z0-9]+-[a-z0-9]+", service["pj_jobid"]) is not None,
        expected=f"edi-{name}-<hash>-<hash>",
        seen=service["pj_jobid"],
    )
    fact.equal(
        "one item of isd_container per kernel", where, "inferred", len(service["isd_container"]), 1
    )
    for key in ("container_uid", "container_host", "container_status"):
        for kernel in service["isd_container"]:
            fact.holds(
                f"isd_container[].{key}",
                where,
                "SDK",
                isinstance(kernel.get(key), str),
                expected="str",
                seen=kernel.get(key),
            )
    counters = ("running_task", "finished_task", "failed_task", "total_task")
    for key in counters:
        for kernel in service["isd_container"]:
            fact.holds(
                f"isd_container[].{key}",
                where,
                "SDK",
                type(kernel.get(key)) is int,
                expected="int",
                seen=kernel.get(key),
            )
    total = {key: sum(kernel[key] for kernel in edi.containers(name)) for key in counters}
    fact.choice("counters after 3 answers and 1 exception", where, total)


def test_two_deploys_of_one_name_never_mix(edi: Service, fact: Ledger) -> None:
    name = edi.name("twins")
    packages = [
        archive(edi.files("echo", name, tag=tag) | {"only.txt": tag.encode()})
        for tag in ("one", "two")
    ]
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(edi.send_package, packages))
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 200, answers
    assert statuses[1] < 500, answers
    fact.choice("two deploys of one name at once", "rest-api 10", statuses)
    assert edi.model(name).json()["tag"] in {
        tag for tag, answer in zip(("one", "two"), answers, strict=True) if answer.status == 200
    }
