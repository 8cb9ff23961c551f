"""The engine's end of one kernel: frames both ways, and what the kernel owes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Literal, Protocol, cast

from ..errors import EdiError
from .failures import kernel_failure, reason_text
from .kernel.path._edi_host.frames import (
    ANSWER,
    CONTEXT,
    ENDING,
    FAILED,
    FROM_KERNEL,
    HELLO,
    MAX_PAYLOAD,
    READY,
    SHUTDOWN,
    START_FAILED,
    TASK,
    TASK_MORE,
    FrameError,
    FrameReader,
    pack,
)
from .pace import Pace
from .task import Task

_OUTCOMES: Final = frozenset((ANSWER, FAILED))

#: Bytes asked for at once of what is left in a socket.
_READ_SIZE: Final = 256 * 1024

LinkState = Literal["new", "hello", "ready", "start_failed", "closed"]


class Sink(Protocol):
    """Who gets the outcomes of a link: the queue that it is attached to."""

    def on_answer(self, link: KernelLink, task: Task, data: bytes) -> None:
        """Take the output of ``task``."""

    def on_failure(self, link: KernelLink, task: Task, error: EdiError) -> None:
        """Take note that ``task`` has ended without output."""

    def on_progress(self, link: KernelLink) -> None:
        """Go on, now that all outcomes that came together were reported."""

    def detach(self, link: KernelLink) -> None:
        """Send nothing more to ``link``."""


class KernelLink(asyncio.Protocol):
    """One kernel's link, over the engine's end of a socket pair.

    Make it with ``loop.create_connection(lambda: link, sock=sock)``. A frame that breaks the
    protocol closes the link, and with it ends only this kernel.

    Parameters
    ----------
    kernel_id:
        Name of the kernel in logs and errors.
    on_hello, on_ready:
        Called once each: the interpreter runs; ``on_kernel_start`` has returned.
    on_start_failed:
        Called once, in place of ``on_ready``, with one line that says why.
    on_ending:
        Called once: the kernel takes nothing more and ends after the batch that it is at.
    on_closed:
        Called once, with one line that says why.
    max_payload:
        Largest payload from the kernel in bytes.

    Attributes
    ----------
    state:
        How far the start has come, or ``closed``.
    python_version:
        Of the kernel's interpreter, for example ``3.8.18``; empty before ``hello``.
    tasks:
        What the kernel owes, by number, in the order sent.
    batches:
        The first tasks of the batches that are not complete, oldest first.
    total, finished, failed:
        Tasks ever sent, answered, and ended without output.
    overdue:
        How many of the outstanding tasks have passed their deadline.
    pace:
        How fast the kernel works.
    last_size:
        Tasks in the batch that was completed last.
    linger_target:
        Kept for the queue: how many waiting tasks end the linger.
    """

    __slots__ = (
        "_asked_to_end",
        "_close_reason",
        "_last",
        "_on_closed",
        "_on_ending",
        "_on_hello",
        "_on_ready",
        "_on_start_failed",
        "_parts",
        "_reader",
        "_spare",
        "_transport",
        "_unread",
        "batches",
        "failed",
        "finished",
        "kernel_id",
        "last_size",
        "linger_target",
        "overdue",
        "pace",
        "python_version",
        "sink",
        "state",
        "tasks",
        "total",
    )

    def __init__(
        self,
        kernel_id: str,
        *,
        on_hello: Callable[[KernelLink], None],
        on_ready: Callable[[KernelLink], None],
        on_start_failed: Callable[[KernelLink, str], None],
        on_ending: Callable[[KernelLink], None],
        on_closed: Callable[[KernelLink, str], None],
        max_payload: int = MAX_PAYLOAD,
    ) -> None:
        self.kernel_id = kernel_id
        self._on_hello = on_hello
        self._on_ready = on_ready
        self._on_start_failed = on_start_failed
        self._on_ending = on_ending
        self._on_closed = on_closed
        self._reader = FrameReader(FROM_KERNEL, max_payload)
        self._transport: asyncio.WriteTransport | None = None
        self._parts: list[bytes] = []
        self._close_reason = ""
        self._asked_to_end = False
        self._last: Task | None = None  # the batch after which the kernel said it will end
        self._spare: socket.socket | None = None
        self._unread = False  # the kernel ended before it had read all that was written
        self.state: LinkState = "new"
        self.python_version = ""
        self.sink: Sink | None = None
        self.tasks: dict[int, Task] = {}
        self.batches: deque[Task] = deque()
        self.total = 0
        self.finished = 0
        self.failed = 0
        self.overdue = 0
        self.pace = Pace()
        self.last_size = 0
        self.linger_target = 0

    @property
    def outstanding(self) -> int:
        """How many tasks the kernel owes, those included whose client no longer waits."""
        return len(self.tasks)

    # --- to the kernel ----------------------------------------------------------------------

    def send_context(self, text: str) -> None:
        """Send the model description (JSON text), which the kernel waits for before it starts."""
        payload = text.encode("utf-8", "surrogateescape")
        self._write(pack(CONTEXT, 0, payload) + payload)

    def shutdown(self) -> None:
        """Ask the kernel to end once it has answered what was sent before."""
        self._asked_to_end = True
        self._write(pack(SHUTDOWN))

    def send(self, batch: Sequence[Task]) -> None:
        """Send one batch, at once."""
        self.stage(batch)
        self.flush()

    def stage(self, batch: Sequence[Task]) -> None:
        """Put one batch, which is not empty, behind what :meth:`flush` will write."""
        leader = batch[0]
        leader.leader = None
        more = leader.left = leader.size = len(batch)
        self.batches.append(leader)
        self.total += more
        tasks = self.tasks
        parts = self._parts
        for task in batch:
            more -= 1
            task.link = self
            if task is not leader:
                task.leader = leader
            tasks[task.number] = task
            body = task.body
            parts.append(pack(TASK_MORE if more else TASK, task.number, body))
            parts.append(body)

    def flush(self) -> None:
        """Write what was staged, in one piece."""
        data = b"".join(self._parts)
        self._parts.clear()
        self._write(data)

    def close(self) -> None:
        """Drop the link; ``on_closed`` follows. Without effect when it is closed."""
        self._break("the engine closed the link")

    def _write(self, data: bytes) -> None:
        # A closed link takes nothing: its tasks are handed back when the kernel is given up.
        if self._transport is not None and self.state != "closed":
            self._transport.write(data)

    def keep(self, spare: socket.socket) -> None:
        """Take a second descriptor of the link's socket, non-blocking.

        A write that fails closes the transport at once, and what the kernel had answered before it
        ended would be lost with it, had nobody else a hold of the socket.
        """
        self._spare = spare

    # --- what is outstanding ----------------------------------------------------------------

    def begun(self, parallel: int) -> set[Task]:
        """Return the batches that the kernel may have begun, by their first tasks.

        The oldest ``parallel``, unless it is known to be fewer: the kernel said with which one it
        ends, or it ended before it had read the only one there is.
        """
        if self._last is not None:
            return {self._last}.intersection(self.batches)
        if self._unread and len(self.batches) == 1:
            return set()
        return set(islice(self.batches, parallel))

    def take_back(self) -> list[Task]:
        """Return the outstanding tasks in the order sent, and owe nothing any more."""
        tasks = list(self.tasks.values())
        self.tasks.clear()
        self.batches.clear()
        self.overdue = 0
        return tasks

    # --- from the kernel --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        # A cast: uvloop's transports do not derive from asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Read outcomes and pass them on; see :class:`asyncio.Protocol`."""
        if self.state == "closed":
            return
        try:
            frames = self._reader.feed(data)
        except FrameError as error:
            self._break(f"the kernel broke the protocol: {error}")
            return
        sink = self.sink
        for kind, number, payload in frames:
            if kind not in _OUTCOMES:
                self._on_control(kind, payload)
                if self._is_closed():
                    return
                continue
            task = self.tasks.pop(number, None)
            if task is None or sink is None:
                self._break(f"the kernel broke the protocol: nobody asked for task {number}")
                return
            self._count(task)
            if kind == ANSWER:
                self.finished += 1
                sink.on_answer(self, task, payload)
            else:
                self.failed += 1
                sink.on_failure(self, task, kernel_failure(payload))
            if self.sink is not sink:
                return  # closed meanwhile
        if sink is not None and frames:
            sink.on_progress(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See :class:`asyncio.Protocol`."""
        self._transport = None
        self._read_rest()
        # A socket pair tells its other end when bytes were thrown away. Only the last thing written
        # can be what was not read.
        self._unread = not self._asked_to_end and isinstance(
            exc, ConnectionResetError | BrokenPipeError
        )
        if self._unread:
            self._close("the kernel closed its link")
        elif exc is not None:
            self._close(f"the link to the kernel broke: {exc}")
        else:
            self._close("the kernel closed its link")
        self._on_closed(self, self._close_reason)

    def _read_rest(self) -> None:
        """Take in what the kernel wrote before it ended, and let go of the socket."""
        spare, self._spare = self._spare, None
        if spare is None:
            return
        with spare:
            if self.sink is not None and self.state != "closed":
                self.sink.detach(self)  # its progress is no reason to send more
                with contextlib.suppress(OSError):
                    while data := spare.recv(_READ_SIZE):
                        self.data_received(data)

    def _count(self, task: Task) -> None:
        leader = task.leader or task
        leader.left -= 1
        task.link = task.leader = None
        if task.overdue:
            self.overdue -= 1
        if not leader.left:
            self.pace.completed += 1
            self.last_size = leader.size
            batches = self.batches
            while batches and not batches[0].left:
                batches.popleft()

    def _on_control(self, kind: int, payload: bytes) -> None:
        if kind == HELLO and self.state == "new":
            self.state = "hello"
            self.python_version = reason_text(payload)
            self._on_hello(self)
        elif kind == READY and self.state == "hello":
            self.state = "ready"
            self._on_ready(self)
        elif kind == START_FAILED and self.state in ("new", "hello"):
            self.state = "start_failed"
            self._on_start_failed(self, reason_text(payload))
        elif kind == ENDING and self.state == "ready" and self.batches and self._last is None:
            self._last = self.batches[0]
            if self.sink is not None:
                self.sink.detach(self)
            self._on_ending(self)
        else:
            self._break(f"the kernel broke the protocol: frame {kind} after {self.state}")

    def _break(self, reason: str) -> None:
        self._close(reason)
        if self._spare is not None:  # the kernel is to see the end
            self._spare.close()
            self._spare = None
        if self._transport is not None:
            self._transport.abort()

    def _close(self, reason: str) -> None:
        if self.state == "closed":
            return
        self.state = "closed"
        self._close_reason = reason
        sink, self.sink = self.sink, None
        if sink is not None:
            sink.detach(self)

    def _is_closed(self) -> bool:
        return self.state == "closed"
