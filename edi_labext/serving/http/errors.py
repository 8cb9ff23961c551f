"""The one map from errors to HTTP answers, for the door and for the application behind it."""

from __future__ import annotations

import json
import logging
import math
import secrets
from typing import TYPE_CHECKING

from ...errors import EdiError, InvalidInput, Unauthenticated

if TYPE_CHECKING:
    from .credentials import Identity

log = logging.getLogger(__name__)

#: Methods that some route has; what a 405 of the door offers in ``Allow``.
ALLOWED_METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")


#: The next step for who has asked for what no route has.
SEE_DOCS = "The page /dlim/v1/docs lists the routes and their methods."


class MethodNotAllowed(InvalidInput):
    """No route has this method (HTTP 405)."""

    code = "method_not_allowed"
    http_status = 405


class TargetTooLong(InvalidInput):
    """The path with its query is longer than the limit (HTTP 414)."""

    code = "target_too_long"
    http_status = 414


class HeadersTooLarge(InvalidInput):
    """The header block has too many bytes or too many headers (HTTP 431)."""

    code = "headers_too_large"
    http_status = 431


class ExpectationFailed(InvalidInput):
    """An ``Expect`` other than ``100-continue`` (HTTP 417)."""

    code = "expectation_failed"
    http_status = 417


class InternalError(EdiError):
    """A fault of the engine itself; the log has the rest under the same request id (HTTP 500)."""

    code = "internal_error"
    http_status = 500


def error_response(
    error: BaseException, *, caller: Identity | None = None, request_id: str | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """Return status, JSON body and extra headers for ``error``.

    The body has ``code``, ``message``, ``hint``, ``field``, ``detail`` and ``request_id``, and
    beside them what clients of EDI look for (``reference/rest-api.md`` section 4): ``error``
    (the message as text) and ``errors`` (``[{"code", "message"}]``). ``Content-Type``
    (``application/json``) and ``Content-Length`` are the caller's part.

    An exception that is no :class:`~edi_labext.errors.EdiError` becomes 500 ``internal_error``:
    its text goes to the log and never into the answer.

    Parameters
    ----------
    error:
        What went wrong.
    caller:
        Who is told. ``detail`` holds lines of a kernel's log, so it is ``None`` for a service
        token, and for who has none.
    request_id:
        Names the answer in the log; made here when absent.
    """
    request_id = request_id or secrets.token_hex(8)
    if isinstance(error, EdiError):
        known = error
    else:
        log.error("Unexpected error, request %s", request_id, exc_info=error)
        known = InternalError(
            "The engine met an unexpected error.",
            hint=f"Its log has the details under request {request_id}.",
        )
    wire = known.to_wire()
    if caller is None or not caller.may_read_logs:
        wire["detail"] = None
    wire["request_id"] = request_id
    wire["error"] = known.message
    wire["errors"] = [{"code": known.code, "message": known.message}]
    headers = {"X-Content-Type-Options": "nosniff"}
    if known.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(known.retry_after)))
    if isinstance(known, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(known, MethodNotAllowed):
        headers["Allow"] = ", ".join(ALLOWED_METHODS)
    return known.http_status, json.dumps(wire).encode("ascii"), headers
