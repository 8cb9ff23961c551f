"""What the checks say about a folder, and what can be mended by a button."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ...errors import InvalidInput, TooLarge
from ...models import SubmissionDescription
from ..content import Submission

#: Errors stand in the way of a deploy, warnings do not.
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Change:
    """New content for one file of the folder.

    Attributes
    ----------
    path:
        The file that is written, relative to the folder; never a link.
    before:
        Its bytes when it was checked, ``None`` if there was no such file.
    after:
        What it will hold.
    """

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that does away with a finding.

    Attributes
    ----------
    id:
        Names the fix to :func:`~.fixes.apply_fix`. It is made from what the file holds before and
        after, so it stops being valid when the file changes.
    title:
        What a button says.
    description:
        What will be written, one sentence.
    change:
        The change itself.
    """

    id: str
    title: str
    description: str
    change: Change = field(repr=False)


def make_fix(title: str, description: str, change: Change) -> Fix:
    """Return a fix with the id that belongs to ``change``."""
    digest = hashlib.sha256()
    # A length before each part, so that no two changes run together to the same bytes.
    for part in (change.path.encode(), change.before, change.after):
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return Fix(digest.hexdigest()[:32], title, description, change)


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check.

    Attributes
    ----------
    code:
        Stable, words joined by hyphens. The error that refuses a deploy has the same code with
        underscores, as all errors have.
    severity:
        ``"error"`` or ``"warning"``.
    file:
        The file at fault, relative to the folder; ``None`` for the folder as a whole.
    line, column:
        Where in it, from 1; ``column`` counts characters. ``None`` when no place can be named.
    message:
        What is wrong.
    why:
        What comes of it.
    hint:
        The next step, if there is one to tell.
    fix:
        A change that does away with it, if one is known.
    field:
        The key of ``model.json`` at fault, dotted, if any.
    """

    code: str
    severity: Severity
    file: str | None
    line: int | None
    column: int | None
    message: str
    why: str
    hint: str | None = None
    fix: Fix | None = None
    field: str | None = None

    @property
    def place(self) -> str:
        """``kernel.py:12:5``, as far as it is known; ``.`` for the folder."""
        numbers = (str(number) for number in (self.line, self.column) if number is not None)
        return ":".join((self.file or ".", *numbers))


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that was found in a folder.

    Attributes
    ----------
    findings:
        In the order of reading: ``model.json``, the kernel file, ``README.md``, the rest.
    submission:
        What would be sent and what is left out.
    own_name:
        The name in ``model.json``, ``None`` if there is none or it is no deployment name.
    proposed_name:
        A name to offer in that case, made of what ``model.json`` says or of the folder's name;
        ``None`` when neither has anything of use.
    """

    findings: tuple[Finding, ...]
    submission: Submission
    own_name: str | None = None
    proposed_name: str | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stand in the way of a deploy."""
        return tuple(found for found in self.findings if found.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(found for found in self.findings if found.severity == "warning")

    def require_deployable(self) -> SubmissionDescription:
        """Return the description of a folder without errors.

        Raises
        ------
        InvalidInput
            Listing every error: in ``detail``, one a line, when there are several. A single one
            keeps its own code (:class:`~edi_labext.errors.TooLarge` for the limits).
        """
        errors = self.errors
        if not errors:
            return self.submission.require_deployable()
        first = errors[0]
        if len(errors) == 1:
            kind = TooLarge if first.code in _LIMITS else InvalidInput
            raise kind(
                _with_place(first),
                code=first.code.replace("-", "_"),
                hint=first.hint,
                field=first.field,
            )
        raise InvalidInput(
            f"The folder has {len(errors)} problems. {_with_place(first)}",
            code="invalid_submission",
            hint="Mend them and deploy again; nothing has been sent.",
            field=first.field,
            detail="\n".join(_lines(errors)),
        )


_LIMITS = frozenset({"file-too-large", "too-large", "too-many-files"})


def _lines(findings: Iterable[Finding]) -> Iterable[str]:
    for found in findings:
        yield f"{_with_place(found)} {found.hint}" if found.hint else _with_place(found)


def _with_place(found: Finding) -> str:
    # Without a line the place is the file, which the message names itself.
    return found.message if found.line is None else f"{found.place}: {found.message}"
