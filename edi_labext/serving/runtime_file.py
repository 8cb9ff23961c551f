"""How a running engine is found: ``<store>/engine.json``.

The file names the address and the token *file*, never the token. It may be stale after a kill, so
a reader checks by ``GET /edi/v1/hello`` and never by process number alone.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

#: Name of the file in the store.
RUNTIME_FILE = "engine.json"


class RuntimeFile:
    """The runtime file of one store, written whole and readable by its owner only."""

    def __init__(self, store: Path) -> None:
        self._path = store / RUNTIME_FILE

    def write(self, facts: dict[str, Any]) -> None:
        """Replace the file by ``facts`` as JSON."""
        temporary = self._path.with_name(f".{RUNTIME_FILE}.{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            json.dump(facts, file)
        temporary.replace(self._path)

    def remove(self) -> None:
        """Remove the file; harmless when it is gone."""
        self._path.unlink(missing_ok=True)
