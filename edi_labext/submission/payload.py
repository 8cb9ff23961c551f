"""Find the sample request that a README shows."""

from __future__ import annotations

import json
import re

_FENCE = re.compile(r"(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\r\n]*)")


def sample_payload(readme: str) -> str | None:
    """Return the request in the first fenced ``json`` block of ``readme``, or ``None``.

    The block's text is returned as written. Where more follows its first JSON value, such as the
    answer to expect, only that value is the request.
    """
    block = _first_json_block(readme)
    if block is None:
        return None
    text = block.strip()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        # A template with dots or placeholders still is a better start than nothing.
        return text or None
    return text[:end]


def _first_json_block(readme: str) -> str | None:
    lines = readme.splitlines()
    position = 0
    while position < len(lines):
        opening = _FENCE.fullmatch(lines[position])
        position += 1
        if opening is None or "`" in opening["info"]:
            continue
        start = position
        while position < len(lines) and not _closes(lines[position], opening["fence"]):
            position += 1
        if opening["info"].split()[:1] and opening["info"].split()[0].lower() == "json":
            indent = len(opening["indent"])
            return "\n".join(_outdent(line, indent) for line in lines[start:position])
        position += 1
    return None


def _closes(line: str, fence: str) -> bool:
    text = line.strip(" \t")
    return len(text) >= len(fence) and set(text) == {fence[0]} and not line.startswith("    ")


def _outdent(line: str, count: int) -> str:
    return line[min(count, len(line) - len(line.lstrip(" "))) :]
