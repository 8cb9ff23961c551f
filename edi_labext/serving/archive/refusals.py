"""The refusals that several parts of this room share."""

from __future__ import annotations

from ...errors import InvalidInput, TooLarge, echo

_REBUILD = "Build the archive anew with `tar czf`, or deploy the folder itself."


def not_an_archive(reason: str) -> InvalidInput:
    """Return the refusal of bytes that are no tar archive at all."""
    return InvalidInput(reason, code="not_an_archive", hint="Send a .tar.gz or .tar file.")


def corrupt(reason: str) -> InvalidInput:
    """Return the refusal of an archive that is damaged or truncated."""
    return InvalidInput(f"The archive is damaged: {reason}.", code="corrupt_archive", hint=_REBUILD)


def trailing_data(reason: str) -> InvalidInput:
    """Return the refusal of bytes behind the end of the archive."""
    return InvalidInput(reason, code="trailing_data", hint=_REBUILD)


def invalid_size(reason: str) -> InvalidInput:
    """Return the refusal of a size field that two readers could take for different numbers."""
    return InvalidInput(
        f"The archive declares an impossible size: {reason}.", code="invalid_size", hint=_REBUILD
    )


def bad_path(code: str, path: str | bytes, reason: str) -> InvalidInput:
    """Return the refusal of one entry because of its name.

    ``code`` is ``unsafe_path`` (leaves the folder), ``invalid_path`` (no portable file name) or
    ``duplicate_path``.
    """
    shown = path.decode("utf-8", "backslashreplace") if isinstance(path, bytes) else path
    return InvalidInput(
        f"The archive's entry {echo(shown)} {reason}.", code=code, hint="Rename or remove it."
    )


def expands_too_large(limit: int) -> TooLarge:
    """Return the refusal of an archive whose files are larger than ``limit`` bytes together."""
    return TooLarge(
        f"The archive's files have more than {limit} bytes together.",
        code="expands_too_large",
        hint="Leave large files out and fetch them when the kernel starts.",
    )


def too_many_entries(limit: int) -> TooLarge:
    """Return the refusal of an archive with more than ``limit`` files and directories."""
    return TooLarge(
        f"The archive has more than {limit} files and directories.",
        code="too_many_entries",
        hint="Pack what belongs together into one file, such as a zip of modules.",
    )
