"""Places and changes in the bytes of a text file."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes from ``start`` up to ``end`` by ``text``; equal offsets insert."""

    start: int
    end: int
    text: str


def edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return ``data`` with the edits, which must not overlap; all other bytes stay as they are."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        data = data[: edit.start] + edit.text.encode() + data[edit.end :]
    return data


def line_ending(data: bytes) -> str:
    r"""Return the line ending that the file uses, ``"\n"`` if it has no lines."""
    first, newline, _ = data.partition(b"\n")
    return "\r\n" if newline and first.endswith(b"\r") else "\n"


def mark_length(data: bytes) -> int:
    """Return how many bytes a byte order mark takes at the start of ``data``: 0 or 3."""
    return len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, both from 1, of the character at ``offset``."""
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1
