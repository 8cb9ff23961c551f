"""The engine's end of one kernel: frames both ways, what is outstanding, how fast it works."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol, cast

from ..errors import EdiError, KernelFailure
from .kernel.path._edi_host.frames import (
    ANSWER,
    CONTEXT,
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
from .task import Task

#: How much work may be written to a kernel before it asks for it, in seconds.
AHEAD: Final = 0.001

#: How fast the estimate of a kernel's work follows what is measured, upward and downward. Upward
#: is faster: work that is taken for shorter than it is holds up the tasks behind it.
_RISE: Final = 0.5
_FALL: Final = 0.125

#: Longest reason taken from a kernel, in characters.
_REASON_LIMIT: Final = 600

_LOG_HINT: Final = "The log of the deployment has the traceback."
_FAILURES: Final = {
    "exception": ("kernel_exception", "The kernel raised {reason}", _LOG_HINT),
    "no_output": (
        "no_output",
        "{reason}",
        "on_task_invoke should call set_output_data for every task of the batch.",
    ),
    "not_text": ("output_not_text", "{reason}", "Answer with text that UTF-8 can carry, or bytes."),
    "too_large": ("output_too_large", "{reason}", "Answer with less, or with a place to fetch it."),
}

_OUTCOMES: Final = frozenset((ANSWER, FAILED))

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
    work:
        Measured seconds per batch, 0.0 before the first.
    since:
        Monotonic seconds when the kernel began what it is doing now, as far as can be seen.
    completed, last_size:
        Batches completed since the last :meth:`measure`; tasks in the last one.
    linger_target:
        Kept for the queue: how many waiting tasks end the linger.
    """

    __slots__ = (
        "_close_reason",
        "_on_closed",
        "_on_hello",
        "_on_ready",
        "_on_start_failed",
        "_parts",
        "_reader",
        "_transport",
        "batches",
        "completed",
        "failed",
        "finished",
        "kernel_id",
        "last_size",
        "linger_target",
        "overdue",
        "python_version",
        "since",
        "sink",
        "state",
        "tasks",
        "total",
        "work",
    )

    def __init__(
        self,
        kernel_id: str,
        *,
        on_hello: Callable[[KernelLink], None],
        on_ready: Callable[[KernelLink], None],
        on_start_failed: Callable[[KernelLink, str], None],
        on_closed: Callable[[KernelLink, str], None],
        max_payload: int = MAX_PAYLOAD,
    ) -> None:
        self.kernel_id = kernel_id
        self._on_hello = on_hello
        self._on_ready = on_ready
        self._on_start_failed = on_start_failed
        self._on_closed = on_closed
        self._reader = FrameReader(FROM_KERNEL, max_payload)
        self._transport: asyncio.WriteTransport | None = None
        self._parts: list[bytes] = []
        self._close_reason = ""
        self.state: LinkState = "new"
        self.python_version = ""
        self.sink: Sink | None = None
        self.tasks: dict[int, Task] = {}
        self.batches: deque[Task] = deque()
        self.total = 0
        self.finished = 0
        self.failed = 0
        self.overdue = 0
        self.work = 0.0
        self.since = 0.0
        self.completed = 0
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

    # --- what is outstanding ----------------------------------------------------------------

    def measure(self, now: float) -> None:
        """Take the time since the last outcome for the work of the batches just completed."""
        if self.completed:
            sample = (now - self.since) / self.completed
            work = self.work
            if work:
                work += (sample - work) * (_RISE if sample > work else _FALL)
            else:
                work = sample
            self.work = work
            self.completed = 0
            self.since = now

    def ahead(self) -> int:
        """Return how many batches of measured work fit into :data:`AHEAD`."""
        return int(AHEAD / self.work) if self.work > 0.0 else 0

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
                sink.on_failure(self, task, _failure(payload))
            if self.sink is not sink:
                return  # closed meanwhile
        if sink is not None and frames:
            sink.on_progress(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See :class:`asyncio.Protocol`."""
        if exc is not None:
            self._close(f"the link to the kernel broke: {exc}")
        else:
            self._close("the kernel closed its link")
        self._transport = None
        self._on_closed(self, self._close_reason)

    def _count(self, task: Task) -> None:
        leader = task.leader or task
        leader.left -= 1
        task.link = task.leader = None
        if task.overdue:
            self.overdue -= 1
        if not leader.left:
            self.completed += 1
            self.last_size = leader.size
            batches = self.batches
            while batches and not batches[0].left:
                batches.popleft()

    def _on_control(self, kind: int, payload: bytes) -> None:
        if kind == HELLO and self.state == "new":
            self.state = "hello"
            self.python_version = _line(payload)
            self._on_hello(self)
        elif kind == READY and self.state == "hello":
            self.state = "ready"
            self._on_ready(self)
        elif kind == START_FAILED and self.state in ("new", "hello"):
            self.state = "start_failed"
            self._on_start_failed(self, _line(payload))
        else:
            self._break(f"the kernel broke the protocol: frame {kind} after {self.state}")

    def _break(self, reason: str) -> None:
        self._close(reason)
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


def _line(payload: bytes) -> str:
    """Return text of a kernel as one short line without control characters."""
    text = payload[: 4 * _REASON_LIMIT].decode("utf-8", "replace")[:_REASON_LIMIT]
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _failure(payload: bytes) -> KernelFailure:
    """Return the error that a FAILED frame stands for."""
    token, _, reason = payload.partition(b"\n")
    code, message, hint = _FAILURES.get(
        token.decode("ascii", "replace"), ("kernel_failed", "The kernel failed: {reason}", None)
    )
    text = _line(reason)
    return KernelFailure(message.replace("{reason}", text), code=code, hint=hint)
