"""From the bytes of an upload to a submission folder that is ready to be published."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import DigestMismatch, InvalidInput, TooLarge, echo
from ...models import MODEL_JSON, README, SubmissionDescription, parse_submission
from ...models.strict_json import MAX_JSON_BYTES
from ..store.disk import Disk, storage_error
from .extractor import Extractor
from .limits import ArchiveLimits, Deadline
from .streams import open_tar
from .tar_reader import TarReader

#: macOS' tar puts an AppleDouble file ``._name`` beside a file or folder with attributes.
_APPLE_DOUBLE = "._"
#: How many entries of a folder are looked at to hint at a misplaced file.
_LOOK_AT = 200


@dataclass(frozen=True, slots=True)
class StagedPackage:
    """A submission on the store's own disk, checked and durable, but not yet published.

    Attributes
    ----------
    directory:
        Holds the submission's files, without the archive's top folder.
    submission:
        Its ``model.json``.
    readme:
        Its ``README.md``; bytes that are not UTF-8 are shown as escapes.
    size:
        Sum of the lengths of all regular files, in bytes.
    files:
        How many regular files there are.
    digest:
        SHA-256 of the archive as it was sent, in hexadecimal.
    holder:
        Directory in ``staging/`` that holds ``directory`` and is removed when all is done.
    """

    directory: Path
    submission: SubmissionDescription
    readme: str
    size: int
    files: int
    digest: str
    holder: Path

    def discard(self, disk: Disk | None = None) -> None:
        """Remove what is left in staging. Blocks; errors are left to the next start."""
        with suppress(OSError):
            (disk or Disk()).remove_tree(self.holder)


def stage(
    blocks: Iterator[bytes],
    staging: Path,
    *,
    limits: ArchiveLimits | None = None,
    deadline: Deadline | None = None,
    disk: Disk | None = None,
    digest: str | None = None,
) -> StagedPackage:
    """Unpack an archive (tar or tar.gz) into a new directory of ``staging``. Blocks.

    The files may lie at the top of the archive or in its one top folder. Whatever goes wrong,
    nothing of it stays behind.

    Parameters
    ----------
    blocks:
        The archive, in pieces of any length; what iterating raises is passed on.
    staging:
        A directory on the filesystem of the store.
    digest:
        SHA-256 that the archive must have, in hexadecimal; any if not given.

    Raises
    ------
    InvalidInput, TooLarge, UnsupportedMedia
        With the codes of ``reliability-security.md`` rows 1-24 and 57-71.
    DigestMismatch
        It is not the archive that ``digest`` is of.
    RequestTimeout, Cancelled
        From ``deadline``.
    OutOfSpace, StorageFailure
        When the disk refuses.
    """
    limits = limits or ArchiveLimits()
    disk = disk or Disk()
    holder = staging / secrets.token_hex(8)
    hasher = hashlib.sha256()
    try:
        disk.make_directory(holder)
        root = holder / "package"
        disk.make_directory(root)
        reader = TarReader(open_tar(_watched(blocks, hasher, deadline), limits), limits)
        with Extractor(root, limits=limits, disk=disk, deadline=deadline) as extractor:
            extractor.extract(reader)
            _check_digest(digest, hasher.hexdigest())
            top = _find_top(root)
            submission, readme = _read_submission(top, limits)
            extractor.sync()
        return StagedPackage(
            directory=top,
            submission=submission,
            readme=readme,
            size=extractor.size,
            files=extractor.files,
            digest=hasher.hexdigest(),
            holder=holder,
        )
    except BaseException as error:
        with suppress(OSError):
            disk.remove_tree(holder)
        if isinstance(error, OSError):
            raise storage_error(error, "unpack the package", staging) from error
        raise


def stage_nothing(
    submission: SubmissionDescription, staging: Path, *, disk: Disk | None = None
) -> StagedPackage:
    """Make what stands for a package in ``staging`` where there is none yet. Blocks.

    Raises
    ------
    OutOfSpace, StorageFailure
        When the disk refuses.
    """
    disk = disk or Disk()
    holder = staging / secrets.token_hex(8)
    try:
        disk.make_directory(holder)
        disk.make_directory(holder / "package")
    except OSError as error:
        with suppress(OSError):
            disk.remove_tree(holder)
        raise storage_error(error, "register the model", staging) from error
    return StagedPackage(
        directory=holder / "package",
        submission=submission,
        readme="",
        size=0,
        files=0,
        digest=hashlib.sha256().hexdigest(),
        holder=holder,
    )


def _check_digest(declared: str | None, digest: str) -> None:
    if declared not in (None, digest):
        raise DigestMismatch(
            f"The SHA-256 of the package is {digest}, not {echo(declared)} as declared.",
            hint="It was changed on the way, or the digest is of another file. Send it again.",
        )


def _watched(
    blocks: Iterator[bytes], hasher: hashlib._Hash, deadline: Deadline | None
) -> Iterator[bytes]:
    for block in blocks:
        if deadline is not None:
            deadline.check()
        hasher.update(block)
        yield block


def _find_top(root: Path) -> Path:
    """Return the directory that holds the submission: the root, or the only folder in it."""
    if (root / MODEL_JSON).is_file():
        return root
    names = [entry for entry in os.scandir(root) if not entry.name.startswith(_APPLE_DOUBLE)]
    if len(names) == 1 and names[0].is_dir(follow_symlinks=False):
        return root / names[0].name
    return root


def _read_submission(top: Path, limits: ArchiveLimits) -> tuple[SubmissionDescription, str]:
    description = parse_submission(_read_required(top, MODEL_JSON, MAX_JSON_BYTES))
    readme = _read_required(top, README, limits.readme).decode("utf-8-sig", "backslashreplace")
    kernel = top / PurePosixPath(description.kernel_path)
    if not kernel.is_file():
        what = "is a folder" if kernel.is_dir() else "is not in the package"
        raise InvalidInput(
            f"The kernel file {echo(description.kernel_path)} {what}.",
            code="kernel_not_found",
            field="kernel_path",
            hint=f"Correct kernel_path in {MODEL_JSON}, or add the file.",
        )
    return description, readme


def _read_required(top: Path, name: str, limit: int) -> bytes:
    path = top / name
    if not path.is_file():
        hint = "Add it, and pack the folder that holds it."
        if found := _look_below(top, name):
            hint = f"It was found at {echo(found)}: pack that folder."
        raise InvalidInput(
            f"{name} not found at the top of the folder.", code="missing_file", hint=hint
        )
    size = path.stat().st_size
    if size > limit:
        raise TooLarge(
            f"{name} has {size} bytes; at most {limit} are taken.", code="file_too_large"
        )
    return path.read_bytes()


def _look_below(top: Path, name: str) -> str | None:
    """Return where a misplaced file lies, one or two folders down."""
    for count, path in enumerate(top.glob("*")):
        if count == _LOOK_AT:
            break
        for candidate in (path / name, path / path.name / name):
            if candidate.is_file():
                return candidate.relative_to(top).as_posix()
    return None
