"""What bodies, answers and errors of the façade share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Base of request bodies: an unknown field is an error, so that a typo is never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    """Base of answers; immutable, so that they can be shared between requests."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoBody(Body):
    """The body of a route that takes none: empty, or ``{}``."""


class FieldProblem(Reply):
    """What is wrong with one field; ``field`` is its dotted path in the document."""

    field: str
    message: str


class ErrorInfo(Reply):
    """An :class:`~edi_labext.errors.EdiError` on the wire: what happened, and the next step.

    ``fields`` has all problems of a document that has some, ``field`` the only or first one.
    """

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    detail: str | None = None
    fields: list[FieldProblem] | None = None


class ErrorReply(ErrorInfo):
    """Body of every answer with a status of 400 or more; ``request_id`` is in the log too."""

    request_id: str
