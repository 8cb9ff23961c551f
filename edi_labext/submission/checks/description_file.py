"""``model.json`` as a text: its keys and values, their places, and changes that keep its layout."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from ...errors import EdiError
from ...models import MODEL_JSON
from ...models.strict_json import parse_object
from .json_text import JsonText, Path
from .text import Edit, edited, line_and_column, line_ending, mark_length


class DescriptionFile:
    """The bytes of one ``model.json``.

    Attributes
    ----------
    data:
        The bytes.
    raw:
        Its object, ``None`` when it cannot be read.
    error:
        Why it cannot be read.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.raw: dict[str, Any] | None = None
        self.error: EdiError | None = None
        try:
            self.raw = parse_object(data, what=MODEL_JSON)
        except EdiError as error:
            self.error = error

    @cached_property
    def text(self) -> str:
        """The text, without byte order mark; bytes that are not UTF-8 become lone surrogates."""
        return self.data[mark_length(self.data) :].decode("utf-8", "surrogateescape")

    @cached_property
    def json(self) -> JsonText:
        """The places of keys and values."""
        return JsonText(self.text)

    @property
    def has_mark(self) -> bool:
        """Whether the text starts with a byte order mark."""
        return mark_length(self.data) > 0

    def value(self, field: str) -> str | None:
        """Return the value of a key if it is a text."""
        found = (self.raw or {}).get(field)
        return found if isinstance(found, str) else None

    def scalar(self, field: str) -> str | float | bool | None:
        """Return the value at a dotted path if it is a text, number or boolean."""
        value: Any = self.raw
        for part in field.split("."):
            if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            elif isinstance(value, dict):
                value = value.get(part)
            else:
                return None
        return value if isinstance(value, (str, int, float)) else None

    def written(self, field: str) -> str | None:
        """Return a value as it is written in the text."""
        found = self.json.member(field)
        return self.text[found[1].value.start : found[1].value.end] if found else None

    # --- places --------------------------------------------------------------------------------

    def place(self, field: str | None) -> tuple[int, int] | None:
        """Return line and column of a field, or of the innermost value around it."""
        found = self.json.member(field) if field else None
        if found is None:
            # A missing key belongs into the object.
            return self._at(self.text.find("{")) if self.text.strip() else (1, 1)
        path, member = found
        exact = field == ".".join(str(part) for part in path)
        return self._at((member.value if exact else member.key).start)

    def key_place(self, path: Path) -> tuple[int, int] | None:
        """Return line and column of a key."""
        member = self.json.members.get(path)
        return self._at(member.key.start) if member else None

    def fault_place(self) -> tuple[int, int] | None:
        """Return line and column of what makes the text unreadable."""
        code = self.error.code if self.error else ""
        if code == "invalid_json":
            return self._at(self.json.syntax_fault())
        if code == "not_utf8":
            bad = next((i for i, char in enumerate(self.text) if "\udc80" <= char <= "\udcff"), 0)
            return self._at(bad)
        return self._at(self.json.faults.get(code))

    def _at(self, offset: int | None) -> tuple[int, int] | None:
        return None if offset is None else line_and_column(self.text, max(offset, 0))

    # --- changes -------------------------------------------------------------------------------

    def without_mark(self) -> bytes:
        """Return the bytes without byte order mark."""
        return self.data[mark_length(self.data) :]

    def with_value(self, field: str, value: str) -> bytes | None:
        """Return the bytes with another value for a field, added at the end if it is missing."""
        path: Path = tuple(int(part) if part.isdecimal() else part for part in field.split("."))
        member = self.json.members.get(path)
        if member is not None:
            return self._replaced(member.value.start, member.value.end, _quoted(value))
        return self._inserted(path[0], value) if len(path) == 1 else None

    def with_key(self, old: str, new: str) -> bytes:
        """Return the bytes with another name for a key at the top."""
        key = self.json.members[(old,)].key
        return self._replaced(key.start, key.end, _quoted(new))

    def without_trailing_comma(self) -> bytes | None:
        """Return the bytes without the comma that the reading stumbled over, if it is one."""
        fault = self.json.syntax_fault()
        if fault is None:
            return None
        # Python 3.13 points at the comma, earlier ones at the bracket after it.
        head = self.text[: fault + 1] if self.text[fault : fault + 1] == "," else self.text[:fault]
        comma = len(head.rstrip()) - 1
        rest = self.text[comma + 1 :].lstrip()
        if comma < 0 or self.text[comma] != "," or rest[:1] not in ("}", "]"):
            return None
        return self._replaced(comma, comma + 1, "")

    def _inserted(self, key: str | int, value: str) -> bytes | None:
        text = f"{json.dumps(key)}: {_quoted(value)}"
        top = [member for path, member in self.json.members.items() if len(path) == 1]
        if not top:
            brace = self.text.find("{") + 1
            newline = line_ending(self.data)
            rest = self.text[brace:].lstrip(" \t\r\n")
            gap = brace + len(self.text[brace:]) - len(rest)
            return self._replaced(brace, gap, f"{newline}  {text}{newline}")
        first, last = top[0].key.start, max(member.value.end for member in top)
        before = self.text[:first]
        indent = before[before.rfind("\n") + 1 :] if "\n" in before else None
        # Each key in a line of its own, or all of them in one.
        own_line = indent is not None and not indent.strip()
        separator = f",{line_ending(self.data)}{indent}" if own_line else ", "
        return self._replaced(last, last, separator + text)

    def _replaced(self, start: int, end: int, new: str) -> bytes:
        offset = mark_length(self.data)
        return edited(
            self.data,
            [
                Edit(
                    offset + len(self.text[:start].encode("utf-8", "surrogateescape")),
                    offset + len(self.text[:end].encode("utf-8", "surrogateescape")),
                    new,
                )
            ],
        )


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def new_description(name: str, kernel_path: str) -> bytes:
    """Return a ``model.json`` for a folder that has none."""
    document = {
        "name": name,
        "kernel_path": kernel_path,
        "runtime": "python",
        "weight_path": "N/A",
        "schema_version": "1",
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
