"""What describes a deployment: ``model.json`` in a folder, *Model* on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import FieldProblem, InvalidInput, echo
from .base import TolerantModel, WireModel
from .names import check_name
from .strict_json import parse_object

#: Name of the description file at the top of a submission folder.
MODEL_JSON = "model.json"
#: Name of the readme file at the top of a submission folder.
README = "README.md"


class Attribute(WireModel):
    """One free value of ``attributes``, readable in the kernel's model description."""

    key: str
    value: str


class EnvironmentVariable(WireModel):
    """One variable of ``mk_environments`` or of a profile's ``kernel.envs``."""

    name: str
    value: str


class SubmissionDescription(BaseModel):
    """``model.json`` as a person writes it (``reference/kernel-api.md`` section 1).

    Only ``name`` and ``kernel_path`` are insisted on; the other fields that every public sample
    carries get EDI's usual values. Unknown keys are kept.
    """

    model_config = ConfigDict(extra="allow")

    name: str
    kernel_path: str
    runtime: str = "python"
    weight_path: str = "N/A"
    schema_version: str = "1"
    tag: str = ""
    attributes: list[Attribute] = Field(default_factory=list)
    mk_environments: list[EnvironmentVariable] = Field(default_factory=list)


class ModelDescription(TolerantModel):
    """A deployment as EDI's ``GET /model/{name}`` shows it (``reference/rest-api.md`` section 8).

    ``create_time``, ``last_updated_time`` and ``started_at`` are Unix seconds UTC, ``started_at``
    0 means never; ``size`` is the sum of the package's regular files in bytes; ``service_uri`` is
    ``""`` until the deployment has been started.
    """

    name: str
    uid: str = ""
    tag: str = ""
    size: int = 0
    weight_path: str = "N/A"
    model_path: str = ""
    create_time: int = 0
    last_updated_time: int = 0
    started_at: int = 0
    creator: str = ""
    runtime: str = "python"
    kernel_path: str
    service_uri: str = ""
    stream_uri: str | None = None
    attributes: list[Attribute] = Field(default_factory=list)
    mk_environments: list[EnvironmentVariable] = Field(default_factory=list)
    schema_version: str = "1"


class ModelBody(ModelDescription):
    """The body of ``POST /model`` and ``PUT /model/{name}``: a whole *Model*.

    Eight fields must be there; see ``docs/compatibility.md`` for those that are not looked at.
    """

    schema_version: str
    name: str
    tag: str
    weight_path: str
    model_path: str
    size: int
    runtime: str
    kernel_path: str


#: Fields that a body must have.
REQUIRED_FIELDS = tuple(
    name for name, field in ModelBody.model_fields.items() if field.is_required()
)


def parse_description(data: bytes) -> ModelDescription:
    """Read the body of ``POST /model`` or ``PUT /model/{name}``; unknown fields are kept.

    Raises
    ------
    InvalidInput
        ``missing_field`` or ``invalid_field`` with all such fields in ``fields``;
        ``invalid_name``, ``path_outside``, or what :func:`~.strict_json.parse_object` raises.
    """
    raw = _with_text_version(parse_object(data))
    missing = [field for field in REQUIRED_FIELDS if raw.get(field) is None]
    if missing:
        raise InvalidInput(
            f"The model lacks {', '.join(missing)}.",
            code="missing_field",
            field=missing[0],
            hint="Send the whole object, as GET /dlim/v1/model/{name} answers it.",
            fields=[{"field": field, "message": "is missing"} for field in missing],
        )
    try:
        model = ModelDescription.model_validate(raw, strict=True)
    except ValidationError as error:
        wrong: list[FieldProblem] = [
            {"field": ".".join(str(part) for part in shape["loc"]), "message": shape["msg"]}
            for shape in error.errors()
        ]
        raise InvalidInput(
            f"{wrong[0]['field']} is wrong: {wrong[0]['message']}.",
            code="invalid_field",
            field=wrong[0]["field"],
            fields=wrong,
        ) from None
    for refusal in _value_errors(model.model_dump(mode="json"), set(), what="The model"):
        raise refusal
    return model


def parse_submission(data: bytes, *, name: str | None = None) -> SubmissionDescription:
    """Read the bytes of a ``model.json``; a ``name`` stands in the place of the file's.

    Raises
    ------
    InvalidInput
        The first of :func:`submission_errors`, or what :func:`~.strict_json.parse_object` raises.
    """
    raw = parse_object(data, what=MODEL_JSON)
    if name is not None:
        raw["name"] = name
    for error in submission_errors(raw):
        raise error
    return SubmissionDescription.model_validate(_with_text_version(raw), strict=True)


def submission_errors(raw: dict[str, Any]) -> Iterator[InvalidInput]:
    """Yield everything that is wrong with the object of a ``model.json``; nothing if it is right.

    Each error has ``field``, a dotted path such as ``mk_environments.0.name``, and one of the
    codes ``missing_field``, ``invalid_field``, ``invalid_name``, ``path_outside``.
    """
    raw = _with_text_version(raw)
    wrong: set[str] = set()
    for field, example in (("name", "digits"), ("kernel_path", "kernel.py")):
        if raw.get(field) is None:
            wrong.add(field)
            yield InvalidInput(
                f"{MODEL_JSON} has no {field!r}.",
                code="missing_field",
                field=field,
                hint=f'Add a line such as "{field}": "{example}".',
            )
    try:
        SubmissionDescription.model_validate(raw, strict=True)
    except ValidationError as error:
        for shape in error.errors():
            field = ".".join(str(part) for part in shape["loc"])
            if field not in wrong:
                wrong.add(field)
                yield InvalidInput(
                    f"{MODEL_JSON}: {field} is wrong: {shape['msg']}.",
                    code="invalid_field",
                    field=field,
                )
    yield from _value_errors(raw, wrong, what=MODEL_JSON)


def _value_errors(raw: dict[str, Any], wrong: set[str], *, what: str) -> Iterator[InvalidInput]:
    """Yield what is wrong with values of the right type."""
    if "schema_version" not in wrong and raw.get("schema_version", "1") != "1":
        yield InvalidInput(
            f"{what} has schema_version {echo(raw['schema_version'])}.",
            code="invalid_field",
            field="schema_version",
            hint='Only "1" is known.',
        )
    try:
        if "name" not in wrong:
            check_name(raw["name"])
    except InvalidInput as error:
        yield error
    try:
        if "kernel_path" not in wrong:
            check_relative_path(raw["kernel_path"], field="kernel_path")
    except InvalidInput as error:
        yield error
    if "mk_environments" in wrong:
        return
    for index, variable in enumerate(raw.get("mk_environments", [])):
        field = f"mk_environments.{index}"
        if wrong.intersection((field, f"{field}.name", f"{field}.value")):
            continue
        name, value = variable["name"], variable["value"]
        if not name or "=" in name or "\0" in name + value:
            yield InvalidInput(
                f"{echo(name)} cannot be the name of an environment variable.",
                code="invalid_field",
                field=f"{field}.name",
            )


def _with_text_version(raw: dict[str, Any]) -> dict[str, Any]:
    """Take a number as ``schema_version``: seen in the wild; EDI's own answer is the text."""
    version = raw.get("schema_version")
    if isinstance(version, int) and not isinstance(version, bool):
        return {**raw, "schema_version": str(version)}
    return raw


def check_relative_path(path: str, *, field: str) -> PurePosixPath:
    """Return ``path`` if it stays inside the folder (``path_outside`` otherwise)."""
    pure = PurePosixPath(path)
    if (
        not path
        or pure.is_absolute()
        or ".." in pure.parts
        or "\\" in path
        or any(ord(char) < 32 for char in path)
        or pure == PurePosixPath(".")
    ):
        raise InvalidInput(
            f"{field} {echo(path)} does not name a file inside the folder.",
            code="path_outside",
            field=field,
            hint='Give a relative path such as "kernel.py".',
        )
    return pure


def describe_deployment(
    submission: SubmissionDescription, **server_fields: Any
) -> ModelDescription:
    """Return the wire description of a deployed submission.

    Keys of ``model.json`` that EDI does not return (``readme``, ``framework``) are dropped, as
    observed; ``server_fields`` are those that the server sets (``uid``, ``model_path``, ...).
    """
    known = {
        key: value
        for key, value in submission.model_dump(mode="json").items()
        if key in ModelDescription.model_fields
    }
    return ModelDescription.model_validate({**known, **server_fields})
