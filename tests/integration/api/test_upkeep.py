"""What the beat does every minute and every day, on the real system."""

import threading
from datetime import timedelta

import pytest

from custody.kernel.errors import Unavailable
from evidence_api import prepare
from evidence_api.workers.periodic import Chore, Periodic
from tests.databases import copy_template, drop
from tests.whole import until, whole


@pytest.fixture(scope="module")
def own(database_template, tmp_path_factory):
    """A system of its own: every session in it will be ended."""
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path_factory.mktemp("own")) as running:
        yield running
    drop(database_template, database)


def test_uploads_sessions_and_the_lock(own):
    """All is done at the start; a day later what was left alone has ended, on the record."""
    created = own.api("investigator").begin_upload(own.case(), b"never sent", "never.bin")
    exhibit_id = created.headers["Dalel-Exhibit"]
    own.api("investigator").append(created.headers["Location"], b"never")
    prepare.upkeep(own.services).run_due()
    assert own.api("investigator").get(f"/api/v1/exhibits/{exhibit_id}")["state"] == "receiving"
    assert [one["data"]["result"] for one in own.events("system", "store.self_tested")] == ["held"]

    later = own.variant(moved=timedelta(days=1))
    done = ["abandoned uploads", "ended sessions", "holds in the store", "ended terms", "acts to carry on"]
    done += [
        "the store's lock",
        "stored files",
        "files that no scanner has seen",
        "what killed processes left in the store",
    ]
    assert prepare.upkeep(later).run_due() == done
    assert len(own.events(f"exhibit:{exhibit_id}", "upload.expired")) == 1
    assert own.api("investigator")("GET", "/api/v1/session").json()["code"] == "session.expired"
    closed = own.events(f"account:{own.members['investigator'].account_id}", "session.closed")
    assert [one["data"]["reason"] for one in closed] == ["expired"]
    assert len(own.events("system", "store.self_tested")) == 2
    assert own.work_off(f"exhibit:{exhibit_id}") == ["done"]
    assert own.rows("SELECT state FROM exhibits WHERE id = :id", id=exhibit_id) == [("discarded",)]


def test_a_store_whose_lock_is_broken_is_recorded(own):
    class Yielding:
        """Deletes what is locked."""

        def __getattr__(self, name):
            return getattr(own.services.store, name)

        def delete(self, *where):
            pass

    with pytest.raises(Unavailable, match=r"store\.worm_broken"):
        prepare.self_test(own.variant(store=Yielding()))
    last = own.events("system", "store.self_tested")[-1]["data"]
    assert (last["result"], last["detail"]) == ("broken", "deleted")


def test_the_loop_stops_when_told():
    done, stop = [], threading.Event()
    loop = threading.Thread(target=Periodic([Chore("once", 3600, lambda: done.append(1))]).run, args=(stop,))
    loop.start()
    until(lambda: done)
    stop.set()
    loop.join()
    assert done == [1]
