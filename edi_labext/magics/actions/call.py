"""One use of the magic, as its action sees it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from IPython.core.error import UsageError

from ..display.progress import board_for, tell
from ..display.tables import printable
from ..running import run
from ..session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ...client import EdiClient
    from ...operations import Cancellation, Report

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked for, and what an action needs for it.

    Attributes
    ----------
    cell:
        The lines below ``%%edi``, ``None`` behind a single ``%``.
    """

    session: Session
    shell: InteractiveShell
    arguments: argparse.Namespace
    cell: str | None

    @property
    def name(self) -> str:
        """The deployment's name, which is checked."""
        from ...models import check_name

        return check_name(self.arguments.name)

    @property
    def folder(self) -> Path:
        """The folder, relative to the notebook's, as an absolute path; raises ``UsageError``."""
        path = self.resolve(self.arguments.folder)
        if not path.is_dir():
            what = "is no folder" if path.exists() else "does not exist"
            raise UsageError(f"%edi: {printable(str(path))} {what}.")
        return path

    @property
    def where(self) -> str:
        """What to call the environment."""
        return self.session.title(self.arguments.env)

    def timeout(self, usual: float) -> float:
        """Return the seconds of ``--timeout``, or the usual ones."""
        given: float | None = self.arguments.timeout
        return usual if given is None else given

    def client(self) -> EdiClient:
        """Return a client of the environment of ``--env``, or of the current one."""
        return self.session.connect(self.arguments.env, self.tell)

    def tell(self, text: str) -> None:
        """Tell something that is no result."""
        tell(self.shell, text)

    def resolve(self, path: str) -> Path:
        """Return a path of the line as an absolute one; the kernel's folder is the notebook's."""
        try:
            expanded = Path(path).expanduser()
        except RuntimeError:
            raise UsageError(f"%edi: there is no home folder for {ascii(path)[:80]}.") from None
        if "\0" in path or not path:
            raise UsageError(f"%edi: {ascii(path)[:80]} is no path.")
        return expanded.resolve()

    def run(self, action: Callable[[Report, Cancellation], Result], what: str) -> Result:
        """Run a long action with progress and Ctrl-C; ``what`` is ``starting digits``."""
        return run(action, board_for(self.shell), what=what)
