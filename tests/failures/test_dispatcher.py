"""The bridge from the jobs table to the broker: lost messages, doubles, a broker that is away."""

import logging
import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from custody.kernel.errors import Unavailable
from evidence_api.jobs import WORKER, Job, Runner
from evidence_api.workers import app as celery_app
from evidence_api.workers import dispatcher
from evidence_api.workers.dispatcher import LOST_AFTER, RETRY_AFTER, Dispatcher
from tests.whole import System, until

SECOND = timedelta(seconds=1)


class Sender:
    """Takes messages, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.sent: list[tuple[str, UUID]] = []

    def __call__(self, queue: str, job_id: UUID) -> None:
        if self.away:
            raise Unavailable("broker.unreachable")
        self.sent.append((queue, job_id))


def enqueue(system: System) -> UUID:
    with system.services.database.begin(WORKER) as work:
        job_id = work.enqueue("test", subject="test:dispatched")
        work.commit()
    return job_id


@pytest.fixture
def job(system):
    """A waiting job of a kind that nothing else in this database waits for."""
    yield enqueue(system)
    with system.services.database.unit() as unit:
        unit.session.execute(text("UPDATE jobs SET state = 'done' WHERE task = 'test'"))
        unit.commit()


class Ending:
    def run(self, job: Job) -> None:
        with job.conclude():
            pass

    def fail(self, job: Job, code: str) -> None:
        raise AssertionError(code)


def dispatch(system: System, send, after: timedelta = timedelta()) -> None:
    database = system.variant(moved=after).database
    dispatching = Dispatcher(database, send, lambda task: task)
    while dispatching.dispatch_once():
        pass  # other tests leave jobs of their own, more than one batch of them
    database.close()


def times(sender: Sender, job_id: UUID) -> int:
    return [sent for _, sent in sender.sent].count(job_id)


def test_a_lost_message_is_sent_again(system, job):
    sender = Sender()
    dispatch(system, sender)
    dispatch(system, sender, LOST_AFTER - 5 * SECOND)
    assert times(sender, job) == 1
    dispatch(system, sender, LOST_AFTER + SECOND)
    assert times(sender, job) == 2


def test_a_message_that_came_twice_is_harmless(system, job):
    runner = Runner(system.services.database, {"test": Ending()})
    sender = Sender()
    dispatch(system, sender)
    dispatch(system, sender, LOST_AFTER + SECOND)
    assert [runner.run(one) for _, one in sender.sent if one == job] == ["done", "over"]
    dispatch(system, sender, 10 * LOST_AFTER)
    assert times(sender, job) == 2


def test_a_job_at_work_is_left_alone_and_one_without_its_worker_is_not(system, job):
    sender, inside, go = Sender(), threading.Event(), threading.Event()

    class Waiting(Ending):
        def run(self, job: Job) -> None:
            inside.set()
            assert go.wait(30)
            raise RuntimeError("the worker's end")

    dispatch(system, sender)
    at_work = threading.Thread(target=Runner(system.services.database, {"test": Waiting()}).run, args=(job,))
    at_work.start()
    assert inside.wait(30)
    dispatch(system, sender, timedelta(hours=5))
    assert times(sender, job) == 1
    go.set()
    at_work.join()
    dispatch(system, sender)
    assert times(sender, job) == 1
    dispatch(system, sender, RETRY_AFTER + SECOND)
    assert times(sender, job) == 2


def test_a_full_queue_gets_no_new_jobs_and_its_lost_ones_all_the_same(system, job, monkeypatch):
    monkeypatch.setattr(dispatcher, "QUEUE_HOLDS", 2)
    sender, second = Sender(), enqueue(system)
    dispatch(system, sender)
    third = enqueue(system)
    dispatch(system, sender, LOST_AFTER + SECOND)
    assert [times(sender, one) for one in (job, second, third)] == [2, 2, 0]
    Runner(system.services.database, {"test": Ending()}).run(job)
    dispatch(system, sender)
    assert [times(sender, one) for one in (job, second, third)] == [2, 2, 1]


def test_a_broker_that_is_away_costs_a_delay(system, job):
    sender = Sender()
    sender.away = True
    with pytest.raises(Unavailable, match=r"broker\.unreachable"):
        dispatch(system, sender)
    assert system.rows("SELECT sent_at FROM jobs WHERE id = :id", id=job) == [(None,)]
    sender.away = False
    dispatch(system, sender)
    assert times(sender, job) == 1


def test_the_loop_rides_out_a_broker_and_a_database_that_are_away(system, job, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL, "evidence_api.workers.dispatcher")
    monkeypatch.setattr(dispatcher, "AWAY_S", 0.05)
    sender, stop = Sender(), threading.Event()
    sender.away = True
    running = Dispatcher(system.services.database, sender, celery_app.queue_of)
    loop = threading.Thread(target=running.run, args=(stop,))
    loop.start()
    try:
        threading.Event().wait(0.3)
        sender.away = False
        until(lambda: times(sender, job) == 1)
    finally:
        stop.set()
        loop.join()


def test_a_real_broker_that_does_not_answer(system):
    """Nobody listens on the discard port."""
    send = celery_app.sender(celery_app.create("redis://127.0.0.1:9/0"))
    with pytest.raises(Unavailable, match=r"broker\.unreachable"):
        send("fast", UUID(int=1))


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("exhibit.seal", "fast"),
        ("disclosure.package", "fast"),
        ("exhibit.identify", "light"),
        ("rendition.light", "light"),
        ("transcript.draft", "media"),
        ("plan.suggest", "media"),
    ],
)
def test_long_work_has_its_own_queue(task, queue):
    assert celery_app.queue_of(task) == queue
