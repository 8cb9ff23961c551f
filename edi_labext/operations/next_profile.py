"""Profiles that were saved for the next start.

EDI takes a profile only while the deployment is stopped. What a person saves while it is started is
kept on this machine, a file for each deployment of each EDI, and given to the EDI as soon as one of
our actions finds the deployment stopped: after our stop, or before our start (:mod:`.next_start`).
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..client import EdiClient
from ..errors import StorageFailure
from ..models import check_name

_FOLDER: Final = "next-profiles"
_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class NextProfile:
    """A profile that waits for the next start.

    Attributes
    ----------
    document:
        The whole profile.
    revision:
        :func:`~edi_labext.models.profile_revision` of the EDI's profile that it was made from.
    saved_at:
        Unix seconds UTC.
    """

    document: dict[str, Any]
    revision: str
    saved_at: float


class NextProfiles:
    """The profiles of one EDI that wait for the next start: files of mode 0600.

    They hold what a profile holds and no token. Usable from several threads and processes: a file
    is replaced as a whole.

    Parameters
    ----------
    folder:
        Created when something is first put into it; ``None`` keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @classmethod
    def of(cls, client: EdiClient) -> NextProfiles:
        """Return those of the EDI that a client talks to."""
        return cls(None if client.keep is None else client.keep / _FOLDER)

    def names(self) -> frozenset[str]:
        """Return the deployments for which one waits; none when the folder cannot be read."""
        if self._folder is None:
            return frozenset()
        try:
            entries = [entry.name for entry in self._folder.iterdir()]
        except OSError:
            return frozenset()
        return frozenset(
            entry.removesuffix(_SUFFIX)
            for entry in entries
            if entry.endswith(_SUFFIX) and not entry.startswith(".")
        )

    def get(self, name: str) -> NextProfile | None:
        """Return what waits for ``name``; ``None`` when nothing does.

        Raises
        ------
        StorageFailure
            ``next_profile_unreadable``
        """
        path = self._path(name)
        if path is None:
            return None
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise _unreadable(name) from None
        try:
            kept = json.loads(text)
            document, revision = kept["profile"], kept["revision"]
            saved_at = float(kept["saved_at"])
        except (KeyError, TypeError, ValueError):
            raise _unreadable(name) from None
        if not isinstance(document, dict) or not isinstance(revision, str):
            raise _unreadable(name)
        return NextProfile(document, revision, saved_at)

    def put(self, name: str, profile: NextProfile) -> None:
        """Keep ``profile`` for ``name`` in place of what was there; durable on return.

        Raises
        ------
        StorageFailure
        """
        path = self._path(name)
        if path is None:
            raise StorageFailure("There is no place to keep a profile for the next start.")
        kept = {
            "revision": profile.revision,
            "saved_at": profile.saved_at,
            "profile": profile.document,
        }
        draft = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(kept, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise StorageFailure(
                f"The profile of {name} could not be kept for the next start: "
                f"{error.strerror or 'no reason given'}."
            ) from None

    def remove(self, name: str) -> None:
        """Forget what waits for ``name``; harmless when nothing does.

        Raises
        ------
        StorageFailure
        """
        path = self._path(name)
        if path is None:
            return
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise StorageFailure(
                f"What was saved for the next start of {name} could not be removed: "
                f"{error.strerror or 'no reason given'}."
            ) from None

    def _path(self, name: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{check_name(name)}{_SUFFIX}"


def _unreadable(name: str) -> StorageFailure:
    return StorageFailure(
        f"What was saved for the next start of {name} cannot be read.",
        code="next_profile_unreadable",
        hint="Save a profile for its next start again; that replaces it.",
    )
