"""JSON that can tell whether it is intact: what a lost database is rebuilt from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

#: Begins with the shape of manifests that is written and read, then come the digest and the value.
_HEAD = b'{"manifest": 2, "sha256": "'
_MIDDLE = b'",\n"value": '
_END = b"}\n"
_START = len(_HEAD) + 64 + len(_MIDDLE)


def seal(value: dict[str, Any]) -> bytes:
    """Return ``value`` as a manifest, which holds the SHA-256 of the value's text."""
    text = json.dumps(value, sort_keys=True).encode()
    return b"".join((_HEAD, hashlib.sha256(text).hexdigest().encode(), _MIDDLE, text, _END))


def unseal(data: bytes) -> dict[str, Any] | None:
    """Return what was sealed; ``None`` if a single bit of it differs."""
    text = data[_START : -len(_END)]
    digest = hashlib.sha256(text).hexdigest().encode()
    if data != b"".join((_HEAD, digest, _MIDDLE, text, _END)):
        return None
    value: dict[str, Any] = json.loads(text)
    return value
