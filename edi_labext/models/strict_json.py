"""JSON read strictly: the same refusals for every JSON text that enters the product.

Python's :func:`json.loads` accepts UTF-16, duplicate keys, ``NaN``, and dies with
``RecursionError`` on deep nesting. Here each of them is an :class:`~edi_labext.errors.InvalidInput`
that names line and column where there is one.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from ..errors import InvalidInput, TooLarge, echo

#: Longest JSON text taken, in bytes (1 MiB).
MAX_JSON_BYTES = 1 << 20
#: Deepest nesting of arrays and objects.
MAX_JSON_DEPTH = 64
#: Longest integer literal, in digits; values beyond 64 bits are refused anyway.
_MAX_INT_DIGITS = 20

# A text in quotes, to skip what looks like a bracket in it, or a bracket. Possessive, so that a
# text of many megabytes costs milliseconds and no memory.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TRAILING_COMMA = re.compile(r",\s*[\]}]")


def parse_json(data: bytes, *, what: str = "the body", limit: int = MAX_JSON_BYTES) -> Any:
    """Parse UTF-8 JSON (a byte order mark is ignored).

    Parameters
    ----------
    data:
        The bytes as received.
    what:
        How messages call the text: ``"model.json"``, ``"the body"``.
    limit:
        Longest text taken, in bytes.

    Raises
    ------
    TooLarge
        ``file_too_large``
    InvalidInput
        ``not_utf8``, ``invalid_json``, ``duplicate_key``, ``invalid_number``, ``too_deep`` or
        ``invalid_text``
    """
    if len(data) > limit:
        raise TooLarge(
            f"{what} has {len(data)} bytes; at most {limit} are taken.", code="file_too_large"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{what} is not UTF-8 text (byte {error.start}).",
            code="not_utf8",
            hint="Save the file as UTF-8.",
        ) from None
    _check_depth(text, what)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_number,
            parse_int=_parse_int,
            parse_float=_parse_float,
        )
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{what} is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}.",
            code="invalid_json",
            hint=_likely_cause(text, error.pos),
        ) from None
    _check_text(value, what)
    return value


def parse_object(
    data: bytes, *, what: str = "the body", limit: int = MAX_JSON_BYTES
) -> dict[str, Any]:
    """Parse like :func:`parse_json` and insist on an object (``expected_object`` otherwise)."""
    value = parse_json(data, what=what, limit=limit)
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
        raise InvalidInput(
            f"{what} must hold a JSON object, not {kind.get(type(value), 'a number')}.",
            code="expected_object",
            hint='Start it with "{" and end it with "}".',
        )
    return value


def _likely_cause(text: str, position: int) -> str | None:
    before = text[:position].rstrip()
    here = text[position : position + 2]
    if not text.strip():
        return "The text is empty."
    # Python 3.13 points at the comma, earlier ones at the bracket after it.
    if (before.endswith(",") and here[:1] in ("}", "]")) or _TRAILING_COMMA.match(text, position):
        return "Remove the comma before the closing bracket."
    if here[:1] == "'":
        return "Use double quotes around names and texts."
    if here in ("//", "/*") or here[:1] == "#":
        return "JSON has no comments; remove it."
    return None


def _check_depth(text: str, what: str) -> None:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        piece = match[0]
        if piece in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise InvalidInput(
                    f"{what} is nested more than {MAX_JSON_DEPTH} levels deep.", code="too_deep"
                )
        elif piece in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise InvalidInput(
                f"The key {echo(key)} appears twice.",
                code="duplicate_key",
                hint="Keep one of the two.",
            )
        result[key] = value
    return result


def _refuse_number(literal: str) -> NoReturn:
    raise InvalidInput(f"{literal} is not a JSON number.", code="invalid_number")


def _parse_int(literal: str) -> int:
    if len(literal.lstrip("-")) > _MAX_INT_DIGITS or not -(2**63) <= int(literal) < 2**63:
        raise InvalidInput(
            f"The number {echo(literal)} does not fit into 64 bits.", code="invalid_number"
        )
    return int(literal)


def _parse_float(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise InvalidInput(f"The number {echo(literal)} is too large.", code="invalid_number")
    return value


def _check_text(value: Any, what: str) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise InvalidInput(
                f"{what} holds half of a surrogate pair, which is not text.", code="invalid_text"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, what)
            _check_text(item, what)
    elif isinstance(value, list):
        for item in value:
            _check_text(item, what)
