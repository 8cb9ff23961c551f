from __future__ import annotations

import itertools
import math
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.serving.logs import LogBook, LogPump
from edi_labext.serving.logs import pump as pump_module
from edi_labext.serving.logs.book import LINE_LIMIT, _one_line
from edi_labext.serving.logs.pump import KEPT_OF_A_LINE, LineSplitter

WALL = 1_700_000_000.125


def make_book(folder, **limits) -> LogBook:
    return LogBook(folder / "logs", "digits", lambda: WALL, **limits)


# --- lines


def split(*pieces: bytes, limit: int = KEPT_OF_A_LINE) -> list[str]:
    splitter = LineSplitter(limit)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines + splitter.finish()


def test_ends_of_lines():
    assert split(b"a\nb\r\nc\rd\n\ne") == ["a", "b", "c", "d", "", "e"]
    assert split(b"a\r", b"\nb\x0bc\x1cd\xc2\x85e") == ["a", "b\x0bc\x1cd\x85e"]


def test_text_that_is_no_utf8():
    assert split(b"\xff\xfe caf\xc3", b"\xa9\n") == ["\\xff\\xfe café"]


def test_a_long_line_is_cut_at_a_character():
    assert split("ééé".encode() + b"\nnext", limit=5) == ["éé ... (1 more bytes)", "next"]


@given(data=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=examples(100), deadline=None)
def test_lines_do_not_depend_on_how_the_bytes_arrive(data, cuts):
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    assert split(*pieces, limit=16) == split(data, limit=16)


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20))
)
@settings(max_examples=examples(100), deadline=None)
def test_lines_in_are_lines_out(lines):
    assert split("".join(f"{line}\n" for line in lines).encode()) == lines


# --- book


def test_lines_are_kept_and_written(tmp_path):
    book = make_book(tmp_path)
    book.append("k1", "stdout", "one", "two")
    book.append("k2", "stderr", "three")
    book.append("k1", "engine", "exited")
    assert book.tail(3) == ["two", "three", "[engine] exited"]
    assert book.tail(9, "k2") == ["three"]
    assert book.tail(0) == []
    book.close()
    file = tmp_path / "logs" / "digits.log"
    assert file.read_text().splitlines()[:2] == [
        "2023-11-14T22:13:20.125Z k1 stdout one",
        "2023-11-14T22:13:20.125Z k1 stdout two",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    again = make_book(tmp_path)
    again.append("k3", "stdout", "later")
    again.close()
    assert len(file.read_text().splitlines()) == 5
    again.remove()
    assert list(file.parent.iterdir()) == []


@given(text=st.text())
@settings(max_examples=examples(100), deadline=None)
def test_one_record_in_is_one_line_out(tmp_path_factory, text):
    book = make_book(tmp_path_factory.mktemp("book"))
    book.append("k", "stdout", text)
    (line,) = book.tail(10)
    assert len(line.splitlines()) <= 1
    assert all(char.isprintable() or char == "\t" or ord(char) > 0x9F for char in line)
    book.close()


def test_escapes_and_forgery():
    assert _one_line("a\tb\x1b[31m\r\n2023 k engine forged\u202e", 99) == (
        "a\tb\\x1b[31m\\r\\n2023 k engine forged\\u202e"
    )
    assert _one_line("x" * (LINE_LIMIT + 3), LINE_LIMIT).endswith("x ... (3 more characters)")


def test_the_ring_and_the_files_are_bounded(tmp_path):
    book = make_book(tmp_path, ring_lines=5, file_limit=1000, files=3)
    for number in range(200):
        book.append("k", "stdout", f"line {number}")
        book.flush()
    assert book.tail(99) == [f"line {number}" for number in range(195, 200)]
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["digits.log", "digits.log.1", "digits.log.2"]
    assert all(file.stat().st_size <= 1000 for file in files)
    text = "".join(file.read_text() for file in reversed(files))
    numbers = [int(line.split()[-1]) for line in text.splitlines()]
    assert numbers == list(range(numbers[0], 200))
    for _ in range(200):
        book.append("k", "stdout", "x" * LINE_LIMIT)
    assert sum(map(len, book.tail(9999))) <= 1 << 20
    book.remove()
    assert list((tmp_path / "logs").iterdir()) == []


def test_a_disk_that_fails_costs_lines_in_the_file_only(tmp_path):
    (tmp_path / "logs").write_text("in the way")
    book = make_book(tmp_path)
    for word in ("one", "two"):
        book.append("k", "stdout", word)
        book.flush()
    assert book.tail(9) == ["one", "two"]
    (tmp_path / "logs").unlink()
    book.append("k", "stdout", "three")
    book.close()
    lines = (tmp_path / "logs" / "digits.log").read_text().splitlines()
    assert lines[0] == "... 2 lines are missing here"
    assert lines[1].endswith("three")


# --- pump


class Pipe:
    def __init__(self, pump: LogPump) -> None:
        reading, self.writing = os.pipe()
        os.set_blocking(reading, False)
        self.lines: list[str] = []
        self.drained: Future[None] = pump.add(reading, self.lines.extend)

    def close(self) -> None:
        os.close(self.writing)


def test_lines_come_through_and_the_end_is_told():
    with LogPump() as pump:
        pipe, other = Pipe(pump), Pipe(pump)
        os.write(other.writing, b"neighbour\n")
        os.write(pipe.writing, b"one\ntw")
        os.write(pipe.writing, b"o")
        pipe.close()
        pipe.drained.result(5)
        assert pipe.lines == ["one", "two"]
        assert not other.drained.done()
        other.close()
        other.drained.result(5)
        assert other.lines == ["neighbour"]


def test_discard_takes_what_is_there_though_the_pipe_is_open():
    with LogPump() as pump:
        pipe = Pipe(pump)
        os.write(pipe.writing, b"last words")
        pump.discard(pipe.drained)
        pipe.drained.result(5)
        assert pipe.lines == ["last words"]
        with pytest.raises(BrokenPipeError):
            os.write(pipe.writing, b"x")
        pump.discard(pipe.drained)  # twice is harmless
        pipe.close()


def test_a_sink_that_fails_does_not_stop_the_reading():
    with LogPump() as pump:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        drained = pump.add(reading, lambda lines: 1 / 0)
        done = threading.Event()

        def write() -> None:
            for _ in range(64):
                os.write(writing, b"x" * 65_535 + b"\n")
            os.close(writing)
            done.set()

        threading.Thread(target=write).start()
        drained.result(10)
        assert done.wait(5)


def test_close_reads_the_rest_and_leaves_nothing_open():
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(30):
        with LogPump() as pump:
            pipe = Pipe(pump)
            os.write(pipe.writing, b"rest")
        assert pipe.lines == ["rest"]
        assert pipe.drained.done()
        pipe.close()
    LogPump().close()  # never used
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


def test_work_for_the_pump_thread_is_done_in_order():
    with LogPump() as pump:
        seen: list[object] = []
        pump.call(lambda: seen.append(threading.current_thread().name))
        pump.call(lambda: 1 / 0)
        pump.call(lambda: seen.append(2))
    assert seen == ["edi-log-pump", 2]
    with pytest.raises(RuntimeError):
        pump.call(lambda: None)


@pytest.mark.parametrize("line", [b"x" * 79 + b"\n", b"x" * 80])
def test_a_flood_is_read_in_bounded_memory(tmp_path, monkeypatch, line):
    book = make_book(tmp_path)
    count = 20_000_000 // len(line)

    def sink(lines: list[str]) -> None:
        book.append("k", "stdout", *lines)
        book.flush()

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    class Splitter(LineSplitter):
        def feed(self, data: bytes) -> list[str]:
            sizes.append(resident())
            return super().feed(data)

    sizes: list[int] = []
    monkeypatch.setattr(pump_module, "LineSplitter", Splitter)
    code = f"import sys; [sys.stdout.buffer.write({line!r} * 1000) for _ in range({count} // 1000)]"
    with LogPump(rate=math.inf) as pump:
        kernel = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert kernel.stdout
        reading = os.dup(kernel.stdout.fileno())
        kernel.stdout.close()
        os.set_blocking(reading, False)
        before = resident()
        pump.add(reading, sink).result(20)
        assert kernel.wait() == 0
    assert len(sizes) > 100
    assert max(sizes) - before < 16_000_000
    if line.endswith(b"\n"):
        assert book.tail(1) == ["x" * 79]
        assert len(book.tail(9999)) == 2000
    else:
        assert book.tail(9) == [
            f"{'x' * KEPT_OF_A_LINE} ... ({20_000_000 - KEPT_OF_A_LINE} more bytes)"
        ]
    book.close()
    files = list((tmp_path / "logs").iterdir())
    assert sum(file.stat().st_size for file in files) <= 3 * (10 << 20)


def test_bytes_that_are_no_text_make_no_longer_line():
    [line] = split(b"\xff" * 50 + b"\n", limit=40)
    assert line == "\\xff" * 10 + " ... (40 more bytes)"
    # Longer only by the way it is shown.
    [line] = split(b"x" * 20 + b"\xff" * 10, limit=40)
    assert line == "x" * 10 + " ... (20 more bytes)"


def test_what_is_written_too_fast_is_dropped_and_counted():
    size = pump_module.BURST + (1 << 20)
    with LogPump(now=lambda: 1.0) as pump:  # nothing is ever allowed again
        pipe, other = Pipe(pump), Pipe(pump)
        threading.Thread(target=write_all, args=(pipe.writing, b"x" * 99 + b"\n", size)).start()
        pipe.drained.result(20)
        os.write(other.writing, b"neighbour\n")
        other.close()
        other.drained.result(5)
    kept = sum(map(len, pipe.lines[:-1])) + len(pipe.lines) - 2
    dropped = int(pipe.lines[-1].removeprefix("... ").split()[0])
    assert pipe.lines[-1].endswith("bytes dropped here: more than 1 MiB a second came")
    assert abs(kept + dropped - size) < 100  # of the line at the seam
    assert kept <= pump_module.BURST
    assert other.lines == ["neighbour"]


def test_after_a_flood_the_log_goes_on():
    now = [1.0]
    with LogPump(now=lambda: now[0]) as pump:
        pipe = Pipe(pump)
        line = b"x" * 99 + b"\n"
        rest = pump_module.BURST + (2 << 20)
        while rest > 0:
            rest -= os.write(pipe.writing, line * 600)
        now[0] += 10
        while not any("dropped here" in text for text in pipe.lines):
            threading.Event().wait(0.001)
        os.write(pipe.writing, b"\nback again\n")
        pipe.close()
        pipe.drained.result(5)
        assert pipe.lines[-1] == "back again"


def write_all(fd: int, line: bytes, size: int) -> None:
    rest = memoryview(line * (size // len(line)))
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.close(fd)
