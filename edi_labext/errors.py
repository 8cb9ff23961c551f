"""The one error tree of edi_labext.

Every error that can reach a person is an :class:`EdiError`: it says *what happened*
(``message``), and where possible *what to do next* (``hint``). ``code`` is stable and meant
for programs, ``http_status`` is what both of our HTTP servers answer with. The tree is mapped
to HTTP in exactly one place per server (``serving/http/errors.py`` and
``extension/handlers/base.py``) and never anywhere else.

No message, hint or detail may hold a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict

#: Longest value of a user that an error message repeats, in characters.
ECHO_LIMIT = 80


def echo(value: object) -> str:
    """Return ``value`` as a short ``repr`` that is safe to put into a message.

    The text is cut at :data:`ECHO_LIMIT` characters; control and non-ASCII characters stay
    escaped, so that a name made of look-alike letters is visible as such.
    """
    text = ascii(value)
    return text if len(text) <= ECHO_LIMIT else text[: ECHO_LIMIT - 1] + "…"


def echo_path(path: str) -> str:
    """Return ``path`` like :func:`echo`, cut at the front, since its end tells which file it is."""
    text = ascii(path)
    return text if len(text) <= ECHO_LIMIT else f"{text[0]}…{text[2 - ECHO_LIMIT :]}"


class FieldProblem(TypedDict):
    """What is wrong with one field of a document; ``field`` is its dotted path."""

    field: str
    message: str


class EdiError(Exception):
    """Base of all errors that edi_labext reports to people.

    Parameters
    ----------
    message:
        What happened, one or two sentences, without a token.
    code:
        Stable identifier; defaults to the class's.
    hint:
        The next step, one sentence, or ``None`` when there is nothing to do.
    field:
        The input field that is wrong (``name``, ``policy.kernel_min``), if any.
    detail:
        Longer plain text such as the last lines of a log, shown on demand.
    retry_after:
        Seconds after which a retry makes sense, if known.
    fields:
        Every wrong field of a document, where all of them were looked for.
    """

    code: str = "error"
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        field: str | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
        fields: Sequence[FieldProblem] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.field = field
        self.detail = detail
        self.retry_after = retry_after
        self.fields = None if fields is None else list(fields)

    def to_wire(self) -> dict[str, Any]:
        """Return the error as the JSON object that our servers send.

        Shape: ``{"code", "message", "hint", "field", "detail", "fields"}``: text or ``None``, but
        ``fields``, which is ``None`` or a list of ``{"field", "message"}``.
        """
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "field": self.field,
            "detail": self.detail,
            "fields": self.fields,
        }


# --- what the caller sent -------------------------------------------------------------------


class InvalidInput(EdiError):
    """The request or file is malformed; nothing was changed (HTTP 400)."""

    code = "invalid_input"
    http_status = 400


class TooLarge(InvalidInput):
    """A file, body or archive exceeds its limit (HTTP 413)."""

    code = "too_large"
    http_status = 413


class UnsupportedMedia(InvalidInput):
    """A body of a kind that this route does not take (HTTP 415)."""

    code = "unsupported_media_type"
    http_status = 415


class RequestTimeout(InvalidInput):
    """The caller stopped sending in the middle of a request (HTTP 408)."""

    code = "request_timeout"
    http_status = 408


class DigestMismatch(InvalidInput):
    """The body is not the one that its declared digest is of (HTTP 422)."""

    code = "digest_mismatch"
    http_status = 422


class NotFound(EdiError):
    """There is no such thing (HTTP 404)."""

    code = "not_found"
    http_status = 404


class Conflict(EdiError):
    """The request is fine but does not fit the present state (HTTP 409)."""

    code = "conflict"
    http_status = 409


class Unauthenticated(EdiError):
    """No token, or one that our own engine does not know (HTTP 401)."""

    code = "unauthenticated"
    http_status = 401


class Forbidden(EdiError):
    """The caller is known but may not do this (HTTP 403)."""

    code = "forbidden"
    http_status = 403


# --- serving --------------------------------------------------------------------------------


class Overloaded(EdiError):
    """A queue is full; the request was not accepted (HTTP 429)."""

    code = "queue_full"
    http_status = 429


class KernelFailure(EdiError):
    """The kernel did not answer this task: it died, raised, or set no output (HTTP 502)."""

    code = "kernel_failed"
    http_status = 502


class Unavailable(EdiError):
    """The deployment or service cannot take the request now (HTTP 503)."""

    code = "unavailable"
    http_status = 503


class TaskTimeout(EdiError):
    """The task took longer than ``task_execution_timeout`` (HTTP 504)."""

    code = "task_timeout"
    http_status = 504


class StorageFailure(EdiError):
    """The store could not be read or written (HTTP 500)."""

    code = "storage_error"
    http_status = 500


class OutOfSpace(StorageFailure):
    """The disk that holds the store is full (HTTP 507)."""

    code = "out_of_space"
    http_status = 507


# --- talking to an EDI ----------------------------------------------------------------------


class UpstreamError(EdiError):
    """The EDI could not be used; base of all failures of the client (HTTP 502)."""

    code = "upstream_error"
    http_status = 502


class UpstreamUnreachable(UpstreamError):
    """No connection to the EDI: refused, reset, no such host, TLS (HTTP 502)."""

    code = "upstream_unreachable"


class UpstreamUnauthorized(UpstreamError):
    """The EDI refused our token.

    Answered as HTTP 502, since a real 401 or 403 would look like a log-out of Jupyter.
    """

    code = "upstream_auth"


class UpstreamTimeout(UpstreamError):
    """The EDI did not answer in time (HTTP 504)."""

    code = "upstream_timeout"
    http_status = 504


class UpstreamBadResponse(UpstreamError):
    """The EDI answered with something that is not its API (HTML, truncated, redirect)."""

    code = "upstream_bad_response"


class NotConfigured(EdiError):
    """An environment lacks its address or token (HTTP 409)."""

    code = "not_configured"
    http_status = 409


# --- the person -----------------------------------------------------------------------------


class Cancelled(EdiError):
    """The person cancelled the action. An outcome of its own, not a failure."""

    code = "cancelled"
    http_status = 409
