"""``edi check``: what is wrong with a folder, before anything is sent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import output
from .endings import FAILED, wrong_use
from .options import Once

if TYPE_CHECKING:
    from ..operations import CheckReport, Finding

#: More fixes than this in one run would mean that they undo each other.
_MAX_FIXES = 100
#: Entries that are left out and named in the text; the JSON has all of them.
_MAX_NAMED = 8


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "form",
    cls=Once,
    type=click.Choice(["text", "json", "yaml"]),
    help="Form of the result. Default: text.",
)
@click.option("--fix", is_flag=True, help="Make every fix that is offered, then check again.")
@click.pass_context
def check(context: click.Context, folder: Path, form: str | None, *, fix: bool) -> None:
    """Check a submission folder as a deploy does.

    Nothing in it is run and nothing is sent.

    Exit code: 0 without errors (there may be warnings), 1 with errors, 2 wrong use.
    """
    from ..operations import check_folder

    with wrong_use():
        report = check_folder(folder)
    if fix:
        report = _mended(folder, report)
    if form in ("json", "yaml"):
        output.emit(form, _document(report))
    else:
        _tell(report)
    context.exit(FAILED if report.errors else 0)


def _mended(folder: Path, report: CheckReport) -> CheckReport:
    """Make the fixes one by one; each changes what the next one has to start from."""
    from ..operations import apply_fix, check_folder

    for _ in range(_MAX_FIXES):
        found = next((found for found in report.findings if found.fix is not None), None)
        if found is None or found.fix is None:
            break
        apply_fix(folder, found.fix.id)
        output.note(f"Mended {found.place}: {found.fix.title}.")
        report = check_folder(folder)
    return report


def _tell(report: CheckReport) -> None:
    for found in report.findings:
        output.say(f"{found.place} {found.severity} {found.code} {found.message}")
        output.say(f"    why: {found.why}")
        if found.hint:
            output.say(f"    hint: {found.hint}")
        if found.fix:
            output.say(f"    fix available: {found.fix.title}")
    submission = report.submission
    output.say(f"{_verdict(report.findings)} {_number(len(submission.files), 'file')}.")
    if submission.ignored:
        named = [f"{entry.path} ({entry.reason})" for entry in submission.ignored[:_MAX_NAMED]]
        more = len(submission.ignored) - len(named)
        output.say(f"Left out: {', '.join(named)}{f' and {more} more' if more else ''}.")


def _verdict(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return "Nothing found in"
    count = Counter(found.severity for found in findings)
    fixes = sum(found.fix is not None for found in findings)
    said = ", ".join(_number(count[kind], kind) for kind in ("error", "warning") if count[kind])
    return f"{said}{f' ({fixes} can be mended with --fix)' if fixes else ''} in"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _document(report: CheckReport) -> dict[str, Any]:
    submission = report.submission
    return {
        "folder": str(submission.folder),
        "name": submission.description.name if submission.description else None,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "findings": [_finding(found) for found in report.findings],
        "files": len(submission.files),
        "total_size": submission.total_size,
        "ignored": [{"path": entry.path, "reason": entry.reason} for entry in submission.ignored],
    }


def _finding(found: Finding) -> dict[str, Any]:
    fix = found.fix
    return {
        "code": found.code,
        "severity": found.severity,
        "file": found.file,
        "line": found.line,
        "column": found.column,
        "message": found.message,
        "why": found.why,
        "hint": found.hint,
        "field": found.field,
        "fix": fix and {"id": fix.id, "title": fix.title, "description": fix.description},
    }
