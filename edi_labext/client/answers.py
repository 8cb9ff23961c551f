"""Read an EDI's answers: bytes into models, refusals into the error tree.

The shape of WMLA's error bodies is not documented; its SDK looks for a message in four places,
and so do we (``reference/rest-api.md`` section 4). Our engine adds ``code``, ``hint`` and more.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import (
    Conflict,
    EdiError,
    FieldProblem,
    InvalidInput,
    KernelFailure,
    NotFound,
    OutOfSpace,
    Overloaded,
    RequestTimeout,
    StorageFailure,
    TaskTimeout,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    UpstreamBadResponse,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnauthorized,
)
from .transport import RawAnswer

Model = TypeVar("Model", bound=BaseModel)

#: Characters of a strange answer that an error quotes.
QUOTE_LIMIT = 200
_MESSAGE_LIMIT = 500
_DETAIL_LIMIT = 16 << 10
_FIELDS_LIMIT = 1_000
#: Longest Retry-After that is believed, in seconds.
_RETRY_LIMIT = 60.0

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Seen: "Runtime <x> does not exists." with status 400, "Model x doesn't exist." The others are what
# servers say; the statuses that they may come with are not known.
_NO_SUCH = re.compile(
    r"\b((does not|doesn't) exists?|no such (model|runtime|deployment)"
    r"|(model|runtime|deployment)\b.{0,100}\bnot found)\b",
    re.IGNORECASE,
)
_NO_SUCH_STATUSES = frozenset({400, 410, 422, 500})
_EXISTS = re.compile(r"\balready\b|\bexists\b", re.IGNORECASE)
# dlim asks "Model <name> already exists on inference service"; the route's own words are not known.
_TAKEN = re.compile(r"\balready exists?\b", re.IGNORECASE)
# Seen when a started deployment is deleted; its status is not known.
_STARTED = re.compile(r"cannot be removed if it's started", re.IGNORECASE)

_BY_CODE: dict[str, type[EdiError]] = {
    "queue_full": Overloaded,
    "task_timeout": TaskTimeout,
    "storage_error": StorageFailure,
    "out_of_space": OutOfSpace,
    # With status 400, as WMLA's.
    "no_such_runtime": NotFound,
}

_BY_STATUS: dict[int, type[EdiError]] = {
    400: InvalidInput,
    404: NotFound,
    408: RequestTimeout,
    409: Conflict,
    413: TooLarge,
    415: UnsupportedMedia,
    422: InvalidInput,
    429: Overloaded,
    503: Unavailable,
    507: OutOfSpace,
}


@dataclass(frozen=True, slots=True)
class InferenceAnswer:
    """What an inference request brought back.

    Attributes
    ----------
    status:
        HTTP status; 200 is the kernel's own answer.
    body:
        As sent.
    content_type:
        As sent; WMLA says ``text/html`` even for JSON.
    elapsed:
        Seconds from sending to the last byte.
    host:
        That answered, for messages.
    """

    status: int
    body: bytes
    content_type: str
    elapsed: float
    host: str = ""

    @property
    def ok(self) -> bool:
        """Whether the kernel answered."""
        return 200 <= self.status < 300

    def error(self) -> EdiError | None:
        """Return what went wrong in our words, or ``None`` if the kernel answered."""
        if self.ok:
            return None
        raw = RawAnswer(self.status, {"Content-Type": self.content_type}, self.body, self.elapsed)
        return refusal(raw, host=self.host, permission="Inference Run", inference=True)


def refusal(
    answer: RawAnswer, *, host: str, permission: str | None, inference: bool = False
) -> EdiError:
    """Return the error that an answer with a status of 400 or more stands for.

    Parameters
    ----------
    host:
        That answered.
    permission:
        The permission that the route checks (``reference/rest-api.md`` section 2).
    inference:
        Whether a kernel may be the cause (502, 504).
    """
    said = _Said(answer)
    if answer.status in (401, 403):
        return _denied(answer.status, host, permission, said)
    text = said.message or f"{host} answered {answer.status}."
    if said.message is None and said.quote:
        text = f"{host} answered {answer.status}: {said.quote}"
    kind = _kind(answer.status, said, inference=inference)
    if kind is UpstreamError and not said.is_json and said.quote:
        # Nothing says that these are EDI's own words.
        text = f"{host} answered {answer.status}: {said.quote}"
    code = said.code
    if said.code is None and _STARTED.search(text):
        kind, code = Conflict, "started"
    elif said.code is None and _TAKEN.search(text):
        kind, code = Conflict, "exists"
    elif said.code is None and answer.status in _NO_SUCH_STATUSES and _NO_SUCH.search(text):
        kind = NotFound
    return kind(
        text,
        code=code,
        hint=said.hint,
        field=said.field,
        detail=said.detail,
        retry_after=retry_after(answer),
        fields=said.fields,
    )


def _kind(status: int, said: _Said, *, inference: bool) -> type[EdiError]:
    if said.code in _BY_CODE:
        return _BY_CODE[said.code]
    if status == 502 and inference and said.is_json:
        return KernelFailure
    if status == 504:
        return TaskTimeout if inference else UpstreamTimeout
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if not said.is_json and status in (500, 502):
        return UpstreamBadResponse
    return UpstreamError


def is_form_refused(answer: RawAnswer) -> bool:
    """Tell whether an upload may have been refused because of how it was sent.

    WMLA 2.3.0's words for that are not known. Our engine gives every refusal a code, and "exists"
    is about the deployment; neither is about the form.
    """
    if answer.status == 415:
        return True
    said = _Said(answer)
    text = f"{said.message} {said.quote}"
    return answer.status == 400 and said.code is None and not _EXISTS.search(text)


def read_model(answer: RawAnswer, model: type[Model], *, host: str) -> Model:
    """Read one object of an answer; raises :class:`~edi_labext.errors.UpstreamBadResponse`."""
    return _validate(read_json(answer, host=host), model, answer, host)


def read_models(answer: RawAnswer, model: type[Model], *, host: str) -> list[Model]:
    """Read an array of objects; raises :class:`~edi_labext.errors.UpstreamBadResponse`."""
    return read_items(read_json(answer, host=host), answer, model, host=host)


def read_items(value: object, answer: RawAnswer, model: type[Model], *, host: str) -> list[Model]:
    """Read a part of an answer that is to be an array of objects, like :func:`read_models`."""
    if not isinstance(value, list):
        raise strange(answer, host, "not the list that was asked for")
    return [_validate(item, model, answer, host) for item in value]


def read_object(answer: RawAnswer, *, host: str) -> dict[str, Any]:
    """Parse an object; raises :class:`~edi_labext.errors.UpstreamBadResponse`."""
    value = read_json(answer, host=host)
    if not isinstance(value, dict):
        raise strange(answer, host, "not the object that was asked for")
    return value


def read_json(answer: RawAnswer, *, host: str) -> Any:
    """Parse an answer as JSON; raises :class:`~edi_labext.errors.UpstreamBadResponse`."""
    try:
        return answer.json()
    except ValueError:
        pass
    raise strange(answer, host, "not JSON" if answer.body else "empty")


def strange(answer: RawAnswer, host: str, what: str) -> UpstreamBadResponse:
    """Return the error for an answer that is not EDI's, quoting its first 200 characters."""
    kind = answer.content_type or "no content type"
    quote = plain(answer.body.decode("utf-8", "replace"), QUOTE_LIMIT)
    return UpstreamBadResponse(
        f"The answer of {host} is {what} (status {answer.status}, {plain(kind, 80)})"
        + (f": {quote}" if quote else "."),
        hint="Check that the address of the environment is that of WMLA's EDI, such as "
        "https://wmla-console.example.com/dlim/v1/, and that the token is valid.",
    )


def _validate(value: Any, model: type[Model], answer: RawAnswer, host: str) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
    raise strange(answer, host, f"not a {model.__name__} ({where}: {first['msg']})")


def plain(text: str, limit: int) -> str:
    """Return ``text`` on one line, without control characters, cut at ``limit`` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class _Said:
    """What an error body says, wherever it says it."""

    def __init__(self, answer: RawAnswer) -> None:
        self.message: str | None = None
        self.code: str | None = None
        self.hint: str | None = None
        self.field: str | None = None
        self.detail: str | None = None
        self.fields: list[FieldProblem] | None = None
        self.quote = ""
        try:
            value = answer.json()
            self.is_json = isinstance(value, dict)
        except ValueError:
            self.is_json = False
        if self.is_json:
            self._read(value)
        else:
            self.quote = plain(answer.body.decode("utf-8", "replace"), QUOTE_LIMIT)
            if self.quote and not self.quote.startswith("<"):
                self.message = self.quote

    def _read(self, body: dict[str, Any]) -> None:
        inner = body.get("error")
        if isinstance(inner, dict):
            body = {**body, **inner}
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        candidates = [first.get("message") if isinstance(first, dict) else None]
        candidates += [body.get(key) for key in ("error", "message", "errorMessage")]
        self.message = next((text for c in candidates if (text := _text(c, _MESSAGE_LIMIT))), None)
        code = body.get("code")
        if isinstance(code, str) and _CODE.fullmatch(code):
            self.code = code
        self.hint = _text(body.get("hint"), _MESSAGE_LIMIT)
        self.field = _text(body.get("field"), QUOTE_LIMIT)
        detail = body.get("detail")
        if isinstance(detail, str) and detail.strip():
            kept = (c if c.isprintable() or c in "\n\t" else "�" for c in detail[-_DETAIL_LIMIT:])
            self.detail = "".join(kept)
        self.fields = _fields(body.get("fields"))


def _fields(value: object) -> list[FieldProblem] | None:
    if not isinstance(value, list):
        return None
    items = [item for item in value[:_FIELDS_LIMIT] if isinstance(item, dict)]
    told = (
        (_text(item.get("field"), QUOTE_LIMIT), _text(item.get("message"), _MESSAGE_LIMIT))
        for item in items
    )
    return [FieldProblem(field=field, message=text) for field, text in told if field and text]


def _text(value: object, limit: int) -> str | None:
    return (plain(value, limit) or None) if isinstance(value, str) else None


def _denied(status: int, host: str, permission: str | None, said: _Said) -> EdiError:
    reason = f" It said: {said.message}" if said.message else ""
    if status == 401:
        return UpstreamUnauthorized(
            f"{host} did not accept the token.{reason}",
            code="upstream_unauthorized",
            hint="It may have expired. Get a new one.",
        )
    missing = f" Missing permission: {permission}." if permission else ""
    return UpstreamUnauthorized(
        f"{host} knows you but does not allow this.{missing}{reason}",
        code="upstream_forbidden",
        hint=f"Ask the administrator of the EDI for {permission or 'the permission'}.",
    )


def retry_after(answer: RawAnswer) -> float | None:
    """Return the seconds that an answer asks to wait, at most 60; ``None`` when it does not."""
    raw = answer.headers.get("Retry-After", "").strip()
    if raw.isascii() and raw.isdigit():
        return min(float(raw[:9]), _RETRY_LIMIT)
    try:
        # The other form is a date (RFC 9110, section 10.2.3).
        seconds = parsedate_to_datetime(raw).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _RETRY_LIMIT)
