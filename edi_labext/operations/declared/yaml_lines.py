"""YAML read strictly, with the line of every key.

What YAML 1.1 does to plain words is not wanted here: ``gpu: no`` is a text, as in YAML 1.2, and so
is ``umask: 022``. Keys that appear twice, aliases and tags are refused.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from ...errors import InvalidInput, TooLarge, echo

#: Longest text taken, in bytes (1 MiB).
MAX_YAML_BYTES = 1 << 20
#: Deepest nesting taken, of blocks and of brackets each.
MAX_DEPTH = 64
#: Where in a document: keys and indexes from the top.
Path = tuple[str | int, ...]

_TAGS = "tag:yaml.org,2002:"
_TAKEN = {f"{_TAGS}{kind}" for kind in ("map", "seq", "str", "bool", "null", "int", "float")}


class _TooDeep(Exception):
    """The document is nested deeper than :data:`MAX_DEPTH`."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Knows only the plain words of YAML 1.2's core schema, and refuses deep nesting at once.

    PyYAML itself takes time that grows with the square of the depth, minutes for a file of
    brackets, before it comes to Python's own limit.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Begin a ``[`` or ``{``."""
        if self.flow_level >= MAX_DEPTH:
            raise _TooDeep
        super().fetch_flow_collection_start(token)

    def add_indent(self, column: int) -> bool:
        """Begin a block, if the next key or item stands further to the right."""
        if len(self.indents) > MAX_DEPTH:
            raise _TooDeep
        return bool(super().add_indent(column))


for _kind, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"{_TAGS}{_kind}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def read_yaml(data: bytes, *, what: str) -> tuple[Any, dict[Path, int]]:
    """Return the one document of ``data``, and the line of each of its parts, counted from 1.

    Raises
    ------
    TooLarge
        ``file_too_large``
    InvalidInput
        ``not_utf8``, ``invalid_yaml``, ``duplicate_key``, ``too_deep``; with the line.
    """
    if len(data) > MAX_YAML_BYTES:
        raise TooLarge(
            f"{what} has {len(data):,} bytes; at most {MAX_YAML_BYTES:,} are taken.",
            code="file_too_large",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{what} is not UTF-8 text (byte {error.start}).", code="not_utf8"
        ) from None
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        reader = _Reader(loader, lines, what)
        return (None if node is None else reader.value(node, ())), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _bad(what, mark, error.problem or "it cannot be read") from None
    except yaml.YAMLError:
        raise _bad(what, None, "it holds characters that YAML does not take") from None
    except (_TooDeep, RecursionError):
        raise InvalidInput(f"{what} is nested too deep.", code="too_deep") from None
    finally:
        if loader is not None:
            loader.dispose()


class _Reader:
    """Turns nodes into values, and notes their lines."""

    def __init__(self, loader: _Loader, lines: dict[Path, int], what: str) -> None:
        self._loader = loader
        self._lines = lines
        self._what = what
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return the value of a node, whatever it is."""
        self._lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            raise _bad(self._what, node.start_mark, "aliases are not taken; write the value out")
        self._seen.add(id(node))
        if node.tag not in _TAKEN:
            raise _bad(self._what, node.start_mark, f"the tag {echo(node.tag)} is not taken")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        value = self._loader.construct_object(node)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise _bad(self._what, node.start_mark, "the number does not fit into 64 bits")
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode):
                raise _bad(self._what, mark, "a key must be a word")
            key = str(key_node.value)
            if key in found:
                raise _bad(self._what, mark, f"{echo(key)} appears twice", "duplicate_key")
            self._lines[(*path, key)] = mark.line + 1
            found[key] = self.value(value_node, (*path, key))
        return found


def _bad(what: str, mark: Any, problem: str, code: str = "invalid_yaml") -> InvalidInput:
    place = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
    hint = None
    if "\\t" in problem:
        hint = "Indent with blanks; YAML takes no tabs."
    return InvalidInput(f"{what}{place}: {problem}.", code=code, hint=hint)


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of the part at ``path``, or of the nearest one around it."""
    for length in range(len(path), -1, -1):
        line = lines.get(path[:length])
        if line is not None:
            return line
    return 1
