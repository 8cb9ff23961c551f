"""Failpoints: kill the process, or have the disk refuse, at a named step on the way to the disk.

Only a process that was given this disk has them. What happens is told by a file, the *plan*, that a
test may change while the engine runs::

    {"id": "7", "at": 3, "do": "kill before"}

``at`` counts the steps since the plan with that ``id`` was first seen, from 1; 0 is never. ``do``
is ``kill before``, ``kill after``, or the name of an error (``ENOSPC``, ``EIO``). Each step is
noted in ``<plan>.steps``, by number and name, before it is done.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from .failing_disk import CountingDisk

_RANDOM = re.compile(r"[0-9a-f]{16}|-\d{8}-\d{6}|(?<=/repo/)[a-z0-9-]+(?=/|$)")


class Failpoints(CountingDisk):
    """The real disk with failpoints."""

    def __init__(self, plan: Path) -> None:
        super().__init__()
        self._plan = plan
        self._id = ""
        self._do: dict[str, Any] = {"at": 0, "do": ""}

    def before(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        self._look()
        with Path(f"{self._plan}.steps").open("a") as steps:
            steps.write(f"{self.count} {self._name(name, arguments, dir_fd)}\n")
        if self.count != self._do["at"]:
            return
        if self._do["do"] == "kill before":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self._do["do"], None)
        if number is not None:
            raise OSError(number, os.strerror(number))

    def after(self, name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> None:
        if self.count == self._do["at"] and self._do["do"] == "kill after":
            os.kill(os.getpid(), signal.SIGKILL)

    def _look(self) -> None:
        try:
            plan = json.loads(self._plan.read_text())
        except FileNotFoundError:
            return
        if plan["id"] != self._id:
            self._id = plan["id"]
            self.count = 1
        self._do = plan

    @staticmethod
    def _name(name: str, arguments: tuple[Any, ...], dir_fd: int | None) -> str:
        """Return the operation and what it is done to, without what differs in every run."""
        words = [name]
        for argument in arguments:
            path = argument
            if isinstance(argument, int):
                path = Path(os.readlink(f"/proc/self/fd/{argument}"))
            elif isinstance(argument, bytes) and dir_fd is not None:
                folder = os.readlink(f"/proc/self/fd/{dir_fd}")
                path = Path(folder, os.fsdecode(argument))
            if isinstance(path, Path):
                parts = path.parts
                inside = parts[parts.index("store") :] if "store" in parts else parts[-2:]
                words.append(_RANDOM.sub("*", "/".join(inside)))
        return " ".join(words)


class Plan:
    """The test's hand on the failpoints of an engine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0

    def set(self, do: str, at: int) -> None:
        """Have step ``at`` from now on do that."""
        self._number += 1
        Path(f"{self.path}.steps").unlink(missing_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({"id": str(self._number), "at": at, "do": do}))
        draft.replace(self.path)

    def clear(self) -> None:
        """Let everything happen, and begin to note the steps anew."""
        self.set("", 0)

    def steps(self) -> list[str]:
        """Return the names of the steps since the plan was set."""
        path = Path(f"{self.path}.steps")
        if not path.exists():
            return []
        return [line.split(" ", 1)[1] for line in path.read_text().splitlines()]
