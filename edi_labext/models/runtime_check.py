"""What a runtime may be: all problems of a document at once, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic import ValidationError

from ..errors import FieldProblem, InvalidInput, echo
from .runtime import (
    CPP_LAUNCHER,
    CPP_RUNTIME,
    KERNELSPEC_ATTRIBUTE,
    PYTHON_ATTRIBUTE,
    Runtime,
    is_runtime_name,
)
from .strict_json import parse_object
from .variables import variable_problems

#: Longest texts taken, in characters. ``pre_exec`` is one argument of a shell.
MAX_TEXT: Final = 4_096
MAX_PRE_EXEC: Final = 16_384
#: Most variables, and most attributes.
MAX_ITEMS: Final = 500
#: What the service sets; a document that was read from one may hold them all the same.
_SET_BY_SERVICE: Final = frozenset({"epoch_created", "epoch_updated"})
#: Ways in which a document of another release differs, without meaning anything else.
_TEXTS: Final = (
    "launcher",
    "conda_home",
    "conda_env_name",
    "docker_img",
    "machine_type",
    "description",
)
_KINDS: Final = {"string_type": "text", "list_type": "a list", "model_type": "an object"}


def parse_runtime(data: bytes | Mapping[str, Any], *, name: str | None = None) -> Runtime:
    """Read a whole runtime, as it is sent to be created or to replace another one.

    Unknown fields are kept. ``epoch_created`` and ``epoch_updated`` are the service's to set: what
    is sent is not looked at, and they are 0 in what is returned.

    Parameters
    ----------
    data:
        The JSON text as received, or the object.
    name:
        Of the runtime that it is to replace: ``type`` must be that.

    Raises
    ------
    InvalidInput
        ``invalid_runtime`` with every problem in ``fields`` and ``detail``, ``unsupported_runtime``
        for one of C++ kernels, what :func:`~.strict_json.parse_object` raises.
    """
    raw = parse_object(data, what="the runtime") if isinstance(data, bytes) else data
    document = {key: value for key, value in raw.items() if key not in _SET_BY_SERVICE}
    if document.get("schema_version") == 1 and document["schema_version"] is not True:
        document["schema_version"] = "1"
    _refuse(list(_problems(document, name)))
    refuse_cpp(document["type"], document.get("launcher", ""))
    return Runtime.model_validate(document, strict=True)


def refuse_cpp(name: str, launcher: str = "") -> None:
    """Refuse a runtime of kernels in C++.

    Raises
    ------
    InvalidInput
        ``unsupported_runtime``
    """
    if name == CPP_RUNTIME or PurePosixPath(launcher).name == CPP_LAUNCHER:
        raise InvalidInput(
            f"The runtime {echo(name)} is for kernels in C++; this engine runs kernels in Python.",
            code="unsupported_runtime",
            field="runtime",
            hint="Write the kernel in Python, or deploy it to WMLA.",
        )


def _refuse(problems: list[FieldProblem]) -> None:
    if not problems:
        return
    lines = [f"{problem['field']}: {problem['message']}" for problem in problems]
    raise InvalidInput(
        f"The runtime was not saved. {lines[0]}"
        if len(lines) == 1
        else f"The runtime was not saved: {len(lines)} fields need attention. {lines[0]}",
        code="invalid_runtime",
        field=problems[0]["field"],
        detail="\n".join(lines),
        fields=problems,
        hint='Send the whole runtime, such as {"type": "ml", "conda_home": "/opt/anaconda3", '
        '"conda_env_name": "ml"}.',
    )


def _problems(document: Mapping[str, Any], name: str | None) -> Iterator[FieldProblem]:
    wrong: set[str] = set()
    for problem in _shape_problems(document):
        wrong.add(problem["field"].partition(".")[0])
        yield problem

    def value(field: str) -> Any:
        return None if field in wrong else document.get(field)

    if (type_ := value("type")) is not None:
        yield from _name_problems(type_, name)
    if value("schema_version") not in (None, "1"):
        yield FieldProblem(field="schema_version", message='Must be "1".')
    for field in (*_TEXTS, "pre_exec"):
        yield from _text_problems(field, value(field) or "")
    yield from _python_problems(value("conda_home"), value("conda_env_name"), value("attributes"))
    for field in ("envs", "attributes"):
        if len(value(field) or ()) > MAX_ITEMS:
            yield FieldProblem(field=field, message=f"Must have at most {MAX_ITEMS} entries.")
    yield from variable_problems(value("envs") or (), "envs")


def _shape_problems(document: Mapping[str, Any]) -> Iterator[FieldProblem]:
    try:
        Runtime.model_validate(document, strict=True)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            path = ".".join(str(step) for step in fault["loc"])
            kind = _KINDS.get(fault["type"], "something else")
            missing = fault["type"] == "missing"
            message = "Is missing." if missing else f"Must be {kind}, not {echo(fault['input'])}."
            yield FieldProblem(field=path, message=message)


def _name_problems(given: str, name: str | None) -> Iterator[FieldProblem]:
    if name is not None and given != name:
        yield FieldProblem(field="type", message=f"Must be {echo(name)}, not {echo(given)}.")
    elif name is None and not is_runtime_name(given):
        yield FieldProblem(
            field="type",
            message="Must be letters, digits, dots, hyphens and underscores, at most 100, and "
            f"begin with a letter or digit; not {echo(given)}.",
        )


def _text_problems(field: str, text: str) -> Iterator[FieldProblem]:
    limit = MAX_PRE_EXEC if field == "pre_exec" else MAX_TEXT
    if "\0" in text:
        yield FieldProblem(field=field, message="Must not hold the character NUL.")
    elif len(text) > limit:
        yield FieldProblem(field=field, message=f"Must have at most {limit} characters.")


def _python_problems(
    conda_home: str | None, conda_env_name: str | None, attributes: Any
) -> Iterator[FieldProblem]:
    """Yield what keeps the runtime from naming exactly one Python."""
    if conda_home and not _is_path(conda_home):
        yield FieldProblem(field="conda_home", message="Must be an absolute path.")
    if conda_env_name:
        if not conda_home:
            message = "Needs conda_home, the folder of the conda installation."
            yield FieldProblem(field="conda_env_name", message=message)
        if "/" in conda_env_name or conda_env_name in (".", "..") or not conda_env_name.strip():
            message = f"Must be the name of an environment, not {echo(conda_env_name)}."
            yield FieldProblem(field="conda_env_name", message=message)
    given = [
        (index, item["value"])
        for index, item in enumerate(attributes or ())
        if item["key"] == PYTHON_ATTRIBUTE
    ]
    for index, python in given:
        if not _is_python(python):
            yield FieldProblem(
                field=f"attributes.{index}.value",
                message="Must be the absolute path of a Python or of a virtual environment, or "
                f"the name of a command, not {echo(python)}.",
            )
    if len(given) > 1:
        message = f"{PYTHON_ATTRIBUTE} is there {len(given)} times."
        yield FieldProblem(field="attributes", message=message)
    elif given and conda_home:
        message = f"Names a Python, and so does the attribute {PYTHON_ATTRIBUTE}; keep one."
        yield FieldProblem(field="conda_home", message=message)
    elif not given and any(item["key"] == KERNELSPEC_ATTRIBUTE for item in attributes or ()):
        yield FieldProblem(
            field="attributes",
            message=f"{KERNELSPEC_ATTRIBUTE} only says where a Python was found; "
            f"{PYTHON_ATTRIBUTE} must name it.",
        )


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable()


def _is_python(text: str) -> bool:
    """Tell whether it is an absolute path, one below the home folder, or a bare command."""
    if not text.strip() or not text.isprintable() or len(text) > MAX_TEXT:
        return False
    return text.startswith(("/", "~/")) or ("/" not in text and not text.startswith(("-", "~")))
