"""JSON that can tell whether it is intact: what a lost database is rebuilt from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

#: Shape of the manifests that are written and read.
_VERSION = 2


def seal(value: dict[str, Any]) -> bytes:
    """Return ``value`` as a manifest, which holds its own SHA-256."""
    value = {**value, "manifest": _VERSION}
    return _text({**value, "sha256": _digest(value)})


def unseal(data: bytes) -> dict[str, Any] | None:
    """Return what was sealed; ``None`` if a single bit of it differs."""
    try:
        value = json.loads(data)
        digest = value.pop("sha256")
        if digest == _digest(value) and value.pop("manifest") == _VERSION:
            return dict(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return None


def _text(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(_text(value)).hexdigest()
