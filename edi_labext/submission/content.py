"""What a submission folder holds, as found at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInput, TooLarge
from ..models import SubmissionDescription


@dataclass(frozen=True, slots=True)
class SubmissionFile:
    """One file that will be sent.

    Attributes
    ----------
    path:
        Where it lies in the package, relative to its top folder, with forward slashes.
    size:
        In bytes, when the folder was inspected.
    source:
        The file that is read for it, relative to the folder. Differs from ``path`` when that is a
        symbolic link, which is followed once, here, and never again.
    """

    path: str
    size: int
    source: str


@dataclass(frozen=True, slots=True)
class IgnoredEntry:
    """A file or folder (``path`` ends in ``/``) that is left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that must be mended before the folder can be deployed.

    ``field`` names the key of ``model.json`` and ``path`` the file that is at fault, if any.
    """

    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    r"""The result of :func:`~edi_labext.submission.inspect`.

    Attributes
    ----------
    folder:
        The folder, absolute, links resolved.
    description:
        ``model.json``, or ``None`` when it is missing or wrong.
    readme:
        Text of ``README.md``; bytes that are not UTF-8 are shown as ``\xNN``.
    files, folders:
        What will be sent, sorted by the bytes of the path. ``folders`` has the empty ones too.
    ignored:
        What will not.
    total_size:
        Sum of the sizes of ``files`` in bytes.
    problems:
        Empty when the folder can be deployed.
    """

    folder: Path
    description: SubmissionDescription | None
    readme: str | None
    files: tuple[SubmissionFile, ...]
    folders: tuple[str, ...]
    ignored: tuple[IgnoredEntry, ...]
    total_size: int
    problems: tuple[Problem, ...]

    def require_deployable(self) -> SubmissionDescription:
        """Return the description of a folder without problems.

        Raises
        ------
        InvalidInput
            Listing every problem: in ``detail``, one a line, when there are several. A single one
            keeps its own code (:class:`~edi_labext.errors.TooLarge` for the limits).
        """
        if not self.problems and self.description is not None:
            return self.description
        first = self.problems[0]
        if len(self.problems) == 1:
            kind = TooLarge if first.code in _LIMITS else InvalidInput
            raise kind(first.message, code=first.code, hint=first.hint, field=first.field)
        lines = [
            f"{problem.message} {problem.hint}" if problem.hint else problem.message
            for problem in self.problems
        ]
        raise InvalidInput(
            f"The folder has {len(lines)} problems. {first.message}",
            code="invalid_submission",
            hint="Mend them and deploy again; nothing has been sent.",
            field=first.field,
            detail="\n".join(lines),
        )


_LIMITS = frozenset({"file_too_large", "too_large", "too_many_files"})
