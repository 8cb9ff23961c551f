"""The magics against an EDI that misbehaves, and which of several EDIs they mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from support.misbehaving_edi import GATEWAY_PAGE, LOGIN_PAGE, MisbehavingEdi, misbehaving_edi

from edi_labext.client.environment_changes import make_settings
from edi_labext.client.environment_settings import SessionToken, VariableSecret
from edi_labext.client.environment_store import EnvironmentStore, default_settings_file
from edi_labext.errors import NotConfigured, UpstreamUnauthorized

TOKEN = "canary-77e1c3-of-the-magics"


@pytest.fixture(scope="module")
def process() -> Iterator[MisbehavingEdi]:
    with misbehaving_edi() as running:
        yield running


@pytest.fixture
def server(process: MisbehavingEdi) -> MisbehavingEdi:
    process.heal()
    process.accept(TOKEN)
    process.add("digits", "enabled")
    process.received()
    return process


@pytest.fixture
def remote(
    shell: InteractiveShell,
    server: MisbehavingEdi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> InteractiveShell:
    """The shell, with a stored environment that is the default."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter-config"))
    monkeypatch.setenv("USER_ACCESS_TOKEN", TOKEN)
    store = EnvironmentStore(default_settings_file())
    made = make_settings(title="Mine", address=server.url)
    bound = made.model_copy(update={"token": VariableSecret(), "token_origins": made.origins})
    store.put("mine", lambda old: bound)
    store.choose("mine")
    return shell


def test_a_refused_token_is_renewed_where_a_notebook_gets_it(
    remote: InteractiveShell, server: MisbehavingEdi, capsys: pytest.CaptureFixture[str]
) -> None:
    server.accept("another")
    with pytest.raises(UpstreamUnauthorized) as refused:
        remote.run_line_magic("edi", "list")
    assert "set USER_ACCESS_TOKEN, restart JupyterLab" in (refused.value.hint or "")
    store = EnvironmentStore(default_settings_file())
    made = store.load().environments["mine"]
    store.put("mine", lambda old: made.model_copy(update={"token": SessionToken()}))
    with pytest.raises(NotConfigured) as missing:
        remote.run_line_magic("edi", "list")
    assert "stays there" in (missing.value.hint or "")


def test_a_stored_environment_is_meant_until_another_is_chosen(
    remote: InteractiveShell, server: MisbehavingEdi, tmp_path: Path
) -> None:
    assert "digits" in repr(remote.run_line_magic("edi", "list"))
    table = repr(remote.run_line_magic("edi", "env"))
    assert [line.split()[0] for line in table.splitlines()[1:]] == ["local", "mine"]
    assert "in use" in table.splitlines()[-1]
    chosen = repr(remote.run_line_magic("edi", "env local"))
    assert "in use" in chosen.splitlines()[1]
    assert "digits" in repr(remote.run_line_magic("edi", "list -e mine"))
    assert not (tmp_path / "store").exists(), "no engine was needed"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 200, "body": LOGIN_PAGE},
        {"kind": "status", "status": 502, "body": GATEWAY_PAGE},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 302, "headers": {"Location": "https://login.example.com"}},
        {"kind": "truncate"},
    ],
    ids=["login page", "gateway", "expired", "redirect", "truncated"],
)
@pytest.mark.parametrize("line", ["list", "view digits", "profile digits"])
def test_failures_are_one_line(
    remote: InteractiveShell,
    server: MisbehavingEdi,
    capsys: pytest.CaptureFixture[str],
    line: str,
    fault: dict[str, object],
) -> None:
    server.fault(**fault)  # type: ignore[arg-type]
    remote.run_cell(f"%edi {line}")
    shown = "".join(capsys.readouterr())
    assert "127.0.0.1" in shown
    assert "Traceback" not in shown
    assert TOKEN not in shown
    assert remote.run_cell("1 + 1").result == 2


def test_a_profile_whose_answer_was_lost(
    remote: InteractiveShell, server: MisbehavingEdi, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add("digits")

    def save(kernels: int) -> tuple[object, str]:
        cell = f'%%edi profile digits\n{{"policy": {{"kernel_min": {kernels}}}}}'
        result = remote.run_cell(cell).result
        puts = [request for request in server.received() if request["method"] == "PUT"]
        assert len(puts) == 1
        return result, "".join(capsys.readouterr())

    server.fault("commit-reset", "PUT", times=1)
    result, shown = save(2)
    assert "Stopped" in repr(result)
    assert "Error" not in shown
    assert server.look()["profiles"]["digits"]["policy"]["kernel_min"] == 2
    server.fault("status", "PUT", times=1, status=504, body=GATEWAY_PAGE)
    result, shown = save(3)
    assert result is None
    assert "UpstreamTimeout: The profile of digits was not saved: " in shown
    assert "Traceback" not in shown


def test_a_broken_settings_file_is_named_where_it_matters(
    remote: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    path = default_settings_file()
    path.write_text('{"enviroments": {}}')
    remote.run_cell("%edi list -e mine")
    shown = "".join(capsys.readouterr())
    assert "did you mean environments" in shown
    assert "Traceback" not in shown
