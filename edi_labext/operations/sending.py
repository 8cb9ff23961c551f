"""A folder on its way to an EDI: packed into a temporary file, then sent."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TypeVar

from ..errors import OutOfSpace, StorageFailure
from ..submission import PackageSummary, Submission, pack
from .progress import Cancellation, Phase, Progress, Report

T = TypeVar("T")
#: Told bytes done and bytes in all.
Tell = Callable[[int, int], None]


def send_folder(
    submission: Submission,
    upload: Callable[[BinaryIO, PackageSummary, Tell], T],
    *,
    name: str,
    runtime: str | None = None,
    description: Mapping[str, Any] | None = None,
    report: Report,
    cancellation: Cancellation,
) -> T:
    """Pack a folder, hand the package to ``upload``, and return what that returns.

    Parameters
    ----------
    upload:
        Sends the package, and tells how far it is.
    name, runtime, description:
        Go into the package's ``model.json``.

    Raises
    ------
    OutOfSpace, StorageFailure
        It could not be packed.
    Cancelled
    """
    tell = _Telling(report)
    try:
        # Without a name in the file system, so it is gone however this process ends.
        with tempfile.TemporaryFile(prefix="edi-package-") as package:
            report(Progress("pack", 0.0, "Packing"))
            summary = pack(
                submission,
                package,
                name=name,
                runtime=runtime,
                description=description,
                progress=lambda done, total: tell("pack", done, total),
                checkpoint=cancellation.checkpoint,
            )
            package.seek(0)
            report(Progress("upload", 0.0, "Sending"))
            return upload(package, summary, lambda done, total: tell("upload", done, total))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace(
                "There is no room for the package in the directory for temporary files.",
                hint="Free some space, or set TMPDIR to another directory.",
            ) from None
        raise StorageFailure(
            f"The folder could not be packed: {error.strerror or 'no reason given'}."
        ) from None


class _Telling:
    """Turns bytes into progress, one report for each percent at most."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: tuple[Phase, int] | None = None

    def __call__(self, phase: Phase, done: int, total: int) -> None:
        fraction = min(1.0, done / total) if total else 1.0
        step = (phase, int(fraction * 100))
        if step == self._last:
            return
        self._last = step
        if phase == "upload" and done >= total:
            # The other side unpacks and checks before it answers.
            self._report(Progress("upload", None, "Sent; registering"))
            return
        verb = "Packing" if phase == "pack" else "Sending"
        self._report(
            Progress(phase, fraction, f"{verb} {readable_size(done)} of {readable_size(total)}")
        )


def readable_size(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
