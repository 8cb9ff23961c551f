"""What holds for a queue whatever clients, kernels and time do, in any order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from support.examples import examples
from support.fake_clock import FakeClock
from support.fake_kernel import FakeKernel, RecordingTask

from edi_labext.errors import KernelFailure, Overloaded, Unavailable
from edi_labext.serving.dispatcher import QueuePolicy, TaskQueue
from edi_labext.serving.kernel.path._edi_host import frames
from edi_labext.serving.link import KernelLink

picks = st.integers(0, 10**6)
spans = st.sampled_from([0.0, 0.00002, 0.0004, 0.001, 0.02, 1.0, 4.0])


class QueueMachine(RuleBasedStateMachine):
    """Drives one queue with up to four kernels."""

    @initialize(
        batch_size=st.sampled_from([1, 1, 3]),
        parallel_size=st.sampled_from([1, 1, 2]),
        pipe_size=st.sampled_from([1, 6, 9]),
        timeout=st.sampled_from([5.0, None]),
    )
    def begin(self, **policy) -> None:
        self.clock = FakeClock()
        self.policy = QueuePolicy(limit=12, **policy)
        self.queue = TaskQueue(self.clock, self.policy, name="digits", on_overdue=self.note_overdue)
        self.tasks: list[RecordingTask] = []
        self.unsendable: set[int] = set()  # numbers that must not be sent from now on
        self.cancelled: set[int] = set()
        self.returned: set[int] = set()  # handed back by a lost kernel
        self.attached: list[FakeKernel] = []
        self.detached: list[FakeKernel] = []
        self.late: set[KernelLink] = set()
        self.refused = 0
        self.drained = 0
        self.drains = 0
        self.closed = False

    def note_overdue(self, link: KernelLink) -> None:
        assert link.overdue >= 1
        assert link not in self.late, "reported twice without a return in between"
        self.late.add(link)

    @property
    def kernels(self) -> list[FakeKernel]:
        return self.attached + self.detached

    @rule(count=st.integers(1, 9))
    def submit(self, count: int) -> None:
        for _ in range(count):
            task = RecordingTask(b"%d" % len(self.tasks))
            full = self.queue.waiting >= self.policy.limit
            try:
                self.queue.submit(task)
                assert not self.closed
            except Overloaded:
                assert full
                self.refused += 1
            except Unavailable:
                assert self.closed
                self.refused += 1
            else:
                self.tasks.append(task)

    @precondition(lambda self: self.tasks)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        task = self.tasks[pick % len(self.tasks)]
        if not task.done:
            self.cancelled.add(task.number)
            if task.link is None:
                self.unsendable.add(task.number)
        self.queue.cancel(task)

    @precondition(lambda self: len(self.kernels) < 4)
    @rule()
    def attach(self) -> None:
        kernel = FakeKernel("k")
        self.attached.append(kernel)
        self.queue.attach(kernel.link)

    @precondition(lambda self: self.attached)
    @rule(pick=picks)
    def detach(self, pick: int) -> None:
        kernel = self.attached.pop(pick % len(self.attached))
        self.queue.detach(kernel.link)
        kernel.receive()
        kernel.frozen = len(kernel.seen)
        self.detached.append(kernel)

    @precondition(lambda self: self.kernels)
    @rule(pick=picks, batches=st.integers(1, 3), fail=st.booleans(), after=spans)
    def answer(self, pick: int, batches: int, fail: bool, after: float) -> None:
        kernel = self.kernels[pick % len(self.kernels)]
        self.clock.advance(after)
        if fail:
            kernel.answer(batches, frames.FAILED, b"no_output\nnothing")
        else:
            kernel.answer(batches)

    @precondition(lambda self: self.kernels)
    @rule(pick=picks, noise=st.booleans())
    def lose(self, pick: int, noise: bool) -> None:
        kernel = self.kernels[pick % len(self.kernels)]
        (self.attached if kernel in self.attached else self.detached).remove(kernel)
        if noise:
            kernel.link.data_received(b"no frame at all.")
        batches = kernel.batches
        begun = {number for batch in batches[: self.policy.parallel_size] for number, _ in batch}
        behind = {number for batch in batches for number, _ in batch} - begun
        by_number = {task.number: task for task in self.tasks}
        spared = {n for n in behind if not by_number[n].done}
        self.returned |= spared
        self.queue.lost(kernel.link, lambda: KernelFailure("gone", code="kernel_died"))
        for number in begun | behind:
            assert by_number[number].done != (number in spared)

    @rule(seconds=spans)
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # Late, or most of a run would be spent on a closed queue.
    @precondition(lambda self: len(self.tasks) > 15)
    @rule()
    def drain(self) -> None:
        self.closed = True
        self.drains += 1
        self.queue.drain(self.note_drained)

    def note_drained(self) -> None:
        self.drained += 1
        assert self.queue.waiting == self.queue.running == 0

    @precondition(lambda self: len(self.tasks) > 15)
    @rule()
    def close(self) -> None:
        self.closed = True
        self.queue.close(Unavailable("closed"))
        assert all(task.done for task in self.tasks)

    @precondition(lambda self: self.closed and all(task.done for task in self.tasks))
    @rule()
    def reopen(self) -> None:
        assert self.drained == self.drains
        self.queue.reopen()
        self.closed = False

    @invariant()
    def the_books_balance(self) -> None:
        queue = self.queue
        assert queue.submitted == len(self.tasks)
        assert queue.refused == self.refused
        assert queue.submitted == (
            queue.answered
            + queue.failed
            + queue.timed_out
            + queue.cancelled
            + queue.waiting
            + queue.running
        )
        live = [task for task in self.tasks if not task.done]
        assert queue.waiting == sum(task.link is None for task in live)
        assert queue.running == sum(task.link is not None for task in live)

    @invariant()
    def each_task_has_at_most_one_outcome(self) -> None:
        for task in self.tasks:
            told = 0 if task.number in self.cancelled or not task.done else 1
            assert len(task.outcomes) == told

    @invariant()
    def kernels_got_only_what_they_may(self) -> None:
        for kernel in self.kernels:
            kernel.receive()
            numbers = [number for _, number, _ in kernel.seen]
            assert len(set(numbers)) == len(numbers)
        for kernel in self.detached:
            assert len(kernel.seen) == kernel.frozen
        for kernel in self.attached:
            held = kernel.batches
            assert all(len(batch) <= self.policy.batch_size for batch in held)
            for number, _ in [task for batch in held for task in batch]:
                assert number not in self.unsendable

    @invariant()
    def late_kernels_are_reported(self) -> None:
        self.late = {link for link in self.late if link.overdue}
        assert all(kernel.link in self.late for kernel in self.kernels if kernel.link.overdue)

    @invariant()
    def first_come_first_served(self) -> None:
        waiting = [task.number for task in self.queue._line._entries if not task.done]
        assert waiting == sorted(waiting)
        sent = [task.number for task in self.tasks if task.link is not None]
        # Only what came back from a lost kernel may wait while a younger one runs.
        never_sent = [number for number in waiting if number not in self.returned]
        assert not sent or not never_sent or max(sent) < min(never_sent)

    @invariant()
    def nothing_waits_beside_an_idle_kernel(self) -> None:
        if self.queue.waiting and self.policy.batch_size == 1:
            assert all(kernel.link.outstanding for kernel in self.attached)

    def teardown(self) -> None:
        if not hasattr(self, "queue"):
            return
        if not self.kernels or not self.attached:
            self.attach_one_more()
        for _ in range(len(self.tasks) + 20):
            for kernel in self.kernels:
                kernel.answer(1)
            self.clock.advance(0.0011)
        self.the_books_balance()
        queue = self.queue
        assert queue.waiting == queue.running == 0
        assert queue._line.count == 0
        assert not queue._tasks
        for kernel in self.kernels:
            link = kernel.link
            assert link.outstanding == link.overdue == len(link.batches) == 0
            assert link.total == link.finished + link.failed
        assert self.drained <= self.drains

    def attach_one_more(self) -> None:
        kernel = FakeKernel("last")
        self.attached.append(kernel)
        self.queue.attach(kernel.link)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=examples(150), stateful_step_count=40, deadline=None)
