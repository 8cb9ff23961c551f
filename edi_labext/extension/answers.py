"""From what ``operations`` returns to what the browser gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import EdiError
from .api import (
    MAX_ANSWER_BYTES,
    MAX_INSPECTED_FILES,
    Answer,
    ErrorInfo,
    FindingInfo,
    FixInfo,
    IgnoredPath,
    InspectedFile,
    Inspection,
    Problem,
)

if TYPE_CHECKING:
    from ..client.answers import InferenceAnswer
    from ..operations import CheckReport, Finding


def error_info(error: EdiError) -> ErrorInfo:
    """Return an error as part of an answer."""
    return ErrorInfo(**error.to_wire())


def inference_answer(answer: InferenceAnswer) -> Answer:
    """Return a kernel's answer as text, cut at :data:`MAX_ANSWER_BYTES`."""
    error = answer.error()
    return Answer(
        status=answer.status,
        ok=error is None,
        content_type=answer.content_type,
        body=answer.body[:MAX_ANSWER_BYTES].decode("utf-8", "replace"),
        size=len(answer.body),
        truncated=len(answer.body) > MAX_ANSWER_BYTES,
        elapsed_ms=round(answer.elapsed * 1000, 3),
        error=error_info(error) if error else None,
    )


def inspection(path: str, report: CheckReport) -> Inspection:
    """Return what was found in a folder, without the folder's place on the server's disk."""
    submission = report.submission
    description = submission.description
    return Inspection(
        path=path,
        name=description.name if description else None,
        own_name=report.own_name,
        proposed_name=report.proposed_name,
        kernel_path=description.kernel_path if description else None,
        runtime=description.runtime if description else None,
        files=[
            InspectedFile(path=file.path, size=file.size)
            for file in submission.files[:MAX_INSPECTED_FILES]
        ],
        file_count=len(submission.files),
        total_size=submission.total_size,
        ignored=[
            IgnoredPath(path=entry.path, reason=entry.reason)
            for entry in submission.ignored[:MAX_INSPECTED_FILES]
        ],
        problems=[
            Problem(
                code=problem.code,
                message=problem.message,
                hint=problem.hint,
                field=problem.field,
                path=problem.path,
            )
            for problem in submission.problems
        ],
        findings=[_finding(found) for found in report.findings],
    )


def _finding(found: Finding) -> FindingInfo:
    fix = found.fix
    return FindingInfo(
        code=found.code,
        severity=found.severity,
        file=found.file,
        line=found.line,
        column=found.column,
        message=found.message,
        why=found.why,
        hint=found.hint,
        fix=FixInfo(id=fix.id, title=fix.title, description=fix.description) if fix else None,
    )
