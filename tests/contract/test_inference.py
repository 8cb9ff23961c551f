"""Requests to kernels, and what all answers have in common (``rest-api.md`` sections 3, 7)."""

from __future__ import annotations

import concurrent.futures
import json
import urllib.parse

import pytest

from contract.facts import Ledger
from contract.service import Service

#: Bodies that a kernel is to get as they are: what, source of the fact, content type, body.
BODIES = [
    ("a JSON object", "observed", "application/json", b'{"data":"xxxxx","seq":1}'),
    ("JSON as curl -d sends it", "observed", "application/x-www-form-urlencoded", b'{"a":"1&2=3"}'),
    ("a JSON object without a type", "inferred", "", b'{"a": [1, 2, {"b": null}]}'),
    ("a text", "unknown", "text/plain", b"no JSON at all"),
    ("an array", "unknown", "application/json", b"[1, 2]"),
    ("text of many alphabets", "inferred", "application/json", "\u00fc\u6f22\U0001f642".encode()),
    ("bytes", "unknown", "application/octet-stream", bytes(range(256))),
    ("nothing", "unknown", "application/json", b""),
    ("a megabyte", "inferred", "application/json", b'"' + b"x" * (1 << 20) + b'"'),
]

RAW = """
import redhareapiversion
from redhareapi import Kernel


class RawKernel(Kernel):
    def on_task_invoke(self, task_context):
        task_context.set_output_data(task_context.get_input_data())


RawKernel().run()
"""


def test_bodies_pass_unchanged(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("echo", more={"kernel.py": RAW.encode()})
    for what, source, kind, body in BODIES:
        headers = {"Content-Type": kind, "Accept": "application/json"} if kind else {}
        answer = edi.infer(name, body, route=route, headers=headers)
        if source == "unknown":
            assert answer.status < 600
            same = answer.body == body
            fact.choice(
                f"inference with {what}",
                "rest-api 7",
                f"{answer.status}, {'unchanged' if same else answer.text}",
            )
        else:
            fact.equal(
                f"inference with {what}",
                "rest-api 7",
                source,
                (answer.status, answer.body),
                (200, body),
            )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_post_infers(edi: Service, fact: Ledger, method: str) -> None:
    name = edi.deploy("echo")
    answer = edi.wire.ask(method, f"inference/{name}")
    assert 400 <= answer.status < 600, answer
    assert answer.status != 500
    fact.choice(f"{method} on inference", "rest-api 3", answer.status)


def test_many_at_once_get_their_own_answers(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("echo", {"policy.kernel_min": 2, "policy.kernel_max": 2})
    bodies = [json.dumps({"number": number}) for number in range(200)]
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda body: edi.infer(name, body, route=route), bodies))
    fact.equal(
        "200 requests at once get their own answers",
        "rest-api 7",
        "inferred",
        [answer.text for answer in answers],
        bodies,
    )


def test_one_connection_for_many_requests(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("echo")
    target = name if route != "application" else f"%{ord(name[0]):02x}{name[1:]}"
    connection = edi.wire._connect(30)
    sent = 0
    try:
        for number in range(20):
            body = json.dumps({"number": number})
            connection.request(
                "POST",
                f"{edi.wire.root}dlim/v1/inference/{target}",
                body,
                edi.wire.under("X-Auth-Token"),
            )
            response = connection.getresponse()
            assert (response.status, response.read().decode()) == (200, body)
            sent += 1
            if response.will_close:
                break
    finally:
        connection.close()
    fact.equal("Connection: keep-alive", "rest-api 3", "transport", sent, 20)


def test_the_address_that_a_model_tells(edi: Service, fact: Ledger) -> None:
    name = edi.running("echo")
    uri = urllib.parse.urlsplit(edi.model(name).json()["service_uri"])
    fact.holds(
        "service_uri is an address",
        "rest-api 8",
        "observed",
        uri.scheme in ("http", "https") and bool(uri.netloc),
        expected="https://…",
        seen=uri.geturl(),
    )
    if uri.netloc == edi.wire.host:
        answer = edi.wire.ask("POST", uri.path, body='{"n": 1}')
        fact.equal("inference at service_uri", "rest-api 8", "observed", answer.text, '{"n": 1}')
    else:
        fact.choice("service_uri is on another host", "rest-api 1", uri.netloc)


def test_what_answers_are_called(edi: Service, fact: Ledger, route: str) -> None:
    name = edi.running("echo")
    for what, answer in (
        ("a list", edi.wire.ask("GET", "model")),
        ("an inference", edi.infer(name, "{}", route=route)),
        ("an error", edi.model(name + "x")),
    ):
        fact.choice(f"Content-Type of {what}", "rest-api 3", answer.headers.get("content-type"))
        assert answer.json_or_none() is not None or what == "an error"
    headers = edi.wire.ask("GET", "model").headers
    fact.holds(
        "CORS headers in every answer",
        "rest-api 3",
        "transport",
        "access-control-allow-methods" in headers,
        expected="Access-Control-Allow-…",
        seen=sorted(headers),
    )


def test_the_page_of_the_api(edi: Service, fact: Ledger) -> None:
    answer = edi.wire.ask_as({}, "GET", "docs/")
    assert answer.status < 500, answer
    fact.choice("GET docs/ without a token", "rest-api 1", answer.status)
    if answer.ok:
        assert b"<html" in answer.body.lower()


def test_a_caller_who_leaves_harms_nobody(edi: Service, route: str) -> None:
    name = edi.running("faults", {"policy.kernel_max": 1})
    target = name if route != "application" else f"%{ord(name[0]):02x}{name[1:]}"
    for _ in range(5):
        connection = edi.wire._connect(30)
        body = json.dumps({"do": "sleep", "seconds": 0.05})
        connection.request(
            "POST",
            f"{edi.wire.root}dlim/v1/inference/{target}",
            body,
            edi.wire.under("X-Auth-Token"),
        )
        connection.close()
    answer = edi.infer(name, json.dumps({"do": "echo", "number": 9}), route=route)
    assert (answer.status, answer.json()["number"]) == (200, 9)
