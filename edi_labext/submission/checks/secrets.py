"""Find what looks like a password, token or key in the files that would be sent.

A message names the kind and the place, never the text itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log2

from ...errors import echo
from .findings import Finding
from .reasons import finding
from .snapshot import Snapshot
from .text import line_and_column

#: Longest file that is searched, in bytes (256 KiB); larger ones are data.
MAX_FILE_BYTES = 256 << 10
#: Bytes that are searched in all (4 MiB), so that the check stays quick.
MAX_ALL_BYTES = 4 << 20
#: Findings after which it is clear what the folder is like.
_MAX_FINDINGS = 20

_TEXTS = (
    ".cfg",
    ".conf",
    ".env",
    ".ini",
    ".ipynb",
    ".json",
    ".md",
    ".properties",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
)

# Each begins with a fixed text, so a file without it is passed over quickly.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("a signed token (JWT)", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", re.ASCII)),
    ("an AWS access key", re.compile(r"\bAKIA[0-9A-Z]{16}\b", re.ASCII)),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_\w{36,}|github_pat_\w{40,})", re.ASCII)),
    ("a GitLab token", re.compile(r"\bglpat-[\w-]{20,}", re.ASCII)),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}\b", re.ASCII)),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[\w-]{10,}", re.ASCII)),
    ("a Google API key", re.compile(r"\bAIza[\w-]{35}\b", re.ASCII)),
    ("an API key", re.compile(r"\bsk-[\w-]{20,}", re.ASCII)),
)
_ASSIGNED = re.compile(
    r"""(?:token|password|passwd|secret|api_?key|access_?key)["']?\ *[:=]\ *
        ["'](?P<value>[^"'\s]{8,200})["']""",
    re.IGNORECASE | re.VERBOSE,
)
_PLACEHOLDER = re.compile(r"your|example|change|dummy|placeholder|xxx|\.\.\.|[<>{}$*]", re.I)


def is_secret_value(value: str) -> bool:
    """Tell whether a text looks random enough to be a secret, and not like a placeholder."""
    if len(value) < 12 or _PLACEHOLDER.search(value) or " " in value:
        return False
    if not any(char.isdigit() for char in value) or not any(char.isalpha() for char in value):
        return False
    counts = Counter(value).values()
    bits = -sum(count / len(value) * log2(count / len(value)) for count in counts)
    return bits > 3.0


def check_secrets(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield a warning for each secret-like text, with its place."""
    left = MAX_ALL_BYTES
    found = 0
    for path, file in snapshot.files.items():
        if file.size > min(MAX_FILE_BYTES, left) or not path.lower().endswith(_TEXTS):
            continue
        left -= file.size
        text = (snapshot.read(path) or b"").decode("utf-8-sig", "replace")
        for offset, kind in _secrets(text):
            yield finding(
                "secret-like",
                "warning",
                path,
                line_and_column(text, offset),
                f"{echo(path)} holds what looks like {kind}.",
                hint="Take it out, read it from an environment variable, and change it if it was "
                "real.",
            )
            found += 1
            if found == _MAX_FINDINGS:
                return


def _secrets(text: str) -> list[tuple[int, str]]:
    found: dict[int, tuple[int, str]] = {}
    for kind, pattern in _KINDS:
        for match in pattern.finditer(text):
            found.setdefault(text.count("\n", 0, match.start()), (match.start(), kind))
    for match in _ASSIGNED.finditer(text):
        if is_secret_value(match["value"]):
            line = text.count("\n", 0, match.start("value"))
            found.setdefault(line, (match.start("value"), "a password or token"))
    return [found[line] for line in sorted(found)]
