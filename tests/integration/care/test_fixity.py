"""Checks of stored files in the whole system: rounds, one exhibit on demand, alarms, the store's lock.

A round is about everything that is stored, so these have a database and buckets of their own: how long a round is and
what it finds is then theirs alone. SeaweedFS gives each bucket volumes of its own, too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from custody.kernel.errors import Conflict, NotFound
from custody.kernel.ids import RandomIds
from custody.kernel.unit_of_work import Database
from custody.scribe import EventScribe
from evidence_api import prepare
from evidence_api.use_cases import fixity
from storage import fixity as checking
from storage import fixity_records as records
from storage.ports import EVIDENCE
from tests import acts
from tests.clock import FixedClock
from tests.databases import copy_template, drop
from tests.failures.test_lying_store import Flipping, Forgetful, Lying
from tests.whole import System, whole

MIB = 1 << 20


@pytest.fixture(scope="module")
def system(database_template, tmp_path_factory) -> Iterator[System]:
    database = copy_template(database_template)
    with whole(database_template, database, tmp_path_factory.mktemp("fixity")) as running:
        yield running
    drop(database_template, database)


class Lost(Lying):
    """Has lost one object."""

    key = ""

    def head(self, bucket, key, version):
        if key == self.key:
            raise NotFound("store.missing")
        return self.store.head(bucket, key, version)


class Rotten(Lying):
    """Gives one object with a byte changed."""

    key = ""

    def get(self, bucket, key, version, offset, length) -> Iterator[bytes]:
        lying = Flipping(self.store) if key == self.key else self.store
        yield from lying.get(bucket, key, version, offset, length)


class Unlocked(Lying):
    """Says that one object's lock ends sooner."""

    key = ""

    def head(self, bucket, key, version):
        found = self.store.head(bucket, key, version)
        if found.locked_until and key == self.key:
            return replace(found, locked_until=found.locked_until - timedelta(days=1))
        return found


def place(system, exhibit_id: str) -> tuple[UUID, str]:
    ((blob_id, key),) = system.rows(
        "SELECT b.id, b.key FROM exhibits e JOIN blobs b ON b.id = e.blob_id WHERE e.id = :id", id=exhibit_id
    )
    return blob_id, key


def walk(system, services, *, deep: bool = False) -> records.Round:
    """A whole round, which is one slice: the rate allows for far more than is stored here."""
    round_id = fixity.begin(services, prepare.OPERATOR, deep=deep)
    assert system.work_off(fixity.ROUND, services) == ["done"]
    with services.database.read() as session:
        present = records.get_round(session, round_id)
    assert present.ended_at
    return present


def checks(system, exhibit_id: str) -> list[dict]:
    return [one["data"] for one in system.events(f"exhibit:{exhibit_id}", "fixity.checked")]


def alarms(system, blob_id: UUID | None) -> list[records.Alarm]:
    with system.services.database.read() as session:
        return records.standing(session, blob_id)


def test_a_round_covers_originals_renditions_and_packages(system) -> None:
    deep, case_id = True, system.case()
    exhibit_id = system.sealed(case_id, acts.picture(21), "scene.png")
    disclosure_id = acts.ready(system, case_id, acts.burned(system, exhibit_id))
    found = walk(system, system.services, deep=deep)
    ((blobs,),) = system.rows("SELECT count(*) FROM blobs WHERE octet_length(wrapped_key) > 0")
    ((bytes_,),) = system.rows("SELECT sum(ciphertext_bytes) FROM blobs WHERE octet_length(wrapped_key) > 0")
    assert (found.checked, found.differences, found.size_bytes) == (blobs, 0, int(bytes_))
    swept = system.events("system", "fixity.swept")[-1]["data"]
    assert swept == {"checked": blobs, "deep": deep, "differences": 0, "size_bytes": int(bytes_)}
    query = "SELECT count(*) FROM fixity_states WHERE what IS NULL AND (deep_at IS NOT NULL) >= :deep"
    assert system.rows(query, deep=deep)[0][0] == blobs
    ((package,),) = system.rows("SELECT package_blob_id FROM disclosures WHERE id = :id", id=disclosure_id)
    assert system.rows("SELECT what FROM fixity_states WHERE blob_id = :id", id=package) == [(None,)]
    # what is the same leaves no event on the chain: a round says so once
    assert checks(system, exhibit_id) == []


@pytest.mark.parametrize(
    ("lie", "what", "where"),
    [(Rotten, "ciphertext", "segment 0"), (Lost, "missing", "object"), (Unlocked, "lock", "lock")],
)
def test_the_first_difference_is_an_event_and_an_alarm(system, lie, what: str, where: str) -> None:
    exhibit_id = system.sealed(system.case(), os.urandom(5000), f"{what}.bin")
    blob_id, key = place(system, exhibit_id)
    store = lie(system.services.store)
    store.key = key
    services = system.variant(store=store)
    assert walk(system, services).differences == 1
    (said,) = checks(system, exhibit_id)
    result = "missing" if what == "missing" else "damaged"
    assert (said["result"], said["what"], said["place"], said["blob"]) == (result, what, where, str(blob_id))
    assert {"expected", "found", "ciphertext_sha256"} <= said.keys()
    (alarm,) = alarms(system, blob_id)
    assert (alarm.item, str(alarm.case_id)) == (f"exhibit:{exhibit_id}", _case_of(system, exhibit_id))
    # known is known: the next round counts it and does not say it again
    assert walk(system, services).differences == 1
    assert len(checks(system, exhibit_id)) == 1
    # a round that finds it the same does not silence the alarm; a check that somebody asked for does
    assert walk(system, system.services).differences == 0
    assert len(alarms(system, blob_id)) == 1
    asked(system, exhibit_id)
    assert checks(system, exhibit_id)[-1]["result"] == "intact"
    assert alarms(system, blob_id) == []
    # nothing was removed
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").status_code == 200


def asked(system, exhibit_id: str, services=None, *, deep: bool = False) -> None:
    fixity.request(system.services, prepare.OPERATOR, UUID(exhibit_id), deep=deep)
    assert system.work_off(fixity.subject(UUID(exhibit_id)), services) == ["done"]


def _case_of(system, exhibit_id: str) -> str:
    return str(system.rows("SELECT case_id FROM exhibits WHERE id = :id", id=exhibit_id)[0][0])


def test_one_exhibit_is_checked_when_somebody_asks(system) -> None:
    exhibit_id = system.sealed(system.case(), b"looked at", "one.txt")
    asked(system, exhibit_id)
    asked(system, exhibit_id, deep=True)
    said = checks(system, exhibit_id)
    assert [(one["deep"], one["result"]) for one in said] == [(False, "intact"), (True, "intact")]


def test_a_light_check_does_not_clear_what_only_keys_can_see(system) -> None:
    exhibit_id = system.sealed(system.case(), os.urandom(500), "deep.bin")
    blob_id, _ = place(system, exhibit_id)
    with system.services.database.read() as session:
        expected = records.expected(session, blob_id)
    found = records.Difference("content", "object", expected.facts.sha256, "another")
    fixity.note(system.services, prepare.OPERATOR, expected, found, deep=True)
    asked(system, exhibit_id)
    assert len(alarms(system, blob_id)) == 1
    asked(system, exhibit_id, deep=True)
    assert alarms(system, blob_id) == []


def test_a_round_stops_at_its_rate_and_goes_on_inside_a_large_file(system) -> None:
    """The clock stands still but for the hours between slices, so it holds however slow the machine is."""
    exhibit_id = system.sealed(system.case(), os.urandom(17 * MIB), "large.bin")
    blob_id, _ = place(system, exhibit_id)
    clock = FixedClock(system.services.database.clock.now())
    ids = RandomIds(clock)
    database = Database(system.settings.database_url.get_secret_value(), clock, ids, EventScribe(clock, ids))
    slow = system.settings.model_copy(update={"fixity_bytes_per_second": 9 * MIB // 60})
    services = replace(system.services, settings=slow, database=database)
    round_id = fixity.begin(services, prepare.OPERATOR, deep=False)
    with pytest.raises(Conflict, match=r"fixity\.round_open"):
        fixity.begin(services, prepare.OPERATOR, deep=True)
    segments = []
    while True:
        assert system.work_off(fixity.ROUND, services) == ["done"]
        with database.read() as session:
            present = records.get_round(session, round_id)
        segments.append(present.segment)
        if present.ended_at:
            break
        assert present.next_at > clock.now()
        fixity.tick(services)  # not yet
        assert system.open_jobs(fixity.ROUND) == []
        clock.advance(timedelta(hours=1))
        fixity.tick(services)
    database.close()
    ((stored,),) = system.rows("SELECT sum(ciphertext_bytes) FROM blobs")
    assert len(segments) <= stored // (8 * MIB) + 2, "each slice read what it may"
    assert any(segments), segments
    assert system.rows("SELECT what FROM fixity_states WHERE blob_id = :id", id=blob_id) == [(None,)]


def test_rounds_come_when_they_are_due(system) -> None:
    system.sealed(system.case(), b"to be looked at", "due.bin")
    walk(system, system.services)
    fixity.tick(system.services)
    assert system.open_jobs(fixity.ROUND) == []
    later = system.variant(moved=timedelta(days=system.settings.fixity_light_days + 1))
    fixity.tick(later)
    (job,) = system.open_jobs(fixity.ROUND)
    assert system.runner(later).run(job) == "done"
    with system.services.database.read() as session:
        assert records.rounds(session)[0].ended_at


def test_a_store_that_breaks_its_word_is_an_alarm(system) -> None:
    broken = system.variant(store=Forgetful(system.services.store))
    assert "deleted" in fixity.self_test(broken, prepare.OPERATOR).failed
    fixity.self_test(broken, prepare.OPERATOR)
    (alarm,) = alarms(system, None)
    assert (alarm.item, alarm.difference.what) == ("system", "worm")
    assert fixity.self_test(system.services, prepare.OPERATOR).failed == ()
    assert len(alarms(system, None)) == 1
    fixity.self_test(system.services, prepare.OPERATOR, asked=True)
    assert alarms(system, None) == []


def test_rot_on_the_disk_of_the_real_store(system, stack, monkeypatch) -> None:
    """A byte of the volume file is changed under SeaweedFS: it answers, but not with these bytes."""
    monkeypatch.setattr(checking, "_TRIES", 1)  # SeaweedFS itself tries for 13 s each time
    exhibit_id = system.sealed(system.case(), os.urandom(200_000), "rotting.bin")
    blob_id, key = place(system, exhibit_id)
    ((version, size),) = system.rows("SELECT version_id, ciphertext_bytes FROM blobs WHERE id = :id", id=blob_id)
    ciphertext = b"".join(system.services.store.get(EVIDENCE, key, version, 0, size))
    with _rotten(stack.data_dir, ciphertext[100_000:100_064]):
        walk(system, system.services)
    (said,) = checks(system, exhibit_id)
    assert said["result"] == "damaged"
    assert said["what"] in ("unreadable", "ciphertext", "length")
    assert len(alarms(system, blob_id)) == 1


@contextmanager
def _rotten(directory, pattern: bytes) -> Iterator[None]:
    """One byte of whichever file below holds the pattern is another; put back at the end, for the system is shared."""
    path, at = next((path, at) for path in directory.rglob("*.dat") if (at := path.read_bytes().find(pattern)) >= 0)
    _put(path, at, pattern[0] ^ 0xFF)
    try:
        yield
    finally:
        _put(path, at, pattern[0])


def _put(path, at: int, byte: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes([byte]))
