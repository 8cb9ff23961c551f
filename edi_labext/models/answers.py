"""The small bodies of EDI's routes (``reference/rest-api.md`` sections 2, 3 and 4)."""

from __future__ import annotations

from pydantic import BaseModel, Field

from .base import WireModel
from .description import ModelDescription
from .runtime import Runtime


class Token(WireModel):
    """Answer of ``POST /auth/token``: one user token under the two names that releases use."""

    user_token: str
    access_token: str
    service_token: str


class ServiceToken(WireModel):
    """Answer of ``POST /auth/token/inference``; the token permits inference and nothing else."""

    service_token: str


class Readme(WireModel):
    """The text of a deployment's ``README.md``."""

    readme: str


class StreamingAddress(WireModel):
    """Answer of ``GET /model/{name}/streaming``; ``""`` where nothing streams."""

    streaming_service_uri: str


class ModelPlan(WireModel):
    """One entry of ``extension_list``: a deployment and the resource plan of its profile."""

    name: str
    resource_plan: str


class ModelExtension(WireModel):
    """Answer of ``GET /modelextension``; both lists are sorted by name."""

    model_list: list[ModelDescription]
    extension_list: list[ModelPlan]


class RuntimeList(WireModel):
    """Answer of ``GET /deployment/runtime``."""

    runtimes: list[Runtime]
    schema_version: str = "1"


class Done(WireModel):
    """An empty object: what was asked is accepted."""


class Success(WireModel):
    """What EDI answers where runtimes are changed."""

    status: str = "OK"


class ErrorItem(BaseModel):
    """One error in the form that EDI's SDK reads first."""

    code: str
    message: str


class WrongField(BaseModel):
    """What is wrong with one field of a document; ``field`` is its dotted path."""

    field: str
    message: str


class ErrorAnswer(BaseModel):
    """The body of every refusal.

    ``errors[0].message``, ``error`` and ``message`` are the same sentence, for the three kinds of
    readers that there are. ``hint`` is the next step, ``request_id`` names the answer in the log.
    """

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    detail: str | None = None
    fields: list[WrongField] | None = None
    request_id: str
    error: str
    errors: list[ErrorItem] = Field(min_length=1)
