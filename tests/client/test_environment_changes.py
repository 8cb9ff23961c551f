"""Where a token may go: only to hosts that somebody agreed to by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.scripted_edi import Reply, ScriptedEdi, scripted_edi

from edi_labext.client import EnvironmentSet, LocalEngine
from edi_labext.client.addresses import derive, parse_server
from edi_labext.client.environment_changes import make_settings
from edi_labext.client.environment_settings import (
    EnvironmentSettings,
    FileSecret,
    LoginToken,
    SessionToken,
    VariableSecret,
)
from edi_labext.client.environment_store import EnvironmentStore
from edi_labext.errors import Conflict, EdiError, InvalidInput, NotConfigured, NotFound

CANARY = "canary-7c1d2b9e-of-the-environments"


@pytest.fixture
def env() -> dict[str, str]:
    return {"USER_ACCESS_TOKEN": CANARY}


@pytest.fixture
def environments(tmp_path: Path, env: dict[str, str]) -> Iterator[EnvironmentSet]:
    made = EnvironmentSet(
        env,
        LocalEngine(tmp_path / "store", "jupyter"),
        settings=EnvironmentStore(tmp_path / "config" / "environments.json"),
    )
    yield made
    made.close()


@pytest.fixture
def edi() -> Iterator[ScriptedEdi]:
    with scripted_edi() as server:
        server.on("GET", "/model", Reply.json([]))
        yield server


@pytest.fixture
def elsewhere() -> Iterator[ScriptedEdi]:
    with scripted_edi() as server:
        server.on("GET", "/model", Reply.json([]))
        yield server


def settings(address: str, **more: object) -> EnvironmentSettings:
    return make_settings(title="Mine", address=address, **more)


def add(environments: EnvironmentSet, server: ScriptedEdi, name: str = "mine") -> list[str]:
    made = settings(server.url)
    environments.changes.save(name, made, made.hosts)
    environments.changes.choose_token(name, VariableSecret(), made.hosts)
    return made.hosts


@pytest.mark.parametrize(
    ("written", "console", "inference"),
    [
        (
            "https://wmla-console-ns.apps.x.com",
            "https://wmla-console-ns.apps.x.com/dlim/v1/",
            "https://wmla-inference-ns.apps.x.com/dlim/v1/",
        ),
        (
            "https://wmla-inference-ns.apps.x.com/dlim/v1/inference/digits",
            "https://wmla-console-ns.apps.x.com/dlim/v1/",
            "https://wmla-inference-ns.apps.x.com/dlim/v1/",
        ),
        ("https://wmla-console.x.com:8443/dlim/v1/docs/", None, None),
        ("https://cpd.x.com/", "https://cpd.x.com/dlim/v1/", "https://cpd.x.com/dlim/v1/"),
        ("https://h.x.com:9000", "https://h.x.com:9000/dlim/v1/", "https://h.x.com:9000/dlim/v1/"),
        ("https://wmla-consoles.x.com/", "https://wmla-consoles.x.com/dlim/v1/", None),
        ("HTTPS://CPD.x.com:443/dlim/v1", "https://cpd.x.com/dlim/v1/", None),
    ],
)
def test_console_and_inference_hosts_are_derived(
    written: str, console: str | None, inference: str | None
) -> None:
    made = settings(written)
    assert (made.base_url, made.inference_url) == derive(parse_server(written))
    if console:
        assert made.base_url == console
    if inference:
        assert made.inference_url == inference


def test_a_given_inference_host_is_kept() -> None:
    made = settings("https://wmla-console.x.com", inference_address="https://own.x.com/")
    assert made.hosts == ["wmla-console.x.com", "own.x.com"]


def test_an_environment_is_added_and_used(environments: EnvironmentSet, edi: ScriptedEdi) -> None:
    hosts = add(environments, edi)
    [_, mine] = environments.list()
    assert (mine.id, mine.kind, mine.host, mine.source) == ("mine", "remote", hosts[0], "stored")
    assert environments.connect("mine").list_models() == []
    assert edi.received[-1].headers["x-auth-token"] == CANARY
    assert CANARY not in environments.settings.path.read_text()


@pytest.mark.parametrize("confirmed", [[], ["127.0.0.1"], ["example.com"], ["*"]])
def test_nothing_is_kept_without_the_name_of_the_host(
    environments: EnvironmentSet, confirmed: list[str]
) -> None:
    made = settings("https://wmla-console.x.com")
    for hosts in (confirmed, [*confirmed, "wmla-console.x.com"]):
        with pytest.raises(Conflict) as raised:
            environments.changes.save("mine", made, hosts)
        assert raised.value.code == "confirmation_needed"
        assert "wmla-inference.x.com" in str(raised.value.detail)
    assert [item.id for item in environments.list()] == ["local"]


def test_another_origin_clears_the_token(
    environments: EnvironmentSet, edi: ScriptedEdi, elsewhere: ScriptedEdi
) -> None:
    hosts = add(environments, edi)
    environments.changes.paste_token("mine", "pasted-token", hosts)
    other = settings(elsewhere.url)
    with pytest.raises(Conflict):
        environments.changes.save("mine", other, hosts)
    kept = environments.changes.save("mine", other, other.hosts)
    assert (kept.token, kept.token_origins) == (None, [])
    with pytest.raises(NotConfigured) as raised:
        environments.connect("mine")
    assert raised.value.code == "no_token"
    # Back at the first address, the token is not back.
    environments.changes.save("mine", settings(edi.url), hosts)
    with pytest.raises(NotConfigured):
        environments.connect("mine")
    assert elsewhere.received == edi.received == []


def test_a_settings_object_cannot_bring_its_own_token(
    environments: EnvironmentSet, edi: ScriptedEdi
) -> None:
    made = settings(edi.url, token=VariableSecret(), token_origins=[edi.origin])
    kept = environments.changes.save("mine", made, made.hosts)
    assert kept.token is None


def test_an_address_edited_by_hand_leaves_the_token_behind(
    environments: EnvironmentSet, edi: ScriptedEdi, elsewhere: ScriptedEdi
) -> None:
    add(environments, edi)
    path = environments.settings.path
    text = path.read_text()
    changed = text.replace(f'"address": "{edi.url}"', f'"address": "{elsewhere.url}"')
    assert changed != text
    path.write_text(changed)
    with pytest.raises(NotConfigured) as raised:
        environments.connect("mine")
    assert raised.value.code == "no_token"
    assert elsewhere.received == []


def test_a_title_changes_without_a_question_and_keeps_the_token(
    environments: EnvironmentSet, edi: ScriptedEdi
) -> None:
    add(environments, edi)
    made = make_settings(title="New", address=edi.url, production=True, upload="multipart")
    assert environments.changes.save("mine", made, []).token == VariableSecret()
    assert environments.connect("mine").list_models() == []


@pytest.mark.parametrize("more", [{"verify": False}, {"proxy": "http://p.example.com:1"}])
def test_what_opens_the_way_needs_agreement_too(
    environments: EnvironmentSet, edi: ScriptedEdi, more: dict[str, object]
) -> None:
    hosts = add(environments, edi)
    made = settings(edi.url, **more)
    with pytest.raises(Conflict):
        environments.changes.save("mine", made, [])
    assert environments.changes.save("mine", made, hosts).token == VariableSecret()


def test_the_password_of_a_log_in_needs_its_host_named(
    environments: EnvironmentSet, edi: ScriptedEdi
) -> None:
    hosts = add(environments, edi)
    login = LoginToken(username="me", address="https://cpd.example.com/zen")
    with pytest.raises(Conflict) as raised:
        environments.changes.choose_token("mine", login, hosts)
    assert raised.value.detail == "cpd.example.com"
    kept = environments.changes.choose_token("mine", login, [*hosts, "cpd.example.com"])
    assert kept.is_token_bound


def test_a_pasted_token(
    environments: EnvironmentSet, edi: ScriptedEdi, env: dict[str, str]
) -> None:
    hosts = add(environments, edi)
    for bad in ([], ["x"]):
        with pytest.raises(Conflict):
            environments.changes.paste_token("mine", "pasted-token", bad)
    environments.changes.paste_token("mine", " Bearer pasted-token\n", hosts)
    environments.connect("mine").list_models()
    assert edi.received[-1].headers["x-auth-token"] == "pasted-token"
    assert environments.token_state("mine").pasted
    assert "pasted-token" not in environments.settings.path.read_text()
    assert "pasted-token" not in repr([environments, environments.pasted, environments.list()])
    environments.pasted.forget("mine")
    environments.connect("mine").list_models()
    assert edi.received[-1].headers["x-auth-token"] == CANARY


def test_a_pasted_token_of_the_variables_environment_stays_with_its_address(
    environments: EnvironmentSet, edi: ScriptedEdi, elsewhere: ScriptedEdi, env: dict[str, str]
) -> None:
    env["EDI_REST_SERVER"] = edi.url
    environments.changes.paste_token("wmla", "pasted-token", environments.describe("wmla").hosts)
    environments.connect("wmla").list_models()
    env["EDI_REST_SERVER"] = elsewhere.url
    environments.connect("wmla").list_models()
    assert edi.received[-1].headers["x-auth-token"] == "pasted-token"
    assert elsewhere.received[-1].headers["x-auth-token"] == CANARY


def test_a_session_token_waits_for_its_paste(
    environments: EnvironmentSet, edi: ScriptedEdi
) -> None:
    hosts = add(environments, edi)
    environments.changes.choose_token("mine", SessionToken(), hosts)
    with pytest.raises(NotConfigured) as raised:
        environments.connect("mine")
    assert raised.value.code == "no_token"
    environments.changes.paste_token("mine", "pasted-token", hosts)
    assert environments.connect("mine").list_models() == []


@pytest.mark.parametrize("name", ["local", "wmla"])
def test_what_is_given_cannot_be_changed(
    environments: EnvironmentSet, env: dict[str, str], name: str
) -> None:
    env["EDI_REST_SERVER"] = "https://wmla.example.com"
    made = settings("https://a.example.com")
    with pytest.raises(InvalidInput):
        environments.changes.save(name, made, made.hosts)
    for change in (
        lambda: environments.changes.choose_token(name, SessionToken(), []),
        lambda: environments.changes.remove(name),
    ):
        with pytest.raises(Conflict) as raised:
            change()
        assert raised.value.code == "not_stored"


def test_remove_and_default(
    environments: EnvironmentSet, edi: ScriptedEdi, env: dict[str, str]
) -> None:
    add(environments, edi)
    assert environments.default == "local"
    environments.changes.use("mine")
    assert environments.default == "mine"
    env["EDI_REST_SERVER"] = edi.url
    assert environments.default == "wmla", "a variable is nearer than a file"
    del env["EDI_REST_SERVER"]
    environments.changes.remove("mine")
    assert environments.default == "local"
    for call in (environments.changes.use, environments.changes.remove, environments.connect):
        with pytest.raises(NotFound):
            call("mine")


def test_a_broken_file_leaves_the_others_alone(
    environments: EnvironmentSet, edi: ScriptedEdi, env: dict[str, str]
) -> None:
    add(environments, edi)
    environments.settings.path.write_text("{")
    env["EDI_REST_SERVER"] = edi.url
    assert [item.id for item in environments.list()] == ["local", "wmla"]
    assert environments.problem is not None
    assert environments.connect("wmla").list_models() == []
    with pytest.raises(EdiError) as raised:
        environments.connect("mine")
    assert raised.value.code == "bad_environments_file"


@pytest.mark.parametrize(
    "proxy", ["http://u:p@p.example.com:1", "socks5://p:1", "http://", "http://p/x"]
)
def test_proxies_that_are_not_kept(environments: EnvironmentSet, proxy: str) -> None:
    made = settings("https://a.example.com", proxy=proxy)
    with pytest.raises(InvalidInput) as raised:
        environments.changes.save("mine", made, made.hosts)
    assert raised.value.field == "proxy"


def test_a_token_file_and_its_end(
    environments: EnvironmentSet, edi: ScriptedEdi, tmp_path: Path
) -> None:
    hosts = add(environments, edi)
    path = tmp_path / "token"
    path.write_text("eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2ln\n")
    path.chmod(0o600)
    environments.changes.choose_token("mine", FileSecret(path=str(path)), hosts)
    state = environments.token_state("mine")
    assert (state.kind, state.expires, state.pasted) == ("file", 1_700_000_000.0, False)


def test_an_unchecked_certificate_is_said_aloud_once(
    tmp_path: Path, edi: ScriptedEdi, env: dict[str, str]
) -> None:
    said: list[str] = []
    environments = EnvironmentSet(
        env,
        LocalEngine(tmp_path / "store", "jupyter"),
        settings=EnvironmentStore(tmp_path / "environments.json"),
        warn=said.append,
    )
    made = settings(edi.url, verify=False)
    environments.changes.save("mine", made, made.hosts)
    environments.changes.choose_token("mine", VariableSecret(), made.hosts)
    assert environments.list()[-1].insecure
    for _ in range(3):
        environments.connect("mine")
    [warning] = said
    assert "NOT checked" in warning
    assert edi.origin.removeprefix("http://") in warning
