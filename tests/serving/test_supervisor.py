from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

import pytest
from support.fake_clock import FakeClock
from support.fake_launcher import FakeKernel, FakeLauncher

from edi_labext.errors import EdiError, Unavailable
from edi_labext.serving.dispatcher import TaskQueue
from edi_labext.serving.kernel.path._edi_host import frames
from edi_labext.serving.launchers.base import LaunchSpec
from edi_labext.serving.lifecycle import KernelPolicy, KernelState
from edi_labext.serving.link import KernelLink
from edi_labext.serving.logs import LogBook, LogPump
from edi_labext.serving.queue_policy import QueuePolicy
from edi_labext.serving.supervisor import Supervisor
from edi_labext.serving.task import Task


class Outcome(Task):
    """A task that remembers what became of it."""

    def __init__(self, body: bytes = b"{}") -> None:
        super().__init__(body)
        self.outcome: bytes | EdiError | None = None

    def deliver_answer(self, data: bytes) -> None:
        self.outcome = data

    def deliver_error(self, error: EdiError) -> None:
        self.outcome = error


async def until(condition: Callable[[], object]) -> None:
    """Let loop and threads go on until ``condition`` holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


class Stage:
    """A supervisor with everything around it."""

    def __init__(self, folder: Path, pump: LogPump, group: asyncio.TaskGroup) -> None:
        self.clock = FakeClock()
        self.launcher = FakeLauncher(FakeKernel.ready)
        self.pump = pump
        self.book = LogBook(folder, "digits", self.clock.wall)
        self.changes = 0
        self.queue = TaskQueue(
            self.clock,
            QueuePolicy(timeout=60, pipe_size=3),
            name="digits",
            on_overdue=self.overdue,
        )
        ids = iter(f"k{number}" for number in range(1, 1000))
        self.supervisor = Supervisor(
            name="digits",
            clock=self.clock,
            launcher=self.launcher,
            pump=pump,
            book=self.book,
            queue=self.queue,
            make_spec=self.make_spec,
            context_text=lambda: '{"name":"digits"}',
            policy=KernelPolicy(connection_timeout=90, overdue_grace=60, stop_grace=30),
            on_change=self.on_change,
            spawn=self.spawn,
            new_id=lambda: next(ids),
        )
        self._group = group

    async def quiet(self) -> None:
        """Let the pump thread have its turn and the loop the turns that may follow from it."""
        turn = threading.Event()
        self.pump.call(lambda: self.pump.call(turn.set))
        await until(turn.is_set)
        for _ in range(10):
            await asyncio.sleep(0)

    def spawn(self, effect: Coroutine[object, object, None]) -> None:
        self._group.create_task(effect)

    def overdue(self, link: KernelLink) -> None:
        self.supervisor.overdue(link)

    def on_change(self) -> None:
        self.changes += 1

    def make_spec(self, kernel_id: str) -> LaunchSpec:
        return LaunchSpec(kernel_id, "python", Path("/k/kernel.py"), Path("/"), {}, 0o022)

    def submit(self, body: bytes = b"{}") -> Outcome:
        task = Outcome(body)
        self.queue.submit(task)
        return task

    async def ready(self, count: int = 1) -> FakeKernel:
        self.supervisor.want(count)
        await until(lambda: self.supervisor.ready == count)
        return self.launcher.last

    async def gone(self, count: int = 0) -> None:
        await until(lambda: len(self.supervisor.kernels) == count)

    async def stop(self, seconds: float = 0) -> None:
        """Stop while ``seconds`` pass."""
        stopping = asyncio.ensure_future(self.supervisor.stop())
        await asyncio.sleep(0)
        self.clock.advance(seconds)
        async with asyncio.timeout(10):
            await stopping


@pytest.fixture
def stage(tmp_path):
    """Run a coroutine function with a stage; checks at the end that nothing is left."""

    def run(scene: Callable[[Stage], Awaitable[None]]) -> None:
        async def play() -> None:
            with LogPump() as pump:
                async with asyncio.TaskGroup() as group:
                    stage = Stage(tmp_path, pump, group)
                    await scene(stage)
                    if stage.supervisor.kernels or stage.supervisor.wanted:
                        for kernel in stage.launcher.alive:
                            kernel.hangs = kernel.stubborn = False
                        await stage.stop(60)
                stage.clock.advance(60)  # the queue's own deadline timer
                assert stage.clock.pending == 0
                for kernel in stage.launcher.kernels:
                    assert kernel.signals.count("sweep") == 1
                stage.book.close()

        asyncio.run(play())

    return run


def test_from_launch_to_answer_to_stop(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        await until(lambda: kernel.received)
        assert kernel.received[0] == (frames.CONTEXT, 0, b'{"name":"digits"}')
        task = s.submit(b"seven")
        await until(lambda: task.outcome)
        assert task.outcome == b"seven"
        (facts,) = s.supervisor.kernels
        assert facts.ready
        assert (facts.running, facts.finished, facts.failed, facts.total) == (0, 1, 0, 1)
        assert (s.supervisor.failure, s.supervisor.next_try, s.supervisor.wanted) == (None, None, 1)
        await s.stop()
        assert kernel.received[-1][0] == frames.SHUTDOWN
        assert kernel.signals == ["sweep"]
        assert s.supervisor.kernels == []
        with pytest.raises(Unavailable):
            s.submit()
        log = "\n".join(s.book.tail(100))
        assert "kernel k1: launching" in log
        assert "kernel k1: ready after 0.00 s, Python 3.11.7" in log
        assert "kernel k1: the kernel was stopped" in log
        assert s.changes

    stage(scene)


def test_a_stopped_one_starts_again(stage):
    async def scene(s: Stage):
        await s.ready()
        await s.stop()
        await s.supervisor.stop()  # nothing to do
        await s.ready()
        task = s.submit()
        await until(lambda: task.outcome == b"{}")

    stage(scene)


def test_start_failure_is_told_in_one_sentence_and_tried_again(stage):
    async def scene(s: Stage):
        reason = "ModuleNotFoundError: No module named 'torch' (kernel.py, line 3)"

        def fail(kernel: FakeKernel) -> None:
            kernel.print("Traceback ...\n", stderr=True)
            kernel.start_failed(reason)

        s.launcher.on_launch = fail
        s.supervisor.want(1)
        await until(lambda: s.supervisor.failure)
        failure = s.supervisor.failure
        assert failure.reason == f"the kernel did not start: {reason}"
        assert (failure.exit_code, failure.never_ready) == (1, True)
        assert failure.since == s.clock.wall()
        assert s.supervisor.next_try == 1
        assert s.book.tail(2) == [
            "Traceback ...",
            f"[engine] kernel k1: the kernel did not start: {reason}; next try in 1 s",
        ]
        s.launcher.on_launch = FakeKernel.ready
        s.clock.advance(1)
        await until(lambda: s.supervisor.ready)
        assert s.supervisor.failure is None

    stage(scene)


def test_failed_starts_come_to_an_end_and_those_who_wait_are_told(stage):
    async def scene(s: Stage):
        s.launcher.on_launch = lambda kernel: kernel.exit(code=3)
        s.supervisor.want(1)
        for number in range(1, 9):
            await until(lambda n=number: len(s.launcher.kernels) == n and not s.supervisor.kernels)
            if number == 7:
                s.clock.advance(s.supervisor.next_try - 1)
                task = s.submit()  # its patience outlasts the last try
            s.clock.advance(s.supervisor.next_try or 0)
        assert s.supervisor.gave_up
        assert task.outcome.code == "deployment_failed"
        assert "the kernel exited with code 3 before it was ready" in task.outcome.message
        assert s.supervisor.next_try is None
        assert "giving up after 8 failures in a row" in s.book.tail(1)[0]
        # Wanting kernels again is a new beginning, also for the queue.
        s.launcher.on_launch = FakeKernel.ready
        await s.ready()
        later = s.submit()
        await until(lambda: later.outcome == b"{}")

    stage(scene)


def test_a_launch_that_is_refused(stage):
    async def scene(s: Stage):
        def refuse(kernel: FakeKernel) -> None:
            raise Unavailable("The kernel could not be launched: no such file.", code="x")

        s.launcher.on_launch = refuse
        s.supervisor.want(1)
        await until(lambda: s.supervisor.failure)
        assert s.supervisor.failure.reason == "the kernel could not be launched: no such file"

        def burst(kernel: FakeKernel) -> None:
            raise ZeroDivisionError("a fault of ours")

        s.launcher.on_launch = burst
        s.clock.advance(1)
        await until(lambda: "ours" in s.supervisor.failure.reason)
        assert s.supervisor.next_try == 2
        s.supervisor.want(0)

    stage(scene)


@pytest.mark.parametrize("order", ["exit first", "link first", "link last"])
def test_a_crash_in_flight_fails_one_task_and_names_the_log(stage, order):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        first, second = s.submit(b"1"), s.submit(b"2")
        await until(lambda: len(kernel.received) >= 2)
        kernel.print("Traceback (most recent call last):\n", stderr=True)
        kernel.print("ValueError: seven\n", stderr=True)
        steps = {
            "exit first": [lambda: kernel.end_process(signal=11), kernel.close_link],
            "link first": [kernel.close_link, lambda: kernel.end_process(signal=11)],
            "link last": [kernel.close_pipes, lambda: kernel.end_process(signal=11)],
        }[order]
        for step in steps:
            step()
            await s.quiet()
            assert first.outcome is None  # not all of it is known yet
        assert "sweep" in kernel.signals
        kernel.close_link() if order == "link last" else kernel.close_pipes()
        await until(lambda: first.outcome)
        error = first.outcome
        assert (error.code, error.http_status) == ("kernel_died", 502)
        assert error.message == "The kernel was killed by SIGSEGV."
        assert error.detail.splitlines()[-2:] == [
            "Traceback (most recent call last):",
            "ValueError: seven",
        ]
        # The other had not begun: the replacement, launched at once, has it.
        await until(lambda: second.outcome == b"2")
        assert s.launcher.last is not kernel
        assert s.supervisor.failure is None

    stage(scene)


def test_a_grandchild_on_the_log_pipe_delays_the_end_by_a_second(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        task = s.submit()
        await until(lambda: len(kernel.received) == 2)
        kernel.print("last words\n")
        kernel.close_link()
        kernel.end_process(code=3)
        await until(lambda: "sweep" in kernel.signals and "last words" in s.book.tail(9, "k1"))
        assert task.outcome is None
        s.clock.advance(1.0)
        await until(lambda: task.outcome)
        assert task.outcome.message == "The kernel exited with code 3."
        assert "last words" in task.outcome.detail

        def nobody_reads() -> bool:
            try:
                kernel.print("more")
            except BrokenPipeError:
                return True
            return False

        await until(nobody_reads)
        kernel.close_pipes()

    stage(scene)


def test_a_kernel_that_breaks_the_protocol_is_replaced(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel._far.sendall(b"Hello, world! 12345")
        await until(lambda: not s.supervisor.ready)
        s.clock.advance(1.0)
        assert kernel.signals[0] == "term"
        await until(lambda: s.supervisor.ready)
        assert s.launcher.last is not kernel
        assert any("broke the protocol" in line for line in s.book.tail(100))

    stage(scene)


def test_start_timeout(stage):
    async def scene(s: Stage):
        s.launcher.on_launch = lambda kernel: setattr(kernel, "stubborn", True)
        s.supervisor.want(1)
        await until(lambda: [k.state for k in s.supervisor.kernels] == [KernelState.STARTING])
        s.clock.advance(89)
        assert s.launcher.last.signals == []
        s.clock.advance(1)
        assert s.launcher.last.signals == ["kill"]
        await until(lambda: s.supervisor.failure)
        assert s.supervisor.failure.reason == "the kernel did not report ready within 90 s"
        s.supervisor.want(0)

    stage(scene)


def test_overdue_kernel(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        task = s.submit()
        await until(lambda: len(kernel.received) == 2)
        s.clock.advance(60)
        assert task.outcome.http_status == 504
        # It returns in time, hangs again, and is given the whole grace again.
        kernel.answer(kernel.received[1][1], b"late")
        await until(lambda: s.supervisor.kernels[0].finished == 1)
        s.clock.advance(1)
        s.submit()
        await until(lambda: len(kernel.received) == 3)
        s.clock.advance(60)
        assert kernel.signals == []
        s.clock.advance(59.9)
        assert kernel.signals == []
        s.clock.advance(0.1)
        assert kernel.signals == ["kill"]
        await until(lambda: s.launcher.last is not kernel and s.supervisor.ready)
        assert any("did not return 60 s after" in line for line in s.book.tail(100))

    stage(scene)


def test_a_kernel_that_returns_from_one_overdue_task_to_the_next(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        s.submit(b"1"), s.submit(b"2")
        await until(lambda: len(kernel.received) == 3)
        s.clock.advance(60)
        kernel.answer(kernel.received[1][1], b"late")
        await until(lambda: s.supervisor.kernels[0].finished == 1)
        s.clock.advance(60)
        assert kernel.signals == []
        s.clock.advance(60)
        assert kernel.signals == ["kill"]

    stage(scene)


def test_stop_answers_what_was_accepted(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        tasks = [s.submit(b"%d" % n) for n in range(3)]
        await until(lambda: len(kernel.received) == 4)
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            s.submit()
        assert not stopping.done()
        for _, number, body in list(kernel.received[1:]):
            kernel.answer(number, body)
        await stopping
        assert [task.outcome for task in tasks] == [b"0", b"1", b"2"]
        assert kernel.signals == ["sweep"]

    stage(scene)


def test_stop_of_a_kernel_that_ignores_everything(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers, kernel.hangs, kernel.stubborn = False, True, True
        task = s.submit()
        await until(lambda: len(kernel.received) == 2)
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        s.clock.advance(29.9)
        assert task.outcome is None
        s.clock.advance(0.1)
        assert task.outcome.code == "stopped"
        await until(lambda: kernel.received[-1][0] == frames.SHUTDOWN)
        s.clock.advance(4.9)
        assert kernel.signals == []
        s.clock.advance(0.1)
        assert kernel.signals == ["term"]
        s.clock.advance(2)
        assert kernel.signals == ["term", "kill"]
        await stopping

    stage(scene)


def test_stop_while_launching(stage):
    async def scene(s: Stage):
        s.launcher.gate.clear()
        s.supervisor.want(1)
        await until(lambda: s.launcher.specs)
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        s.launcher.gate.set()
        await stopping
        assert s.launcher.last.signals == ["term", "sweep"]

    stage(scene)


def test_stop_in_backoff_fails_what_waits_at_once(stage):
    async def scene(s: Stage):
        s.launcher.on_launch = lambda kernel: kernel.exit(code=1)
        s.supervisor.want(1)
        task = s.submit()
        await until(lambda: s.supervisor.next_try)
        await s.stop()
        assert task.outcome.code == "stopped"
        assert s.supervisor.failure is None

    stage(scene)


def test_stop_twice_and_a_caller_who_leaves(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.hangs = True
        first = asyncio.ensure_future(s.supervisor.stop())
        second = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        first.cancel()
        s.clock.advance(5)
        await second
        assert kernel.signals == ["term", "sweep"]

    stage(scene)


def test_wanting_kernels_while_stopping_takes_effect_afterwards(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.hangs = True
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        s.supervisor.want(1)
        assert s.supervisor.wanted == 1
        assert len(s.launcher.kernels) == 1
        s.clock.advance(5)
        await stopping
        await until(lambda: s.supervisor.ready)
        task = s.submit()
        await until(lambda: task.outcome == b"{}")

    stage(scene)


def test_a_stop_that_drains_is_called_off_by_a_start(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        first = s.submit(b"1")
        await until(lambda: len(kernel.received) == 2)
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        s.supervisor.want(1)
        await stopping
        second = s.submit(b"2")
        kernel.answers = True
        kernel.answer(kernel.received[1][1], b"1")
        await until(lambda: second.outcome == b"2")
        s.clock.advance(30)
        assert first.outcome == b"1"
        assert s.launcher.kernels == [kernel]
        assert s.supervisor.ready == 1

    stage(scene)


def test_a_crash_while_draining_is_mended_so_that_the_rest_is_answered(stage):
    async def scene(s: Stage):
        kernel = await s.ready()
        kernel.answers = False
        first, second = s.submit(b"1"), s.submit(b"2")
        await until(lambda: len(kernel.received) >= 2)
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        kernel.exit(code=3)
        await stopping
        assert first.outcome.code == "kernel_died"
        assert second.outcome == b"2"

    stage(scene)


def test_fewer_kernels_are_drained_one_by_one(stage):
    async def scene(s: Stage):
        await s.ready(3)
        for kernel in s.launcher.kernels:
            kernel.answers = False
        tasks = [s.submit(b"%d" % n) for n in range(3)]
        await until(lambda: all(len(kernel.received) == 2 for kernel in s.launcher.kernels))
        s.supervisor.want(1)
        assert s.supervisor.ready == 1
        for kernel in s.launcher.kernels:
            _, number, body = kernel.received[1]
            kernel.answer(number, body)
        await until(lambda: all(task.outcome for task in tasks))
        await s.gone(1)
        assert sorted(task.outcome for task in tasks) == [b"0", b"1", b"2"]

    stage(scene)


def test_other_policies_are_adopted_between_two_starts(stage):
    async def scene(s: Stage):
        await s.ready()
        other = KernelPolicy(connection_timeout=5)
        with pytest.raises(RuntimeError):
            s.supervisor.adopt(other, QueuePolicy())
        stopping = asyncio.ensure_future(s.supervisor.stop())
        await asyncio.sleep(0)
        assert s.supervisor.stopping
        with pytest.raises(RuntimeError):
            s.supervisor.adopt(other, QueuePolicy())
        await stopping
        assert not s.supervisor.stopping
        with pytest.raises(Unavailable):
            s.submit()

        s.supervisor.adopt(other, QueuePolicy(timeout=2, batch_size=3))
        assert s.queue.policy.batch_size == 3
        assert s.supervisor.wanted == 0
        waiting = s.submit()
        s.launcher.on_launch = lambda _: None
        s.supervisor.want(1)
        await until(lambda: len(s.launcher.kernels) == 2)
        s.clock.advance(2)
        assert waiting.outcome.code == "task_timeout"
        s.clock.advance(3)
        await until(lambda: s.supervisor.failure)
        assert "within 5 s" in s.supervisor.failure.reason
        s.launcher.on_launch = FakeKernel.ready
        s.clock.advance(1)
        await until(lambda: s.supervisor.ready)

    stage(scene)


def test_an_adopted_policy_forgets_the_failures_of_before(stage):
    async def scene(s: Stage):
        s.launcher.on_launch = lambda kernel: kernel.start_failed("ValueError: no")
        s.supervisor.want(1)
        for _ in range(8):
            await until(lambda: not s.supervisor.kernels and s.supervisor.failure)
            s.clock.advance(60)
            await s.quiet()
        assert s.supervisor.gave_up
        s.supervisor.adopt(KernelPolicy(), QueuePolicy())
        assert not s.supervisor.gave_up
        assert s.supervisor.failure is None
        assert s.supervisor.next_try is None
        s.launcher.on_launch = FakeKernel.ready
        await s.ready()
        task = s.submit(b"1")
        await until(lambda: task.outcome)
        assert task.outcome == b"1"

    stage(scene)
