"""The queue of a deployment, with kernels and time moved by hand."""

from __future__ import annotations

import pytest
from support.fake_clock import FakeClock
from support.fake_kernel import FakeKernel, RecordingTask

from edi_labext.errors import EdiError, KernelFailure, Overloaded, TaskTimeout, Unavailable
from edi_labext.serving.dispatcher import LINGER, QueuePolicy, TaskQueue
from edi_labext.serving.kernel.path._edi_host import frames
from edi_labext.serving.link import KernelLink


class Desk:
    """A queue, its clock, and what it reported."""

    def __init__(self, kernels: int = 0, **policy) -> None:
        self.clock = FakeClock()
        self.overdue: list[KernelLink] = []
        self.demand = 0
        self.queue = TaskQueue(
            self.clock,
            QueuePolicy(**policy),
            name="digits",
            on_overdue=self.overdue.append,
            on_demand=self._demand,
        )
        self.kernels = [self.add_kernel(f"k{index}") for index in range(kernels)]

    def _demand(self) -> None:
        self.demand += 1

    def add_kernel(self, kernel_id: str = "k") -> FakeKernel:
        kernel = FakeKernel(kernel_id)
        self.queue.attach(kernel.link)
        return kernel

    def submit(self, body: bytes = b"") -> RecordingTask:
        task = RecordingTask(body)
        self.queue.submit(task)
        return task

    def submit_many(self, bodies: bytes) -> list[RecordingTask]:
        return [self.submit(bytes([byte])) for byte in bodies]


def gone() -> EdiError:
    return KernelFailure("The kernel exited with code 3.", code="kernel_died")


def bodies(kernel: FakeKernel) -> bytes:
    return b"".join(kernel.bodies)


# --- one after the other --------------------------------------------------------------------


def test_a_task_meets_an_idle_kernel_at_once_in_one_write() -> None:
    desk = Desk(kernels=1)
    task = desk.submit(b"ping")
    (kernel,) = desk.kernels
    assert kernel.transport.writes == 1
    assert kernel.bodies == [b"ping"]
    assert (desk.queue.waiting, desk.queue.running) == (0, 1)
    kernel.answer()
    assert task.outcomes == [b"<ping>"]
    assert (desk.queue.running, desk.queue.answered) == (0, 1)


def test_tasks_wait_for_the_first_kernel_in_order() -> None:
    desk = Desk()
    desk.submit_many(b"abc")
    assert desk.demand == 3
    kernel = desk.add_kernel()
    order = b""
    for _ in range(3):
        order += bodies(kernel)
        desk.clock.advance(1.0)
        kernel.answer()
    assert order == b"abc"
    assert desk.demand == 3


def test_a_slow_kernel_gets_the_next_task_only_after_its_answer() -> None:
    desk = Desk(kernels=1)
    desk.submit_many(b"ab")
    (kernel,) = desk.kernels
    assert bodies(kernel) == b"a"
    desk.clock.advance(0.010)
    kernel.answer()
    assert bodies(kernel) == b"b"


def test_the_kernel_used_last_is_used_first() -> None:
    desk = Desk(kernels=3)
    for _ in range(5):
        desk.submit()
        desk.kernels[2].answer()
    assert [kernel.link.total for kernel in desk.kernels] == [0, 0, 5]


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    desk = Desk(kernels=1, limit=2)
    desk.submit_many(b"abc")
    with pytest.raises(Overloaded, match="2 tasks wait") as caught:
        desk.submit()
    assert caught.value.retry_after == 1.0
    assert desk.queue.refused == 1
    assert desk.queue.submitted == 3


def test_the_advice_of_a_full_queue_follows_the_measured_work() -> None:
    desk = Desk(kernels=1, limit=2)
    desk.submit()
    desk.clock.advance(4.0)
    desk.kernels[0].answer()
    desk.submit_many(b"abc")
    with pytest.raises(Overloaded) as caught:
        desk.submit()
    assert caught.value.retry_after == pytest.approx(8.0)


def test_a_task_that_cannot_be_delivered_does_not_hurt_the_others(caplog) -> None:
    class Broken(RecordingTask):
        __slots__ = ()

        def deliver_answer(self, data: bytes) -> None:
            raise RuntimeError("connection object is broken")

    desk = Desk(kernels=1, pipe_size=2)
    desk.queue.submit(Broken())
    other = desk.submit(b"b")
    desk.kernels[0].answer(2)
    assert other.outcomes == [b"<b>"]
    assert desk.queue.running == 0
    assert "connection object is broken" in caplog.text


def test_a_client_may_submit_again_from_within_its_answer() -> None:
    desk = Desk(kernels=1)

    class Chain(RecordingTask):
        __slots__ = ()

        def deliver_answer(self, data: bytes) -> None:
            super().deliver_answer(data)
            desk.submit(b"next")

    desk.queue.submit(Chain(b"first"))
    desk.clock.advance(0.5)
    desk.kernels[0].answer()
    assert desk.kernels[0].bodies == [b"next"]
    desk.kernels[0].answer()
    assert desk.queue.answered == 2
    desk.submit(b"third")  # the kernel is idle once, not twice
    desk.submit(b"fourth")
    assert desk.kernels[0].bodies == [b"third"]


# --- ahead of time --------------------------------------------------------------------------


def warm(desk: Desk, work: float) -> None:
    """Let each kernel be measured at ``work`` seconds per task."""
    for _ in desk.kernels:
        desk.submit()
    desk.clock.advance(work)
    for kernel in desk.kernels:
        kernel.answer()


def test_a_fast_kernel_holds_one_millisecond_of_work_besides_the_running() -> None:
    desk = Desk(kernels=1)
    warm(desk, 0.00024)
    desk.submit_many(b"abcdefgh")
    assert bodies(desk.kernels[0]) == b"abcde"
    assert desk.queue.waiting == 3


def test_an_unmeasured_kernel_holds_one_task() -> None:
    desk = Desk(kernels=1)
    desk.submit_many(b"abc")
    assert bodies(desk.kernels[0]) == b"a"


def test_a_fast_kernel_that_hangs_gets_nothing_more() -> None:
    desk = Desk(kernels=1)
    warm(desk, 0.00001)
    desk.submit(b"a")
    desk.clock.advance(0.0005)
    desk.submit(b"b")
    desk.clock.advance(0.0006)
    desk.submit_many(b"cdef")
    assert bodies(desk.kernels[0]) == b"ab"


def test_the_pipe_size_counts_for_slow_kernels_too() -> None:
    desk = Desk(kernels=1, pipe_size=3)
    desk.submit_many(b"abcd")
    assert bodies(desk.kernels[0]) == b"abc"
    desk.clock.advance(10)
    desk.kernels[0].answer()
    assert bodies(desk.kernels[0]) == b"bcd"


def test_the_parallel_size_is_how_many_a_kernel_works_on() -> None:
    desk = Desk(kernels=1, parallel_size=2)
    desk.submit_many(b"abc")
    desk.clock.advance(5)
    assert bodies(desk.kernels[0]) == b"ab"


def test_what_is_ahead_goes_to_the_kernel_with_the_fewest() -> None:
    desk = Desk(kernels=2, pipe_size=3)
    desk.submit_many(b"abcdef")
    assert sorted(bodies(kernel) for kernel in desk.kernels) == [b"adf", b"bce"]


def test_what_may_leave_after_an_answer_leaves_in_one_write() -> None:
    desk = Desk(kernels=1, pipe_size=4)
    (kernel,) = desk.kernels
    desk.submit_many(b"abcdefgh")
    kernel.receive()
    kernel.link.data_received(b"".join(frames.pack(frames.ANSWER, number) for number in (1, 2, 3)))
    writes = kernel.transport.writes
    kernel.receive()
    assert len(kernel.seen) == 7
    assert writes == 4 + 1


# --- batches --------------------------------------------------------------------------------


def test_a_batch_is_what_waits_up_to_its_size() -> None:
    desk = Desk(batch_size=4)
    desk.submit_many(b"abcdef")
    kernel = desk.add_kernel()
    assert [[body for _, body in batch] for batch in kernel.batches] == [[b"a", b"b", b"c", b"d"]]


def test_a_lone_request_is_never_delayed() -> None:
    desk = Desk(kernels=1, batch_size=8)
    for _ in range(3):
        desk.submit(b"x")
        assert desk.kernels[0].bodies == [b"x"]
        desk.clock.advance(0.005)
        desk.kernels[0].answer()
    assert desk.clock.pending <= 1  # the deadlines'


def batch_of_two(desk: Desk) -> FakeKernel:
    """Let a kernel answer a batch of two, so that it lingers."""
    desk.submit_many(b"12")
    kernel = desk.add_kernel()
    assert len(kernel.batches) == 1
    desk.clock.advance(0.005)
    kernel.answer()
    return kernel


def test_after_a_batch_of_several_a_kernel_lingers_for_as_many() -> None:
    desk = Desk(batch_size=8)
    kernel = batch_of_two(desk)
    desk.submit(b"a")
    assert not kernel.bodies
    desk.submit(b"b")
    assert bodies(kernel) == b"ab"


def test_a_linger_ends_after_a_millisecond_with_what_there_is() -> None:
    desk = Desk(batch_size=8)
    kernel = batch_of_two(desk)
    desk.clock.advance(LINGER / 2)
    desk.submit(b"a")
    desk.clock.advance(LINGER / 2 - 0.0001)
    assert not kernel.bodies
    desk.clock.advance(0.0001)
    assert bodies(kernel) == b"a"
    desk.clock.advance(0.005)
    kernel.answer()
    desk.submit(b"b")  # the last batch was of one: no linger
    assert bodies(kernel) == b"b"


def test_a_linger_that_nobody_uses_leaves_the_kernel_idle() -> None:
    desk = Desk(batch_size=8)
    kernel = batch_of_two(desk)
    desk.clock.advance(LINGER)
    desk.submit(b"a")
    assert bodies(kernel) == b"a"


def test_another_idle_kernel_takes_the_task_of_a_lingering_one() -> None:
    desk = Desk(batch_size=8)
    kernel = batch_of_two(desk)
    other = desk.add_kernel("other")
    desk.submit(b"a")
    assert bodies(other) == b"a"
    assert not kernel.bodies


def test_a_drain_ends_the_linger() -> None:
    desk = Desk(batch_size=8)
    kernel = batch_of_two(desk)
    desk.submit(b"a")
    desk.queue.drain(lambda: None)
    assert bodies(kernel) == b"a"


def test_ahead_of_time_only_full_batches_leave() -> None:
    desk = Desk(kernels=1, batch_size=2, pipe_size=4)
    desk.submit_many(b"ab")
    assert bodies(desk.kernels[0]) == b"a"
    desk.submit(b"c")
    assert [[body for _, body in batch] for batch in desk.kernels[0].batches] == [
        [b"a"],
        [b"b", b"c"],
    ]


# --- leaving clients ------------------------------------------------------------------------


def test_cancelled_while_waiting_is_never_sent() -> None:
    desk = Desk()
    a, b, c = desk.submit_many(b"abc")
    desk.queue.cancel(b)
    desk.queue.cancel(b)
    kernel = desk.add_kernel()
    for _ in range(2):
        desk.clock.advance(1)
        kernel.answer()
    assert [task.outcomes for task in (a, b, c)] == [[b"<a>"], [], [b"<c>"]]
    assert desk.queue.cancelled == 1


def test_cancelled_while_running_drops_the_answer_and_frees_the_kernel_then() -> None:
    desk = Desk(kernels=1)
    a, _ = desk.submit_many(b"ab")
    desk.queue.cancel(a)
    assert desk.queue.running == 0
    assert bodies(desk.kernels[0]) == b"a"
    desk.clock.advance(1)
    desk.kernels[0].answer()
    assert a.outcomes == []
    assert bodies(desk.kernels[0]) == b"b"
    desk.queue.cancel(a)
    assert desk.queue.cancelled == 1


def test_a_kernel_that_hangs_on_a_cancelled_task_is_reported() -> None:
    desk = Desk(kernels=1, timeout=10)
    desk.queue.cancel(desk.submit())
    desk.clock.advance(10)
    assert desk.overdue == [desk.kernels[0].link]
    assert desk.queue.timed_out == 0


def test_clients_that_come_and_go_do_not_fill_the_memory() -> None:
    desk = Desk()
    keeper = desk.submit(b"keep")
    for _ in range(5_000):
        desk.queue.cancel(desk.submit(b"x" * 100))
    assert len(desk.queue._line._entries) < 100
    assert len(desk.queue._tasks) == 1
    assert desk.add_kernel().bodies == [b"keep"]
    assert not keeper.done


# --- deadlines ------------------------------------------------------------------------------


def test_a_waiting_task_times_out_and_is_never_sent() -> None:
    desk = Desk(timeout=10)
    early = desk.submit(b"early")
    desk.clock.advance(4)
    late = desk.submit(b"late")
    desk.clock.advance(6)
    (error,) = early.outcomes
    assert isinstance(error, TaskTimeout)
    assert "No kernel of deployment digits was free within 10 s" in error.message
    assert late.outcomes == []
    assert desk.add_kernel().bodies == [b"late"]
    assert (desk.queue.timed_out, desk.queue.waiting) == (1, 0)


def test_a_running_task_times_out_and_keeps_its_kernel_until_the_answer() -> None:
    desk = Desk(kernels=1, timeout=10)
    (kernel,) = desk.kernels
    task = desk.submit(b"a")
    desk.clock.advance(9.999)
    assert task.outcomes == []
    desk.clock.advance(0.001)
    (error,) = task.outcomes
    assert isinstance(error, TaskTimeout)
    assert "did not answer within 10 s" in error.message
    assert desk.overdue == [kernel.link]
    assert kernel.link.overdue == 1
    other = desk.submit(b"b")
    assert bodies(kernel) == b"a"
    kernel.answer()
    assert len(task.outcomes) == 1
    assert kernel.link.overdue == 0
    assert bodies(kernel) == b"b"
    kernel.answer()
    assert other.outcomes == [b"<b>"]


def test_a_kernel_is_reported_once_per_time_it_is_overdue() -> None:
    desk = Desk(kernels=1, timeout=10, pipe_size=2)
    link = desk.kernels[0].link
    desk.submit_many(b"ab")
    desk.clock.advance(10)
    assert desk.overdue == [link]
    desk.kernels[0].answer(2)
    desk.submit(b"c")
    desk.clock.advance(10)
    assert desk.overdue == [link, link]


def test_one_timer_serves_all_deadlines() -> None:
    desk = Desk(timeout=10, limit=1000)
    for _ in range(200):
        desk.submit()
        desk.clock.advance(0.01)
    assert desk.clock.pending == 1
    desk.clock.advance(10)
    assert desk.queue.timed_out == 200
    assert desk.clock.pending == 0


def test_without_a_timeout_nothing_ends_by_time() -> None:
    desk = Desk(kernels=1, timeout=None)
    desk.submit()
    desk.clock.advance(1e9)
    assert desk.overdue == []
    assert desk.queue.running == 1


# --- lost kernels ---------------------------------------------------------------------------


def test_a_lost_kernel_fails_what_it_ran_and_hands_back_the_rest_in_order() -> None:
    desk = Desk(kernels=1, pipe_size=3)
    a, b, c, d = desk.submit_many(b"abcd")
    desk.queue.lost(desk.kernels[0].link, gone)
    assert [error.code for error in a.outcomes] == ["kernel_died"]
    assert desk.queue.waiting == 3
    other = desk.add_kernel("other")
    assert bodies(other) == b"bcd"
    other.answer(3)
    assert (b.outcomes, c.outcomes, d.outcomes) == ([b"<b>"], [b"<c>"], [b"<d>"])


@pytest.mark.parametrize("error", [ConnectionResetError(), BrokenPipeError()])
def test_a_lone_task_that_was_not_read_comes_back(error: OSError) -> None:
    desk = Desk(kernels=1)
    task = desk.submit(b"a")
    desk.kernels[0].link.connection_lost(error)
    desk.queue.lost(desk.kernels[0].link, gone)
    assert not task.outcomes
    assert bodies(desk.add_kernel("other")) == b"a"


def test_what_was_not_read_tells_nothing_when_it_may_be_the_shutdown() -> None:
    desk = Desk(kernels=1)
    task = desk.submit(b"a")
    desk.kernels[0].link.shutdown()
    desk.kernels[0].link.connection_lost(ConnectionResetError())
    desk.queue.lost(desk.kernels[0].link, gone)
    assert [error.code for error in task.outcomes] == ["kernel_died"]


def test_of_several_that_were_not_all_read_the_oldest_fails() -> None:
    desk = Desk(kernels=1, pipe_size=2)
    a, b = desk.submit_many(b"ab")
    desk.kernels[0].link.connection_lost(ConnectionResetError())
    desk.queue.lost(desk.kernels[0].link, gone)
    assert [error.code for error in a.outcomes] == ["kernel_died"]
    assert not b.outcomes


@pytest.mark.parametrize(("batch_size", "ahead"), [(1, b"bc"), (2, b"cd")])
def test_behind_a_kernel_that_says_it_ends_nobody_fails(batch_size: int, ahead: bytes) -> None:
    desk = Desk(kernels=1, pipe_size=3, batch_size=batch_size, parallel_size=2)
    tasks = desk.submit_many(b"abcd"[: batch_size + 2])
    kernel = desk.kernels[0]
    sent = len(kernel.batches[0])
    kernel.send(frames.ENDING)
    kernel.answer(1, frames.FAILED, b"exception\nSystemExit: 3")
    late = desk.submit(b"z")  # the link is still open, and it is not sent there
    desk.queue.lost(kernel.link, gone)
    other = desk.add_kernel("other")
    while other.bodies:
        other.answer()
    codes = [getattr(task.outcomes[0], "code", "answered") for task in [*tasks, late]]
    assert codes == ["kernel_exception"] * sent + ["answered"] * (len(codes) - sent)


def test_a_kernel_that_dies_while_it_says_it_ends_fails_what_it_was_at() -> None:
    desk = Desk(kernels=1, pipe_size=3, parallel_size=2)
    a, b = desk.submit_many(b"ab")
    desk.kernels[0].batches  # noqa: B018 - read by the kernel
    desk.kernels[0].send(frames.ENDING)
    desk.queue.lost(desk.kernels[0].link, gone)
    assert [error.code for error in a.outcomes] == ["kernel_died"]
    assert not b.outcomes


def test_what_comes_back_goes_to_an_idle_kernel_at_once() -> None:
    desk = Desk(kernels=1, pipe_size=2)
    desk.submit_many(b"ab")
    other = FakeKernel("other")
    desk.queue.attach(other.link)
    desk.queue.lost(desk.kernels[0].link, gone)
    assert bodies(other) == b"b"


def test_a_task_comes_back_until_it_was_begun() -> None:
    desk = Desk(kernels=1, pipe_size=3)
    tasks = desk.submit_many(b"abcd")
    for number, left in enumerate([b"bcd", b"cd", b"d"], 1):
        desk.queue.lost(desk.kernels[-1].link, gone)
        assert [len(task.outcomes) for task in tasks] == [1] * number + [0] * (4 - number)
        desk.kernels.append(desk.add_kernel(f"k{number}"))
        assert bodies(desk.kernels[-1]) == left
    desk.kernels[-1].answer()
    assert tasks[-1].outcomes == [b"<d>"]
    assert (desk.queue.failed, desk.queue.waiting, desk.queue.running) == (3, 0, 0)


def test_two_lost_kernels_hand_back_in_the_order_of_submission() -> None:
    desk = Desk(kernels=2, pipe_size=3)
    desk.submit_many(b"abcdef")
    first, second = sorted(desk.kernels, key=bodies)
    desk.queue.lost(first.link, gone)
    desk.queue.lost(second.link, gone)
    assert desk.queue.waiting == 4
    assert bodies(desk.add_kernel("new")) == b"cde"


def test_the_oldest_batch_fails_as_a_whole() -> None:
    desk = Desk(batch_size=2, pipe_size=4)
    tasks = desk.submit_many(b"abcd")
    kernel = desk.add_kernel()
    assert len(kernel.batches) == 2
    desk.queue.lost(kernel.link, gone)
    assert [len(task.outcomes) for task in tasks] == [1, 1, 0, 0]
    assert desk.queue.waiting == 2


def test_with_parallel_size_two_the_oldest_two_fail() -> None:
    desk = Desk(kernels=1, parallel_size=2, pipe_size=3)
    tasks = desk.submit_many(b"abc")
    desk.queue.lost(desk.kernels[0].link, gone)
    assert [len(task.outcomes) for task in tasks] == [1, 1, 0]


def test_a_timed_out_task_counts_as_the_running_one_when_its_kernel_is_lost() -> None:
    desk = Desk(kernels=1, pipe_size=2, timeout=10)
    desk.submit(b"a")
    desk.clock.advance(5)
    behind = desk.submit(b"b")
    desk.clock.advance(5)
    desk.queue.lost(desk.kernels[0].link, gone)
    assert behind.outcomes == []
    assert (desk.queue.failed, desk.queue.timed_out, desk.queue.waiting) == (0, 1, 1)


def test_a_kernel_lost_twice_or_never_attached_changes_nothing() -> None:
    desk = Desk(kernels=1)
    desk.submit()
    desk.queue.lost(desk.kernels[0].link, gone)
    desk.queue.lost(desk.kernels[0].link, gone)
    desk.queue.lost(FakeKernel("stranger").link, gone)
    assert desk.queue.failed == 1


# --- life -----------------------------------------------------------------------------------


def test_a_detached_kernel_finishes_what_it_has_and_gets_nothing_new() -> None:
    desk = Desk(kernels=1)
    (kernel,) = desk.kernels
    a, _ = desk.submit_many(b"ab")
    desk.queue.detach(kernel.link)
    desk.clock.advance(1)
    kernel.answer()
    assert a.outcomes == [b"<a>"]
    assert not kernel.bodies
    assert desk.queue.waiting == 1
    desk.queue.detach(kernel.link)
    assert bodies(desk.add_kernel("other")) == b"b"


def test_a_detached_idle_or_lingering_kernel_gets_nothing() -> None:
    desk = Desk(batch_size=8)
    kernel = batch_of_two(desk)
    desk.queue.detach(kernel.link)
    desk.submit(b"a")
    desk.clock.advance(1)
    assert not kernel.bodies
    idle = FakeKernel("idle")
    empty = Desk()
    empty.queue.attach(idle.link)
    empty.queue.detach(idle.link)
    empty.submit(b"a")
    assert not idle.bodies


def test_a_drain_answers_what_was_accepted_and_then_calls_back_once() -> None:
    desk = Desk(kernels=1)
    calls: list[str] = []
    a, b = desk.submit_many(b"ab")
    desk.queue.drain(lambda: calls.append("drained"))
    with pytest.raises(Unavailable) as caught:
        desk.submit()
    assert caught.value.code == "stopping"
    desk.kernels[0].answer()
    assert calls == []
    desk.kernels[0].answer()
    assert calls == ["drained"]
    assert (a.outcomes, b.outcomes) == ([b"<a>"], [b"<b>"])


def test_a_drain_of_an_empty_queue_calls_back_at_once() -> None:
    calls: list[int] = []
    Desk().queue.drain(lambda: calls.append(1))
    assert calls == [1]


@pytest.mark.parametrize("end", ["cancel", "timeout", "close", "lost", "failed"])
def test_a_drain_ends_however_the_last_task_ends(end: str) -> None:
    desk = Desk(kernels=1, timeout=10)
    calls: list[int] = []
    task = desk.submit()
    desk.queue.drain(lambda: calls.append(1))
    if end == "cancel":
        desk.queue.cancel(task)
    elif end == "timeout":
        desk.clock.advance(10)
    elif end == "close":
        desk.queue.close(Unavailable("stopped"))
    elif end == "lost":
        desk.queue.lost(desk.kernels[0].link, gone)
    else:
        desk.kernels[0].answer(kind=frames.FAILED, payload=b"no_output\n")
    assert calls == [1]


def test_closing_fails_everything_with_the_reason_and_refuses_with_the_same() -> None:
    desk = Desk(kernels=1)
    tasks = desk.submit_many(b"ab")
    reason = Unavailable("The kernel cannot start.", code="start_failed", detail="last lines")
    desk.queue.close(reason)
    assert [task.outcomes for task in tasks] == [[reason], [reason]]
    with pytest.raises(Unavailable, match="cannot start") as caught:
        desk.submit()
    assert caught.value is not reason
    assert (caught.value.code, caught.value.detail) == ("start_failed", "last lines")
    desk.kernels[0].answer()
    assert len(tasks[0].outcomes) == 1
    assert desk.queue.failed == 2


def test_a_reopened_queue_goes_by_the_new_policy() -> None:
    desk = Desk(timeout=10)
    desk.submit()
    desk.add_kernel()  # goes on with a task whose client was told
    desk.queue.close(Unavailable("stopped"))
    desk.queue.reopen(QueuePolicy(limit=1, timeout=1))
    task = desk.submit()
    with pytest.raises(Overloaded):
        desk.submit()
    desk.clock.advance(1)
    assert isinstance(task.outcomes[0], TaskTimeout)
