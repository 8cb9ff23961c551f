"""A kernel without a process: a real ``KernelLink`` over a transport that only remembers."""

from __future__ import annotations

import asyncio

from edi_labext.errors import EdiError
from edi_labext.serving.kernel.path._edi_host import frames
from edi_labext.serving.link import KernelLink
from edi_labext.serving.task import Task


class FakeTransport(asyncio.WriteTransport):
    """Collects what is written; ``writes`` counts the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.writes = 0
        self.aborted = False

    def write(self, data) -> None:
        assert not self.aborted, "written to after abort"
        self.written += data
        self.writes += 1

    def abort(self) -> None:
        self.aborted = True


class RecordingTask(Task):
    """Keeps every outcome that it is given."""

    __slots__ = ("outcomes",)

    def __init__(self, body: bytes = b"") -> None:
        super().__init__(body)
        self.outcomes: list[bytes | EdiError] = []

    def deliver_answer(self, data: bytes) -> None:
        self.outcomes.append(data)

    def deliver_error(self, error: EdiError) -> None:
        self.outcomes.append(error)


class FakeKernel:
    """The kernel's side of a link, moved by the test."""

    def __init__(self, kernel_id: str = "k1", *, started: bool = True) -> None:
        self.events: list[tuple] = []
        self.link = KernelLink(
            kernel_id,
            on_hello=lambda link: self.events.append(("hello", link.python_version)),
            on_ready=lambda link: self.events.append(("ready",)),
            on_start_failed=lambda link, reason: self.events.append(("start_failed", reason)),
            on_ending=lambda link: self.events.append(("ending",)),
            on_closed=lambda link, reason: self.events.append(("closed", reason)),
        )
        self.transport = FakeTransport()
        self.link.connection_made(self.transport)
        self._reader = frames.FrameReader(frames.FROM_ENGINE)
        self._unread: list[tuple[int, int, bytes]] = []
        self.seen: list[tuple[int, int, bytes]] = []  #: every frame that ever came
        if started:
            self.send(frames.HELLO, 0, b"3.8.0")
            self.send(frames.READY)

    def receive(self) -> None:
        data, self.transport.written = self.transport.written, b""
        new = self._reader.feed(data)
        self.seen += new
        self._unread += new

    @property
    def batches(self) -> list[list[tuple[int, bytes]]]:
        """What it holds and has not answered: per batch the (number, body) of its tasks."""
        self.receive()
        batches: list[list[tuple[int, bytes]]] = [[]]
        for kind, number, body in self._unread:
            assert kind in (frames.TASK, frames.TASK_MORE)
            batches[-1].append((number, body))
            if kind == frames.TASK:
                batches.append([])
        assert not batches[-1], "a batch without an end"
        return batches[:-1]

    @property
    def bodies(self) -> list[bytes]:
        return [body for batch in self.batches for _, body in batch]

    def send(self, kind: int, number: int = 0, payload: bytes = b"") -> None:
        self.link.data_received(frames.pack(kind, number, payload) + payload)

    def answer(self, batches: int = 1, kind: int = frames.ANSWER, payload: bytes = b"") -> None:
        """Answer the oldest batches as the host does: each batch at once; its bodies come back."""
        for batch in self.batches[:batches]:
            del self._unread[: len(batch)]
            data = b""
            for number, body in batch:
                content = payload or b"<" + body + b">"
                data += frames.pack(kind, number, content) + content
            self.link.data_received(data)

    def die(self) -> None:
        """End of file on the link."""
        self.link.connection_lost(None)
