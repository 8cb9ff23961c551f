"""Checks of the folder as a whole: sizes, and entries that cannot be sent."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import InvalidInput, echo
from ...models import MODEL_JSON, README
from ..ignore import IGNORE_FILE, IgnoreRules
from .findings import Finding
from .reasons import finding
from .snapshot import Snapshot

#: Sum of file sizes from which a folder is slow to deploy, in bytes (100 MB).
AMBER_BYTES = 100_000_000
#: ... and from which weights are better fetched by the kernel, in bytes (1 GB).
RED_BYTES = 1_000_000_000
#: Codes of problems that the checks of the content find for themselves.
_BY_CONTENT = frozenset({"kernel_not_found", "missing_file"})


def check_files(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is to be said about the entries of the folder and their sizes."""
    submission = snapshot.submission
    for problem in submission.problems:
        # What is wrong inside these two is told with its place by their own checks.
        inside = problem.path in (MODEL_JSON, README)
        if not inside and problem.code not in _BY_CONTENT:
            yield finding(
                problem.code.replace("_", "-"),
                "error",
                problem.path,
                _bad_pattern(snapshot) if problem.path == IGNORE_FILE else None,
                problem.message,
                hint=problem.hint,
            )
    size = submission.total_size
    if size > AMBER_BYTES and not any(found.code in _TOO_LARGE for found in submission.problems):
        largest = max(submission.files, key=lambda file: file.size)
        yield finding(
            "large-folder",
            "warning",
            None,
            None,
            f"The files to send have {size / 1e6:,.0f} MB; {echo(largest.path)} alone has "
            f"{largest.size / 1e6:,.0f} MB.",
            hint="Fetch the weights in on_kernel_start and keep them in REDHARE_MODEL_PATH, read "
            "them from a storage volume, or give the kernel their address by mk_environments."
            if size > RED_BYTES
            else f"Leave out with {IGNORE_FILE} what the kernel does not need.",
        )


_TOO_LARGE = frozenset({"file_too_large", "too_large"})


def _bad_pattern(snapshot: Snapshot) -> tuple[int, int] | None:
    """Return the place of the first line of ``.ediignore`` that is no pattern."""
    for number, line in enumerate(snapshot.ignore_lines() or [], start=1):
        try:
            IgnoreRules([line])
        except InvalidInput:
            return number, 1
    return None
