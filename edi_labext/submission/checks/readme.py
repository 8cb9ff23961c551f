"""Checks of ``README.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...models import MODEL_JSON, README, suggest_name
from ..folder import MAX_README_BYTES
from ..payload import sample_payload
from .description_file import DescriptionFile
from .findings import Finding, Fix, make_fix
from .reasons import finding
from .snapshot import Snapshot
from .text import line_and_column

# The line where a sample should begin.
_JSON_BLOCK = re.compile(r"(```|~~~)[ \t]*json", re.IGNORECASE)
_MAX_SAMPLE_BYTES = 2_000


def check_readme(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is to be said about the readme."""
    data = snapshot.read(README)
    if data is None:
        for problem in snapshot.submission.problems:
            if problem.path == README:
                fix = _new_readme(snapshot) if problem.code == "missing_file" else None
                yield finding(
                    problem.code.replace("_", "-"),
                    "error",
                    README,
                    None,
                    problem.message,
                    hint=problem.hint,
                    fix=fix,
                )
        return
    if snapshot.files[README].size > MAX_README_BYTES:
        yield finding(
            "file-too-large",
            "error",
            README,
            None,
            f"{README} has {snapshot.files[README].size:,} bytes; at most "
            f"{MAX_README_BYTES:,} are taken.",
            hint="Move pictures and data into files of their own.",
        )
        return
    text = data.decode("utf-8-sig", "backslashreplace")
    if sample_payload(text) is None:
        empty = _JSON_BLOCK.search(text)
        yield finding(
            "readme-no-sample",
            "warning",
            README,
            line_and_column(text, empty.start()) if empty else (1, 1),
            f"{README} shows no sample request.",
            hint="Add a block that starts with ```json and holds one request.",
        )


def _new_readme(snapshot: Snapshot) -> Fix | None:
    if not snapshot.can_create(README):
        return None
    text = starter_readme(snapshot).encode()
    return make_fix(
        f"Write {README}",
        f"A new file with the name, the kernel file and a sample request of {MODEL_JSON}.",
        snapshot.change(README, text),
    )


def starter_readme(snapshot: Snapshot) -> str:
    """Return a readme made of what the folder tells of itself."""
    data = snapshot.read(MODEL_JSON)
    file = DescriptionFile(data) if data is not None else None
    name = file.value("name") if file else None
    kernel = file.value("kernel_path") if file else None
    title = suggest_name(name or snapshot.submission.folder.name) or "service"
    kernel_line = f"The kernel is in `{kernel}`.\n\n" if kernel and "`" not in kernel else ""
    return f"# {title}\n\n{kernel_line}## Request\n\n```json\n{_sample(snapshot)}\n```\n"


def _sample(snapshot: Snapshot) -> str:
    """Return the first request in ``payloads/``, if it is short text, else an empty object."""
    for path, file in snapshot.files.items():
        if path.startswith("payloads/") and path.endswith(".json"):
            text = (snapshot.read(path) or b"").decode("utf-8", "replace").strip()
            if (
                file.size <= _MAX_SAMPLE_BYTES
                and text
                and "```" not in text
                and "\ufffd" not in text
            ):
                return text
    return "{}"
