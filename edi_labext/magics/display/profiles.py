"""A profile, and changes of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...operations import is_only_kept, parts_acted_on
from .tables import html_fold, html_line, html_table, printable, text_table

if TYPE_CHECKING:
    from ...operations import ProfileChange

_HEADER = ("Field", "Value")
_KEPT = "Fields that this EDI stores and does not act on"


@dataclass(frozen=True, repr=False)
class ProfileCard:
    """How a deployment runs; ``document`` is the whole profile.

    ``honoured`` are the dotted paths that the EDI acts on, ``None`` when it does not tell.
    """

    name: str
    document: dict[str, Any] = field(repr=False)
    honoured: frozenset[str] | None = None

    def __repr__(self) -> str:
        used, kept = self._rows()
        text = text_table(_HEADER, used)
        return f"{text}\n\n{_KEPT}\n\n{text_table(_HEADER, kept)}" if kept else text

    def _repr_html_(self) -> str:
        used, kept = self._rows()
        text = html_table(_HEADER, used, caption=f"Profile of {self.name}")
        return text + html_fold(_KEPT, html_table(_HEADER, kept, caption=_KEPT)) if kept else text

    def _rows(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the fields that are acted on, and those that are not."""
        used: list[tuple[str, str]] = []
        kept: list[tuple[str, str]] = []
        for path, value in _leaves(self.document):
            (kept if is_only_kept(path, self.honoured) else used).append((path, _shown(value)))
        return used, kept


@dataclass(frozen=True, repr=False)
class ProfileChanges:
    """What changes in a profile; ``ending`` says what came of it, if there is something to say."""

    name: str
    changes: tuple[ProfileChange, ...]
    ending: str
    honoured: frozenset[str] | None = None

    def __repr__(self) -> str:
        lines = []
        for change in self.changes:
            note = _note(change.path, self.honoured)
            lines.append(f"  {change.path}{f'  ({note})' if note else ''}")
            lines += [f"{sign} {_shown(value)}" for sign, value in _sides(change)]
        return printable("\n".join([*lines, self.ending]).rstrip("\n"))

    def _repr_html_(self) -> str:
        if not self.changes:
            return html_line(self.ending)
        rows = [
            (
                "\n".join(filter(None, (change.path, _note(change.path, self.honoured)))),
                "\n".join(f"{sign} {_shown(value)}" for sign, value in _sides(change)),
            )
            for change in self.changes
        ]
        header = ("Field", "Change")
        ending = html_line(self.ending) if self.ending else ""
        caption = f"Profile of {self.name}"
        return html_table(header, rows, caption=caption) + ending


def _leaves(document: Mapping[str, Any], way: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        path = f"{way}.{key}" if way else key
        if isinstance(value, dict) and value:
            yield from _leaves(value, path)
        else:
            yield path, value


def _sides(change: ProfileChange) -> Iterator[tuple[str, Any]]:
    if change.old is not None:
        yield "-", change.old
    if change.new is not None:
        yield "+", change.new


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _note(path: str, honoured: frozenset[str] | None) -> str:
    if is_only_kept(path, honoured):
        return "stored, not acted on here"
    parts = ", ".join(parts_acted_on(path, honoured))
    return f"stored; acted on here: only {parts}" if parts else ""
