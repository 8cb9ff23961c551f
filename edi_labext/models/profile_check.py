"""What a profile may be replaced with: all problems of a document at once, field by field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ..errors import ECHO_LIMIT, FieldProblem, InvalidInput, echo
from .profile import Profile
from .strict_json import parse_object
from .variables import variable_problems

#: Most keys, over all levels, that a profile may have.
MAX_KEYS: Final = 1_000
#: What a change of is refused; :func:`check_profile` compares with the present profile.
READ_ONLY: Final = ("schema_version", "type", "name", "create_time")

_Path = tuple[int | str, ...]
_MISSING: Final = object()
_KINDS: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "an object",
    "int_type": "a whole number",
    "float_type": "a number",
}


def parse_profile(data: bytes | Mapping[str, Any], *, current: Profile) -> Profile:
    """Read the whole profile that is to replace ``current``.

    Unknown fields are kept. ``last_update_time`` is the service's to set and not looked at.

    Parameters
    ----------
    data:
        The JSON text as received, or the object.
    current:
        The present profile; what it has, the new one must have too.

    Raises
    ------
    InvalidInput
        ``invalid_profile`` with every problem in ``fields`` and ``detail``; ``read_only_field`` if
        there is no other; ``too_many_fields``; what :func:`~.strict_json.parse_object` raises.
    """
    document = parse_object(data, what="the profile") if isinstance(data, bytes) else data
    refuse_problems(check_profile(document, current.to_wire()))
    return Profile.tolerate(document)


def refuse_problems(problems: Sequence[FieldProblem]) -> None:
    """Raise all ``problems`` as one error, ``invalid_profile`` or ``read_only_field``, if any."""
    if not problems:
        return
    first = problems[0]
    lines = [f"{problem['field']}: {problem['message']}" for problem in problems]
    only_read_only = all(problem["field"] in READ_ONLY for problem in problems)
    raise InvalidInput(
        f"The profile was not saved. {lines[0]}"
        if len(lines) == 1
        else f"The profile was not saved: {len(lines)} fields need attention. {lines[0]}",
        code="read_only_field" if only_read_only else "invalid_profile",
        field=first["field"],
        detail="\n".join(lines),
        fields=problems,
        hint="Start from the whole profile as it is, and change only what you mean to.",
    )


def check_profile(document: Mapping[str, Any], current: Mapping[str, Any]) -> list[FieldProblem]:
    """Return everything that is wrong with ``document`` as the successor of ``current``.

    A value that the service itself has is never wrong, whatever it is: services differ.

    Raises
    ------
    InvalidInput
        ``too_many_fields``
    """
    if _count_keys(document) > MAX_KEYS:
        raise InvalidInput(f"The profile has more than {MAX_KEYS} fields.", code="too_many_fields")
    problems = [
        *_missing(Profile, document, current, ()),
        *_changed_read_only(document, current),
        *_wrong_values(document, current),
        *_wrong_variables(document, current),
    ]
    if not any(problem["field"].startswith("policy.kernel_m") for problem in problems):
        problems += _wrong_bounds(document, current)
    return problems


def profile_revision(document: Mapping[str, Any]) -> str:
    """Return a digest that differs whenever the profile does (32 hex digits)."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _missing(
    model: type[BaseModel], document: Mapping[str, Any], current: Mapping[str, Any], way: _Path
) -> Iterator[FieldProblem]:
    for name, info in model.model_fields.items():
        if name not in current or (way, name) == ((), "last_update_time"):
            continue
        path = (*way, name)
        if name not in document:
            yield _problem(path, "Is missing; the whole profile is needed.")
            continue
        section, present, then = info.annotation, document[name], current[name]
        if _is_section(section) and isinstance(present, Mapping) and isinstance(then, Mapping):
            yield from _missing(section, present, then, path)  # type: ignore[arg-type]


def _changed_read_only(
    document: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    for name in READ_ONLY:
        if name in current and document.get(name, current[name]) != current[name]:
            yield _problem(
                (name,),
                f"Cannot be changed; it is {echo(current[name])}, not {_shown(document[name])}.",
            )


def _wrong_values(
    document: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    try:
        Profile.model_validate(document, strict=True)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            path = fault["loc"]
            if path[0] in READ_ONLY or path == ("last_update_time",):
                continue
            # What is missing cannot be compared, what it is missing in can.
            there = path[:-1] if fault["type"] == "missing" else path
            if not _same(_at(document, there), _at(current, there)):
                yield _problem(path, _sentence(fault))


def _wrong_variables(
    document: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    envs = _at(document, ("kernel", "envs"))
    if not isinstance(envs, list) or _same(envs, _at(current, ("kernel", "envs"))):
        return
    yield from variable_problems(envs, "kernel.envs")


def _wrong_bounds(
    document: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    low, high = ("policy", "kernel_min"), ("policy", "kernel_max")
    least, most = _at(document, low), _at(document, high)
    if not isinstance(least, int) or not isinstance(most, int) or most == -1 or least <= most:
        return
    if _same(least, _at(current, low)) and _same(most, _at(current, high)):
        return
    yield _problem(low, f"Must not be above policy.kernel_max ({most}), and is {least}.")
    yield _problem(high, f"Must be -1 or not below policy.kernel_min ({least}), and is {most}.")


def _sentence(fault: ErrorDetails) -> str:
    if fault["type"] == "said":
        return fault["msg"]
    if fault["type"] == "missing":
        return "Is missing."
    info = _info_at(fault["loc"])
    extra = info.json_schema_extra if info is not None else None
    rule = extra.get("rule") if isinstance(extra, dict) else None
    rule = rule or _KINDS.get(fault["type"], "something else")
    return f"Must be {rule}, not {_shown(fault['input'])}."


def _info_at(path: _Path) -> FieldInfo | None:
    """Return the field of the schema that ``path`` leads to; ``None`` below a list."""
    model: Any = Profile
    info: FieldInfo | None = None
    for step in path:
        info = model.model_fields.get(step) if _is_section(model) else None
        if info is None:
            return None
        model = info.annotation
    return info


def _is_section(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and not get_args(annotation)
        and issubclass(annotation, BaseModel)
    )


def _at(value: Any, path: _Path) -> Any:
    for step in path:
        in_object = isinstance(value, Mapping) and step in value
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not in_object and not in_list:
            return _MISSING
        value = value[step]
    return value


def _same(one: Any, other: Any) -> bool:
    """Tell whether both are there and the same JSON value; ``True`` is no 1."""
    if one is _MISSING or other is _MISSING:
        return False
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(
        other, sort_keys=True
    )


def _shown(value: Any) -> str:
    """Return a value as it stands in JSON, short and safe in a message."""
    if isinstance(value, str):
        return echo(value)
    text = json.dumps(value)
    return text if len(text) <= ECHO_LIMIT else text[: ECHO_LIMIT - 1] + "…"


def _count_keys(value: Any) -> int:
    if isinstance(value, Mapping):
        return len(value) + sum(_count_keys(item) for item in value.values())
    return sum(_count_keys(item) for item in value) if isinstance(value, list) else 0


def _problem(path: _Path, message: str) -> FieldProblem:
    return FieldProblem(field=".".join(str(step) for step in path), message=message)
