"""From what ``operations`` returns to what the browser gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import EdiError
from .api import (
    MAX_ANSWER_BYTES,
    MAX_INSPECTED_FILES,
    Answer,
    EnvironmentInfo,
    ErrorInfo,
    IgnoredPath,
    InspectedFile,
    Inspection,
    Problem,
)

if TYPE_CHECKING:
    from ..client.answers import InferenceAnswer
    from ..client.environments import Environment
    from ..submission import Submission


def error_info(error: EdiError) -> ErrorInfo:
    """Return an error as part of an answer."""
    return ErrorInfo(**error.to_wire())


def environment_info(environment: Environment, problem: EdiError | None) -> EnvironmentInfo:
    """Return what the browser may know of an environment, which is not its token."""
    return EnvironmentInfo(
        id=environment.id,
        title=environment.title,
        kind=environment.kind,
        host=environment.host,
        problem=error_info(problem) if problem else None,
    )


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


def inspection(path: str, submission: Submission) -> Inspection:
    """Return what was found in a folder, without the folder's place on the server's disk."""
    description = submission.description
    return Inspection(
        path=path,
        name=description.name if description else None,
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
    )
