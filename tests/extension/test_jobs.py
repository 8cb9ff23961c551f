from __future__ import annotations

import logging
import threading

import pytest

from edi_labext.errors import Cancelled, Conflict, NotFound, Unavailable
from edi_labext.extension.jobs import KEEP_FINISHED, KEEP_SECONDS, JobManager
from edi_labext.extension.workers import WorkerPool
from edi_labext.operations import Progress

LOG = logging.getLogger("test-jobs")


class Wall:
    """A wall clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Office:
    """A manager whose changes can be waited for."""

    def __init__(self, size: int = 2) -> None:
        self.wall = Wall()
        self.changed: list[str] = []
        self._condition = threading.Condition()
        self.manager = JobManager(
            WorkerPool(size, name="test-job"), log=LOG, on_change=self._change, wall=self.wall
        )

    def _change(self, environment: str) -> None:
        with self._condition:
            self.changed.append(environment)
            self._condition.notify_all()

    def submit(self, action, *, kind="deploy", name="digits", environment="local"):
        return self.manager.submit(kind, environment, name, action)

    def ended(self, job):
        with self._condition:
            assert self._condition.wait_for(
                lambda: self.manager.get(job.id).state != "running", timeout=5
            )
        return self.manager.get(job.id)


@pytest.fixture
def office():
    office = Office()
    yield office
    office.manager.close(5)


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def heed(report, cancellation):
    """Run until somebody cancels."""
    while True:
        cancellation.wait(5)


def test_a_job_runs_reports_and_is_done(office, gate):
    reported = threading.Event()

    def action(report, cancellation):
        report(Progress("upload", 0.25, "Sending"))
        reported.set()
        gate.wait(5)

    job = office.submit(action)
    assert (job.state, job.kind, job.environment, job.deployment) == (
        "running",
        "deploy",
        "local",
        "digits",
    )
    assert job.created == 1000.0
    assert reported.wait(5)
    now = office.manager.get(job.id)
    assert (now.phase, now.fraction, now.message) == ("upload", 0.25, "Sending")
    assert office.manager.running == 1
    office.wall.now = 1007.0
    gate.set()
    done = office.ended(job)
    assert (done.state, done.fraction, done.finished, done.error) == ("done", 1.0, 1007.0, None)
    assert office.manager.running == 0
    assert office.changed == ["local", "local"]


def test_an_edi_error_fails_the_job_with_all_it_says(office):
    def action(report, cancellation):
        raise Unavailable("It died.", code="deployment_failed", hint="Mend it.", detail="line 1")

    failed = office.ended(office.submit(action))
    assert failed.state == "failed"
    assert failed.error.model_dump() == {
        "code": "deployment_failed",
        "message": "It died.",
        "hint": "Mend it.",
        "field": None,
        "detail": "line 1",
        "fields": None,
    }


def test_the_unforeseen_is_logged_and_not_told(office, caplog):
    def action(report, cancellation):
        raise RuntimeError("inner secret")

    with caplog.at_level(logging.INFO):
        failed = office.ended(office.submit(action))
    assert failed.error.code == "internal_error"
    assert failed.id in failed.error.hint
    assert "inner secret" not in failed.model_dump_json()
    assert any(record.exc_info and failed.id in record.getMessage() for record in caplog.records)


def test_cancel_is_an_outcome_of_its_own(office):
    def action(report, cancellation):
        try:
            heed(report, cancellation)
        except Cancelled:
            raise Cancelled("digits is deployed; it goes on starting.") from None

    job = office.submit(action)
    asked = office.manager.cancel(job.id)
    assert asked.cancelling
    ended = office.ended(job)
    assert (ended.state, ended.error) == ("cancelled", None)
    assert ended.finished is not None
    assert office.manager.cancel(job.id) == ended


def test_a_job_that_has_not_begun_is_cancelled_at_once(gate):
    office = Office(size=1)
    running = threading.Event()
    first = office.submit(lambda *_: (running.set(), gate.wait(5)), name="one")
    assert running.wait(5)
    ran = []
    second = office.submit(lambda *_: ran.append(1), name="two")
    assert office.manager.get(second.id).phase == "queued"
    assert office.manager.cancel(second.id).state == "cancelled"
    gate.set()
    office.ended(first)
    assert not ran
    # The name is free again.
    office.ended(office.submit(lambda *_: ran.append(2), name="two"))
    assert ran == [2]


def test_one_job_a_deployment(office):
    job = office.submit(heed)
    with pytest.raises(Conflict) as refused:
        office.submit(heed, kind="stop")
    assert refused.value.code == "busy"
    assert "deploy" in refused.value.message
    other = office.submit(heed, environment="wmla")
    third = office.submit(lambda *_: None, name="other")
    office.manager.cancel(job.id)
    office.ended(job)
    again = office.submit(lambda *_: None)
    for item in (again, third):
        assert office.ended(item).state == "done"
    office.manager.cancel(other.id)
    office.ended(other)


def test_a_hundred_callers_start_one_job(office):
    barrier = threading.Barrier(20)
    outcomes = []

    def ask():
        barrier.wait(5)
        try:
            outcomes.append(office.submit(heed).id)
        except Conflict:
            outcomes.append(None)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(outcomes) == 20
    assert len([outcome for outcome in outcomes if outcome]) == 1


def test_finished_jobs_are_forgotten_after_a_while_and_running_ones_never(office):
    running = office.submit(heed, name="running")
    old = office.ended(office.submit(lambda *_: None, name="old"))
    office.wall.now += KEEP_SECONDS
    young = office.ended(office.submit(lambda *_: None, name="young"))
    assert [job.id for job in office.manager.list()] == [running.id, old.id, young.id]
    office.wall.now += 1
    assert [job.id for job in office.manager.list()] == [running.id, young.id]
    with pytest.raises(NotFound):
        office.manager.get(old.id)


def test_at_most_so_many_finished_jobs_are_kept(office):
    running = office.submit(heed, name="running")
    ids = []
    for number in range(KEEP_FINISHED + 5):
        office.wall.now += 0.001
        ids.append(office.ended(office.submit(lambda *_: None, name=f"n{number}")).id)
    assert [job.id for job in office.manager.list()] == [running.id, *ids[5:]]


def test_the_list_can_be_of_one_environment(office):
    here = office.submit(heed)
    there = office.submit(heed, environment="wmla")
    assert [job.id for job in office.manager.list("local")] == [here.id]
    assert [job.id for job in office.manager.list("wmla")] == [there.id]


def test_close_cancels_all_and_waits_a_bounded_time(gate):
    office = Office()
    heeding = office.submit(heed, name="heeding")
    running = threading.Event()
    deaf = office.submit(lambda *_: (running.set(), gate.wait(20)), name="deaf")
    assert running.wait(5)
    office.manager.close(0.05)
    assert office.ended(heeding).state == "cancelled"
    assert office.manager.get(deaf.id).cancelling


def test_a_job_that_cannot_be_queued_leaves_nothing(gate):
    manager = JobManager(
        WorkerPool(1, name="full", waiting=0), log=LOG, on_change=lambda environment: None
    )
    with pytest.raises(Exception, match="busy"):
        manager.submit("start", "local", "digits", heed)
    assert manager.list() == []
