"""The tasks of one deployment that wait for a kernel, first come first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .task import Task

#: Entries without a task that are let stand before the line is rewritten.
_SLACK = 64


class WaitingLine:
    """A queue that tasks may leave from anywhere.

    Who leaves early is only counted out; the entry goes when it reaches the front, or when such
    entries are most of the line, so that clients who come and go cannot fill the memory.

    Attributes
    ----------
    count:
        How many tasks wait.
    """

    __slots__ = ("_entries", "count")

    def __init__(self) -> None:
        self._entries: deque[Task] = deque()
        self.count = 0

    def add(self, task: Task) -> None:
        """Put ``task`` behind all others."""
        self._entries.append(task)
        self.count += 1

    def take(self, most: int) -> list[Task]:
        """Remove and return the first tasks, at most ``most`` of them."""
        most = min(most, self.count)
        self.count -= most
        batch: list[Task] = []
        entries = self._entries
        while most:
            task = entries.popleft()
            if not task.done:
                batch.append(task)
                most -= 1
        return batch

    def leave(self) -> None:
        """Count out one task, which is ``done`` or will be before the line is asked again."""
        self.count -= 1
        if len(self._entries) > 2 * self.count + _SLACK:
            self._entries = deque(task for task in self._entries if not task.done)

    def put_back(self, tasks: Iterable[Task]) -> None:
        """Take in tasks again that a lost kernel had not begun, each at its old place.

        They are older than whatever has waited all the time, but two lost kernels may hand
        theirs back in any order.
        """
        live = [task for task in self._entries if not task.done]
        live.extend(tasks)
        live.sort(key=lambda task: task.number)
        self._entries = deque(live)
        self.count = len(live)
