"""A progress bar on a terminal, on stderr, and nothing anywhere else."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.progress

    from ..operations import Progress


class Bar:
    """The one line that shows how far an action is; it leaves nothing behind.

    It is only there when stderr is a terminal that can draw it. ``NO_COLOR`` makes it colourless.
    """

    def __init__(self) -> None:
        self._wanted = (
            sys.stderr is not None
            and sys.stderr.isatty()
            and os.environ.get("TERM", "dumb") != "dumb"
        )
        self._drawing: rich.progress.Progress | None = None
        #: The task that is drawn, and whether its length is known.
        self._task: tuple[rich.progress.TaskID, bool] | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pause()

    def show(self, progress: Progress) -> None:
        """Draw where an action is; a part of it of unknown length is a moving bar."""
        if not self._wanted:
            return
        if self._drawing is None:
            self._drawing = self._begin()
        known = progress.fraction is not None
        if self._task is None or self._task[1] != known:
            # A task keeps its length once it has one, so another kind of part is another task.
            if self._task is not None:
                self._drawing.remove_task(self._task[0])
            task = self._drawing.add_task(progress.message, total=1.0 if known else None)
            self._task = (task, known)
        self._drawing.update(
            self._task[0], description=progress.message, completed=progress.fraction or 0.0
        )

    def pause(self) -> None:
        """Take the bar away, so that a line can be printed; the next :meth:`show` draws it anew."""
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = self._task = None

    @staticmethod
    def _begin() -> rich.progress.Progress:
        # Loading it takes as long as a small command; only who sees a bar pays for it.
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Drawing

        drawing = Drawing(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            console=Console(stderr=True),
            transient=True,
            # stdout is not ours to capture: it may be somebody's file.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        drawing.start()
        return drawing
