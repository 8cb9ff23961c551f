"""Runtimes: the list, and the flow of the notebook that makes one (``rest-api.md`` section 8)."""

from __future__ import annotations

from typing import Any

from contract.facts import Ledger
from contract.service import Service

PATH = "deployment/runtime"


def listed(edi: Service) -> list[dict[str, Any]]:
    answer = edi.wire.ask("GET", PATH, headers={"Accept": "application/json"})
    assert answer.status == 200, answer
    return answer.json()["runtimes"]


def test_the_list(edi: Service, fact: Ledger) -> None:
    answer = edi.wire.ask("GET", PATH)
    fact.equal("GET deployment/runtime", "rest-api 3", "observed", answer.status, 200)
    told = answer.json()
    fact.equal(
        "schema_version of the list", "rest-api 3", "observed", told.get("schema_version"), "1"
    )
    runtimes = told["runtimes"]
    fact.holds(
        "there are runtimes",
        "rest-api 8",
        "observed",
        bool(runtimes),
        expected="some",
        seen=len(runtimes),
    )
    names = [runtime["type"] for runtime in runtimes]
    fact.equal("each name once", "rest-api 8", "inferred", len(set(names)), len(names))
    fact.holds(
        "a runtime called python",
        "rest-api 8",
        "observed",
        "python" in names,
        expected="python",
        seen=names,
    )
    for runtime in runtimes:
        for key in ("type", "launcher"):
            fact.holds(
                f"Runtime.{key}",
                "rest-api 8",
                "SDK",
                isinstance(runtime.get(key), str),
                expected="text",
                seen=runtime,
            )
    fact.choice("names of runtimes", "rest-api 8", names)


def test_one_runtime(edi: Service, fact: Ledger) -> None:
    for runtime in listed(edi):
        answer = edi.wire.ask("GET", f"{PATH}/{runtime['type']}")
        fact.equal("GET of a listed runtime", "rest-api 3", "observed", answer.status, 200)
        times = ("epoch_created", "epoch_updated")
        fact.equal(
            "… is the item of the list",
            "rest-api 8",
            "inferred",
            {key: value for key, value in answer.json().items() if key not in times},
            {key: value for key, value in runtime.items() if key not in times},
        )


def test_a_runtime_that_is_not_there(edi: Service, fact: Ledger) -> None:
    name = edi.runtime_name("nobody")
    answer = edi.wire.ask("GET", f"{PATH}/{name}")
    fact.equal(
        "GET of a runtime that is not there",
        "rest-api 4",
        "observed",
        (answer.status, answer.message),
        (400, f"Runtime <{name}> does not exists."),
    )
    for method in ("PUT", "DELETE"):
        body = {"type": name, "launcher": "x"}
        answer = edi.wire.ask(method, f"{PATH}/{name}", document=body if method == "PUT" else ...)
        assert 400 <= answer.status < 500, answer
        assert answer.message
        fact.choice(
            f"{method} of a runtime that is not there",
            "rest-api 4",
            f"{answer.status} {answer.message}",
        )


def test_a_runtime_is_made_changed_and_removed(edi: Service, fact: Ledger) -> None:
    name = edi.runtime_name("own")
    [model] = [runtime for runtime in listed(edi) if runtime["type"] == edi.runtime]
    wanted = {**model, "type": name, "description": "made by the contract suite"}
    where = "rest-api 8"
    made = edi.wire.ask("POST", PATH, document=wanted)
    fact.equal("POST deployment/runtime", "rest-api 3", "observed", made.status, 200)
    fact.choice("its answer", "rest-api 3", made)
    got = edi.wire.ask("GET", f"{PATH}/{name}")
    fact.equal(
        "GET shows what was made",
        where,
        "observed",
        {key: got.json().get(key) for key in ("type", "description", "launcher")},
        {key: wanted[key] for key in ("type", "description", "launcher")},
    )
    assert name in [runtime["type"] for runtime in listed(edi)]
    again = edi.wire.ask("POST", PATH, document=wanted)
    assert again.status < 500
    fact.choice("POST of a runtime that exists", where, again)

    changed = {**got.json(), "description": "changed"}
    put = edi.wire.ask("PUT", f"{PATH}/{name}", document=changed)
    fact.holds("PUT of a runtime", "rest-api 3", "observed", put.ok, expected="2xx", seen=put)
    fact.equal(
        "PUT changes it",
        where,
        "observed",
        edi.wire.ask("GET", f"{PATH}/{name}").json()["description"],
        "changed",
    )

    deployment = edi.deploy("echo", runtime=name)
    edi.start(deployment)
    told = edi.infer(deployment, '{"n": 1}')
    fact.equal("kernels run in it", where, "inferred", (told.status, told.text), (200, '{"n": 1}'))
    edi.remove(deployment)

    removed = edi.wire.ask("DELETE", f"{PATH}/{name}")
    fact.equal(
        "DELETE of a runtime",
        "rest-api 3",
        "observed",
        (removed.status, removed.json_or_none()),
        (200, {"status": "OK"}),
    )
    assert name not in [runtime["type"] for runtime in listed(edi)]
    assert not edi.wire.ask("GET", f"{PATH}/{name}").ok


def test_what_is_no_runtime(edi: Service, fact: Ledger) -> None:
    before = listed(edi)
    name = edi.runtime_name("bad")
    for document in ([], None, {}, {"type": 5, "launcher": "x"},
                     {"type": "", "launcher": "x"}, {"type": "a/b", "launcher": "x"}):  # fmt: skip
        answer = edi.wire.ask("POST", PATH, document=document)
        assert 400 <= answer.status < 500, (document, answer)
        assert answer.message
    assert [item["type"] for item in listed(edi)] == [item["type"] for item in before]
    less = edi.wire.ask("POST", PATH, document={"type": name})
    assert less.status < 500
    fact.choice("a runtime without a launcher", "rest-api 8", less.status)
