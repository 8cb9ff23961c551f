"""Models: the routes of one deployment, and of all of them (``rest-api.md`` sections 3, 4, 8)."""

from __future__ import annotations

import pytest

from contract.facts import Ledger
from contract.service import Service

#: Fields of *Model* and their types; the first eight are required in the SDK.
FIELDS = {
    "schema_version": str, "name": str, "tag": str, "weight_path": str, "model_path": str,
    "size": int, "runtime": str, "kernel_path": str, "uid": str, "create_time": int,
    "last_updated_time": int, "started_at": int, "creator": str, "attributes": list,
    "mk_environments": list, "service_uri": str,
}  # fmt: skip
REQUIRED = list(FIELDS)[:8]


def test_the_list(edi: Service, fact: Ledger) -> None:
    names = sorted(edi.deploy("echo") for _ in range(3))
    answer = edi.wire.ask("GET", "model", headers={"Accept": "application/json"})
    fact.equal("GET model", "rest-api 3", "observed", answer.status, 200)
    models = answer.json()
    fact.holds(
        "GET model is an array",
        "rest-api 3",
        "observed",
        isinstance(models, list),
        expected="array",
        seen=type(models).__name__,
    )
    listed = [model["name"] for model in models]
    fact.holds(
        "GET model is sorted by name",
        "rest-api 8",
        "observed",
        listed == sorted(listed),
        expected="sorted",
        seen=listed,
    )
    assert [name for name in listed if name in names] == names
    for model in models:
        if model["name"] in names:
            fact.equal(
                "an item of the list is GET model/{name}",
                "rest-api 3",
                "inferred",
                model,
                edi.model(model["name"]).json(),
            )


def test_the_fields_of_a_model(edi: Service, fact: Ledger) -> None:
    attributes = [{"key": "size", "value": "28"}]
    variables = [{"name": "SPACE", "value": "a"}]
    name = edi.deploy("echo", attributes=attributes, mk_environments=variables, tag="")
    model = edi.model(name).json()
    for key, kind in FIELDS.items():
        fact.holds(
            f"Model.{key}",
            "rest-api 8",
            "observed",
            type(model.get(key)) is kind,
            expected=kind.__name__,
            seen=model.get(key),
        )
    for key, expected in {
        "schema_version": "1", "tag": "", "kernel_path": "kernel.py", "weight_path": "N/A",
        "attributes": attributes, "mk_environments": variables,
    }.items():  # fmt: skip
        fact.equal(f"Model.{key} is the package's", "rest-api 8", "observed", model[key], expected)
    fact.choice("fields beside those of the SDK", "rest-api 8", sorted(model.keys() - FIELDS))


def test_the_readme(edi: Service, fact: Ledger) -> None:
    name = edi.deploy("echo")
    path = f"model/{name}/readme"
    first = edi.wire.ask("GET", path)
    fact.equal("GET readme", "rest-api 3", "SDK", first.status, 200)
    fact.holds(
        "readme is the package's README.md",
        "rest-api 3",
        "SDK",
        first.json()["readme"].startswith("# echo"),
        expected="# echo …",
        seen=first.text,
    )
    text = "# Größe <b>\n\n" + "x" * 10_000
    answer = edi.wire.ask("PUT", path, document={"readme": text})
    fact.holds("PUT readme", "rest-api 3", "SDK", answer.ok, expected="2xx", seen=answer)
    fact.equal("… is kept", "rest-api 3", "SDK", edi.wire.ask("GET", path).json(), {"readme": text})


#: Every route of one model; a name that is not there has to be refused on each.
OF_ONE = [
    ("GET", "model/{}"), ("DELETE", "model/{}"), ("PUT", "model/{}/operation/start"),
    ("PUT", "model/{}/operation/stop"), ("GET", "model/{}/instance"), ("GET", "model/{}/readme"),
    ("PUT", "model/{}/readme"), ("GET", "model/{}/appprofile"), ("PUT", "model/{}/appprofile"),
    ("GET", "model/{}/streaming"), ("PUT", "model/{}"), ("POST", "inference/{}"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_a_name_that_is_not_there(edi: Service, fact: Ledger, method: str, path: str) -> None:
    name = edi.name("nobody")
    body = {"readme": ""} if path.endswith("readme") else {"name": name}
    answer = edi.wire.ask(method, path.format(name), document=body if method != "GET" else ...)
    # A client takes both alike (rest-api section 4).
    assert answer.status in (400, 404), answer
    assert answer.message
    fact.choice("an unknown model", "rest-api 10", f"{answer.status} {answer.message}")
    fact.choice("where the words of an error are", "rest-api 10", answer.reader)
    assert not edi.model(name).ok


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a" * 64, "..", "a.b", "%20", "%C3%A9", "a;b"])
def test_what_is_no_name(edi: Service, name: str) -> None:
    for method, path in (("GET", f"model/{name}"), ("PUT", f"model/{name}/operation/start"),
                         ("POST", f"inference/{name}")):  # fmt: skip
        answer = edi.wire.ask(method, path, body="{}" if method == "POST" else None)
        assert 400 <= answer.status < 500, (path, answer)
        assert answer.message


def test_where_streams_go(edi: Service, fact: Ledger) -> None:
    name = edi.running("echo")
    answer = edi.wire.ask("GET", f"model/{name}/streaming")
    fact.equal("GET streaming", "rest-api 3", "SDK", answer.status, 200)
    uri = answer.json().get("streaming_service_uri")
    fact.holds(
        "streaming_service_uri",
        "rest-api 3",
        "SDK",
        isinstance(uri, str),
        expected="text",
        seen=answer,
    )
    fact.choice("the address of streams", "rest-api 7", uri)


def test_extensions(edi: Service, fact: Ledger) -> None:
    name = edi.deploy("echo")
    plan = edi.profile(name)["resource_allocation"]["kernel"]["resource_plan"]
    answer = edi.wire.ask("GET", "modelextension", headers={"Accept": "application/json"})
    fact.equal("GET modelextension", "rest-api 3", "SDK", answer.status, 200)
    told = answer.json()
    mine = [item for item in told["model_list"] if item["name"] == name]
    fact.equal("model_list holds Models", "rest-api 3", "SDK", mine, [edi.model(name).json()])
    plans = [item for item in told["extension_list"] if item["name"] == name]
    fact.equal(
        "extension_list holds resource plans",
        "rest-api 3",
        "SDK",
        plans,
        [{"name": name, "resource_plan": plan}],
    )


def test_metadata_alone(edi: Service, fact: Ledger) -> None:
    name = edi.name("metadata")
    model = {
        "schema_version": "1", "name": name, "tag": "t", "weight_path": "N/A",
        "model_path": "/etc", "size": 0, "runtime": edi.runtime, "kernel_path": "kernel.py",
    }  # fmt: skip
    answer = edi.wire.ask("POST", "model", document=model)
    fact.holds("POST model", "rest-api 3", "SDK", answer.ok, expected="2xx", seen=answer)
    made = edi.model(name).json()
    fact.equal(
        "… makes a model",
        "rest-api 3",
        "SDK",
        {key: made[key] for key in ("name", "tag", "kernel_path")},
        {"name": name, "tag": "t", "kernel_path": "kernel.py"},
    )
    fact.choice("model_path of a model without files", "rest-api 3", made["model_path"])
    assert edi.instance(name)["state"] == "disabled"
    again = edi.wire.ask("POST", "model", document=model)
    assert again.status < 500
    fact.choice("POST model with a name that exists", "rest-api 10", again)
    started = edi.start(name)
    assert started.status < 500, started
    fact.choice("start of a model without files", "rest-api 3", started)
    edi.stop(name)
    for key in REQUIRED:
        less = {field: value for field, value in {**model, "name": edi.name("less")}.items()
                if field != key}  # fmt: skip
        refused = edi.wire.ask("POST", "model", document=less)
        assert refused.status < 500
        fact.choice("POST model without a required field", "rest-api 8", refused.status)


def test_a_description_is_replaced(edi: Service, fact: Ledger) -> None:
    name = edi.deploy("environment")
    model = edi.model(name).json()
    changed = {**model, "tag": "another", "mk_environments": [
        {"name": "WML_SPACE_ID", "value": "moved"},
    ]}  # fmt: skip
    answer = edi.wire.ask("PUT", f"model/{name}", document=changed)
    fact.holds("PUT model/{name}", "rest-api 3", "SDK", answer.ok, expected="2xx", seen=answer)
    after = edi.model(name).json()
    fact.equal(
        "… replaces what may change",
        "rest-api 3",
        "SDK",
        (after["tag"], after["mk_environments"]),
        ("another", changed["mk_environments"]),
    )
    for key in ("uid", "model_path", "size", "create_time", "name"):
        assert after[key] == model[key], key
    edi.start(name)
    told = edi.infer(name, "{}").json()["environment"]
    fact.equal("… and kernels go by it", "rest-api 8", "inferred", told["WML_SPACE_ID"], "moved")
    while_started = edi.wire.ask("PUT", f"model/{name}", document={**after, "tag": "third"})
    assert while_started.status < 500
    fact.choice("PUT model/{name} while started", "rest-api 10", while_started)
    for key, value in (("name", "other"), ("uid", "x"), ("model_path", "/etc"), ("size", 1)):
        refused = edi.wire.ask("PUT", f"model/{name}", document={**after, key: value})
        assert refused.status < 500
        assert edi.model(name).json()[key] == after[key], key
        fact.choice(f"PUT model/{{name}} with another {key}", "rest-api 10", refused.status)
