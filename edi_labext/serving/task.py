"""One inference request inside the engine: the object that its one outcome is given to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..errors import EdiError
    from .dispatcher import TaskQueue
    from .link import KernelLink


class Task:
    """One request for one answer; whoever waits for it overrides the two ``deliver`` methods.

    A task has exactly one outcome: the first call of :meth:`answer` or :meth:`fail` counts, all
    later ones do nothing. Only the queue that holds the task calls them; a client that leaves
    calls :meth:`TaskQueue.cancel`.

    Parameters
    ----------
    body:
        The request's body, passed to the kernel as it is.

    Attributes
    ----------
    body:
        As given; emptied when the task ends, since a queue may keep the object a little longer.
    done:
        The outcome is known, or the client has left.
    number:
        Given by the queue, growing in the order of submission; its number on the wire.
    submitted, deadline:
        Monotonic seconds; no deadline is None.
    queue:
        The queue it was submitted to, which knows how to cancel it.
    link:
        The kernel it was sent to, which owes an answer even when ``done``; None while it waits.
    overdue:
        Its deadline passed while a kernel had it.
    leader, size, left:
        The batch: ``leader`` is its first task, None in the leader itself, in which ``size``
        tells how many tasks the batch has and ``left`` how many of them the kernel still owes.
    """

    __slots__ = (
        "body",
        "deadline",
        "done",
        "leader",
        "left",
        "link",
        "number",
        "overdue",
        "queue",
        "size",
        "submitted",
    )

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.deadline: float | None = None
        self.done = False
        self.leader: Task | None = None
        self.left = 0
        self.link: KernelLink | None = None
        self.number = 0
        self.overdue = False
        self.queue: TaskQueue | None = None
        self.size = 0
        self.submitted = 0.0

    def answer(self, data: bytes) -> None:
        """End the task with the kernel's output."""
        if not self.done:
            self.done = True
            self.body = b""
            self.deliver_answer(data)

    def fail(self, error: EdiError) -> None:
        """End the task without output."""
        if not self.done:
            self.done = True
            self.body = b""
            self.deliver_error(error)

    def abandon(self) -> None:
        """End the task without telling anyone: its client has left."""
        self.done = True
        self.body = b""

    def deliver_answer(self, data: bytes) -> None:
        """Give the kernel's output to whoever waits for it."""
        raise NotImplementedError

    def deliver_error(self, error: EdiError) -> None:
        """Tell whoever waits that there is no output, and why."""
        raise NotImplementedError
