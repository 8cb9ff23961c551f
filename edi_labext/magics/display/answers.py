"""The answer to a request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .tables import escape, html_text, printable, size

#: Characters of an answer that are shown.
SHOWN = 10_000
_WIDTH = 88


@dataclass(frozen=True, repr=False)
class Answer:
    """What a deployment answered.

    Attributes
    ----------
    body:
        The bytes as sent.
    elapsed:
        Seconds from sending to the last byte.
    source:
        What was sent, in words: ``the cell``, ``payloads/three.json``.
    """

    name: str
    status: int
    body: bytes
    content_type: str
    elapsed: float
    source: str

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def value(self) -> Any:
        """The body's JSON value, or its text when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return self.text

    def __repr__(self) -> str:
        return f"{self._shown()}\n{self._footer()}"

    def _repr_html_(self) -> str:
        return f"{html_text(self._shown())}<small>{escape(self._footer())}</small>"

    def _footer(self) -> str:
        return printable(f"{self.name} answered {self.source} in {_milliseconds(self.elapsed)}")

    def _shown(self) -> str:
        if b"\0" in self.body:
            return f"({size(len(self.body))} that are no text, {printable(self.content_type)})"
        if len(self.body) <= 4 * SHOWN and not isinstance(self.value, str):
            text = layout(self.value)
        else:
            text = self.text
        if len(text) > SHOWN:
            text = f"{text[:SHOWN]}…\n({size(len(self.body))} in all)"
        return printable(text)


def layout(value: Any, indent: int = 0) -> str:
    """Return a JSON value over several lines, with whatever fits on one line left there."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    blank = " " * (indent + 2)
    if isinstance(value, dict):
        parts = []
        for key, item in value.items():
            label = f"{json.dumps(key, ensure_ascii=False)}: "
            parts.append(f"{blank}{label}{layout(item, indent + 2)}")
        opening, closing = "{", "}"
    else:
        parts = [f"{blank}{layout(item, indent + 2)}" for item in value]
        opening, closing = "[", "]"
    return f"{opening}\n" + ",\n".join(parts) + f"\n{' ' * indent}{closing}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
