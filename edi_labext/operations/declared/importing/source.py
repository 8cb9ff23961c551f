"""The commands of a script: of a shell script, or of the cells of a notebook."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

from ....errors import InvalidInput, echo_path
from ....models.strict_json import parse_object

#: Longest script taken, in bytes (16 MiB; notebooks hold pictures).
MAX_SCRIPT_BYTES = 16 << 20

_SHELL_MAGIC = re.compile(r"^\s*%%(bash|sh|script\s+\S+)")
#: A here-document for Python: ``python - <<'END'``.
_HERE_PYTHON = re.compile(r"""\bpython[\d.]*\b[^|;&]*<<-?\s*(["']?)(?P<end>\w+)\1""")
_BANG = re.compile(r"^\s*(?:[\w, ]+\s*=\s*)?!!?(?P<command>.*)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with its place for people: ``line 7``, ``cell 3 line 2``."""

    place: str
    text: str


def order(place: str) -> tuple[int, ...]:
    """Return what places are to be sorted by."""
    return tuple(int(number) for number in re.findall(r"\d+", place))


@dataclass
class Source:
    """What a script consists of.

    Attributes
    ----------
    name:
        Of the file.
    shell:
        Lines that a shell runs; continued ones are joined.
    python:
        Trees of Python code, with the place of its first line.
    text:
        The lines of the Python code.
    """

    name: str
    shell: list[Line] = field(default_factory=list)
    python: list[tuple[str, ast.Module]] = field(default_factory=list)
    text: list[Line] = field(default_factory=list)


def read_source(path: Path) -> Source:
    """Read a shell script, a Python script (``.py``) or a notebook (``.ipynb``).

    Raises
    ------
    InvalidInput
        ``unreadable``, ``not_utf8``, or what :func:`~....models.strict_json.parse_object` raises.
    """
    what = echo_path(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as error:
        raise InvalidInput(
            f"{what} cannot be read: {error.strerror or 'no reason given'}.", code="unreadable"
        ) from None
    if len(data) > MAX_SCRIPT_BYTES:
        raise InvalidInput(f"{what} is larger than {MAX_SCRIPT_BYTES:,} bytes.", code="too_large")
    source = Source(path.name)
    if path.suffix == ".ipynb":
        _read_notebook(data, source)
        return source
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} is not UTF-8 text.", code="not_utf8") from None
    if path.suffix == ".py":
        _read_python(text, source, "")
    else:
        _read_shell(text, source, "")
    return source


def _read_notebook(data: bytes, source: Source) -> None:
    cells = parse_object(data, what=source.name, limit=MAX_SCRIPT_BYTES).get("cells")
    if not isinstance(cells, list):
        raise InvalidInput(f"{source.name} is no notebook: it has no cells.", code="no_notebook")
    number = 0
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        number += 1
        raw = cell.get("source", "")
        text = "".join(map(str, raw)) if isinstance(raw, list) else str(raw)
        prefix = f"cell {number} "
        if _SHELL_MAGIC.match(text):
            # The magic's own line stays, so that lines keep their numbers.
            _read_shell(f"\n{text.partition(chr(10))[2]}", source, prefix)
        else:
            _read_cell(text, source, prefix)


def _read_cell(text: str, source: Source, prefix: str) -> None:
    """Take the lines with ``!`` for a shell, and the rest as Python."""
    lines = text.split("\n")
    python, shell = list(lines), [""] * len(lines)
    for index, line in enumerate(lines):
        bang = _BANG.match(line)
        if bang is not None:
            indent = line[: len(line) - len(line.lstrip())]
            python[index], shell[index] = f"{indent}pass", bang["command"]
        elif line.lstrip().startswith("%"):
            python[index] = ""
    _read_shell("\n".join(shell), source, prefix)
    _read_python("\n".join(python), source, prefix)


def _read_python(text: str, source: Source, prefix: str) -> None:
    source.text += [Line(f"{prefix}line {n}", line) for n, line in enumerate(text.split("\n"), 1)]
    try:
        source.python.append((prefix, ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):
        # Its lines are looked at as text all the same.
        return


def _read_shell(text: str, source: Source, prefix: str) -> None:
    whole, begun = "", 0
    lines = _without_python(text.split("\n"), source, prefix)
    for number, line in enumerate(lines, 1):
        begun = begun or number
        if line.endswith("\\"):
            whole += line[:-1] + " "
            continue
        whole += line
        if whole.strip():
            source.shell.append(Line(f"{prefix}line {begun}", whole))
        whole, begun = "", 0


def _without_python(lines: list[str], source: Source, prefix: str) -> list[str]:
    """Take the here-documents that a shell script gives to Python; the rest keeps its lines."""
    rest = list(lines)
    index = 0
    while index < len(lines):
        begun = _HERE_PYTHON.search(lines[index])
        index += 1
        if begun is None or lines[index - 1].lstrip().startswith("#"):
            continue
        first = index
        while index < len(lines) and lines[index].strip() != begun["end"]:
            index += 1
        # What stands before keeps the numbers of the lines right.
        _read_python("\n" * first + "\n".join(lines[first:index]), source, prefix)
        rest[first : index + 1] = [""] * len(rest[first : index + 1])
    return rest
