from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from edi_labext.client import EnvironmentSet, LocalEngine
from edi_labext.client.environments import parse_server
from edi_labext.errors import EdiError, NotConfigured, NotFound


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    return LocalEngine(tmp_path / "store", "jupyter")


def test_local_is_always_there(engine: LocalEngine) -> None:
    [local] = EnvironmentSet({}, engine).list()
    assert (local.id, local.kind, local.host) == ("local", "local", None)


def test_the_remote_one_is_listed_when_its_address_is_set(engine: LocalEngine) -> None:
    env = {"EDI_REST_SERVER": "https://wmla-console.example.com:8443/"}
    environments = EnvironmentSet(env, engine)
    _, remote = environments.list()
    assert (remote.id, remote.kind, remote.host) == (
        "wmla",
        "remote",
        "wmla-console.example.com:8443",
    )
    with pytest.raises(NotConfigured) as raised:
        environments.connect("wmla")
    assert raised.value.code == "no_token"
    assert "USER_ACCESS_TOKEN" in str(raised.value.hint)


def test_an_unusable_address_is_listed_and_explained_when_used(engine: LocalEngine) -> None:
    environments = EnvironmentSet(
        {"EDI_REST_SERVER": "http://wmla.example.com", "USER_ACCESS_TOKEN": "abc"}, engine
    )
    assert [item.host for item in environments.list()] == [None, None]
    with pytest.raises(NotConfigured) as raised:
        environments.connect("wmla")
    assert raised.value.code == "bad_address"


@pytest.mark.parametrize("name", ["", "nope", "wmla", "LOCAL", "../local"])
def test_an_unknown_environment(engine: LocalEngine, name: str) -> None:
    with pytest.raises(NotFound) as raised:
        EnvironmentSet({}, engine).connect(name)
    assert raised.value.code == "environment_not_found"
    assert engine.state == "stopped"


def test_the_token_is_read_anew_at_each_connect(engine: LocalEngine) -> None:
    env = {"EDI_REST_SERVER": "https://wmla.example.com", "USER_ACCESS_TOKEN": "first"}
    environments = EnvironmentSet(env, engine)
    client = environments.connect("wmla")
    assert client._exchange._token() == "first"
    env["USER_ACCESS_TOKEN"] = "second"
    assert environments.connect("wmla") is client
    assert client._exchange._token() == "second"
    env["USER_ACCESS_TOKEN"] = "two\nlines"
    with pytest.raises(NotConfigured):
        environments.connect("wmla")


def test_another_address_is_another_client(engine: LocalEngine) -> None:
    env = {"EDI_REST_SERVER": "https://a.example.com", "USER_ACCESS_TOKEN": "first"}
    environments = EnvironmentSet(env, engine)
    client = environments.connect("wmla")
    env["EDI_REST_SERVER"] = "https://b.example.com"
    assert environments.connect("wmla") is not client
    assert client.base_url == "https://a.example.com/dlim/v1/"


@pytest.mark.parametrize(
    ("raw", "base_url"),
    [
        ("https://w.example.com", "https://w.example.com/dlim/v1/"),
        ("https://w.example.com/", "https://w.example.com/dlim/v1/"),
        (" https://w.example.com/dlim/v1 ", "https://w.example.com/dlim/v1/"),
        ("https://w.example.com/dlim/v1/", "https://w.example.com/dlim/v1/"),
        ("https://w.example.com:9000", "https://w.example.com:9000/dlim/v1/"),
        ("https://w.example.com/prefix", "https://w.example.com/prefix/dlim/v1/"),
        ("HTTPS://W.Example.com", "https://w.example.com/dlim/v1/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/dlim/v1/"),
        ("http://localhost:8000/dlim/v1", "http://localhost:8000/dlim/v1/"),
        ("http://[::1]:8000", "http://[::1]:8000/dlim/v1/"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/dlim/v1/"),
    ],
)
def test_addresses_as_people_paste_them(raw: str, base_url: str) -> None:
    assert parse_server(raw) == base_url


@pytest.mark.parametrize(
    "raw",
    [
        "w.example.com",
        "//w.example.com",
        "ftp://w.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///dlim/v1",
        "http://w.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://user:secret@w.example.com",
        "https://user@w.example.com",
        "https://w.example.com?x=1",
        "https://w.example.com/dlim/v1/?",
        "https://w.example.com/#f",
        "https://w.example.com/../x",
        "https://w.example.com/a/%2e%2e",
        "https://w.example.com//x",
        "https://w.exa mple.com",
        "https://w.example.com\\@evil.example.com",
        "https://w.example.com:99999",
        "https://w.example.com:x",
        "https://[fe80::1%25eth0]",
        "https://[::1",
        "https://bücher.example.com",
        "https://w.example.com/\r\nX: 1",
    ],
)
def test_addresses_that_are_refused(raw: str) -> None:
    with pytest.raises(NotConfigured) as raised:
        parse_server(raw)
    assert "secret" not in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_own_authorities(engine: LocalEngine, tmp_path: Path, variable: str) -> None:
    env = {"EDI_REST_SERVER": "https://w.example.com", "USER_ACCESS_TOKEN": "abc"}
    env[variable] = str(tmp_path / "missing.pem")
    environments = EnvironmentSet(env, engine)
    with pytest.raises(EdiError) as raised:
        environments.connect("wmla")
    assert variable in raised.value.message
    (tmp_path / "missing.pem").write_text(Path(certifi.where()).read_text())
    assert environments.connect("wmla")._exchange.transport.network.verify == env[variable]
