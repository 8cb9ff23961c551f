"""One kernel's link: the start, the outcomes, and what ends it."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
import uvloop
from support.fake_clock import FakeClock
from support.fake_kernel import FakeKernel, RecordingTask

from edi_labext.errors import KernelFailure
from edi_labext.serving.dispatcher import QueuePolicy, TaskQueue
from edi_labext.serving.kernel.path._edi_host import frames
from edi_labext.serving.link import KernelLink
from edi_labext.serving.pace import AHEAD, Pace
from edi_labext.serving.task import Task


def make_queue(**policy) -> TaskQueue:
    return TaskQueue(
        FakeClock(), QueuePolicy(**policy), name="digits", on_overdue=lambda link: None
    )


def test_a_start_goes_from_new_over_hello_to_ready() -> None:
    kernel = FakeKernel(started=False)
    assert kernel.link.state == "new"
    kernel.send(frames.HELLO, 0, b"3.8.18")
    assert kernel.link.state == "hello"
    kernel.send(frames.READY)
    assert kernel.link.state == "ready"
    assert kernel.events == [("hello", "3.8.18"), ("ready",)]


def test_a_failed_start_tells_its_reason_on_one_clean_line() -> None:
    kernel = FakeKernel(started=False)
    kernel.send(frames.HELLO, 0, b"3.8.18")
    kernel.send(
        frames.START_FAILED, 0, "KeyError: 'é'\x1b[31m\n\xff".encode("latin-1") + b"x" * 9999
    )
    (_, reason) = kernel.events[-1]
    assert reason.startswith("KeyError: '") and len(reason) <= 600
    assert reason.isprintable()
    assert kernel.link.state == "start_failed"


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([frames.READY], "frame 17 after new"),
        ([frames.HELLO, frames.HELLO], "frame 16 after hello"),
        ([frames.HELLO, frames.READY, frames.READY], "frame 17 after ready"),
        ([frames.HELLO, frames.READY, frames.START_FAILED], "frame 18 after ready"),
        ([frames.HELLO, frames.START_FAILED, frames.READY], "frame 17 after start_failed"),
        ([frames.HELLO, frames.READY, frames.ANSWER], "nobody asked for task 0"),
        ([frames.ANSWER], "nobody asked for task 0"),
        ([frames.HELLO, frames.ENDING], "frame 21 after hello"),
        ([frames.HELLO, frames.READY, frames.ENDING], "frame 21 after ready"),
    ],
)
def test_frames_out_of_turn_close_the_link(kinds: list[int], words: str) -> None:
    kernel = FakeKernel(started=False)
    for kind in kinds:
        kernel.send(kind)
    assert kernel.transport.aborted
    assert kernel.link.state == "closed"
    kernel.die()
    assert kernel.events[-1][0] == "closed"
    assert words in kernel.events[-1][1]
    assert [event[0] for event in kernel.events].count("closed") == 1


def test_garbage_closes_the_link_and_what_follows_is_not_read() -> None:
    kernel = FakeKernel(started=False)
    kernel.link.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    kernel.send(frames.HELLO)
    kernel.die()
    assert kernel.events == [
        ("closed", "the kernel broke the protocol: a frame starts with 0x4854 instead of 0xED1E")
    ]


def test_a_closed_link_is_taken_from_the_queue_at_once() -> None:
    queue = make_queue()
    kernel = FakeKernel()
    queue.attach(kernel.link)
    kernel.link.data_received(b"?" * 16)
    task = RecordingTask()
    queue.submit(task)
    assert queue.waiting == 1
    assert not kernel.bodies


def test_an_answer_twice_closes_the_link_after_the_first_counted() -> None:
    queue = make_queue()
    kernel = FakeKernel()
    queue.attach(kernel.link)
    task = RecordingTask(b"1")
    queue.submit(task)
    frame = frames.pack(frames.ANSWER, task.number, b"a") + b"a"
    kernel.link.data_received(frame + frame)
    assert task.outcomes == [b"a"]
    assert kernel.link.state == "closed"


def test_a_batch_is_one_write_whose_last_task_says_so() -> None:
    kernel = FakeKernel()
    tasks = [RecordingTask(bytes([65 + i])) for i in range(3)]
    for number, task in enumerate(tasks, 1):
        task.number = number
    kernel.link.send(tasks)
    assert kernel.transport.writes == 1
    kernel.receive()
    assert kernel.seen == [
        (frames.TASK_MORE, 1, b"A"),
        (frames.TASK_MORE, 2, b"B"),
        (frames.TASK, 3, b"C"),
    ]
    assert kernel.link.outstanding == 3


def test_context_and_shutdown_are_frames_of_their_own() -> None:
    kernel = FakeKernel()
    kernel.link.send_context('{"name": "é"}')
    kernel.link.shutdown()
    kernel.receive()
    assert kernel.seen == [
        (frames.CONTEXT, 0, '{"name": "é"}'.encode()),
        (frames.SHUTDOWN, 0, b""),
    ]


@pytest.mark.parametrize(
    ("payload", "code", "words"),
    [
        (b"exception\nValueError: {0} bad", "kernel_exception", "raised ValueError: {0} bad"),
        (b"no_output\nnothing was set", "no_output", "nothing was set"),
        (b"not_text\nlone surrogate", "output_not_text", "lone surrogate"),
        (b"too_large\n99 bytes", "output_too_large", "99 bytes"),
        (b"\xff\xfe", "kernel_failed", "The kernel failed"),
        (b"", "kernel_failed", "The kernel failed"),
    ],
)
def test_a_failed_task_ends_with_the_error_its_code_stands_for(
    payload: bytes, code: str, words: str
) -> None:
    queue = make_queue()
    kernel = FakeKernel()
    queue.attach(kernel.link)
    task = RecordingTask(b"1")
    queue.submit(task)
    kernel.send(frames.FAILED, task.number, payload)
    (error,) = task.outcomes
    assert isinstance(error, KernelFailure)
    assert (error.http_status, error.code) == (502, code)
    assert words in error.message
    assert (kernel.link.failed, kernel.link.finished, queue.failed) == (1, 0, 1)


def test_counts_of_a_link() -> None:
    queue = make_queue(pipe_size=3)
    kernel = FakeKernel()
    queue.attach(kernel.link)
    for _ in range(3):
        queue.submit(RecordingTask(b"1"))
    kernel.answer()
    kernel.answer(kind=frames.FAILED, payload=b"no_output\n")
    link = kernel.link
    assert (link.total, link.finished, link.failed, link.outstanding) == (3, 1, 1, 1)


def test_closing_ours_says_so_and_writes_nothing_more() -> None:
    kernel = FakeKernel()
    kernel.link.close()
    kernel.link.shutdown()
    kernel.link.close()
    kernel.die()
    assert kernel.events[-1] == ("closed", "the engine closed the link")


def test_over_a_real_socket_pair() -> None:
    async def run() -> tuple[list[tuple[int, int, bytes]], list[str]]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        hello = asyncio.Event()
        link = KernelLink(
            "k1",
            on_hello=lambda link: hello.set(),
            on_ready=lambda link: None,
            on_start_failed=lambda link, reason: None,
            on_ending=lambda link: None,
            on_closed=lambda link, reason: closed.set_result(reason),
        )
        await asyncio.get_running_loop().create_connection(lambda: link, sock=ours)
        link.send_context("{}")
        with theirs:
            theirs.sendall(frames.pack(frames.HELLO, 0, b"3") + b"3")
            await hello.wait()
            got = frames.FrameReader(frames.FROM_ENGINE).feed(theirs.recv(1000))
        return got, [await closed]

    got, reasons = asyncio.run(run())
    assert got == [(frames.CONTEXT, 0, b"{}")]
    assert reasons == ["the kernel closed its link"]


@pytest.mark.parametrize("read", [True, False])
def test_the_system_tells_whether_the_last_task_was_read(read: bool) -> None:
    async def run() -> tuple[set[Task], list[Task]]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ready, closed = asyncio.Event(), asyncio.Event()
        link = KernelLink(
            "k1",
            on_hello=lambda link: link.send_context("{}"),
            on_ready=lambda link: ready.set(),
            on_start_failed=lambda link, reason: None,
            on_ending=lambda link: None,
            on_closed=lambda link, reason: closed.set(),
        )
        await asyncio.get_running_loop().create_connection(lambda: link, sock=ours)
        with theirs:
            theirs.sendall(frames.pack(frames.HELLO, 0, b"3") + b"3" + frames.pack(frames.READY))
            await ready.wait()
            theirs.recv(1000)
            task = Task(b"body")
            link.send([task])
            if read:
                theirs.recv(1000)
        await closed.wait()
        return link.begun(1), link.take_back()

    begun, back = asyncio.run(run())
    assert len(back) == 1
    assert begun == (set(back) if read else set())


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_write_that_fails_does_not_lose_what_the_kernel_had_answered(new_loop) -> None:
    async def run() -> tuple[list[RecordingTask], list[bytes]]:
        queue = make_queue(pipe_size=3)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ready, closed = asyncio.Event(), asyncio.Event()
        link = KernelLink(
            "k1",
            on_hello=lambda link: link.send_context("{}"),
            on_ready=lambda link: ready.set(),
            on_start_failed=lambda link, reason: None,
            on_ending=lambda link: None,
            on_closed=lambda link, reason: closed.set(),
        )
        link.keep(ours.dup())
        await asyncio.get_running_loop().create_connection(lambda: link, sock=ours)
        theirs.sendall(frames.pack(frames.HELLO, 0, b"3") + b"3" + frames.pack(frames.READY))
        await ready.wait()
        queue.attach(link)
        tasks = [RecordingTask(body) for body in (b"a", b"b", b"c")]
        queue.submit(tasks[0])
        queue.submit(tasks[1])
        await asyncio.sleep(0)
        theirs.recv(1000)
        # It answers the first, begins the second and crashes; the engine has not looked yet.
        theirs.sendall(frames.pack(frames.ANSWER, tasks[0].number, b"<a>") + b"<a>")
        theirs.close()
        queue.submit(tasks[2])
        await closed.wait()
        queue.lost(link, lambda: KernelFailure("It is gone.", code="kernel_died"))
        other = FakeKernel("other")
        queue.attach(other.link)
        return tasks, other.bodies

    with contextlib.closing(new_loop()) as loop:
        (a, b, c), again = loop.run_until_complete(run())
    assert a.outcomes == [b"<a>"]
    assert [error.code for error in b.outcomes] == ["kernel_died"]
    assert not c.outcomes
    assert again == [b"c"]


class TestPace:
    def test_it_counts_from_the_last_outcome_and_shares_it_among_batches(self) -> None:
        pace = Pace()
        pace.since = 10.0
        pace.completed = 4
        pace.measure(10.002)
        assert pace.work == pytest.approx(0.0005)
        assert pace.ahead == int(AHEAD / pace.work)
        assert (pace.since, pace.completed) == (10.002, 0)

    def test_it_rises_faster_than_it_falls(self) -> None:
        pace = Pace()
        for work in (0.001, 0.003):
            pace.completed = 1
            pace.measure(pace.since + work)
        risen = pace.work - 0.001
        assert risen == pytest.approx(0.001)
        pace.completed = 1
        pace.measure(pace.since + 0.000)
        assert pace.work == pytest.approx(0.002 * 0.875)

    def test_nothing_completed_is_nothing_learnt(self) -> None:
        pace = Pace()
        pace.measure(5.0)
        assert (pace.work, pace.since, pace.ahead) == (0.0, 0.0, 0)

    def test_slow_work_allows_nothing_ahead(self) -> None:
        pace = Pace()
        pace.completed = 1
        pace.measure(0.0011)
        assert pace.ahead == 0
