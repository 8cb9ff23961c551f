"""The folder as the checks see it: as it lies on the disk, or as a fix would leave it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from ...errors import EdiError, InvalidInput
from ...models import check_relative_path
from ..beneath import opened_file
from ..content import Submission, SubmissionFile
from ..ignore import IGNORE_FILE, IgnoreRules
from .findings import Change
from .spelling import nearest

#: Longest text file that is read, in bytes (1 MiB).
MAX_TEXT_BYTES = 1 << 20
#: Python files that are looked at to find the kernel file.
_MAX_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the folder.

    Attributes
    ----------
    submission:
        What :func:`~edi_labext.submission.inspect` found.
    files:
        Path in the package → file.
    """

    submission: Submission
    files: dict[str, SubmissionFile]
    _root: int
    # By the file that is read, which links share; also what a change would write.
    _texts: dict[str, bytes | None] = field(default_factory=dict)

    @classmethod
    def of(cls, submission: Submission, root: int) -> Snapshot:
        """Return the state on the disk; ``root`` is the folder's open descriptor."""
        return cls(submission, {file.path: file for file in submission.files}, root)

    def read(self, path: str) -> bytes | None:
        """Return the first :data:`MAX_TEXT_BYTES` and one of a file, ``None`` if there is none."""
        file = self.files.get(path)
        if file is None:
            return None
        if file.source not in self._texts:
            try:
                with opened_file(self._root, file.source) as (descriptor, _):
                    self._texts[file.source] = _read(descriptor, MAX_TEXT_BYTES + 1)
            except (EdiError, OSError):
                # Gone since it was listed. Packing will say so; a check has nothing to add.
                self._texts[file.source] = None
        return self._texts[file.source]

    def change(self, path: str, after: bytes) -> Change:
        """Return the change that gives ``path`` the content ``after``."""
        file = self.files.get(path)
        return Change(file.source if file else path, self.read(path), after)

    def changed_by(self, change: Change) -> Snapshot:
        """Return the folder as ``change`` would leave it."""
        files = self.files
        if change.before is None:
            new = SubmissionFile(change.path, len(change.after), change.path)
            files = {**files, change.path: new}
        return replace(self, files=files, _texts={**self._texts, change.path: change.after})

    def can_create(self, path: str) -> bool:
        """Tell whether there is nothing at the top named ``path``, and a new file would be sent."""
        try:
            os.stat(path, dir_fd=self._root, follow_symlinks=False)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        else:
            return False
        if any(known.casefold() == path.casefold() for known in self.files):
            return False
        lines = self.ignore_lines()
        try:
            return lines is not None and IgnoreRules(lines).reason(path, folder=False) is None
        except InvalidInput:
            return False

    def ignore_lines(self) -> list[str] | None:
        """Return the lines of ``.ediignore``, ``None`` if it cannot be read."""
        try:
            os.stat(IGNORE_FILE, dir_fd=self._root, follow_symlinks=False)
        except OSError:
            return []
        try:
            with opened_file(self._root, IGNORE_FILE) as (descriptor, _):
                return _read(descriptor, MAX_TEXT_BYTES).decode("utf-8-sig").splitlines()
        except (EdiError, OSError, UnicodeDecodeError):
            return None

    def likely_kernel(self, wanted: str | None) -> str | None:
        """Return the Python file that was probably meant as kernel file, if one stands out.

        Parameters
        ----------
        wanted:
            What ``kernel_path`` says, ``None`` if it says nothing.
        """
        scripts = [path for path in self.files if path.endswith(".py")]
        if wanted:
            if near := nearest(wanted, scripts):
                return near
            name = PurePosixPath(wanted.replace("\\", "/")).name
            same = [path for path in scripts if PurePosixPath(path).name == name]
            if len(same) == 1:
                return same[0]
        if "kernel.py" in self.files:
            return "kernel.py"
        kernels = [
            path
            for path in scripts[:_MAX_CANDIDATES]
            if PurePosixPath(path).name != "redhareapi.py"
            and b"redhareapi" in (self.read(path) or b"")
        ]
        return kernels[0] if len(kernels) == 1 else None


def kernel_file(path: str) -> str | None:
    """Return the package path that a ``kernel_path`` names, ``None`` if it is not in the folder."""
    try:
        # "./kernel.py" and "kernel.py" name the same file.
        return check_relative_path(path, field="kernel_path").as_posix()
    except InvalidInput:
        return None


def _read(descriptor: int, limit: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read(limit)
