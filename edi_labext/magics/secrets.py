"""Keep tokens off the line and out of IPython's history."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_VARIABLE = "USER_ACCESS_TOKEN"
_FLAG = re.compile(r"(?<![\w-])--?(jwt-?token|user-?token|token|bearer|api-?key|password)\b", re.I)
_TOKEN = re.compile(
    rf"\beyJ[\w-]{{8,}}\.[\w-]{{2,}}|\bbearer\s+\w[\w.~+/=-]{{15,}}|\b{_VARIABLE}\s*=", re.I
)
_ADDRESS = re.compile(r"(?<![\w-])--rest-server\b")
#: Shorter ones are too likely to be found by chance.
_SHORTEST = 8
_INSTEAD = "# a line with a token, which was refused and not kept"


def refuse_secrets(line: str, env: Mapping[str, str], shell: InteractiveShell) -> None:
    """Refuse a line with a token or an address on it, and forget a token.

    A notebook is saved with its cells, and IPython keeps a history; a token belongs in neither.
    An address on the line could send the token of the environment to anybody.

    Raises
    ------
    UsageError
        Without what was found.
    """
    token = env.get(_VARIABLE, "").strip()
    own = len(token) >= _SHORTEST and token in line
    if own or _FLAG.search(line) or _TOKEN.search(line):
        _forget_input(shell, line)
        raise UsageError(
            "%edi takes no token on the line, where the notebook would keep it: use the "
            f"environment ({_VARIABLE}) instead, and delete this cell's text."
        )
    if _ADDRESS.search(line):
        raise UsageError(
            "%edi takes no address on the line: use the environment (EDI_REST_SERVER) instead."
        )


def _forget_input(shell: InteractiveShell, line: str) -> None:
    """Replace the running cell in all places where IPython has already put it."""
    history: Any = shell.history_manager
    # Best effort on purpose: half of these places are IPython's own and may move.
    with contextlib.suppress(AttributeError, IndexError, TypeError, sqlite3.Error):
        if line not in history.input_hist_raw[-1]:
            return
        kept = history.input_hist_raw[-1]
        history.input_hist_raw[-1] = history.input_hist_parsed[-1] = _INSTEAD
        for name in ("_i", "_i00"):
            setattr(history, name, _INSTEAD)
        for name, value in list(shell.user_ns.items()):
            if name.startswith("_i") and value == kept:
                shell.user_ns[name] = _INSTEAD
        number = len(history.input_hist_raw) - 1
        with history.db_input_cache_lock:
            history.db_input_cache[:] = [
                (line_number, _INSTEAD, _INSTEAD) if raw == kept else (line_number, source, raw)
                for line_number, source, raw in history.db_input_cache
            ]
            with history.db:
                history.db.execute(
                    "UPDATE history SET source = ?, source_raw = ? WHERE session = ? AND line = ?",
                    (_INSTEAD, _INSTEAD, history.session_number, number),
                )
