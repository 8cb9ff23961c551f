"""The log of one deployment: the latest lines in memory, all of them in rotated files."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Literal, NamedTuple

#: Where a line came from; ``engine`` marks the engine's own remarks.
Stream = Literal["stdout", "stderr", "engine"]

#: Lines kept in memory.
RING_LINES = 2_000
#: Characters kept in memory, so that 2,000 long lines do not add up.
RING_CHARACTERS = 1 << 20
#: Longest line, in characters before control characters are escaped.
LINE_LIMIT = 16 * 1024
#: Lines that may wait to be written; a pump that is stuck in a write must not cost memory.
UNWRITTEN_LINES = 100_000
#: Size at which the file is put aside, in bytes (10 MiB).
FILE_LIMIT = 10 << 20
#: Files in all: the present one and those put aside.
FILES = 3

# Control characters but tab; line and paragraph separators; marks that reorder what follows.
_ESCAPES = {
    code: ascii(chr(code))[1:-1]
    for first, last in (
        (0x00, 0x08),
        (0x0A, 0x1F),
        (0x7F, 0x9F),
        (0x200E, 0x200F),
        (0x2028, 0x202E),
        (0x2066, 0x2069),
        (0xD800, 0xDFFF),
    )
    for code in range(first, last + 1)
}


class Line(NamedTuple):
    """One line: ``number`` counts from 1 for each deployment, ``time`` is in Unix seconds."""

    number: int
    time: float
    kernel_id: str
    stream: Stream
    text: str


class LogBook:
    """Lines of all kernels of one deployment, thread safe.

    Parameters
    ----------
    directory:
        Where the files go; made when the first line is written, for the owner only.
    name:
        The deployment: files are ``<name>.log``, ``<name>.log.1`` (older) and so on.
    wall:
        Returns Unix seconds.
    ring_lines, file_limit, files, line_limit:
        Limits, see the constants of this module.

    Notes
    -----
    Appending touches memory alone, so that the loop may do it; :meth:`flush` writes the files and
    belongs to the pump's thread. A disk that fails costs lines in the file, never the reading of
    a kernel's pipe; the file says how many are missing once it can be written again.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        wall: Callable[[], float],
        *,
        ring_lines: int = RING_LINES,
        file_limit: int = FILE_LIMIT,
        files: int = FILES,
        line_limit: int = LINE_LIMIT,
    ) -> None:
        self._path = directory / f"{name}.log"
        self._wall = wall
        self._ring_lines = ring_lines
        self._file_limit = file_limit
        self._files = files
        self._line_limit = line_limit
        self._lock = threading.Lock()
        self._ring: deque[Line] = deque()
        self._characters = 0
        self._appended = 0
        self._unwritten: list[bytes] = []
        self._lost = 0
        # Held while the files are touched, so that a slow disk holds up no one who appends.
        self._writing = threading.Lock()
        self._file: FileIO | None = None
        self._size = 0
        self._closed = False

    def append(self, kernel_id: str, stream: Stream, *texts: str) -> None:
        """Add lines; each of ``texts`` stays one line, whatever characters it holds."""
        now = self._wall()
        stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        head = f"{stamp.removesuffix('+00:00')}Z {kernel_id} {stream} "
        with self._lock:
            for text in texts:
                shown = _one_line(text, self._line_limit)
                self._appended += 1
                self._ring.append(Line(self._appended, now, kernel_id, stream, shown))
                self._characters += len(shown)
                if len(self._unwritten) < UNWRITTEN_LINES:
                    self._unwritten.append(f"{head}{shown}\n".encode())
                else:
                    self._lost += 1
            while len(self._ring) > self._ring_lines or self._characters > RING_CHARACTERS:
                self._characters -= len(self._ring.popleft().text)

    def tail(self, count: int, kernel_id: str | None = None) -> list[str]:
        """Return the last ``count`` lines, oldest first, as text without time stamps.

        Lines of the engine start with ``[engine]``. With ``kernel_id``, only lines of that kernel.
        """
        with self._lock:
            lines = list(self._ring)
        chosen = [line for line in lines if kernel_id in (None, line.kernel_id)]
        return [
            f"[engine] {line.text}" if line.stream == "engine" else line.text
            for line in (chosen[-count:] if count > 0 else [])
        ]

    def after(self, number: int, count: int) -> list[Line]:
        """Return the first ``count`` lines that are kept of those after ``number``."""
        with self._lock:
            lines = list(self._ring)
        first = lines[0].number if lines else 0
        begin = max(0, number + 1 - first)
        return lines[begin : begin + count]

    @property
    def appended(self) -> int:
        """Number of the last line, 0 before the first."""
        return self._appended

    def flush(self) -> None:
        """Write what was appended to the files; failing to is noted, not raised."""
        with self._writing:
            with self._lock:
                lines, self._unwritten = self._unwritten, []
                lost, self._lost = self._lost, 0
            if self._closed or not (lines or lost):
                return
            note = [f"... {lost} lines are missing here\n".encode()] if lost else []
            try:
                self._write(note + lines)
            except OSError:
                self._close_file()
                with self._lock:
                    self._lost += lost + len(lines)

    def move(self, directory: Path) -> None:
        """Write what follows to files in ``directory``; earlier ones stay where they are."""
        path = directory / self._path.name
        if path == self._path:
            return
        self.flush()
        with self._writing:
            self._close_file()
            self._path = path

    def close(self) -> None:
        """Write the rest and close the file; later lines are kept in memory alone."""
        self.flush()
        with self._writing:
            self._closed = True
            self._close_file()

    def remove(self) -> None:
        """Close, and delete the files."""
        self.close()
        for number in range(self._files):
            with contextlib.suppress(OSError):
                self._aside(number).unlink()

    def _write(self, lines: Iterable[bytes]) -> None:
        block = bytearray()
        for line in lines:
            file = self._open()
            filled = self._size + len(block)
            if filled and filled + len(line) > self._file_limit:
                self._put(file, block)
                block = bytearray()
                self._rotate()
            block += line
        self._put(self._open(), block)

    def _open(self) -> FileIO:
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = FileIO(str(self._path), "a", opener=_open_for_owner)
            self._size = os.fstat(self._file.fileno()).st_size
        return self._file

    def _put(self, file: FileIO, block: bytearray) -> None:
        rest = memoryview(block)
        while rest:
            written = file.write(rest)
            self._size += written
            rest = rest[written:]

    def _rotate(self) -> None:
        self._close_file()
        for number in range(self._files - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._aside(number - 1).replace(self._aside(number))
        self._size = 0

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path

    def _close_file(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def _one_line(text: str, limit: int) -> str:
    if len(text) > limit:
        text = f"{text[:limit]} ... ({len(text) - limit} more characters)"
    # The first test is much the faster one, and nearly always enough.
    return text if text.isprintable() else text.translate(_ESCAPES)


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
