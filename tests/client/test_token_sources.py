"""Tokens from programs, log-ins and pastes: fetched when needed, renewed once, shown nowhere."""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.misbehaving_edi import MisbehavingEdi, misbehaving_edi

from edi_labext.client import EdiClient, EnvironmentSet, LocalEngine
from edi_labext.client.environment_changes import make_settings
from edi_labext.client.environment_settings import (
    CommandToken,
    FileSecret,
    KeyringSecret,
    LoginToken,
    TokenSettings,
    VariableSecret,
)
from edi_labext.client.environment_store import EnvironmentStore
from edi_labext.client.token_sources import keyring_service, run_command
from edi_labext.client.tokens import FetchedToken
from edi_labext.errors import EdiError, NotConfigured, UpstreamUnauthorized

TOKEN = "canary-0e5f7a-of-the-sources"


@pytest.fixture(scope="module")
def process() -> Iterator[MisbehavingEdi]:
    with misbehaving_edi() as running:
        yield running


@pytest.fixture
def edi(process: MisbehavingEdi) -> MisbehavingEdi:
    process.heal()
    process.accept(TOKEN)
    process.received()
    return process


Use = Callable[[TokenSettings], EdiClient]


@pytest.fixture
def env() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


@pytest.fixture
def environments(tmp_path: Path, env: dict[str, str]) -> Iterator[EnvironmentSet]:
    made = EnvironmentSet(
        env,
        LocalEngine(tmp_path / "store", "jupyter"),
        settings=EnvironmentStore(tmp_path / "environments.json"),
    )
    yield made
    made.close()


@pytest.fixture
def use(environments: EnvironmentSet, edi: MisbehavingEdi) -> Use:
    """Connect to an environment whose token comes from there."""

    def make(token: TokenSettings) -> EdiClient:
        made = make_settings(title="Mine", address=edi.url)
        environments.changes.save("mine", made, made.hosts)
        environments.changes.choose_token("mine", token, made.hosts)
        return environments.connect("mine")

    return make


def program(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "print-token"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o700)
    return [str(path)]


def test_a_program_prints_a_token_once(use: Use, tmp_path: Path, edi: MisbehavingEdi) -> None:
    count = tmp_path / "count"
    text = f"open({str(count)!r}, 'a').write('x'); print({TOKEN!r})"
    client = use(CommandToken(command=program(tmp_path, text)))
    assert not count.exists(), "nothing is run before it is needed"
    for _ in range(3):
        client.list_models()
    assert count.read_text() == "x"


def test_a_refused_token_makes_the_program_run_again(
    use: Use, tmp_path: Path, edi: MisbehavingEdi
) -> None:
    count = tmp_path / "count"
    text = (
        f"f = open({str(count)!r}, 'a+'); f.write('x'); f.seek(0)\n"
        f"print('old' if f.read() == 'x' else {TOKEN!r})"
    )
    client = use(CommandToken(command=program(tmp_path, text)))
    assert client.list_models() == []
    assert count.read_text() == "xx"


def test_no_shell_sees_the_command(tmp_path: Path) -> None:
    command = program(tmp_path, "import sys; print(sys.argv[1].replace(' ', '_'))")
    assert run_command([*command, "$HOME;`id`"], os.environ) == "$HOME;`id`"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise SystemExit(3)", "status 3"),
        ("print('secret two')", "does not hold a token"),
        ("print('secret'); print('two')", "does not hold a token"),
        ("print()", "is empty"),
        ("print('sécret')", "does not hold a token"),
        ("print('x' * 100_000)", "does not hold a token"),
        ("import sys; print(sys.stdin.read() or 'no-input')", None),
    ],
)
def test_programs_that_fail(tmp_path: Path, text: str, told: str | None) -> None:
    command = program(tmp_path, text)
    if told is None:
        assert run_command(command, os.environ) == "no-input"
        return
    with pytest.raises(NotConfigured) as raised:
        run_command(command, os.environ)
    assert told in raised.value.message
    assert "secret" not in raised.value.message


@pytest.mark.parametrize("command", [["/nowhere/at/all"], ["/"], ["a\0b"]])
def test_programs_that_cannot_be_run(command: list[str]) -> None:
    with pytest.raises(NotConfigured) as raised:
        run_command(command, os.environ)
    assert raised.value.code == "token_command_failed"


def test_a_program_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edi_labext.client.token_sources.COMMAND_TIMEOUT", 0.2)
    with pytest.raises(NotConfigured, match="took longer"):
        run_command(program(tmp_path, "import time; time.sleep(60)"), os.environ)


# --- log-ins ----------------------------------------------------------------------------------


def login(service: str = "cpd", credential: str = "password", **more: object) -> LoginToken:
    return LoginToken.model_validate(
        {
            "username": "me",
            "service": service,
            "credential": credential,
            "secret": VariableSecret(variable="MY_SECRET"),
            **more,
        }
    )


@pytest.mark.parametrize(
    ("service", "credential"), [("cpd", "password"), ("cpd", "api_key"), ("edi", "password")]
)
def test_a_log_in_brings_a_token(
    use: Use, env: dict[str, str], edi: MisbehavingEdi, service: str, credential: str
) -> None:
    env["MY_SECRET"] = "right"
    client = use(login(service, credential))
    assert edi.received() == [], "nobody is asked before it is needed"
    client.list_models()
    client.list_models()
    first, *rest = edi.received()
    assert first["path"] == (
        "/dlim/v1/auth/token" if service == "edi" else "/icp4d-api/v1/authorize"
    )
    assert "x-auth-token" not in first["headers"]
    assert all(request["headers"]["x-auth-token"].startswith("logged-in-") for request in rest)
    assert len(rest) == 2
    # It ends; the next request logs in again, once.
    edi.accept()
    client.list_models()
    assert len(edi.received()) == 3


@pytest.mark.parametrize("release", ["2.3.0", "2.3.7"])
def test_both_names_of_the_token_are_read(
    environments: EnvironmentSet, env: dict[str, str], release: str
) -> None:
    env["MY_SECRET"] = "right"
    with misbehaving_edi(release) as edi:
        made = make_settings(title="Mine", address=edi.url)
        environments.changes.save("mine", made, made.hosts)
        environments.changes.choose_token("mine", login("edi"), made.hosts)
        assert environments.connect("mine").list_models() == []


@pytest.mark.parametrize("service", ["cpd", "edi"])
def test_a_wrong_password_is_tried_once(
    use: Use, env: dict[str, str], edi: MisbehavingEdi, service: str
) -> None:
    env["MY_SECRET"] = "wrong-secret"
    with pytest.raises(UpstreamUnauthorized) as raised:
        use(login(service)).list_models()
    assert raised.value.code == "login_refused"
    assert "lock" in str(raised.value.hint)
    assert "wrong-secret" not in f"{raised.value.message} {raised.value.hint}"
    assert len(edi.received()) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>Log in", "not JSON"),
        (b"{}", "no token"),
        (b'{"token": null}', "no token"),
        (b'{"token": "two words"}', "does not hold a token"),
        (b"[]", "not the object"),
    ],
)
def test_answers_to_a_log_in_without_a_token(
    use: Use, env: dict[str, str], edi: MisbehavingEdi, body: bytes, told: str
) -> None:
    env["MY_SECRET"] = "right"
    edi.fault("status", "POST", status=200, body=body)
    with pytest.raises(EdiError, match=told):
        use(login()).list_models()


@pytest.mark.parametrize("value", [None, "", "two\nlines", "x" * 5000])
def test_a_secret_that_is_not_there(
    use: Use, env: dict[str, str], edi: MisbehavingEdi, value: str | None
) -> None:
    if value is not None:
        env["MY_SECRET"] = value
    with pytest.raises(NotConfigured) as raised:
        use(login()).list_models()
    assert raised.value.code == "no_password"
    assert "MY_SECRET" in raised.value.message
    assert edi.received() == []


def test_a_secret_of_a_private_file(use: Use, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("right\n")
    path.chmod(0o600)
    client = use(login(secret=FileSecret(path=str(path))))
    assert client.list_models() == []
    path.chmod(0o644)
    fresh = use(login(secret=FileSecret(path=str(path)), credential="api_key"))
    with pytest.raises(NotConfigured):
        fresh.list_models()


KEYRING = """
def get_password(service, user):
    with open({asked!r}, "a") as file:
        file.write(service + " " + user)
    return {password!r}
"""


def test_a_secret_of_the_keyring(
    use: Use, edi: MisbehavingEdi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An operating system's keyring needs a desktop, which a test does not have.
    asked = tmp_path / "asked"
    (tmp_path / "keyring.py").write_text(KEYRING.format(asked=str(asked), password="right"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    assert use(login(secret=KeyringSecret())).list_models() == []
    assert asked.read_text() == f"{keyring_service(edi.origin)} me"
    monkeypatch.delitem(sys.modules, "keyring")


def test_no_keyring(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(NotConfigured) as raised:
        use(login(secret=KeyringSecret())).list_models()
    assert "edi_labext[keyring]" in str(raised.value.hint)


def test_no_secret_is_shown_anywhere(
    use: Use,
    environments: EnvironmentSet,
    env: dict[str, str],
    edi: MisbehavingEdi,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    env["MY_SECRET"] = "right"
    client = use(login())
    client.list_models()
    token = f"logged-in-{edi.look()['logins']}"
    edi.fault("status", status=500, body=f"You sent {token}".encode())
    with pytest.raises(EdiError) as raised:
        client.list_models()
    shown = [client, environments, environments.token("mine"), raised.value, raised.value.detail]
    text = f"{shown!r} {caplog.text} {environments.settings.path.read_text()}"
    assert "You sent [token]" in text
    assert token not in text
    assert "right" not in text


# --- how long -----------------------------------------------------------------------------------


def jwt(end: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{claims}.c2ln"


def test_a_fetched_token_is_fetched_anew_before_its_end() -> None:
    now = 1_000_000.0
    fetched: list[str] = []

    def fetch() -> str:
        fetched.append(jwt(now + 100))
        return fetched[-1]

    source = FetchedToken(fetch, advice="", name="x", clock=lambda: now)
    assert source.known() is None
    first = source()
    now += 60
    assert source() == source.known() == first
    now += 15
    assert source() != first
    assert len(fetched) == 2


def test_two_that_were_refused_together_fetch_once() -> None:
    tokens = iter(["one", "two", "three"])
    source = FetchedToken(lambda: next(tokens), advice="", name="x")
    rejected = source()
    assert (source.renew(rejected), source.renew(rejected)) == ("two", "two")
