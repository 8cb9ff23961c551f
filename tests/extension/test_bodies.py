"""Rows 81-94 of the bad-input table: never a 500, a traceback or a change of state."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.examples import examples

DEPLOY = "edi/environments/local/deployments"
PROFILE = f"{DEPLOY}/digits/profile"
LEASE = "edi/environments/local/lease"
WITH_BODY = (
    ("POST", DEPLOY),
    ("POST", f"{DEPLOY}/digits/infer"),
    ("POST", "edi/submissions/inspect"),
    ("POST", "edi/submissions/fix"),
    ("POST", LEASE),
    ("PUT", PROFILE),
    ("POST", f"{PROFILE}/diff"),
)
WITHOUT_BODY = tuple(f"{DEPLOY}/digits/{verb}" for verb in ("start", "stop", "restart"))

BAD_JSON = {
    b"": "invalid_json",
    b" ": "invalid_json",
    b"{": "invalid_json",
    b"[]": "expected_object",
    b"null": "expected_object",
    b"1": "expected_object",
    b'"text"': "expected_object",
    b"\xff\xfe": "not_utf8",
    '{"path": "x"}'.encode("utf-16"): "not_utf8",
    b'{"path": "\xff"}': "not_utf8",
    b'{"path": "\\ud800"}': "invalid_text",
    b'{"path": NaN}': "invalid_number",
    b'{"path": 1e400}': "invalid_number",
    b'{"path": 9223372036854775808}': "invalid_number",
    b'{"path": "a", "path": "b"}': "duplicate_key",
    b'{"a":' * 100_000: "too_deep",
    b"[" * 100_000: "too_deep",
}

BAD_FIELDS = [
    (DEPLOY, {}, "missing_field", "source"),
    (DEPLOY, {"source": None}, "invalid_field", "source"),
    (DEPLOY, {"source": "folder"}, "invalid_field", "source"),
    (DEPLOY, {"source": {}}, "invalid_field", "source"),
    (DEPLOY, {"source": {"kind": "url", "url": "http://x/"}}, "invalid_field", "source"),
    (DEPLOY, {"source": {"kind": "sample", "sample": "../x"}}, "invalid_field", "source.sample"),
    (DEPLOY, {"source": {"kind": "folder"}}, "missing_field", "source.path"),
    (DEPLOY, {"source": {"kind": "folder", "path": 1}}, "invalid_field", "source.path"),
    (
        DEPLOY,
        {"source": {"kind": "folder", "path": "", "rest_server": "http://evil/"}},
        "unknown_field",
        "source.rest_server",
    ),
    (
        DEPLOY,
        {"source": {"kind": "sample", "sample": "pingpong"}, "rest_server": "x"},
        "unknown_field",
        "rest_server",
    ),
    (
        DEPLOY,
        {"source": {"kind": "sample", "sample": "pingpong"}, "start": 1},
        "invalid_field",
        "start",
    ),
    (
        DEPLOY,
        {"source": {"kind": "sample", "sample": "pingpong"}, "start": "true"},
        "invalid_field",
        "start",
    ),
    (
        DEPLOY,
        {"source": {"kind": "sample", "sample": "pingpong"}, "name": "-rf"},
        "invalid_name",
        "name",
    ),
    (
        DEPLOY,
        {"source": {"kind": "sample", "sample": "pingpong"}, "name": ""},
        "invalid_name",
        "name",
    ),
    (f"{DEPLOY}/digits/infer", {"payload": {"a": 1}}, "invalid_field", "payload"),
    (f"{DEPLOY}/digits/infer", {}, "missing_field", "payload"),
    (LEASE, {}, "missing_field", "tab"),
    (LEASE, {"tab": 1}, "invalid_field", "tab"),
    (LEASE, {"tab": ""}, "invalid_field", "tab"),
    (LEASE, {"tab": "a\n"}, "invalid_field", "tab"),
    (LEASE, {"tab": "x" * 65}, "invalid_field", "tab"),
    (LEASE, {"tab": "a", "seconds": 1e9}, "unknown_field", "seconds"),
    (
        DEPLOY,
        {"source": {"kind": "sample", "sample": "pingpong"}, "runtime": ""},
        "invalid_field",
        "runtime",
    ),
    ("edi/submissions/fix", {"path": "x"}, "missing_field", "fix"),
    ("edi/submissions/fix", {"path": "x", "fix": ["a"]}, "invalid_field", "fix"),
    ("edi/submissions/fix", {"path": "../x", "fix": "a"}, "path_outside", "path"),
    (f"{PROFILE}/diff", {"profile": "x"}, "invalid_field", "profile"),
    (f"{PROFILE}/diff", {"profile": {}, "restart": True}, "unknown_field", "restart"),
    ("edi/submissions/inspect", {"path": None}, "invalid_field", "path"),
    ("edi/submissions/inspect", {"path": "x", "x" * 500: 1}, "unknown_field", None),
]


@pytest.fixture
def untouched(store):
    """No row may change anything, the engine's store least of all."""
    yield
    assert not store.exists()


async def test_bad_json_is_refused_on_every_route_that_takes_some(call, untouched):
    for verb, path in WITH_BODY:
        for raw, code in BAD_JSON.items():
            reply = await call(verb, path, raw=raw)
            assert reply.status == 400, (path, raw[:20])
            assert reply.json["code"] == code, (path, raw[:20])
            assert b"Traceback" not in reply.body


async def test_bad_json_is_refused_on_every_route_that_takes_none(call, untouched):
    for path, verb in [*((path, "POST") for path in WITHOUT_BODY), (f"{DEPLOY}/digits", "DELETE")]:
        for raw, code in BAD_JSON.items():
            if not raw:
                continue
            reply = await call(verb, path, raw=raw, headers={"Content-Type": "application/json"})
            assert (reply.status, reply.json["code"]) == (400, code), (path, raw[:20])
        reply = await call(verb, path, raw=b'{"force": true}')
        assert (reply.status, reply.json["code"]) == (400, "unknown_field")


async def test_fields_are_checked_strictly_and_named(call, untouched):
    for path, body, code, field in BAD_FIELDS:
        reply = await call("POST", path, body)
        assert reply.status == 400, (path, body)
        assert reply.json["code"] == code, (path, body)
        if field is not None:
            assert reply.json["field"] == field, (path, body)
        assert len(reply.json["message"]) < 300


async def test_only_plain_json_is_taken(call, untouched):
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/x-python-pickle"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": ""},
    ):
        for verb, path in (*WITH_BODY, *(("POST", path) for path in WITHOUT_BODY)):
            reply = await call(verb, path, raw=b"{}", headers=headers)
            assert reply.status == 415, (path, headers)
            assert reply.json["code"] == "unsupported_media_type"


async def test_json_may_name_its_charset(call):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    reply = await call("POST", "edi/submissions/inspect", raw=b'{"path": "x"}', headers=headers)
    assert reply.json["code"] == "no_such_folder"


async def test_a_body_over_the_limit_is_refused(call, untouched):
    raw = b'{"path": "' + b"x" * (1 << 20) + b'"}'
    reply = await call("POST", "edi/submissions/inspect", raw=raw)
    assert reply.status == 413
    assert reply.json["code"] == "file_too_large"


async def test_a_name_that_could_not_be_one_is_refused(call, untouched):
    names = ["-rf", "%2e%2e", "a%2fb", "a%00b", "%zz", "a;b=c", "Digits", "a%0a", "%20"]
    for name in [*names, "x" * 64]:
        for verb, path, body in (
            ("GET", "", None),
            ("GET", "/sample-payload", None),
            ("DELETE", "", None),
            ("POST", "/start", None),
            ("POST", "/stop", {}),
            ("POST", "/restart", {}),
            ("GET", "/profile", None),
            ("PUT", "/profile", {"profile": {}}),
            ("POST", "/profile/diff", {"profile": {}}),
            ("POST", "/infer", {"payload": ""}),
        ):
            reply = await call(verb, f"{DEPLOY}/{name}{path}", body)
            assert reply.status == 400, (verb, name)
            assert reply.json["code"] == "invalid_name"
            assert reply.json["hint"]


async def test_path_segments_that_are_not_text_are_refused(call):
    reply = await call("GET", "edi/jobs/%ff%fe")
    assert reply.status == 400
    assert reply.json["request_id"]


async def test_the_query_is_ignored(call):
    """JupyterLab appends the time to every request."""
    reply = await call("GET", "edi/jobs?1732300000000&limit=-1&tail=abc")
    assert reply.status == 200
    assert reply.json == {"jobs": []}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    value=st.fixed_dictionaries(
        {}, optional={"source": JSON_VALUES, "name": JSON_VALUES, "start": JSON_VALUES}
    )
    | JSON_VALUES
)
def test_no_json_value_makes_the_server_fail(value, call, jp_asyncio_loop, untouched):
    raw = json.dumps(value).encode("utf-8", "surrogatepass")
    reply = jp_asyncio_loop.run_until_complete(call("POST", DEPLOY, raw=raw))
    assert 400 <= reply.status < 500
    assert reply.json["code"]


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=st.text(max_size=40) | st.binary(max_size=20).map(lambda b: b.decode("latin-1")))
def test_no_contents_path_makes_the_server_fail(path, call, jp_asyncio_loop):
    reply = jp_asyncio_loop.run_until_complete(
        call("POST", "edi/submissions/inspect", {"path": path})
    )
    if path:
        assert reply.status in (400, 404)
