"""Where the keys and values of a JSON text stand.

:func:`json.loads` forgets the places. This reader keeps them, and goes on where the text is
broken, since it is asked most of all about texts with faults.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

from ...models.strict_json import MAX_JSON_DEPTH

#: Keys and indices from the top to a value.
Path = tuple[str | int, ...]

# Possessive, so that no text makes it go back and try again.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*|-?Infinity|NaN")
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Member:
    """A key and its value; for an item of an array ``key`` is the value's own span."""

    key: Span
    value: Span


class _Open:
    """An array or object whose end has not been read yet."""

    def __init__(self, path: Path, start: int, *, is_object: bool) -> None:
        self.path = path
        self.start = start
        self.is_object = is_object
        self.items = 0
        self.key: tuple[str, Span] | None = None
        self.keys: set[str] = set()


class JsonText:
    """One JSON text, read for places only.

    Attributes
    ----------
    members:
        Path of a value → where it and its key stand. Of a key given twice, the last.
    faults:
        Error code of :func:`~edi_labext.models.strict_json.parse_json` → offset of the first
        place that has this fault.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.members: dict[Path, Member] = {}
        self.faults: dict[str, int] = {}
        self._open: list[_Open] = []
        for match in _TOKEN.finditer(text):
            self._piece(match[0], Span(match.start(), match.end()))
            if len(self._open) > MAX_JSON_DEPTH:
                self.faults["too_deep"] = match.start()
                break
        self.faults.setdefault("expected_object", len(text) - len(text.lstrip()))

    def member(self, field: str) -> tuple[Path, Member] | None:
        """Return the value with the dotted path ``field``, or the innermost that holds it."""
        path = tuple(int(part) if part.isdecimal() else part for part in field.split("."))
        for end in range(len(path), 0, -1):
            if found := self.members.get(path[:end]):
                return path[:end], found
        return None

    def syntax_fault(self) -> int | None:
        """Return the offset at which :func:`json.loads` gives up, if it does."""
        try:
            json.loads(self.text, parse_int=str, parse_float=str)
        except json.JSONDecodeError as error:
            return error.pos
        except RecursionError:
            return None
        return None

    def _piece(self, piece: str, span: Span) -> None:
        holder = self._open[-1] if self._open else None
        if piece in "{[":
            path = self._value(span)
            self._open.append(_Open(path, span.start, is_object=piece == "{"))
        elif piece in "}]":
            if holder is not None:
                self._open.pop()
                self._close(holder, span.end)
        elif piece == ",":
            if holder is not None:
                holder.key = None
        elif piece != ":":
            if piece[0] == '"':
                self._check_text(piece, span.start)
            else:
                self._check_number(piece, span.start)
            if holder is not None and holder.is_object and holder.key is None:
                self._key(holder, piece, span)
            else:
                self._value(span)

    def _key(self, holder: _Open, piece: str, span: Span) -> None:
        try:
            key = str(json.loads(piece))
        except ValueError:
            key = piece.strip("\"'")
        if key in holder.keys:
            self.faults.setdefault("duplicate_key", span.start)
        holder.keys.add(key)
        holder.key = (key, span)

    def _value(self, span: Span) -> Path:
        """Note a value and return its path."""
        if not self._open:
            return ()
        holder = self._open[-1]
        if holder.is_object:
            if holder.key is None:
                return holder.path
            name, key = holder.key
            path: Path = (*holder.path, name)
        else:
            path, key = (*holder.path, holder.items), span
            holder.items += 1
        self.members[path] = Member(key, span)
        return path

    def _close(self, closed: _Open, end: int) -> None:
        member = self.members.get(closed.path)
        if member is not None:
            value = Span(closed.start, end)
            self.members[closed.path] = Member(
                member.key if member.key != member.value else value, value
            )

    def _check_text(self, piece: str, start: int) -> None:
        if lone := _LONE_SURROGATE.search(piece.replace("\\\\", "  ")):
            self.faults.setdefault("invalid_text", start + lone.start())

    def _check_number(self, piece: str, start: int) -> None:
        if not _NUMBER.fullmatch(piece):
            return
        if _INTEGER.fullmatch(piece):
            fits = len(piece) <= _MAX_DIGITS and -(2**63) <= int(piece) < 2**63
        else:
            try:
                fits = math.isfinite(float(piece))
            except ValueError:
                return
        if not fits:
            self.faults.setdefault("invalid_number", start)
