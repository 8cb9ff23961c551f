"""No token on the line, nor in what IPython remembers (bad input 107)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

TOKEN = "eyJhbGciOiJIUzI1NiJ9.canary-canary-canary.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "line",
    [
        f"list --jwt-token {TOKEN}",
        f"list --jwt-token={TOKEN}",
        "list --jwt-token $USER_ACCESS_TOKEN",
        f"list --token {TOKEN}",
        f"list --Token={TOKEN}",
        f"list -token {TOKEN}",
        f"list --apikey {TOKEN}",
        f"infer digits 'Bearer {TOKEN}",
        "infer digits 'Bearer 0123456789abcdef0",
        f"list USER_ACCESS_TOKEN={TOKEN}",
        f"view {TOKEN}",
    ],
)
def test_a_token_is_refused_and_not_repeated(shell: InteractiveShell, line: str) -> None:
    with pytest.raises(UsageError) as raised:
        shell.run_line_magic("edi", line)
    assert "use the environment (USER_ACCESS_TOKEN)" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_the_environments_own_token_is_known(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_ACCESS_TOKEN", "plain-but-secret")
    with pytest.raises(UsageError, match="takes no token"):
        shell.run_line_magic("edi", "view plain-but-secret")


def test_an_address_is_refused(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="EDI_REST_SERVER"):
        shell.run_line_magic("edi", "list --rest-server https://evil.example")


@pytest.mark.parametrize("line", ["view token", "deploy my-token-folder", "stop bearer"])
def test_words_that_only_look_alike_are_taken(shell: InteractiveShell, line: str) -> None:
    with pytest.raises(UsageError) as raised:
        shell.run_line_magic("edi", f"{line} --no-such-flag")
    assert "has no flag" in str(raised.value)


@pytest.mark.parametrize("written", [False, True], ids=["cached", "written"])
@pytest.mark.parametrize("magic", ["%edi list", "%%edi infer x"])
def test_it_is_nowhere_in_the_history(
    shell: InteractiveShell,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    magic: str,
    written: bool,
) -> None:
    shell.run_cell("before = 1", store_history=True)
    if written:
        # As when the writing thread was faster than the magic.
        real = shell.history_manager.store_inputs

        def store(*arguments: object) -> None:
            real(*arguments)
            shell.history_manager.writeout_cache()

        shell.history_manager.store_inputs = store
    result = shell.run_cell(f"{magic} --jwt-token {TOKEN}\n{{}}", store_history=True)
    assert isinstance(result.error_in_exec, UsageError)
    shell.run_cell("after = 1", store_history=True)
    shell.history_manager.writeout_cache()
    held = [*shell.history_manager.input_hist_raw, *shell.history_manager.input_hist_parsed]
    held += [str(value) for name, value in shell.user_ns.items() if name != "__builtins__"]
    captured = capsys.readouterr()
    held += [captured.out, captured.err]
    assert not [text for text in held if "canary" in text]
    assert [line for *_, line in shell.history_manager.get_range()] == [
        "before = 1",
        "# a line with a token, which was refused and not kept",
        "after = 1",
    ]
    for file in tmp_path.rglob("history.sqlite*"):
        with sqlite3.connect(file) as database:
            rows = list(database.execute("SELECT source, source_raw FROM history"))
        database.close()
        assert "canary" not in str(rows)
