"""All checks of a folder, and the trial of every fix that they offer."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ...models import is_valid_name
from ..beneath import opened_folder
from ..content import Submission
from ..folder import inspect
from .files import check_files
from .findings import CheckReport, Finding
from .kernel_file import check_kernel, read_source
from .model_json import ModelJsonCheck
from .readme import check_readme
from .reasons import WHY
from .secrets import check_secrets
from .snapshot import Snapshot


def check_folder(folder: Path, *, name: str | None = None) -> CheckReport:
    """Say what is wrong with a submission folder, what is odd, and what can be mended.

    Nothing of the folder is imported or run, and bad content never raises. A fix is offered only
    if the folder with it has one finding less and no new error; that is tried out, in memory, for
    every one of them.

    Parameters
    ----------
    folder:
        The folder.
    name:
        The name to deploy under, instead of ``model.json``'s, which then may be wrong.

    Raises
    ------
    NotFound
        ``folder_not_found``
    InvalidInput
        ``not_a_folder``, or ``unreadable`` when the folder itself may not be listed.
    """
    submission = inspect(folder, name=name if is_valid_name(name) else None)
    with opened_folder(submission.folder) as root:
        snapshot = Snapshot.of(submission, root)
        look = functools.partial(_content, name=name, look_at=_KernelChecks())
        content = list(look(snapshot))
        tried = tuple(_tried(found, content, snapshot, look) for found in content)
        rest = (*check_files(snapshot), *check_secrets(snapshot))
        described = ModelJsonCheck(snapshot, name)
    findings = (*tried, *rest)
    return CheckReport(
        (*findings, *_left_over(submission, findings)),
        submission,
        own_name=described.own_name,
        proposed_name=described.proposed_name,
    )


class _KernelChecks:
    """Checks kernel files, each only once: most fixes that are tried out do not touch it."""

    def __init__(self) -> None:
        self._read = functools.cache(read_source)
        self._known: dict[tuple[object, ...], list[Finding]] = {}

    def findings(self, snapshot: Snapshot, path: str, runtime: str | None) -> list[Finding]:
        """Return what there is to say about ``path``; the other files count by their names."""
        key = (path, runtime, snapshot.read(path), frozenset(snapshot.files))
        if key not in self._known:
            found = check_kernel(snapshot, path, runtime, self._read)
            self._known[key] = _by_place(found)
        return self._known[key]


def _content(snapshot: Snapshot, *, name: str | None, look_at: _KernelChecks) -> Iterator[Finding]:
    """Check the three files that a fix may change."""
    check = ModelJsonCheck(snapshot, name)
    yield from _by_place(check.findings())
    kernel = check.kernel
    if kernel is not None and check.runs_python:
        runtime = check.file.value("runtime") if check.file else None
        yield from look_at.findings(snapshot, kernel, runtime)
    yield from check_readme(snapshot)


def _by_place(findings: Iterator[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda found: (found.line or 0, found.column or 0))


def _tried(
    found: Finding,
    before: list[Finding],
    snapshot: Snapshot,
    look: Callable[[Snapshot], Iterator[Finding]],
) -> Finding:
    """Return the finding, without its fix if that does not keep what it promises."""
    if found.fix is None:
        return found
    after = list(look(snapshot.changed_by(found.fix.change)))
    new_errors = _errors(after) - _errors(before)
    gone = sum(map(_same(found), after)) < sum(map(_same(found), before))
    return found if gone and not new_errors else replace(found, fix=None)


def _errors(findings: list[Finding]) -> Counter[tuple[str, str | None]]:
    return Counter((found.code, found.file) for found in findings if found.severity == "error")


def _same(one: Finding) -> Callable[[Finding], bool]:
    """Compare without line and column, which move when something is mended."""
    return lambda other: (one.code, one.file) == (other.code, other.file)


def _left_over(submission: Submission, findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """Yield the problems of ``inspect`` that no check has an error for.

    There is none as long as the checks see all that ``inspect`` sees. The folder may change
    between the two, and then it must not count as deployable.
    """
    known = {found.code for found in findings if found.severity == "error"}
    for problem in submission.problems:
        code = problem.code.replace("_", "-")
        if code not in known:
            yield Finding(
                code,
                "error",
                problem.path,
                None,
                None,
                problem.message,
                WHY.get(code, "EDI would refuse the folder."),
                hint=problem.hint,
                field=problem.field,
            )
