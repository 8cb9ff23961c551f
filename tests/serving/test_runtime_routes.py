"""EDI's routes for runtimes, against the real engine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engine_process import EngineProcess
from support.examples import examples

from edi_labext.client.answers import refusal
from edi_labext.client.transport import RawAnswer
from edi_labext.errors import NotFound
from edi_labext.models import PYTHON_LAUNCHER, Runtime

ROUTE = "deployment/runtime"
#: A conda runtime as WMLA shows it (``reference/rest-api.md`` section 8).
CONDA = {
    "type": "demoruntimepy37",
    "launcher": "${REDHARE_TOP}/${REDHARE_VERSION}/script/python_launcher.sh",
    "conda_home": "/opt/anaconda3",
    "conda_env_name": "demo-py37",
    "docker_img": "",
    "pre_exec": "",
    "machine_type": "x86_64,ppc64le",
    "description": "A runtime of ours.",
    "envs": [],
    "attributes": [
        {
            "key": "k8s-volumeMounts-wmlacondav1",
            "value": '{"name":"wmla-conda-vol","mountPath":"/opt/anaconda3"}',
        }
    ],
    "schema_version": "1",
    "epoch_created": 1660000000,
    "epoch_updated": 1660000000,
}


@pytest.fixture
def shop(engine: EngineProcess) -> Iterator[EngineProcess]:
    """The engine, without the runtimes of other tests."""
    yield engine
    for runtime in listed(engine).values():
        if runtime["type"] not in BUILT_IN:
            assert engine.call("DELETE", f"{ROUTE}/{runtime['type']}").status_code == 200


BUILT_IN = (
    "python",
    "dlipy3",
    "dlipy3-cpu",
    "condaenvpy37",
    "condaenvpy38",
    "condaenvpy39",
    "dlipy36-wmlce170",
)


def listed(engine: EngineProcess) -> dict[str, dict[str, Any]]:
    answer = engine.call("GET", ROUTE)
    assert answer.status_code == 200
    document = answer.json()
    assert document["schema_version"] == "1"
    return {runtime["type"]: runtime for runtime in document["runtimes"]}


def create(engine: EngineProcess, **fields: Any) -> requests.Response:
    return engine.call("POST", ROUTE, json=fields)


def test_the_observed_flow(shop: EngineProcess) -> None:
    """GET, change, POST, GET, PUT, DELETE, as in the public notebook."""
    name = CONDA["type"]
    missing = shop.call("GET", f"{ROUTE}/{name}")
    assert missing.status_code == 400
    assert missing.json()["message"] == f"Runtime <{name}> does not exists."
    assert missing.json()["errors"][0]["message"] == missing.json()["error"]

    runtime = shop.call("GET", f"{ROUTE}/dlipy3").json()
    runtime.update(
        type=name, conda_home="/opt/anaconda3", conda_env_name="demo-py37", description="mine"
    )
    before = int(time.time())
    answer = shop.call("POST", ROUTE, json=runtime)
    assert (answer.status_code, answer.json()) == (200, {"status": "OK"})
    created = shop.call("GET", f"{ROUTE}/{name}").json()
    assert before <= created["epoch_created"] == created["epoch_updated"] <= time.time()
    times = {key: created[key] for key in ("epoch_created", "epoch_updated")}
    assert created == {**runtime, **times}
    assert listed(shop)[name] == created

    created.update(description="changed", a_field_of_a_newer_wmla={"kept": None})
    assert shop.call("PUT", f"{ROUTE}/{name}", json=created).json() == {"status": "OK"}
    changed = shop.call("GET", f"{ROUTE}/{name}").json()
    assert changed["epoch_created"] == created["epoch_created"]
    assert changed["epoch_updated"] > created["epoch_updated"]
    assert changed == {**created, "epoch_updated": changed["epoch_updated"]}

    answer = shop.call("DELETE", f"{ROUTE}/{name}")
    assert (answer.status_code, answer.json()) == (200, {"status": "OK"})
    assert shop.call("GET", f"{ROUTE}/{name}").status_code == 400
    for method in ("PUT", "DELETE"):
        again = shop.call(method, f"{ROUTE}/{name}", json=created)
        assert (again.status_code, again.json()["code"]) == (400, "no_such_runtime")


def test_wmlas_own_document_is_taken_as_it_is(shop: EngineProcess) -> None:
    assert shop.call("POST", ROUTE, json=CONDA).status_code == 200
    kept = shop.call("GET", f"{ROUTE}/{CONDA['type']}").json()
    assert kept.pop("epoch_created") == kept.pop("epoch_updated") > CONDA["epoch_created"]
    assert kept.items() <= CONDA.items()


def test_a_name_is_enough_and_the_rest_is_filled_in(shop: EngineProcess) -> None:
    assert create(shop, type="plain").status_code == 200
    plain = shop.call("GET", f"{ROUTE}/plain").json()
    assert plain["launcher"] == PYTHON_LAUNCHER
    assert plain["machine_type"]
    assert set(plain) == set(Runtime.model_fields)


def test_the_list_is_in_order_and_the_own_python_comes_first(shop: EngineProcess) -> None:
    for name in ("zebra", "Ant", "dlipy3"):
        create(shop, type=name, description="mine")
    names = list(listed(shop))
    rest = [name for name in BUILT_IN if name not in ("python", "dlipy3")]
    assert names == ["python", "Ant", "dlipy3", "zebra", *rest]
    assert "cpp" not in names
    assert listed(shop)["dlipy3"]["description"] == "mine"
    assert shop.call("DELETE", f"{ROUTE}/dlipy3").status_code == 200
    assert "engine's own Python 3." in listed(shop)["dlipy3"]["description"]


@pytest.mark.parametrize("name", ["python", "dlipy3"])
def test_what_is_built_in_does_not_change(shop: EngineProcess, name: str) -> None:
    before = shop.call("GET", f"{ROUTE}/{name}").json()
    for method in ("PUT", "DELETE"):
        refused = shop.call(method, f"{ROUTE}/{name}", json={"type": name})
        assert (refused.status_code, refused.json()["code"]) == (409, "built_in")
        assert "create one of your own" in refused.json()["hint"].lower()
    assert shop.call("GET", f"{ROUTE}/{name}").json() == before


def test_a_name_is_taken_once(shop: EngineProcess) -> None:
    assert create(shop, type="once", description="first").status_code == 200
    for name in ("once", "python"):
        refused = create(shop, type=name)
        assert (refused.status_code, refused.json()["code"]) == (409, "exists")
    assert listed(shop)["once"]["description"] == "first"


def python(value: Any) -> dict[str, Any]:
    return {"type": "x", "attributes": [{"key": "edi-python", "value": value}]}


def envs(*pairs: tuple[Any, Any]) -> dict[str, Any]:
    return {"type": "x", "envs": [{"name": name, "value": value} for name, value in pairs]}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "type"),
        ({"type": None}, "type"),
        ({"type": 7}, "type"),
        ({"type": ""}, "type"),
        ({"type": "../etc"}, "type"),
        ({"type": "a/b"}, "type"),
        ({"type": "."}, "type"),
        ({"type": "a b"}, "type"),
        ({"type": "ä"}, "type"),
        ({"type": "x" * 101}, "type"),
        ({"type": "a\n"}, "type"),
        ({"type": "x", "launcher": 1}, "launcher"),
        ({"type": "x", "launcher": "a\0"}, "launcher"),
        ({"type": "x", "description": "x" * 5000}, "description"),
        ({"type": "x", "description": ["x"]}, "description"),
        ({"type": "x", "conda_home": "anaconda3"}, "conda_home"),
        ({"type": "x", "conda_home": "/a\nb"}, "conda_home"),
        ({"type": "x", "conda_env_name": "ml"}, "conda_env_name"),
        ({"type": "x", "conda_home": "/c", "conda_env_name": "../../tmp"}, "conda_env_name"),
        ({"type": "x", "conda_home": "/c", "conda_env_name": ".."}, "conda_env_name"),
        ({"type": "x", "conda_home": "/c", "conda_env_name": " "}, "conda_env_name"),
        ({**python("/p"), "conda_home": "/c"}, "conda_home"),
        (python("bin/python"), "attributes.0.value"),
        (python(""), "attributes.0.value"),
        (python("/a\0b"), "attributes.0.value"),
        (python("-c"), "attributes.0.value"),
        (python("~root"), "attributes.0.value"),
        (python(7), "attributes.0.value"),
        ({"type": "x", "attributes": python("/p")["attributes"] * 2}, "attributes"),
        ({"type": "x", "attributes": {"a": "b"}}, "attributes"),
        ({"type": "x", "attributes": [{"key": "a"}]}, "attributes.0.value"),
        ({"type": "x", "attributes": ["a"]}, "attributes.0"),
        ({"type": "x", "attributes": [{"key": "edi-kernelspec", "value": "ml"}]}, "attributes"),
        ({"type": "x", "attributes": [{"key": "a", "value": ""}] * 501}, "attributes"),
        (envs(("", "x")), "envs.0.name"),
        (envs(("A=B", "x")), "envs.0.name"),
        (envs(("A", "x"), ("A", "y")), "envs.1.name"),
        (envs(("REDHARE_TOP", "x")), "envs.0.name"),
        (envs(("MSD_POD_NAME", "x")), "envs.0.name"),
        (envs(("A", "\0")), "envs.0.value"),
        (envs(("A", 7)), "envs.0.value"),
        ({"type": "x", "envs": {"A": "B"}}, "envs"),
        ({"type": "x", "envs": None}, "envs"),
        ({"type": "x", "pre_exec": ["ls"]}, "pre_exec"),
        ({"type": "x", "pre_exec": "a\0b"}, "pre_exec"),
        ({"type": "x", "pre_exec": "#" * 20_000}, "pre_exec"),
        ({"type": "x", "schema_version": "2"}, "schema_version"),
        ({"type": "x", "schema_version": True}, "schema_version"),
    ],
)
def test_what_is_wrong_is_said_field_by_field(
    shop: EngineProcess, document: dict[str, Any], field: str
) -> None:
    before = listed(shop)
    refused = shop.call("POST", ROUTE, json=document)
    assert refused.status_code == 400, refused.text
    answer = refused.json()
    assert answer["code"] == "invalid_runtime"
    assert answer["field"] == field
    assert [problem["field"] for problem in answer["fields"]] == [field]
    assert answer["message"].startswith(f"The runtime was not saved. {field}: ")
    assert listed(shop) == before


def test_every_problem_is_told_at_once(shop: EngineProcess) -> None:
    refused = create(shop, type="x/", conda_env_name="ml", envs=[{"name": "MSD_ID", "value": ""}])
    fields = [problem["field"] for problem in refused.json()["fields"]]
    assert fields == ["type", "conda_env_name", "envs.0.name"]
    assert "3 fields" in refused.json()["message"]


@pytest.mark.parametrize(
    "document",
    [{"type": "cpp"}, {"type": "mine", "launcher": "${REDHARE_TOP}/script/cpp_launcher.sh"}],
)
def test_kernels_in_cpp_are_refused(shop: EngineProcess, document: dict[str, Any]) -> None:
    refused = shop.call("POST", ROUTE, json=document)
    assert (refused.status_code, refused.json()["code"]) == (400, "unsupported_runtime")
    assert "C++" in refused.json()["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b'{"type": "x", "type": "y"}', b"[" * 100_000, b'"x"'],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_that_is_no_object(shop: EngineProcess, method: str, body: bytes) -> None:
    create(shop, type="kept")
    path = ROUTE if method == "POST" else f"{ROUTE}/kept"
    refused = shop.call(method, path, data=body)
    assert refused.status_code == 400, refused.text
    assert refused.json()["message"]


def test_a_runtime_keeps_its_name(shop: EngineProcess) -> None:
    create(shop, type="kept", description="first")
    refused = shop.call("PUT", f"{ROUTE}/kept", json={"type": "other"})
    assert (refused.status_code, refused.json()["field"]) == (400, "type")
    assert shop.call("PUT", f"{ROUTE}/kept", json={"description": "x"}).status_code == 400
    assert listed(shop)["kept"]["description"] == "first"


def test_a_number_as_version_is_taken(shop: EngineProcess) -> None:
    assert create(shop, type="x", schema_version=1).status_code == 200
    assert listed(shop)["x"]["schema_version"] == "1"


@pytest.mark.parametrize("name", ["no such", "%2e%2e", "a%2Fb", "ü", "x" * 300, "%00", "<b>"])
def test_a_name_that_is_none_is_not_there(shop: EngineProcess, name: str) -> None:
    answer = shop.call("GET", f"{ROUTE}/{name}")
    assert answer.status_code in (400, 404)
    assert answer.json()["code"] in ("no_such_runtime", "no_route", "bad_request")


def test_the_routes_need_the_token(engine: EngineProcess) -> None:
    for method, path in (("POST", ""), ("GET", "/python"), ("PUT", "/x"), ("DELETE", "/x")):
        answer = engine.call(method, ROUTE + path, headers={"X-Auth-Token": "wrong"}, json={})
        assert answer.status_code == 401


def test_the_client_takes_the_missing_one_for_not_found(shop: EngineProcess) -> None:
    answer = shop.call("GET", f"{ROUTE}/gone")
    raw = RawAnswer(answer.status_code, dict(answer.headers), answer.content, 0.0)
    assert isinstance(refusal(raw, host="x", permission=None), NotFound)


_TEXT = st.text(max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_ODD = st.dictionaries(st.sampled_from([*Runtime.model_fields, "unknown"]), _JSON, max_size=6)


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(document=_ODD, has_name=st.booleans())
def test_no_document_ends_in_a_fault(
    shop: EngineProcess, document: dict[str, Any], has_name: bool
) -> None:
    if has_name:
        document = {**document, "type": "odd"}
    answer = shop.call("POST", ROUTE, data=json.dumps(document).encode())
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        kept = shop.call("GET", f"{ROUTE}/{document['type']}").json()
        served = {"epoch_created", "epoch_updated", "launcher", "machine_type", "schema_version"}
        for key, value in document.items():
            assert key in served or kept[key] == value
        assert shop.call("DELETE", f"{ROUTE}/{document['type']}").status_code == 200
    else:
        assert answer.json()["code"] in ("invalid_runtime", "unsupported_runtime", "invalid_text")


def test_runtimes_survive_a_kill(own_engine: EngineProcess) -> None:
    engine = own_engine
    create(engine, type="kept", description="one", unknown={"a": None})
    create(engine, type="gone")
    engine.call("DELETE", f"{ROUTE}/gone")
    before = engine.call("GET", f"{ROUTE}/kept").json()
    engine.kill()
    engine.start()
    assert engine.call("GET", f"{ROUTE}/kept").json() == before
    assert "gone" not in listed(engine)
    assert sys.executable not in json.dumps(listed(engine))
