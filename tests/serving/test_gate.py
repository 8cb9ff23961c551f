"""The gate as a pure function; what travels over sockets is in ``test_bad_http.py``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.errors import EdiError
from edi_labext.serving.http.credentials import Credentials, Identity
from edi_labext.serving.http.gate import PUBLIC_PAGES, PUBLIC_ROUTES, Admitted, Gate
from edi_labext.serving.routes.table import ROUTES
from edi_labext.serving.settings import Settings

TOKEN = "ab" * 32
CREDENTIALS = Credentials(TOKEN)
SETTINGS = Settings(store=Path("store"), host="127.0.0.5")
GATE = Gate(SETTINGS, CREDENTIALS, 9000)
HOST = (b"host", b"127.0.0.1:9000")
AUTH = (b"x-auth-token", TOKEN.encode())


def test_inference_is_recognised():
    verdict = GATE.admit(b"POST", b"/dlim/v1/inference/digits-2", [HOST, AUTH])
    assert verdict == Admitted(
        kind="inference",
        identity=Identity("local", "all"),
        body_limit=64 << 20,
        deployment="digits-2",
        expects_continue=False,
        length=0,
    )


@pytest.mark.parametrize(
    ("method", "target", "kind", "limit"),
    [
        (b"POST", b"/dlim/v1/inference/Not-A-Name", "inference", 64 << 20),
        (b"POST", b"/dlim/v1/inference/a?b=c", "inference", 64 << 20),
        (b"POST", b"/dlim/v1/deployment/model", "upload", 2 << 30),
        (b"POST", b"/dlim/v1/deployment/model/digits", "upload", 2 << 30),
        (b"POST", b"/dlim/v1/deployment/modelx", "control", 1 << 20),
        (b"PUT", b"/dlim/v1/deployment/model", "control", 1 << 20),
        (b"PUT", b"/dlim/v1/inference/a", "control", 1 << 20),
        (b"GET", b"/", "control", 1 << 20),
    ],
)
def test_kinds(method, target, kind, limit):
    verdict = GATE.admit(method, target, [HOST, AUTH])
    assert isinstance(verdict, Admitted)
    assert (verdict.kind, verdict.body_limit, verdict.deployment) == (kind, limit, None)


def test_hosts():
    for host in (b"127.0.0.1:9000", b"LOCALHOST:9000", b"[::1]:9000", b"127.0.0.5:9000"):
        assert isinstance(GATE.admit(b"GET", b"/", [(b"host", host), AUTH]), Admitted)
    plain = (b"host", b"localhost")
    assert isinstance(GATE.admit(b"GET", b"/", [plain, AUTH]), EdiError)
    assert isinstance(Gate(SETTINGS, CREDENTIALS, 80).admit(b"GET", b"/", [plain, AUTH]), Admitted)
    six = Gate(Settings(store=Path("store"), host="0:0:0:0:0:0:0:1"), CREDENTIALS, 9000)
    host = (b"host", b"[0:0:0:0:0:0:0:1]:9000")
    assert isinstance(six.admit(b"GET", b"/", [host, AUTH]), Admitted)


def test_public_routes_are_those_of_the_table():
    table = {(row.method.encode(), row.path.encode()) for row in ROUTES if row.permission is None}
    assert table == PUBLIC_ROUTES


def test_every_other_route_needs_a_token():
    for row in ROUTES:
        path = row.path.replace("{name}", "digits").encode()
        for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE"):
            verdict = GATE.admit(method, path, [HOST])
            if (method.replace(b"HEAD", b"GET"), path) in PUBLIC_ROUTES:
                assert isinstance(verdict, Admitted)
                assert verdict.identity is None
            else:
                assert isinstance(verdict, EdiError)
                assert verdict.http_status == 401


def test_service_token_opens_no_route_but_inference():
    service = (b"x-auth-token", CREDENTIALS.service_token("ada").encode())
    for row in ROUTES:
        if row.permission is None:
            continue
        path = row.path.replace("{name}", "digits").encode()
        verdict = GATE.admit(row.method.encode(), path, [HOST, service])
        assert isinstance(verdict, Admitted) == (row.permission == "Run"), row


def test_public_routes_still_check_the_rest():
    origin = (b"origin", b"http://evil")
    for method, path in PUBLIC_ROUTES:
        for headers in ([(b"host", b"evil")], [HOST, origin], [HOST, HOST]):
            assert isinstance(GATE.admit(method, path, headers), EdiError)


def test_links_lead_to_the_documentation_and_nowhere_else():
    followed = [HOST, (b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate")]
    for page in PUBLIC_PAGES:
        assert isinstance(GATE.admit(b"GET", page, followed), Admitted)
        assert isinstance(GATE.admit(b"POST", page, followed), EdiError)
        assert isinstance(GATE.admit(b"GET", page, [*followed, (b"origin", b"http://e")]), EdiError)
    for path in (b"/dlim/v1/model", b"/edi/v1/hello", b"/dlim/v1/docs/x"):
        assert isinstance(GATE.admit(b"GET", path, [*followed, AUTH]), EdiError)


def test_length_and_chunks():
    path = b"/dlim/v1/inference/a"
    both = [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")]
    refused = [
        both,
        [(b"content-length", "٣".encode())],
        [(b"content-length", b"\xb2")],
        [(b"content-length", b"")],
        [(b"content-length", b"9" * 5000)],
        [(b"transfer-encoding", b"gzip")],
    ]
    for headers in refused:
        assert isinstance(GATE.admit(b"POST", path, [HOST, AUTH, *headers]), EdiError), headers
    chunked = GATE.admit(b"POST", path, [HOST, AUTH, both[1]])
    assert isinstance(chunked, Admitted)
    assert chunked.length is None
    assert isinstance(GATE.admit(b"POST", path, [HOST, AUTH, both[1]], "1.0"), EdiError)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                b"host x-auth-token authorization origin content-length expect "
                b"transfer-encoding content-encoding sec-fetch-site x-other"
            ).split()
        ),
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([HOST[1], AUTH[1], b"chunked", b"3", b"none", b"Bearer " + AUTH[1]]),
        ),
    ),
    max_size=8,
)


@given(
    st.sampled_from([b"GET", b"POST", b"FOO"]),
    st.one_of(st.binary(max_size=60), st.just(b"/dlim/v1/inference/a")),
    HEADERS,
    st.sampled_from(["1.0", "1.1", "2.0"]),
)
@hypothesis_settings(max_examples=examples(300))
def test_any_request_has_a_verdict(method, target, headers, version):
    verdict = GATE.admit(method, target, headers, version)
    assert isinstance(verdict, Admitted | EdiError)
    if isinstance(verdict, Admitted):
        assert any(value.strip() in (HOST[1],) for name, value in headers if name == b"host")
        assert verdict.identity is not None
        assert any(AUTH[1] in value for _, value in headers)
    else:
        assert 400 <= verdict.http_status < 500
        assert TOKEN not in verdict.message
