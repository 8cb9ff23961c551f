"""From a contents path, as the file browser knows it, to a folder on this machine.

A contents path is text from the browser: it is refused on its words alone where that is
possible, and what remains must resolve to a place below the server's root directory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import is_hidden
from jupyter_server.services.contents.fileio import FileManagerMixin

from ..errors import InvalidInput, NotFound, echo, echo_path

if TYPE_CHECKING:
    from jupyter_server.services.contents.manager import ContentsManager

#: Drives whose files are the contents manager's own (jupyter-collaboration's live documents).
_SAME_FILES_DRIVES = frozenset({"RTC"})


def resolve_folder(contents: ContentsManager, path: str) -> Path:
    """Return the real folder that ``path`` means.

    Does blocking file access, so call it in a thread.

    Parameters
    ----------
    contents:
        The server's contents manager.
    path:
        Contents path, segments parted by ``/``; ``""`` is the root directory. A drive prefix
        such as ``RTC:`` is understood when its files are the server's own.

    Raises
    ------
    InvalidInput
        ``contents_not_on_disk`` when the contents manager or drive keeps its files elsewhere,
        ``path_outside`` when the path leaves the root directory, ``not_a_folder``.
    NotFound
        ``no_such_folder``, also for a hidden folder where hidden ones are not allowed.
    """
    if not isinstance(contents, FileManagerMixin):
        raise _not_on_disk("This Jupyter server does not keep its files in folders on its disk.")
    segments = _segments(path)
    drive, rest = _drive(path)
    inside_drive = _segments(rest)
    root = Path(os.path.realpath(contents.root_dir))
    folder = _confined(root, segments, path)
    # A folder may have a colon in its name; only when there is none it is meant as a drive.
    if drive is not None and not os.path.exists(folder):  # noqa: PTH110 - unlike Path's, never raises
        if drive not in _SAME_FILES_DRIVES:
            raise _not_on_disk(f"The drive {echo(drive)} does not keep its files on this disk.")
        segments = inside_drive
        folder = _confined(root, segments, path)
    if not contents.allow_hidden and any(segment.startswith(".") for segment in segments):
        raise _missing(path)
    if not os.path.exists(folder):  # noqa: PTH110
        raise _missing(path)
    if not contents.allow_hidden and is_hidden(folder, root):
        raise _missing(path)
    if not os.path.isdir(folder):  # noqa: PTH112
        raise InvalidInput(
            f"{echo_path(path)} is not a folder.",
            code="not_a_folder",
            field="path",
            hint="Choose the folder that holds model.json.",
        )
    return folder


def _segments(path: str) -> list[str]:
    """Split a contents path, refusing without a look at the disk whatever could leave the root."""
    segments = path.removesuffix("/").split("/") if path else []
    for segment in segments:
        if (
            segment in ("", ".", "..")
            or "\0" in segment
            or (os.sep != "/" and (os.sep in segment or os.path.splitdrive(segment)[0]))
        ):
            raise _outside(path)
    return segments


def _drive(path: str) -> tuple[str | None, str]:
    """Split a drive prefix off, which is what stands before a colon in the first segment."""
    first = path.partition("/")[0]
    drive, colon, _ = first.partition(":")
    return (drive, path[len(drive) + 1 :].removeprefix("/")) if colon else (None, path)


def _confined(root: Path, segments: list[str], path: str) -> Path:
    folder = Path(os.path.realpath(root.joinpath(*segments)))
    if not folder.is_relative_to(root):
        raise _outside(path)
    return folder


def _outside(path: str) -> InvalidInput:
    return InvalidInput(
        f"{echo_path(path)} is not a path inside the Jupyter server's root directory.",
        code="path_outside",
        field="path",
        hint="Choose a folder in the file browser; links that lead elsewhere are not followed.",
    )


def _missing(path: str) -> NotFound:
    return NotFound(
        f"There is no folder {echo_path(path)}.",
        code="no_such_folder",
        field="path",
        hint="Refresh the file browser; the folder may have been moved or removed.",
    )


def _not_on_disk(message: str) -> InvalidInput:
    return InvalidInput(
        message,
        code="contents_not_on_disk",
        field="path",
        hint="Copy the folder to the Jupyter server's own disk and deploy it from there.",
    )
