"""The folder that the kernels of one deployment see as theirs: ``REDHARE_TOP``.

::

    <store>/pods/<name>-YYYYMMDD-HHMMSS-<uid>/      REDHARE_TOP
        repo/<name>/<name>-YYYYMMDD-HHMMSS/         REDHARE_MODEL_PATH, the working copy
        work/  logs/                                where the usual profile points to

Kernels may write anywhere in it. The package as it was published lies in ``<store>/repo`` and is
never given to a kernel: public kernels are known to delete their model path when they end
(``reference/kernel-api.md`` section 5), and what a deployment needs comes back from there.
Nothing in here is durable but by luck, so all of it can be made anew.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .._version import __version__
from ..models import MODEL_JSON
from .store.disk import DIRECTORY_MODE, Disk

#: Name of the room in a store that holds the folders.
ROOM = "pods"
#: ``ioctl`` of Linux that lets two files share their blocks until one is written (btrfs, xfs).
_FICLONE = 0x40049409


class PodFolder:
    """Where the kernels of one published package live; all methods that touch the disk block.

    Parameters
    ----------
    store:
        Directory of the store.
    package:
        The published package, ``<store>/repo/<name>/<name>-YYYYMMDD-HHMMSS``.
    uid:
        Of the deployment, so that a name used twice in a second has two folders.

    Attributes
    ----------
    top:
        ``REDHARE_TOP``.
    model_path:
        ``REDHARE_MODEL_PATH``: the working copy of the package.
    """

    def __init__(self, store: Path, package: Path, uid: str, disk: Disk | None = None) -> None:
        self._package = package
        self._disk = disk or Disk()
        self._turn = threading.Lock()
        self.top = store.absolute() / ROOM / f"{package.name}-{uid[:8]}"
        self.model_path = self.top / "repo" / package.parent.name / package.name

    def expand(self, directory: str, *, usual: str) -> Path:
        """Return a directory of a profile, in which ``${REDHARE_TOP}`` may stand.

        What is not absolute lies in ``REDHARE_TOP``; for no text it is ``usual`` there.
        """
        for name, value in (("REDHARE_TOP", str(self.top)), ("REDHARE_VERSION", __version__)):
            directory = directory.replace(f"${{{name}}}", value)
        return self.top / (directory or usual)

    def prepare(self, kernel_path: str) -> list[str]:
        """Make the working copy, or mend it; return the names of the files that came back.

        Files of the package that are gone come back. ``model.json`` and the kernel file also do
        when they were changed. Everything else stays as kernels left it.

        Parameters
        ----------
        kernel_path:
            Path of the kernel file in the package.

        Raises
        ------
        OSError
        """
        with self._turn:
            if not self.model_path.is_dir():
                self._copy_all()
                return []
            return self._mend({MODEL_JSON, kernel_path})

    def remove(self) -> None:
        """Remove everything; what cannot be is left to the next start of the engine."""
        with self._turn:
            remove([self.top])

    def _copy_all(self) -> None:
        parent = self.model_path.parent
        parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        partial = parent / f".{secrets.token_hex(8)}"
        try:
            shutil.copytree(self._package, partial, copy_function=_copy)
            # On the disk before it has its name: half a file must not look like a whole one.
            fd = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
            try:
                if not self._disk.sync_filesystem(fd):
                    os.sync()
            finally:
                os.close(fd)
            partial.rename(self.model_path)
        except BaseException:
            with suppress(OSError):
                self._disk.remove_tree(partial)
            raise

    def _mend(self, essential: set[str]) -> list[str]:
        mended = []
        for folder, _, names in os.walk(self._package):
            here = Path(folder).relative_to(self._package)
            target = self.model_path / here
            target.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
            for name in names:
                path = here / name
                source, copy = self._package / path, target / name
                if os.path.lexists(copy) and not (
                    path.as_posix() in essential and _differ(source, copy)
                ):
                    continue
                partial = target / f".{secrets.token_hex(8)}"
                _copy(source, partial)
                partial.replace(copy)
                mended.append(path.as_posix())
        return sorted(mended)


def abandoned(store: Path, kept: Iterable[PodFolder]) -> list[Path]:
    """Return the folders in ``store`` of deployments that are no more."""
    tops = {pod.top for pod in kept}
    try:
        return [path for path in (store.absolute() / ROOM).iterdir() if path not in tops]
    except FileNotFoundError:
        return []


def remove(folders: Iterable[Path]) -> None:
    """Remove folders; errors are left to the next start. Blocks."""
    for folder in folders:
        with suppress(OSError):
            Disk().remove_tree(folder)


def _differ(source: Path, copy: Path) -> bool:
    try:
        return source.read_bytes() != copy.read_bytes()
    except OSError:  # a directory, or a link to nowhere
        return True


def _copy(source: str | Path, target: str | Path) -> None:
    """Copy one file with its mode, by sharing its blocks where the filesystem can."""
    with Path(source).open("rb") as reading, Path(target).open("xb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
        except OSError:
            shutil.copyfileobj(reading, writing, 1 << 20)
    shutil.copymode(source, target)
