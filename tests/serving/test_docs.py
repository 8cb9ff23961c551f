"""The documentation of the API: true, whole, open to all, and the same for every engine."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import requests
from jsonschema import Draft202012Validator
from starlette.routing import Route
from support.door_server import FakeEngine
from support.engine_process import EngineProcess

from edi_labext.models import REQUIRED_FIELDS
from edi_labext.serving.http.app import build_app, routes_of
from edi_labext.serving.routes.openapi import openapi_document, plain
from edi_labext.serving.routes.table import ROUTES

DOCUMENT = openapi_document(ROUTES)
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
METHODS = {"get", "put", "post", "delete"}


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def resolve(pointer: str) -> object:
    found: object = DOCUMENT
    for part in pointer.removeprefix("#/").split("/"):
        assert isinstance(found, dict)
        found = found[part]
    return found


def test_table_application_and_document_have_the_same_routes():
    table = {(row.method, row.path) for row in ROUTES}
    assert len(table) == len(ROUTES)
    assert {(method, path) for method, path, _ in OPERATIONS} == table
    served = {
        (method, route.path)
        for route in routes_of(FakeEngine())
        if isinstance(route, Route)
        for method in route.methods - {"HEAD"}
    }
    assert served == table
    assert callable(build_app(FakeEngine()))


def test_every_schema_is_one_and_every_reference_leads_somewhere():
    schemas = DOCUMENT["components"]["schemas"]
    assert len(schemas) > 20
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for pointer in references(DOCUMENT):
        assert pointer.startswith("#/components/")
        resolve(pointer)
    used = {pointer.rpartition("/")[2] for pointer in references(DOCUMENT)}
    assert set(schemas) <= used


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_what_there_is_to_say(method, path, operation):
    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    declared = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path))
    [row] = [row for row in ROUTES if (row.method, row.path) == (method, path)]
    statuses = set(operation["responses"])
    assert {"200", "default"} <= statuses
    assert ({"401", "403"} <= statuses) == (row.permission is not None)
    assert operation["security"] or row.permission is None
    if "{name}" in path:
        assert statuses & {"404", "400"}
    if operation.get("requestBody", {}).get("content", {}).keys() == {"application/json"}:
        assert {"400", "413", "415"} <= statuses


def test_names_of_operations_are_unique():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_the_eight_fields_are_required():
    body = DOCUMENT["components"]["schemas"]["ModelBody"]
    assert sorted(body["required"]) == sorted(REQUIRED_FIELDS)
    assert len(REQUIRED_FIELDS) == 8


def test_what_may_be_left_out_of_a_query_is_told():
    required = {
        (path, item["name"]): item["required"]
        for _, path, operation in OPERATIONS
        for item in operation.get("parameters", ())
        if item["in"] == "query"
    }
    assert required == {
        ("/edi/v1/hello", "nonce"): True,
        ("/edi/v1/model/{name}/logs", "after"): False,
        ("/edi/v1/model/{name}/logs", "limit"): False,
    }


def test_docstrings_become_plain_text():
    assert plain("See :class:`~..task.Task` and ``x``.") == "See `Task` and `x`."
    texts = str(DOCUMENT)
    assert "``" not in texts
    assert ":class:" not in texts
    assert "reference/" not in texts


# --- what real answers look like ------------------------------------------------------------


def check(value: object, method: str, path: str) -> None:
    schema = resolve_schema(method, path)
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def resolve_schema(method: str, path: str) -> dict:
    operation = DOCUMENT["paths"][path][method.lower()]
    return operation["responses"]["200"]["content"]["application/json"]["schema"]


def test_real_answers_are_as_documented(engine: EngineProcess) -> None:
    engine.running("shown")
    engine.infer("shown")
    root = engine.base.removesuffix("/dlim/v1/")
    checked = 0
    for row in ROUTES:
        if row.method != "GET" or (not isinstance(row.answers, type) and row.answers in ("page",)):
            continue
        name = "python" if "runtime" in row.path else "shown"
        url = root + row.path.replace("{name}", name)
        answer = engine.session.get(url, params={"nonce": "ab" * 16}, timeout=10)
        assert answer.status_code == 200, (row.path, answer.text)
        check(answer.json(), "GET", row.path)
        checked += 1
    assert checked > 10
    model = engine.call("GET", "model/shown").json()
    engine.stop_model("shown")
    engine.wait_for("shown", "stopped")
    check(engine.call("PUT", "model/shown", json=model).json(), "PUT", "/dlim/v1/model/{name}")
    refusal = {"$ref": "#/components/schemas/ErrorAnswer", "components": DOCUMENT["components"]}
    Draft202012Validator(refusal).validate(engine.call("GET", "model/nobody").json())


class Page(HTMLParser):
    """Tags, anchors and what is fetched of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        attributes = dict(attrs)
        assert not {"src", "style", "onclick"} & attributes.keys()
        if "href" in attributes:
            self.links.add(attributes["href"])
        if "id" in attributes:
            assert attributes["id"] not in self.anchors
            self.anchors.add(attributes["id"])


def test_the_page_is_open_to_all_and_fetches_nothing(engine: EngineProcess) -> None:
    engine.deploy("secret-plan")
    bodies = set()
    for path in ("docs", "docs/"):
        answer = requests.get(engine.base + path, timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        bodies.add(answer.text)
        head = requests.head(engine.base + path, timeout=10)
        assert (head.status_code, head.content) == (200, b"")
    [text] = bodies
    page = Page()
    page.feed(text)
    assert not {"script", "link", "img", "iframe", "form", "base"} & set(page.tags)
    assert "prefers-color-scheme: dark" in text
    for link in page.links:
        assert link == "/dlim/v1/docs/openapi.json" or link[1:] in page.anchors, link
    for row in ROUTES:
        assert f"<code>{row.path}</code>" in text
    assert "secret-plan" not in text
    assert str(engine.store) not in text
    assert engine.token not in text
    assert engine.base not in text

    document = requests.get(engine.base + "docs/openapi.json", timeout=10)
    assert document.json() == DOCUMENT
    assert requests.get(engine.base + "docs/other", timeout=10).status_code == 401
