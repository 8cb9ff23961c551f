"""Who may ask: tokens, and every header that they come in (``rest-api.md`` section 2)."""

from __future__ import annotations

import json

import pytest

from contract.facts import Ledger
from contract.service import Service
from contract.wire import Answer, Wire, basic

#: What a request without a right may be answered.
REFUSED = frozenset((400, 401, 403))


def tokens(wire: Wire, password: tuple[str, str]) -> dict[str, str]:
    answer = wire.ask_as(basic(*password), "POST", "auth/token")
    assert answer.status == 200, answer
    return answer.json()


def check_refused(fact: Ledger, what: str, answer: Answer) -> None:
    assert answer.status in REFUSED, (what, answer)
    assert answer.message, answer
    fact.choice(what, "rest-api 4", f"{answer.status} {answer.message}")


def test_a_token_for_user_and_password(wire: Wire, fact: Ledger, password: tuple[str, str]) -> None:
    answer = wire.ask_as(
        {**basic(*password), "Accept": "application/json;charset=UTF-8"}, "POST", "auth/token"
    )
    fact.equal("POST auth/token with Basic", "rest-api 2", "SDK", answer.status, 200)
    told = answer.json()
    token = told.get("user_token") or told.get("access_token")
    fact.holds(
        "user_token or access_token",
        "rest-api 2",
        "SDK",
        isinstance(token, str),
        expected="one of them",
        seen=sorted(told),
    )
    fact.holds(
        "service_token",
        "rest-api 2",
        "SDK",
        isinstance(told.get("service_token"), str),
        expected="text",
        seen=sorted(told),
    )
    fact.choice("keys of the token's answer", "rest-api 2", sorted(told))
    listed = wire.ask_as({"X-Auth-Token": str(token)}, "GET", "model")
    fact.equal(
        "X-Auth-Token: <user_token> on a management route", "rest-api 2", "SDK", listed.status, 200
    )


def test_a_wrong_password(wire: Wire, fact: Ledger, password: tuple[str, str]) -> None:
    user = password[0]
    for headers in (basic(user, "wrong"), basic(user, ""), {}, {"Authorization": "Basic %%%"}):
        answer = wire.ask_as(headers, "POST", "auth/token")
        check_refused(fact, "auth/token with a wrong password", answer)
        assert "token" not in (answer.json_or_none() or {})


def test_the_given_token_in_every_header(
    edi: Service, wire: Wire, fact: Ledger, route: str
) -> None:
    name = edi.running("echo")
    for header, where, source in (
        (wire.under("X-Auth-Token"), "rest-api 2", "observed"),
        (wire.under("X-User-Token"), "rest-api 2", "observed"),
        (wire.bearer(), "rest-api 2", "observed"),
    ):
        [word] = header
        target = name if route != "application" else f"%{ord(name[0]):02x}{name[1:]}"
        answer = wire.ask_as(header, "POST", f"inference/{target}", body='{"n": 1}')
        fact.equal(
            f"{word} on inference", where, source, (answer.status, answer.text), (200, '{"n": 1}')
        )
        listed = wire.ask_as(header, "GET", "model")
        if word == "X-Auth-Token":
            fact.equal(f"{word} on management", where, source, listed.status, 200)
        else:
            assert listed.status in REFUSED | {200}
            fact.choice(f"{word} on management", where, listed.status)


def test_a_service_token_infers(
    edi: Service, wire: Wire, fact: Ledger, password: tuple[str, str], route: str
) -> None:
    name = edi.running("echo")
    token = tokens(wire, password)["service_token"]
    target = name if route != "application" else f"%{ord(name[0]):02x}{name[1:]}"
    for header, source in (
        ({"X-Auth-Token": token}, "observed"),
        ({"X-User-Token": token}, "observed"),
        ({"Authorization": f"Bearer {token}"}, "docs"),
    ):
        answer = wire.ask_as(header, "POST", f"inference/{target}", body="{}")
        fact.equal(
            f"service token in {next(iter(header))}",
            "rest-api 2",
            source,
            (answer.status, answer.text),
            (200, "{}"),
        )
    listed = wire.ask_as({"X-Auth-Token": token}, "GET", "model")
    assert listed.status in REFUSED | {200}
    fact.choice("a service token on a management route", "rest-api 2", listed.status)


def test_a_token_for_inference(edi: Service, wire: Wire, fact: Ledger) -> None:
    answer = wire.ask("POST", "auth/token/inference")
    fact.equal("POST auth/token/inference", "rest-api 3", "SDK", answer.status, 200)
    told = answer.json_or_none()
    fact.choice("its answer", "rest-api 2", sorted(told) if isinstance(told, dict) else answer.text)
    token = told.get("service_token") if isinstance(told, dict) else answer.text.strip()
    name = edi.running("echo")
    inferred = wire.ask_as({"X-Auth-Token": str(token)}, "POST", f"inference/{name}", body="{}")
    fact.equal("a token of it infers", "rest-api 2", "SDK", inferred.status, 200)


NO_RIGHT = [
    ("no token", {}),
    ("an empty token", {"X-Auth-Token": ""}),
    ("a wrong token", {"X-Auth-Token": "0" * 64}),
    ("a wrong bearer", {"Authorization": "Bearer " + "0" * 64}),
    ("a JWT of nobody", {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."}),
    ("ZenApiKey", {"Authorization": "ZenApiKey YWRhOmtleQ=="}),
]


@pytest.mark.parametrize(("what", "headers"), NO_RIGHT, ids=[row[0] for row in NO_RIGHT])
def test_without_a_right_nothing_is_told_or_done(
    edi: Service, wire: Wire, fact: Ledger, what: str, headers: dict[str, str]
) -> None:
    name = edi.deploy("echo")
    for method, path, body in (
        ("GET", "model", None),
        ("GET", f"model/{name}", None),
        ("GET", f"model/{name}/appprofile", None),
        ("GET", "deployment/runtime", None),
        ("PUT", f"model/{name}/operation/start", None),
        ("DELETE", f"model/{name}", None),
        ("POST", f"inference/{name}", "{}"),
        ("POST", f"inference/{name}x", "{}"),
    ):
        answer = wire.ask_as(headers, method, path, body=body)
        check_refused(fact, what, answer)
        assert name not in answer.text.replace(path, "")
    assert edi.model(name).json()["started_at"] == 0
    assert edi.instance(name)["state"] == "disabled"


def test_the_token_comes_back_nowhere(edi: Service, wire: Wire) -> None:
    name = edi.deploy("echo")
    secret = wire.under("t")["t"]
    for answer in (
        edi.model(name), wire.ask("GET", "model"),
        wire.ask("GET", f"model/{name}/appprofile"), wire.ask("GET", "deployment/runtime"),
        edi.put_profile(name, {"name": "x"}), edi.infer(name, json.dumps({"a": 1})),
    ):  # fmt: skip
        assert secret not in answer.text
        assert secret not in str(answer.headers)
