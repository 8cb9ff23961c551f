"""Who may call what: generated from the route table, so a new route is tested as it is added."""

from __future__ import annotations

import json

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError
from tornado.web import RequestHandler

from edi_labext.extension.app import EdiLabext
from edi_labext.extension.urls import ROUTES

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ARGUMENTS = {"env": "local", "name": "digits", "job": "0123456789abcdef"}

#: The permission that every verb of every route needs.
EXPECTED = {
    ("GET", "info"): "read",
    ("PUT", "environments/{env}"): "execute",
    ("DELETE", "environments/{env}"): "execute",
    ("PUT", "environments/{env}/token"): "execute",
    ("DELETE", "environments/{env}/token"): "execute",
    ("POST", "environments/{env}/test"): "execute",
    ("POST", "environments/{env}/lease"): "read",
    ("GET", "environments/{env}/runtimes"): "read",
    ("GET", "environments/{env}/deployments"): "read",
    ("POST", "environments/{env}/deployments"): "execute",
    ("GET", "environments/{env}/deployments/{name}"): "read",
    ("DELETE", "environments/{env}/deployments/{name}"): "execute",
    ("POST", "environments/{env}/deployments/{name}/start"): "execute",
    ("POST", "environments/{env}/deployments/{name}/stop"): "execute",
    ("POST", "environments/{env}/deployments/{name}/restart"): "execute",
    ("GET", "environments/{env}/deployments/{name}/profile"): "read",
    ("PUT", "environments/{env}/deployments/{name}/profile"): "execute",
    ("POST", "environments/{env}/deployments/{name}/profile/diff"): "read",
    ("PUT", "environments/{env}/deployments/{name}/profile/next"): "execute",
    ("DELETE", "environments/{env}/deployments/{name}/profile/next"): "execute",
    ("GET", "environments/{env}/deployments/{name}/sample-payload"): "read",
    ("POST", "environments/{env}/deployments/{name}/infer"): "execute",
    ("POST", "submissions/inspect"): "execute",
    ("POST", "submissions/fix"): "execute",
    ("GET", "jobs"): "read",
    ("GET", "jobs/{job}"): "read",
    ("DELETE", "jobs/{job}"): "execute",
}


class DenyAll(Authorizer):
    """Refuses everybody and remembers what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012

    def is_authorized(self, handler, user, action, resource):
        self.asked.append((action, resource))
        return False


class Untouchable:
    """A service that nobody may use."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    def __getattr__(self, name):
        self.touched.append(name)
        raise AssertionError(f"{name} was used")


@pytest.fixture
def untouchable(monkeypatch):
    service = Untouchable()

    async def give(app):
        return service

    monkeypatch.setattr(EdiLabext, "service", give)
    return service


def implemented(route, verb):
    method = getattr(route.handler, verb.lower())
    return method is not RequestHandler._unimplemented_method


def test_the_table_above_is_the_route_table():
    present = {
        (verb, route.pattern) for route in ROUTES for verb in VERBS if implemented(route, verb)
    }
    assert present == set(EXPECTED)


def test_every_verb_is_a_method_of_its_own():
    """jupyter_server's decorator remembers per function, so none may be shared."""
    for route in ROUTES:
        for verb in VERBS:
            if implemented(route, verb):
                assert verb.lower() in vars(route.handler)


@pytest.mark.parametrize("jp_base_url", ["/a%40b/", "/x/y/"])
@pytest.mark.parametrize("default_open", [False, True])
async def test_nobody_gets_in_without_a_token(jp_serverapp, default_open, call, untouchable):
    jp_serverapp.web_app.settings["allow_unauthenticated_access"] = default_open
    for route in ROUTES:
        for verb in VERBS:
            for credentials in ({}, {"Authorization": "token wrong"}, {"Cookie": "username-x=1"}):
                raw = b"{}" if verb in ("POST", "PUT", "PATCH") else None
                path = route.url(**ARGUMENTS)
                reply = await call(verb, path, raw=raw, headers=credentials, signed_in=False)
                assert reply.status == 403, (verb, path, credentials)
    assert not untouchable.touched


async def test_a_websocket_without_a_token_gets_nowhere(jp_ws_fetch, untouchable):
    for route in ROUTES:
        with pytest.raises(HTTPClientError) as refused:
            await jp_ws_fetch(*route.url(**ARGUMENTS).split("/"), headers={"Authorization": "x"})
        assert refused.value.code == 403
    assert not untouchable.touched


def test_jupyter_finds_every_verb_decorated(jp_web_app):
    for route in ROUTES:
        assert jp_web_app._check_handler_auth(route.regex, route.handler) == []


@pytest.fixture
def jp_server_config(jp_server_config, request):
    if "denied" in request.node.name:
        jp_server_config["ServerApp"]["authorizer_class"] = DenyAll
        DenyAll.asked = []
    return jp_server_config


async def test_the_denied_do_nothing_and_the_right_permission_is_asked(call, untouchable):
    for (verb, pattern), action in EXPECTED.items():
        route = next(route for route in ROUTES if route.pattern == pattern)
        DenyAll.asked.clear()
        raw = b"{}" if verb in ("POST", "PUT") else None
        reply = await call(verb, route.url(**ARGUMENTS), raw=raw)
        assert reply.status == 403
        assert reply.json["code"] == "forbidden"
        assert DenyAll.asked == [(action, "edi")], (verb, pattern)
    assert not untouchable.touched


def _set_cookies(reply):
    return dict(line.split(";")[0].split("=", 1) for line in reply.headers.get_list("Set-Cookie"))


@pytest.fixture
def browser(call, jp_serverapp):
    """Sign in as a browser does and return its cookies and its XSRF header."""

    async def sign_in():
        page = await call("GET", "login", signed_in=False)
        token = jp_serverapp.identity_provider.token
        home = await call("GET", f"login?token={token}", signed_in=False)
        cookies = {**_set_cookies(page), **_set_cookies(home)}
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return {"Cookie": header}, {"X-XSRFToken": cookies["_xsrf"]}

    return sign_in


async def test_a_cookie_alone_changes_nothing(call, untouchable, browser):
    cookie, xsrf = await browser()
    for verb, pattern in EXPECTED:
        if verb == "GET":
            continue
        path = next(route for route in ROUTES if route.pattern == pattern).url(**ARGUMENTS)
        raw = b"{}" if verb in ("POST", "PUT") else None
        reply = await call(verb, path, raw=raw, headers=cookie, signed_in=False)
        assert reply.status == 403, path
        foreign = {**cookie, **xsrf, "Origin": "http://evil.example"}
        reply = await call(verb, path, raw=raw, headers=foreign, signed_in=False)
        assert reply.status == 404, path
    assert not untouchable.touched


async def test_a_cookie_with_its_xsrf_token_is_let_in(call, browser):
    cookie, xsrf = await browser()
    reply = await call("DELETE", "edi/jobs/x", headers={**cookie, **xsrf}, signed_in=False)
    assert reply.status == 404
    assert reply.json["code"] == "no_such_job"


async def test_other_verbs_are_not_allowed_and_the_answer_says_which_are(call, untouchable):
    path = "edi/environments/local/deployments"
    for verb in ("HEAD", "PUT", "PATCH", "OPTIONS", "PROPFIND", "get"):
        raw = b"{}" if verb in ("PUT", "PATCH", "PROPFIND") else None
        reply = await call(verb, path, raw=raw)
        assert reply.status == 405, verb
        assert reply.headers["Allow"] == "GET, POST"
        if verb != "HEAD":
            assert reply.json["code"] == "method_not_allowed"
    assert not untouchable.touched


async def test_what_is_not_in_the_table_is_not_there(call):
    for path in (
        "edi",
        "edi/",
        "edi/nothing",
        "edi/environments",
        "edi/environments/local/deployments/a/b",
        "edi/environments/local/deployments/digits/redeploy",
        "edi/jobs/a/b",
        "edi/info/../info/x",
    ):
        assert (await call("GET", path)).status in (302, 404), path


def test_urls_quote_every_argument_as_one_segment():
    route = next(route for route in ROUTES if route.pattern.endswith("{name}"))
    url = route.url(env="local", name="../a b/?#%")
    assert url == "edi/environments/local/deployments/..%2Fa%20b%2F%3F%23%25"
    assert json.dumps(url)
