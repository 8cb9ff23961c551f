"""Ask a deployment."""

from __future__ import annotations

from ..client import EdiClient, InferenceAnswer
from ..errors import TooLarge

#: Largest request in bytes (64 MiB), EDI's engine's limit.
MAX_PAYLOAD = 64 << 20
#: Seconds: the 60 that a task may take by default, and some for the way.
TIMEOUT = 70.0


def infer(
    client: EdiClient,
    name: str,
    body: bytes,
    *,
    content_type: str = "application/json",
    timeout: float = TIMEOUT,
) -> InferenceAnswer:
    """Send one task and return what came back; see :meth:`EdiClient.infer`.

    Raises
    ------
    TooLarge
        Before anything is sent.
    """
    if len(body) > MAX_PAYLOAD:
        raise TooLarge(
            f"The payload has {len(body):,} bytes; at most {MAX_PAYLOAD:,} are taken.",
            field="payload",
        )
    return client.infer(name, body, content_type=content_type, timeout=timeout)


__all__ = ["MAX_PAYLOAD", "TIMEOUT", "InferenceAnswer", "infer"]
