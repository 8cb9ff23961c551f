"""Inspect a submission folder: the facts for the deploy dialog and for packaging."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..errors import EdiError, InvalidInput, NotFound, echo
from ..models import MODEL_JSON, README, SubmissionDescription, parse_submission
from ..models.strict_json import MAX_JSON_BYTES
from .beneath import opened_file, opened_folder
from .content import IgnoredEntry, Problem, Submission, SubmissionFile
from .ignore import IGNORE_FILE, IgnoreRules
from .tree import Tree

#: Longest README.md, in bytes (1 MiB).
MAX_README_BYTES = 1 << 20
_MAX_IGNORE_BYTES = 64 << 10


def inspect(folder: Path, *, name: str | None = None) -> Submission:
    """Look at ``folder`` and say what would be sent and what stands in the way.

    Bad content never raises: it becomes :attr:`Submission.problems`.

    Parameters
    ----------
    name:
        A valid deployment name that stands in the place of ``model.json``'s, whatever that is.

    Raises
    ------
    NotFound
        ``folder_not_found``
    InvalidInput
        ``not_a_folder``, or ``unreadable`` when the folder itself may not be listed.
    """
    try:
        root = folder.resolve(strict=True)
        with opened_folder(root) as descriptor:
            return _inspect(root, descriptor, name)
    except (FileNotFoundError, RuntimeError, ValueError):
        raise NotFound(
            f"The folder {echo(folder.name)} does not exist.", code="folder_not_found"
        ) from None
    except NotADirectoryError:
        raise InvalidInput(
            f"{echo(folder.name)} is not a folder.",
            code="not_a_folder",
            hint="Choose the folder that holds model.json.",
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"The folder {echo(folder.name)} cannot be read: {error.strerror}.", code="unreadable"
        ) from None


def _inspect(root: Path, descriptor: int, name: str | None) -> Submission:
    problems: list[Problem] = []
    rules = IgnoreRules()
    try:
        rules = IgnoreRules(_ignore_lines(descriptor))
    except InvalidInput as error:
        problems.append(_as_problem(error, IGNORE_FILE))
    tree = Tree(root, descriptor, rules)
    content = _Content(descriptor, tree)
    description = content.description(name)
    if description is not None:
        content.check_kernel(description)
    readme = content.readme()
    return Submission(
        folder=root,
        description=description,
        readme=readme,
        files=tuple(tree.files),
        folders=tuple(tree.folders),
        ignored=tuple(tree.ignored),
        total_size=tree.total_size,
        problems=(*problems, *content.problems, *tree.problems),
    )


class _Content:
    """The three files that every submission needs."""

    def __init__(self, descriptor: int, tree: Tree) -> None:
        self.problems: list[Problem] = []
        self._descriptor = descriptor
        self._tree = tree
        self._files = {file.path: file for file in tree.files}

    def description(self, name: str | None) -> SubmissionDescription | None:
        file = self._required(MODEL_JSON)
        if file is None:
            return None
        try:
            return parse_submission(_read(self._descriptor, file, MAX_JSON_BYTES + 1), name=name)
        except EdiError as error:
            self.problems.append(_as_problem(error, MODEL_JSON))
            return None

    def check_kernel(self, description: SubmissionDescription) -> None:
        # "./kernel.py" and "kernel.py" name the same file.
        path = PurePosixPath(description.kernel_path).as_posix()
        if path in self._files:
            return
        hint = self._why_missing(path)
        if path in self._tree.folders:
            hint = "It is a folder."
        self.problems.append(
            Problem(
                "kernel_not_found",
                f"The kernel file {echo(path)} that {MODEL_JSON} names is not in the folder.",
                hint or f"Add the file, or correct kernel_path in {MODEL_JSON}.",
                field="kernel_path",
                path=path,
            )
        )

    def readme(self) -> str | None:
        file = self._required(README)
        if file is None:
            return None
        if file.size > MAX_README_BYTES:
            self.problems.append(
                Problem(
                    "file_too_large",
                    f"{README} has {file.size:,} bytes; at most {MAX_README_BYTES:,} are taken.",
                    "Move pictures and data into files of their own.",
                    path=README,
                )
            )
            return None
        try:
            return _read(self._descriptor, file, MAX_README_BYTES).decode(
                "utf-8-sig", "backslashreplace"
            )
        except EdiError as error:
            self.problems.append(_as_problem(error, README))
            return None

    def _required(self, name: str) -> SubmissionFile | None:
        file = self._files.get(name)
        if file is None and not any(problem.path == name for problem in self._tree.problems):
            self.problems.append(
                Problem(
                    "missing_file",
                    f"{name} is not at the top of the folder.",
                    self._why_missing(name) or _PURPOSE[name],
                    path=name,
                )
            )
        return file

    def _why_missing(self, name: str) -> str | None:
        return why_missing(name, self._tree.files, self._tree.ignored)


def why_missing(
    path: str, files: Iterable[SubmissionFile], ignored: Iterable[IgnoredEntry]
) -> str | None:
    """Tell what became of a file that should be in the folder, or which one may be meant."""
    files = list(files)
    for entry in ignored:
        if path == entry.path or (entry.path[-1] == "/" and path.startswith(entry.path)):
            return f"It is left out: {entry.reason}."
    for file in files:
        if file.path.casefold() == path.casefold():
            return f"Rename {echo(file.path)} to {path}."
    for file in files:
        if file.path.rpartition("/")[2] == path.rpartition("/")[2]:
            return f"There is {echo(file.path)}. Is that the one you mean?"
    return None


_PURPOSE = {
    MODEL_JSON: 'It describes the service: {"name": "digits", "kernel_path": "kernel.py"}.',
    README: "EDI refuses a folder without one; a single line is enough.",
}


def _read(descriptor: int, file: SubmissionFile, limit: int) -> bytes:
    with opened_file(descriptor, file.source) as (opened, _), os.fdopen(os.dup(opened), "rb") as f:
        return f.read(limit)


def _ignore_lines(descriptor: int) -> list[str]:
    try:
        status = os.stat(IGNORE_FILE, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return []
    try:
        data = _read(
            descriptor,
            SubmissionFile(IGNORE_FILE, status.st_size, IGNORE_FILE),
            _MAX_IGNORE_BYTES + 1,
        )
        if len(data) <= _MAX_IGNORE_BYTES:
            return data.decode("utf-8-sig").splitlines()
    except (EdiError, UnicodeDecodeError):
        pass
    raise InvalidInput(
        f"{IGNORE_FILE} cannot be read.",
        code="invalid_ignore_file",
        hint=f"It must be a plain UTF-8 file of at most {_MAX_IGNORE_BYTES >> 10} KiB.",
    )


def _as_problem(error: EdiError, path: str) -> Problem:
    return Problem(error.code, error.message, error.hint, error.field, path)
