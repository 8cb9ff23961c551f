"""Walk a submission folder: what is sent, what is left out, what cannot be sent."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from ..errors import echo
from .beneath import open_subfolder
from .content import IgnoredEntry, Problem, SubmissionFile
from .ignore import IgnoreRules

#: Largest sum of file sizes, and so largest file, in bytes (2 GiB).
MAX_TOTAL_SIZE = 2 << 30
#: Most files and folders; with the top folder, the engine's limit of 20,000 entries.
MAX_ENTRIES = 19_999
#: Deepest nesting of folders; with the top folder, within the engine's limit of 32.
MAX_DEPTH = 30
#: Longest path inside the package, in bytes of UTF-8.
MAX_PATH_BYTES = 1024
#: After so many entries, left out or not, the walk gives up.
_MAX_SEEN = 10 * MAX_ENTRIES
#: Problems beyond this many say nothing new.
_MAX_PROBLEMS = 50

_KINDS = {
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class Tree:
    """One walk over a folder; the results are in its attributes.

    Parameters
    ----------
    root:
        Real path of the folder.
    descriptor:
        Its open descriptor.
    rules:
        What to leave out.
    """

    def __init__(self, root: Path, descriptor: int, rules: IgnoreRules) -> None:
        self.files: list[SubmissionFile] = []
        self.folders: list[str] = []
        self.ignored: list[IgnoredEntry] = []
        self.problems: list[Problem] = []
        self.total_size = 0
        self._root = root
        self._rules = rules
        self._seen = 0
        self._twins: dict[str, str] = {}
        self._full = False
        self._folder(descriptor, "", depth=1)
        self.files.sort(key=lambda file: file.path.encode())
        self.folders.sort(key=str.encode)
        if self.total_size > MAX_TOTAL_SIZE:
            largest = max(self.files, key=lambda file: file.size)
            self._problem(
                "file_too_large" if largest.size > MAX_TOTAL_SIZE else "too_large",
                f"The files to send have {self.total_size:,} bytes; at most {MAX_TOTAL_SIZE:,} "
                "are taken.",
                hint=f"The largest is {echo(largest.path)}. Leave it out with .ediignore and let "
                "the kernel fetch it when it starts.",
                path=largest.path,
            )

    def _folder(self, descriptor: int, prefix: str, depth: int) -> None:
        with os.scandir(descriptor) as found:
            entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
        for entry in entries:
            if self._full:
                return
            self._entry(entry, descriptor, prefix + entry.name, depth)

    def _entry(self, entry: os.DirEntry[str], parent: int, path: str, depth: int) -> None:
        self._seen += 1
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            self._unreadable(path, error)
            return
        is_folder = stat.S_ISDIR(status.st_mode)
        reason = self._rules.reason(path, folder=is_folder)
        if reason is not None:
            self.ignored.append(IgnoredEntry(path + "/" if is_folder else path, reason))
        elif self._acceptable(path):
            if is_folder:
                self._subfolder(entry.name, parent, path, depth)
            elif stat.S_ISREG(status.st_mode):
                self._file(path, path, status.st_size, parent, entry.name)
            elif stat.S_ISLNK(status.st_mode):
                self._link(path, parent, entry.name)
            else:
                kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a special file")
                self._problem(
                    "special_file",
                    f"{echo(path)} is {kind}; only files and folders can be sent.",
                    hint="Remove it or name it in .ediignore.",
                    path=path,
                )
        if len(self.files) + len(self.folders) > MAX_ENTRIES or self._seen > _MAX_SEEN:
            self._full = True
            self._problem(
                "too_many_files",
                f"The folder holds more than {MAX_ENTRIES:,} files and folders.",
                hint="Deploy the folder of one service, or leave data out with .ediignore.",
            )

    def _acceptable(self, path: str) -> bool:
        """Refuse names that the other side could not store, before anything is sent."""
        try:
            encoded = path.encode()
        except UnicodeEncodeError:
            encoded = b""
        if (
            not encoded
            or len(encoded) > MAX_PATH_BYTES
            or "\\" in path
            or any(unicodedata.category(char) == "Cc" for char in path)
        ):
            self._problem(
                "invalid_path",
                f"The name {echo(path)} cannot be sent.",
                hint="Use UTF-8 names without control characters and backslashes, at most "
                f"{MAX_PATH_BYTES} bytes with their folders.",
                path=path.encode("utf-8", "backslashreplace").decode(),
            )
            return False
        # Some file systems fold case and accents: there one file would overwrite the other.
        twin = self._twins.setdefault(unicodedata.normalize("NFC", path.casefold()), path)
        if twin != path:
            self._problem(
                "duplicate_path",
                f"{echo(twin)} and {echo(path)} differ only by case or accents.",
                hint="Rename one of them.",
                path=path,
            )
            return False
        return True

    def _subfolder(self, name: str, parent: int, path: str, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self._problem(
                "too_deep",
                f"{echo(path)} lies more than {MAX_DEPTH} folders deep.",
                path=path,
            )
            return
        try:
            descriptor = open_subfolder(parent, name)
        except OSError as error:
            self._unreadable(path, error)
            return
        self.folders.append(path)
        try:
            self._folder(descriptor, path + "/", depth + 1)
        finally:
            os.close(descriptor)

    def _file(self, path: str, source: str, size: int, parent: int, name: str) -> None:
        if not os.access(name, os.R_OK, dir_fd=parent, effective_ids=True):
            self._unreadable(path, PermissionError(13, "Permission denied"))
            return
        self.files.append(SubmissionFile(path, size, source))
        self.total_size += size

    def _link(self, path: str, parent: int, name: str) -> None:
        """Follow a link to a file of the folder; EDI's archives hold no links."""
        try:
            target = (self._root / path).resolve(strict=True)
            status = target.lstat()
        except (OSError, RuntimeError):
            self._problem(
                "broken_link",
                f"{echo(path)} is a link to something that is not there.",
                hint="Remove it or name it in .ediignore.",
                path=path,
            )
            return
        if not target.is_relative_to(self._root):
            self._problem(
                "link_outside",
                f"{echo(path)} is a link to something outside the folder.",
                hint="Replace it by a copy, or name it in .ediignore.",
                path=path,
            )
            return
        source = target.relative_to(self._root).as_posix()
        if not stat.S_ISREG(status.st_mode):
            self._problem(
                "link_to_folder",
                f"{echo(path)} is a link to {echo(source)}, which is not a file.",
                hint="Only links to files are followed. Replace it by a copy.",
                path=path,
            )
            return
        reason = self._reason_on_the_way(source)
        if reason is not None:
            self.ignored.append(IgnoredEntry(path, f"a link to {source}: {reason}"))
            return
        self._file(path, source, status.st_size, parent, name)

    def _reason_on_the_way(self, source: str) -> str | None:
        """Tell why the target of a link would be left out under its own name."""
        parts = source.split("/")
        for count in range(1, len(parts) + 1):
            reason = self._rules.reason("/".join(parts[:count]), folder=count < len(parts))
            if reason is not None:
                return reason
        return None

    def _unreadable(self, path: str, error: OSError) -> None:
        self._problem(
            "unreadable",
            f"{echo(path)} cannot be read: {error.strerror or 'no reason given'}.",
            hint="Change its permissions or name it in .ediignore.",
            path=path,
        )

    def _problem(
        self, code: str, message: str, *, hint: str | None = None, path: str | None = None
    ) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(Problem(code, message, hint, path=path))
