"""Tables and texts, as HTML and as plain text."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Sequence

# The theme's own rule aligns cells to the right, as for numbers.
_LEFT = ' style="text-align: left; vertical-align: top"'


def escape(text: str) -> str:
    """Return ``text`` for HTML, without control characters."""
    return html.escape(printable(text), quote=True)


def printable(text: str) -> str:
    """Return ``text`` without what could move a terminal's cursor or reverse the writing."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str) -> str:
    """Return a table with one heading per column; ``caption`` says what it lists."""
    head = "".join(f'<th scope="col"{_LEFT}>{escape(title)}</th>' for title in header)
    body = "".join(
        "<tr>" + "".join(f"<td{_LEFT}>{_lines(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<table class="edi-Table">{_caption(caption)}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def html_facts(facts: Iterable[tuple[str, str]], *, caption: str) -> str:
    """Return a table of two columns: what, and its value."""
    body = "".join(
        f'<tr><th scope="row"{_LEFT}>{escape(label)}</th><td{_LEFT}>{_lines(value)}</td></tr>'
        for label, value in facts
    )
    return f'<table class="edi-Table">{_caption(caption)}<tbody>{body}</tbody></table>'


def html_text(text: str) -> str:
    """Return a block in which line breaks and blanks stay."""
    return f'<pre class="edi-Text">{escape(text)}</pre>'


def html_fold(summary: str, content: str, *, is_open: bool = False) -> str:
    """Return a block that opens with a click; ``content`` is HTML."""
    state = " open" if is_open else ""
    return f"<details{state}><summary>{escape(summary)}</summary>{content}</details>"


def html_line(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(text)}</p>"


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in columns of equal width; a line break in a cell becomes a blank."""
    lines = [[" ".join(printable(cell).split()) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def text_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Return one line per fact."""
    pairs = [(f"{label}:", " ".join(printable(value).split())) for label, value in facts]
    width = max((len(label) for label, _ in pairs), default=0) + 2
    return "\n".join(f"{label:<{width}}{value}".rstrip() for label, value in pairs)


def moment(seconds: float) -> str:
    """Return Unix seconds as local time, ``""`` for 0."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds > 0 else ""


def size(count: float) -> str:
    """Return a number of bytes with its unit."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def plural(count: int, word: str) -> str:
    """Return ``1 file``, ``2 files``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _lines(cell: str) -> str:
    return escape(cell).replace("\n", "<br>")


def _caption(text: str) -> str:
    return f"<caption{_LEFT}>{escape(text)}</caption>"
