"""The OpenAPI document: what the route table and the models say, in the words of OpenAPI 3.1.

Nothing is written twice: paths, permissions and statuses come from the rows, texts from the
handlers' docstrings, shapes from the pydantic models.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from ..._version import __version__
from ...models import NAME_PATTERN, ErrorAnswer
from ..http.multipart import FILE_FIELDS, MEDIA_TYPE
from .row import EDI_ROOT, ENGINE_ROOT, RouteRow, Shape

#: Where what is told lives: JSON pointers into the document.
_SCHEMAS: Final = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_ROLE = re.compile(r":\w+:`~?\.*(?:[\w.]+\.)?(\w+)`")
#: Where a docstring names its source: for us, and not for readers of the document.
_SOURCE = re.compile(r"\s*\(``reference/[^)]*\)")
#: Fields as a docstring tells of them.
_ATTRIBUTES = re.compile(r"\n+Attributes\n-+\n(?P<entries>.*)", re.DOTALL)
_ENTRY = re.compile(r"^(?P<names>\w+(?:, \w+)*):\n(?P<text>(?:[ ]+.*\n?|\n)+)", re.MULTILINE)
_LITERAL = re.compile(r"``(.+?)``", re.DOTALL)

_ABOUT: Final = """The API of Elastic Distributed Inference (EDI) as this engine serves it: deploy a package, start it, send
it requests, look after it.

A token goes into one of the headers `X-Auth-Token`, `X-User-Token` and `Authorization: Bearer`. It is the content of
the engine's token file, or what `POST /dlim/v1/auth/token` answers. A service token opens inference alone.

Every refusal is an object whose `message`, `error` and `errors[0].message` are the same sentence; `hint` is the next
step."""  # noqa: E501
_TAGS: Final = {
    "Tokens": "Who asks.",
    "Packages": "Bringing files to the engine.",
    "Runtimes": "What kernels run in.",
    "Models": "Deployments, which EDI calls models.",
    "Inference": "Requests to kernels.",
    "Engine": "What this engine has beyond EDI.",
    "Documentation": "What you are reading; open to everybody, and without any state in it.",
}
_BY_PREFIX: Final = (
    (f"{EDI_ROOT}/auth", "Tokens"),
    (f"{EDI_ROOT}/deployment/runtime", "Runtimes"),
    (f"{EDI_ROOT}/deployment", "Packages"),
    (f"{EDI_ROOT}/model", "Models"),
    (f"{EDI_ROOT}/inference", "Inference"),
    (f"{EDI_ROOT}/docs", "Documentation"),
    (ENGINE_ROOT, "Engine"),
)
_SECURITY: Final = {
    "AuthToken": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
    "UserToken": {"type": "apiKey", "in": "header", "name": "X-User-Token"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "Basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user name; the password is the content of the engine's token file.",
    },
}
_TOKENS: Final[list[dict[str, list[str]]]] = [{"AuthToken": []}, {"UserToken": []}, {"Bearer": []}]


def openapi_document(rows: Sequence[RouteRow]) -> dict[str, Any]:
    """Return the document that describes ``rows``; it shows no state of any engine."""
    schemas, reference = _schemas(rows)
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for row in rows:
        operation = _operation(row, reference)
        while operation["operationId"] in names:
            operation["operationId"] += "_again"
        names.add(operation["operationId"])
        paths.setdefault(row.path, {})[row.method.lower()] = operation
    used = {operation["tags"][0] for item in paths.values() for operation in item.values()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EDI serving engine",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "description": text} for name, text in _TAGS.items() if name in used
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": _SECURITY,
            "responses": {
                "Refusal": {
                    "description": "Refused; the body says why, and what to do next.",
                    "content": {
                        "application/json": {"schema": reference(ErrorAnswer, "serialization")}
                    },
                }
            },
        },
    }


def plain(text: str) -> str:
    """Return a docstring as CommonMark."""
    text = _SOURCE.sub("", inspect.cleandoc(text))
    return _LITERAL.sub(r"`\1`", _ROLE.sub(r"`\1`", text))


Reference = Callable[[type[BaseModel], JsonSchemaMode], dict[str, Any]]


def _schemas(rows: Iterable[RouteRow]) -> tuple[dict[str, Any], Reference]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (ErrorAnswer, "serialization"): None
    }
    for row in rows:
        for shape, mode in ((row.takes, "validation"), (row.answers, "serialization")):
            model = _model_of(shape)
            if model is not None:
                wanted[model, "validation" if mode == "validation" else "serialization"] = None
    found, document = models_json_schema(list(wanted), ref_template=_SCHEMAS)

    def reference(model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
        return dict(found[model, mode])

    return {
        name: _plainly(_with_fields(item)) for name, item in document["$defs"].items()
    }, reference


def _with_fields(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose docstring's section on fields has become their descriptions."""
    text = schema.get("description", "")
    section = _ATTRIBUTES.search(text)
    if section is None:
        return schema
    fields = {name: dict(item) for name, item in schema.get("properties", {}).items()}
    for entry in _ENTRY.finditer(section["entries"]):
        for name in entry["names"].split(", "):
            if name in fields:
                fields[name].setdefault("description", " ".join(entry["text"].split()))
    return {**schema, "description": text[: section.start()], "properties": fields}


def _plainly(value: Any) -> Any:
    """Return a schema with its descriptions as CommonMark."""
    if isinstance(value, dict):
        return {
            key: plain(item) if key == "description" and isinstance(item, str) else _plainly(item)
            for key, item in value.items()
        }
    return [_plainly(item) for item in value] if isinstance(value, list) else value


def _model_of(shape: Shape | None) -> type[BaseModel] | None:
    inner = get_args(shape)
    model = inner[0] if inner else shape
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _operation(row: RouteRow, reference: Reference) -> dict[str, Any]:
    summary, _, rest = plain(row.handler.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": row.handler.__name__,
        "tags": [next(tag for prefix, tag in _BY_PREFIX if row.path.startswith(prefix))],
        "summary": summary.removesuffix("."),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    parameters = [_path_parameter(name, row.path) for name in _PARAMETER.findall(row.path)]
    parameters += [
        {
            "name": query.name,
            "in": "query",
            "required": not query.optional,
            "description": query.text,
            "schema": {"type": "string"},
        }
        for query in row.query
    ]
    if parameters:
        operation["parameters"] = parameters
    if row.takes is not None:
        content = _content(row.takes, reference, "validation")
        operation["requestBody"] = {"required": row.takes != "task", "content": content}
    statuses = set(row.refusals)
    if row.permission is not None:
        operation["security"] = _TOKENS
        operation["x-edi-permission"] = (
            "a user token" if row.permission == "Token" else f"Inference {row.permission}"
        )
        statuses |= {401, 403}
    elif row.path.endswith("/auth/token"):
        operation["security"] = [{"Basic": []}]
        statuses |= {401}
    else:
        operation["security"] = []
    refusal = {"$ref": "#/components/responses/Refusal"}
    operation["responses"] = {
        "200": {
            "description": "Done.",
            "content": _content(row.answers, reference, "serialization"),
        },
        **{str(status): {**refusal, "description": _phrase(status)} for status in sorted(statuses)},
        "default": refusal,
    }
    return operation


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _path_parameter(name: str, path: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if "runtime" not in path:
        schema["pattern"] = f"^{NAME_PATTERN}$"
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(shape: Shape, reference: Reference, mode: JsonSchemaMode) -> dict[str, Any]:
    model = _model_of(shape)
    if model is not None:
        schema = reference(model, mode)
        if get_args(shape):
            schema = {"type": "array", "items": schema}
        return {"application/json": {"schema": schema}}
    if shape == "package":
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        form = {
            "type": "object",
            "properties": dict.fromkeys(FILE_FIELDS, file),
            "oneOf": [{"required": [field]} for field in FILE_FIELDS],
        }
        return {"application/octet-stream": {}, MEDIA_TYPE: {"schema": form}}
    if shape == "page":
        return {"text/html": {"schema": {"type": "string"}}}
    if shape == "document":
        return {"application/json": {"schema": {"type": "object"}}}
    # What a kernel takes and answers is its own affair.
    return {"application/json": {}, "*/*": {}} if mode == "validation" else {"application/json": {}}
