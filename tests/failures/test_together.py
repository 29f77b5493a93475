"""Small files sealed together: each as if alone, with one commit for all; a fault in one costs the others nothing."""

import os
from datetime import timedelta
from uuid import UUID

import pytest

from custody.kernel.errors import Unavailable
from evidence_api.jobs import Runner
from evidence_api.use_cases import handlers
from evidence_api.workers.dispatcher import Dispatcher
from storage.seal import evidence_key
from tests import acts
from tests.failures.strikes import AFTER, BEFORE, killed_while_sealing
from tests.failures.truth import assert_sealed

MANY = 5


def all_sent(dispatching: Dispatcher) -> None:
    while dispatching.dispatch_once():
        pass  # other tests leave jobs of their own, more than one batch of them


@pytest.fixture
def waiting(system):
    """Some small files of one case that wait for their seal: exhibit, job, blob and bytes of each.

    What others left waiting was sent before: the next batch of a dispatcher is about these.
    """
    all_sent(Dispatcher(system.services.database, lambda _, __: None, lambda task: task))
    case_id = system.case()
    found = []
    for number in range(MANY):
        data = os.urandom(3000)
        created = system.api("investigator").create_whole(case_id, data, f"{number}.bin")
        exhibit_id = created.headers["Dalel-Exhibit"]
        ((blob_id,),) = system.rows("SELECT blob_id FROM uploads WHERE exhibit_id = :id", id=exhibit_id)
        found.append((exhibit_id, acts.job_of(system, f"exhibit:{exhibit_id}"), blob_id, data))
    return found


def runner(system, parts=None, together=1000) -> Runner:
    """As the worker process has it."""
    services = parts or system.services
    return Runner(services.database, handlers.of(services), together=together)


def test_many_are_sealed_with_one_commit(system, waiting):
    assert runner(system).run(waiting[0][1]) == "done"
    for exhibit_id, job_id, blob_id, data in waiting:
        assert runner(system).run(job_id) == "over"
        assert_sealed(system, exhibit_id, blob_id, data)
    ids = ", ".join(f"'{blob_id}'" for _, _, blob_id, _ in waiting)
    assert system.rows(f"SELECT count(DISTINCT xmin::text) FROM blobs WHERE id IN ({ids})") == [(1,)]


def test_no_more_than_so_many_are_taken_along(system, waiting):
    assert runner(system, together=2).run(waiting[-1][1]) == "done"
    open_jobs = [system.open_jobs(f"exhibit:{exhibit_id}") for exhibit_id, *_ in waiting]
    assert sum(map(bool, open_jobs)) >= MANY - 2
    assert open_jobs[-1] == []
    assert runner(system).run(waiting[0][1]) in ("done", "over")
    for exhibit_id, *_ in waiting:
        system.work_off(f"exhibit:{exhibit_id}")


@pytest.mark.parametrize(("lie", "outcome"), [("other bytes", "refused"), ("no answer", "checking")])
def test_a_fault_in_one_costs_the_others_nothing(system, waiting, lie, outcome):
    """The one the store lies about is refused on the record; the one it does not answer for waits."""
    bad_exhibit, bad_job, bad_blob, bad_data = waiting[2]

    class Lying:
        def __getattr__(self, name):
            return getattr(system.services.store, name)

        def read_version(self, bucket, key, *where):
            held, data = system.services.store.read_version(bucket, key, *where)
            if key != evidence_key(bad_blob):
                return held, data
            if lie == "no answer":
                raise Unavailable("store.unreachable")
            return held, bytes([data[0] ^ 1]) + data[1:]

    assert runner(system, system.variant(store=Lying())).run(waiting[0][1]) == "done"
    for exhibit_id, _, blob_id, data in waiting:
        if exhibit_id != bad_exhibit:
            assert_sealed(system, exhibit_id, blob_id, data)
    assert system.api("prosecutor").get(f"/api/v1/exhibits/{bad_exhibit}")["state"] == outcome
    if outcome == "refused":
        (event,) = system.events(f"exhibit:{bad_exhibit}", "exhibit.seal_failed")
        assert event["data"]["reason"] == "store.corrupt"
    else:
        assert system.runner().run(bad_job) == "done"
        assert_sealed(system, bad_exhibit, bad_blob, bad_data)


@pytest.mark.parametrize(("point", "when"), [("lock", AFTER), ("commit", BEFORE), ("commit", AFTER)])
def test_killed_in_the_midst_of_many(system, waiting, point, when):
    """Each is sealed exactly once, whoever comes next."""
    killed_while_sealing(system.settings, waiting[0][1], point, when, together=1000)
    for exhibit_id, job_id, blob_id, data in waiting:
        over = (point, when) == ("commit", AFTER)
        assert system.runner().run(job_id) == ("over" if over else "done")
        assert_sealed(system, exhibit_id, blob_id, data)


def test_one_message_for_many(system, waiting):
    """The dispatcher wakes one worker for some; those it did not take are sent by themselves later."""
    mine = {job_id for _, job_id, *_ in waiting}
    first, again = [], []

    def keep(kept: list[UUID]):
        return lambda _, job_id: kept.append(job_id)

    now, later = system.services.database, system.variant(moved=timedelta(minutes=1)).database
    Dispatcher(now, keep(first), lambda task: task, together=1000).dispatch_once()
    assert len(mine & set(first)) == 1
    all_sent(Dispatcher(later, keep(again), lambda task: task, together=1000))
    assert mine <= set(again)
    for exhibit_id, *_ in waiting:
        assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
