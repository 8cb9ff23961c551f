"""Read the files of an inspected folder, as they go into a package."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .beneath import changed, opened_file, opened_folder
from .content import Submission, SubmissionFile

_CHUNK = 1 << 20


def read_files(submission: Submission) -> Iterator[tuple[SubmissionFile, bool, Iterator[bytes]]]:
    """Yield every file, whether its owner may execute it, and its bytes in blocks of 1 MiB.

    They come in byte order of their paths. The blocks of one have to be read before the next.

    Raises
    ------
    Conflict
        ``changed_while_packed`` when a file has another size than when it was inspected.
    """
    with opened_folder(submission.folder) as root:
        for file in sorted(submission.files, key=lambda file: file.path.encode()):
            with opened_file(root, file.source) as (descriptor, status):
                if status.st_size != file.size:
                    raise changed(file.path, "its size is another")
                executable = bool(status.st_mode & 0o100)
                yield file, executable, iter(lambda: os.read(descriptor, _CHUNK), b"")
