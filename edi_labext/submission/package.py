"""Pack a submission folder as EDI takes it: a gzip-compressed tar with one top folder.

The same folder always gives the same bytes: entries are sorted, and owner, times and all mode
bits but the owner's execute bit are left out. Memory use does not depend on the folder's size.
Archive form: ``reference/rest-api.md`` section 5.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..models import MODEL_JSON, check_name
from ..models.strict_json import MAX_JSON_BYTES, parse_object
from .beneath import changed, opened_file, opened_folder
from .content import Submission, SubmissionFile
from .folder import inspect

#: Called with bytes packed so far and bytes in all, both uncompressed.
PackProgress = Callable[[int, int], None]

_CHUNK = 1 << 20
# Most of a package is weights, which hardly compress; higher levels cost time for nothing.
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class PackageSummary:
    """What was written.

    Attributes
    ----------
    size:
        Of the package, in bytes.
    content_size:
        Sum of the sizes of its files, in bytes: what EDI shows as a deployment's ``size``.
    files:
        Number of files.
    sha256:
        Of the package, in hex.
    """

    size: int
    content_size: int
    files: int
    sha256: str


def build(
    folder: Path,
    out: BinaryIO,
    *,
    name: str | None = None,
    runtime: str | None = None,
    progress: PackProgress | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> PackageSummary:
    """Inspect ``folder`` and write its package to ``out``; see :func:`pack`."""
    return pack(
        inspect(folder), out, name=name, runtime=runtime, progress=progress, checkpoint=checkpoint
    )


def pack(
    submission: Submission,
    out: BinaryIO,
    *,
    name: str | None = None,
    runtime: str | None = None,
    description: Mapping[str, Any] | None = None,
    progress: PackProgress | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> PackageSummary:
    """Write the package of an inspected folder to ``out``, which is neither rewound nor closed.

    Parameters
    ----------
    submission:
        The folder as inspected.
    out:
        Takes the bytes of the package.
    name, runtime:
        Deployment name and runtime. Where one differs from ``model.json``'s, that file is written
        anew with it.
    description:
        Other keys of ``model.json`` to be written anew.
    progress:
        Told after every piece of at most 1 MiB.
    checkpoint:
        Called before every piece; what it raises ends the packing.

    Raises
    ------
    InvalidInput
        When the folder has problems, or ``name`` is not a deployment name.
    Conflict
        ``changed_while_packed`` when a file is not what it was when it was inspected.
    """
    own = submission.require_deployable()
    top = check_name(name or own.name)
    rewritten = dict(description or {})
    if name is not None:
        rewritten["name"] = top
    if runtime is not None and runtime != own.runtime:
        rewritten["runtime"] = runtime
    writer = _Writer(submission, out, progress, checkpoint or _go_on)
    with opened_folder(submission.folder) as root:
        writer.write(root, top, rewritten)
    return PackageSummary(
        size=writer.size,
        content_size=writer.packed,
        files=len(submission.files),
        sha256=writer.digest.hexdigest(),
    )


def _go_on() -> None:
    """Stand in for a missing checkpoint."""


class _Writer:
    """One package being written."""

    def __init__(
        self,
        submission: Submission,
        out: BinaryIO,
        progress: PackProgress | None,
        checkpoint: Callable[[], None],
    ) -> None:
        self.size = 0
        self.packed = 0
        self.digest = hashlib.sha256()
        self._submission = submission
        self._out = out
        self._progress = progress
        self._checkpoint = checkpoint
        self._gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)

    def write(self, root: int, top: str, rewritten: Mapping[str, Any]) -> None:
        self._header(f"{top}/", folder=True)
        for entry in _in_order(self._submission):
            self._checkpoint()
            if isinstance(entry, str):
                self._header(f"{top}/{entry}/", folder=True)
            elif rewritten and entry.path == MODEL_JSON:
                self._described(root, f"{top}/{entry.path}", entry, rewritten)
            else:
                self._file(root, f"{top}/{entry.path}", entry)
        self._put(bytes(2 * tarfile.BLOCKSIZE))
        self._emit(self._gzip.flush())

    def _file(self, root: int, name: str, file: SubmissionFile) -> None:
        with opened_file(root, file.source) as (descriptor, status):
            if status.st_size != file.size:
                raise changed(file.path, "its size is another")
            self._header(name, size=file.size, executable=bool(status.st_mode & 0o100))
            left = file.size
            while left:
                self._checkpoint()
                chunk = os.read(descriptor, min(_CHUNK, left))
                if not chunk:
                    raise changed(file.path, "it became shorter")
                left -= len(chunk)
                self._put(chunk)
                self._advance(len(chunk))
            now = os.fstat(descriptor)
            if (now.st_size, now.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
                raise changed(file.path, "something wrote to it")
        self._pad(file.size)

    def _described(
        self, root: int, name: str, file: SubmissionFile, rewritten: Mapping[str, Any]
    ) -> None:
        with opened_file(root, file.source) as (descriptor, _):
            data = os.read(descriptor, MAX_JSON_BYTES + 1)
        description = parse_object(data, what=MODEL_JSON)
        if all(description.get(key) == value for key, value in rewritten.items()):
            self._file(root, name, file)
            return
        description.update(rewritten)
        text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
        content = text.encode()
        self._header(name, size=len(content))
        self._put(content)
        self._pad(len(content))
        self._advance(len(content))

    def _header(
        self, name: str, *, size: int = 0, folder: bool = False, executable: bool = False
    ) -> None:
        info = tarfile.TarInfo(name)
        info.size = size
        info.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
        info.mode = 0o755 if folder or executable else 0o644
        self._put(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))

    def _pad(self, size: int) -> None:
        self._put(bytes(-size % tarfile.BLOCKSIZE))

    def _put(self, data: bytes) -> None:
        self._emit(self._gzip.compress(data))

    def _emit(self, data: bytes) -> None:
        if data:
            self._out.write(data)
            self.digest.update(data)
            self.size += len(data)

    def _advance(self, count: int) -> None:
        self.packed += count
        if self._progress is not None:
            self._progress(self.packed, max(self.packed, self._submission.total_size))


def _in_order(submission: Submission) -> Iterator[SubmissionFile | str]:
    """Yield folders (as text) and files, each folder before what lies in it."""
    entries: list[tuple[bytes, SubmissionFile | str]] = [
        *((folder.encode(), folder) for folder in submission.folders),
        *((file.path.encode(), file) for file in submission.files),
    ]
    entries.sort(key=lambda entry: entry[0])
    for _, entry in entries:
        yield entry
