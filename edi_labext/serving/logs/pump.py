"""The thread that reads what kernels write.

A kernel that writes faster than anybody reads stops at a full pipe, so the pipes are always
read, in a thread of their own: neither a flood nor a slow disk holds up the engine's loop. What
comes faster than anybody could want it is dropped unseen, and how much that was is said.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import math
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Self

from ..clock import monotonic
from .book import LINE_LIMIT

#: Bytes asked for at once.
READ_SIZE = 64 * 1024
#: Reads of one pipe before the others have their turn.
READS_PER_TURN = 4

#: Of a long line's limit, what the note about the rest needs, in bytes.
NOTE_SIZE = 64
#: Bytes of a long line that are kept.
KEPT_OF_A_LINE = LINE_LIMIT - NOTE_SIZE

#: Bytes per second of one pipe that become lines, over time and at most at once. Making lines holds
#: up the loop's thread, so that a flood would cost other deployments their quick answers. A line
#: costs time however short it is, so each counts for some bytes more.
RATE = 1 << 20
LINE_COST = 100
BURST = 4 << 20
#: Bytes that must be allowed again before a pipe that floods is listened to again.
RESUME = 1 << 19
#: Seconds between two looks at a pipe that floods, and its size meanwhile: its writer hardly waits.
LOOK = 0.004
FLOOD_PIPE = 1 << 20

#: Takes the lines of one pipe, in the pump's thread.
Sink = Callable[[list[str]], None]


class LineSplitter:
    """Bytes in, lines out.

    A line ends at LF, CR LF or a bare CR (progress bars write one per update). UTF-8 that is not
    valid is shown escaped; a sequence is never split, however the bytes arrive. Of a line longer
    than ``limit`` bytes the beginning is kept, and how much is missing is said.
    """

    def __init__(self, limit: int = KEPT_OF_A_LINE) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._cut = 0
        self._after_cr = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that ``data`` completes."""
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        # Only the three ends named above: bytes.splitlines knows no others.
        pieces = data.splitlines(keepends=True)
        lines = []
        for piece in pieces:
            text = piece.rstrip(b"\r\n")
            if len(text) == len(piece):
                self._keep(text)
            elif not self._begun and len(text) <= self._limit:
                lines.append(_shown(text, 0, self._limit))
            else:
                self._keep(text)
                lines.append(self._take())
        self._after_cr = data[-1:] == b"\r" or (self._after_cr and not data)
        return lines

    def finish(self) -> list[str]:
        """Return the last line if the bytes ended without an end of line."""
        return [self._take()] if self._begun else []

    def _keep(self, text: bytes) -> None:
        room = self._limit - len(self._begun)
        self._begun += text[:room]
        self._cut += max(0, len(text) - room)

    def _take(self) -> str:
        begun, cut = bytes(self._begun), self._cut
        self._begun.clear()
        self._cut = 0
        return _shown(begun, cut, self._limit)


def _shown(begun: bytes, cut: int, limit: int) -> str:
    """Return a line as text; ``cut`` bytes of its end are missing already."""
    text = _decode(begun, whole=not cut)
    if len(text) > limit:
        # A byte that is no UTF-8 is shown as four characters.
        most = limit // 4
        cut += len(begun) - most
        text = _decode(begun[:most], whole=False)
    return f"{text} ... ({cut} more bytes)" if cut else text


def _decode(data: bytes, *, whole: bool) -> str:
    """Return text; half a character at the end of what is not whole is left out."""
    if whole:
        return data.decode("utf-8", "backslashreplace")
    return codecs.getincrementaldecoder("utf-8")("backslashreplace").decode(data)


class _Pipe:
    __slots__ = ("_allowed", "_rate", "_then", "drained", "dropped", "fd", "sink", "splitter")

    def __init__(self, fd: int, sink: Sink, line_limit: int, rate: float) -> None:
        self.fd = fd
        self.sink = sink
        self.splitter = LineSplitter(line_limit - NOTE_SIZE)
        self.drained: Future[None] = Future()
        self.dropped = 0  #: Bytes since it floods.
        self._rate = rate
        self._allowed: float = BURST
        self._then = 0.0

    def allows(self, cost: int, now: float) -> bool:
        """Tell whether bytes of that cost may become lines."""
        earned = (now - self._then) * self._rate if self._then else 0.0
        self._allowed, self._then = min(float(BURST), self._allowed + earned), now
        return self._allowed >= cost

    def spend(self, cost: int) -> None:
        """Count what becomes lines."""
        if self._rate != math.inf:
            self._allowed -= cost

    def note(self) -> list[str]:
        """Return what is to be said about what was dropped."""
        dropped, self.dropped = self.dropped, 0
        if not dropped:
            return []
        return [f"... {dropped} bytes dropped here: more than {RATE >> 20} MiB a second came"]


class LogPump:
    """One thread that reads all log pipes of the engine.

    The thread starts with the first pipe. The methods belong to the engine's loop. The pump owns
    the descriptors it was given and closes them.

    Parameters
    ----------
    line_limit:
        Longest line in bytes, the note about the rest included.
    rate:
        Bytes per second of one pipe that become lines; infinity drops nothing.
    now:
        Returns monotonic seconds.
    """

    def __init__(
        self,
        *,
        line_limit: int = LINE_LIMIT,
        rate: float = RATE,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._line_limit = line_limit
        self._rate = rate
        self._now = now
        self._flooding: dict[_Pipe, None] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_reading, self._wake_writing = os.pipe()
        for fd in (self._wake_reading, self._wake_writing):
            os.set_blocking(fd, False)
        self._selector.register(self._wake_reading, selectors.EVENT_READ)
        self._pipes: dict[int, _Pipe] = {}
        self._inbox: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, fd: int, sink: Sink) -> Future[None]:
        """Read ``fd``, a non-blocking pipe, until its end.

        ``sink`` gets the lines in the pump's thread; what it raises is dropped, since reading
        must go on. The future is set when the pipe has ended or was discarded, after the last
        line was given to the sink and ``fd`` was closed.
        """
        pipe = _Pipe(fd, sink, self._line_limit, self._rate)
        self.call(lambda: self._register(pipe))
        return pipe.drained

    def discard(self, drained: Future[None]) -> None:
        """Read what is there of a pipe, then close it though somebody may still write."""
        self.call(lambda: self._discard(drained))

    def call(self, function: Callable[[], None]) -> None:
        """Run ``function`` in the pump's thread, after what was asked for before."""
        if self._closed:
            raise RuntimeError("the log pump is closed")
        self._inbox.append(function)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="edi-log-pump", daemon=True)
            self._thread.start()
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes as well
            os.write(self._wake_writing, b"\0")

    def close(self) -> None:
        """Read what is there, close all pipes and end the thread."""
        if self._closed:
            return
        if self._thread is not None:
            self.call(self._end)
            self._thread.join()
        self._closed = True
        self._selector.close()
        os.close(self._wake_reading)
        os.close(self._wake_writing)

    def _end(self) -> None:
        self._ending = True

    def _run(self) -> None:
        while not self._ending:
            for key, _ in self._selector.select(LOOK if self._flooding else None):
                if key.data is None:
                    self._serve_inbox()
                else:
                    self._read(key.data)
            for pipe in list(self._flooding):
                self._drop(pipe)
        for pipe in list(self._pipes.values()):
            self._discard(pipe.drained)

    def _serve_inbox(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_reading, READ_SIZE)
        while self._inbox:
            with contextlib.suppress(Exception):
                self._inbox.popleft()()

    def _register(self, pipe: _Pipe) -> None:
        self._selector.register(pipe.fd, selectors.EVENT_READ, pipe)
        self._pipes[pipe.fd] = pipe

    def _discard(self, drained: Future[None]) -> None:
        for pipe in self._pipes.values():
            if pipe.drained is drained:
                self._read(pipe)
                if not drained.done():
                    self._finish(pipe)
                return

    def _read(self, pipe: _Pipe) -> None:
        if pipe.drained.done():  # discarded earlier in this turn
            return
        for _ in range(READS_PER_TURN):
            try:
                data = os.read(pipe.fd, READ_SIZE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._finish(pipe)
                return
            cost = len(data) + LINE_COST * data.count(b"\n")
            if not pipe.allows(cost, self._now()):
                self._begin_flood(pipe, len(data))
                return
            pipe.spend(cost)
            _give(pipe.sink, pipe.splitter.feed(data))
            if len(data) < READ_SIZE:
                return

    def _begin_flood(self, pipe: _Pipe, size: int) -> None:
        """Listen to ``pipe`` no more for a while; ``size`` bytes of it have just been read."""
        _give(pipe.sink, pipe.splitter.finish())
        pipe.dropped += size
        if pipe in self._flooding:  # read once more because it is discarded
            return
        self._selector.unregister(pipe.fd)
        self._flooding[pipe] = None
        with contextlib.suppress(OSError, AttributeError):  # a limit of the user, or not Linux
            fcntl.fcntl(pipe.fd, fcntl.F_SETPIPE_SZ, FLOOD_PIPE)

    def _drop(self, pipe: _Pipe) -> None:
        """Take what is there of a pipe that floods; listen again once that is allowed."""
        for _ in range(FLOOD_PIPE // READ_SIZE):
            try:
                data = os.read(pipe.fd, FLOOD_PIPE)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._finish(pipe)
                return
            pipe.dropped += len(data)
        if pipe.allows(RESUME, self._now()):
            del self._flooding[pipe]
            _give(pipe.sink, pipe.note())
            self._selector.register(pipe.fd, selectors.EVENT_READ, pipe)

    def _finish(self, pipe: _Pipe) -> None:
        _give(pipe.sink, [*pipe.splitter.finish(), *pipe.note()])
        if pipe in self._flooding:
            del self._flooding[pipe]
        else:
            self._selector.unregister(pipe.fd)
        del self._pipes[pipe.fd]
        os.close(pipe.fd)
        pipe.drained.set_result(None)


def _give(sink: Sink, lines: list[str]) -> None:
    if lines:
        with contextlib.suppress(Exception):
            sink(lines)
