"""Changes of a profile that a script makes: in Python, with jq, or by a file that is there."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from ....models import Profile
from .source import Line, Source

_SECTIONS = frozenset(Profile(name="default").to_wire())
_JQ = re.compile(r"\.([A-Za-z_][\w.]*)\s*=\s*(\"[^\"]*\"|-?\d+(?:\.\d+)?|true|false)")


def find_edits(source: Source) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Yield place, path in the profile, and value of every change that can be read off."""
    for line in source.shell:
        if re.search(r"\bjq\b", line.text):
            yield from _jq(line)
    for prefix, tree in source.python:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                continue
            path = _path(node.targets[0])
            if path is None or path[0] not in _SECTIONS:
                continue
            try:
                value = ast.literal_eval(node.value)
                json.dumps(value)
            except (ValueError, TypeError, RecursionError):
                continue
            yield f"{prefix}line {node.lineno}", path, value


def _jq(line: Line) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    for match in _JQ.finditer(line.text):
        path = tuple(match[1].split("."))
        if path[0] in _SECTIONS:
            yield line.place, path, json.loads(match[2])


def _path(node: ast.AST) -> tuple[str, ...] | None:
    """Return the keys of ``profile['policy']['kernel_min']``."""
    keys: list[str] = []
    while isinstance(node, ast.Subscript):
        if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, str):
            return None
        keys.append(node.slice.value)
        node = node.value
    return tuple(reversed(keys)) if keys and isinstance(node, ast.Name) else None


def patch_of(document: Any, name: str) -> dict[str, Any]:
    """Return what differs between a whole profile and EDI's default, as a merge patch."""
    if not isinstance(document, dict):
        return {}
    default = Profile(name=name).to_wire()
    return _differences(document, default, top=True)


def _differences(value: dict[str, Any], usual: Any, *, top: bool = False) -> dict[str, Any]:
    left_out = ("name", "schema_version", "type", "create_time", "last_update_time") if top else ()
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key in left_out:
            continue
        known = usual.get(key) if isinstance(usual, dict) else None
        if isinstance(item, dict):
            inner = _differences(item, known)
            if inner:
                found[key] = inner
        elif item != known:
            found[key] = item
    return found


def set_at(patch: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put ``value`` at ``path`` of a merge patch."""
    for key in path[:-1]:
        inner = patch.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = patch[key] = {}
        patch = inner
    patch[path[-1]] = value
