"""Rotation of the key-encryption key in the whole system: nothing is lost, wherever it is cut off."""

import hashlib
import os
import signal
import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from custody.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from evidence_api import container, prepare, stored_care
from evidence_api.use_cases import recovering, rotating
from storage import key_records
from storage import service as storage
from storage.keys import FileKeyWrapper
from storage.ports import KEYS
from tests import acts
from tests.failures.killing import killed
from tests.whole import until

quiet = lambda _: None  # noqa: E731  nothing is said


@pytest.fixture(autouse=True)
def known(system) -> None:
    rotating.learn(system.services, prepare.OPERATOR)


def content(system, exhibit_id: str) -> bytes:
    answer = system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content")
    assert answer.status_code == 200, answer.text
    return answer.content


def wraps(system) -> set[str]:
    """Every version of the key that a row or a record names."""
    rows = system.rows(
        "SELECT key_id FROM blobs WHERE octet_length(wrapped_key) > 0"
        " UNION SELECT key_id FROM uploads WHERE octet_length(wrapped_key) > 0"
    )
    records = [key_records.read(system.services.store, one) for one in key_records.all_of(system.services.store)]
    return {row[0] for row in rows} | {record.key_id for record in records}


def blob_of(system, exhibit_id: str) -> UUID:
    ((blob_id,),) = system.rows("SELECT blob_id FROM exhibits WHERE id = :id", id=exhibit_id)
    return blob_id


def test_everything_is_wrapped_anew_and_the_old_key_goes(system) -> None:
    case_id = system.case()
    exhibit_id = system.sealed(case_id, data := acts.picture(11), "scene.png")
    begun = system.api("investigator").begin_upload(case_id, half := os.urandom(40_000), "half.bin")
    location = begun.headers["Location"]
    system.api("investigator").append(location, half[:20_000])
    old = system.services.keys.key_id
    kept = (system.settings.kek_file).read_bytes()
    found = rotating.rotate(system.services, prepare.OPERATOR, quiet)
    assert found.complete
    assert found.retired == (old,)
    assert found.rewrapped >= 3
    assert wraps(system) == {found.key_id}
    assert content(system, exhibit_id) == data
    # the upload goes on where it was
    sent = system.api("investigator").append(location, half[20_000:], 20_000)
    assert sent.status_code == 204
    assert system.work_off(f"exhibit:{begun.headers['Dalel-Exhibit']}") == ["done"]
    assert content(system, begun.headers["Dalel-Exhibit"]) == half
    # events say so; no ciphertext changed
    types = [(one["type"], one["data"].get("purpose")) for one in system.events("system") if "key." in one["type"]]
    assert types[-1] == ("key.destroyed", rotating.WRAPPING)
    assert ("key.rotated", rotating.DATA) in types
    assert ("key.rotated", rotating.WRAPPING) in types
    # whoever holds the old key and an old backup holds nothing of what is now
    system.settings.kek_file.with_name("old").write_bytes(kept)
    system.settings.kek_file.with_name("old").chmod(0o600)
    holder = FileKeyWrapper(system.settings.kek_file.with_name("old"))
    record = key_records.read(system.services.store, blob_of(system, exhibit_id))
    with pytest.raises(Unavailable, match=r"keys\.unknown"):
        holder.unwrap(record.wrapped_key, record.key_id, record.blob_id)


class Cut(BaseException):
    """The process ends here: nothing below catches it, no transaction is committed."""


def die(*_, **__) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raised(*_, **__) -> None:
    raise Cut


def then(act, end):
    def run(*given, **named):
        act(*given, **named)
        end()

    return run


PLACES = {
    "rotate": (FileKeyWrapper, "rotate"),
    "rewrap": (key_records, "keep"),
    "commit": (rotating, "_blobs"),
    "close": (rotating, "_close"),
    "retire": (FileKeyWrapper, "retire"),
    "note": (rotating, "_retired"),
}


@pytest.mark.parametrize("step", PLACES)
def test_cut_off_anywhere_it_is_finished_by_the_next_run(system, monkeypatch, step: str) -> None:
    exhibit_id = system.sealed(system.case(), data := os.urandom(500), f"{step}.bin")
    old = system.services.keys.key_id
    where, name = PLACES[step]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, then(getattr(where, name), raised))
        with pytest.raises(Cut):
            rotating.rotate(system.services, prepare.OPERATOR, quiet)
    assert content(system, exhibit_id) == data
    finished(system, old)
    assert content(system, exhibit_id) == data


def finished(system, old: str) -> None:
    """The next run leaves nothing under the old version, and the version itself is gone."""
    found = rotating.rotate(system.services, prepare.OPERATOR, quiet)
    assert found.complete
    assert wraps(system) == {system.services.keys.key_id}
    assert old not in system.services.keys.versions()
    standing = {one.key_id: one for one in rotating.status(system.services)}
    assert standing[old].retired_at
    assert [one.key_id for one in standing.values() if one.needed] == [found.key_id]


def _killed_rewrapping(settings) -> None:
    key_records.keep = then(key_records.keep, die)
    rotating.rotate(container.services(settings), prepare.OPERATOR, quiet)


def test_a_killed_process_leaves_its_lock_and_nothing_half_done(system) -> None:
    exhibit_id = system.sealed(system.case(), data := os.urandom(500), "killed.bin")
    old = system.services.keys.key_id
    killed(_killed_rewrapping, system.settings)
    assert content(system, exhibit_id) == data
    finished(system, old)
    assert content(system, exhibit_id) == data


def test_uploads_and_reads_go_on_meanwhile(system) -> None:
    """Files are sent, sealed and read while the key is rotated again and again: each comes back as it was sent."""
    case_id, stop, faults = system.case(), threading.Event(), []
    first = system.sealed(case_id, b"the first one", "first.bin")

    def rotate() -> None:
        try:
            while not stop.is_set():
                assert rotating.rotate(system.services, prepare.OPERATOR, quiet).complete
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=rotate)
    thread.start()
    sent = {}
    try:
        for number in range(8):
            data = os.urandom(3000)
            exhibit_id = system.api("investigator").upload(case_id, data, f"{number}.bin")
            until(lambda exhibit_id=exhibit_id: system.work_off(f"exhibit:{exhibit_id}") in ([], ["done"]))
            sent[exhibit_id] = data
            assert content(system, first) == b"the first one"
    finally:
        stop.set()
        thread.join()
    assert faults == []
    for exhibit_id, data in sent.items():
        assert content(system, exhibit_id) == data
    assert rotating.rotate(system.services, prepare.OPERATOR, quiet).complete
    assert wraps(system) == {system.services.keys.key_id}


def test_a_wrap_under_a_closed_version_is_refused_by_the_database(system) -> None:
    """A worker that wrapped before the rotation and records after it is told to do it again; it loses nothing."""
    blob_id = UUID(int=77)
    facts = storage.put_derived(
        system.services.store,
        system.services.keys,
        blob_id,
        b"late",
        bucket="renditions",
        # Not a moment: a store refuses a lock that has ended when it is asked for.
        retain_until=system.services.database.clock.now() + timedelta(minutes=1),
    )
    rotating.rotate(system.services, prepare.OPERATOR, quiet)
    with system.services.database.begin(prepare.OPERATOR) as work:
        storage.record_blob(work, facts, UUID(int=1))
        with pytest.raises(Unavailable, match=r"keys\.closed"):
            work.session.flush()


def test_a_damaged_wrap_stops_only_its_own_version(system) -> None:
    exhibit_id = system.sealed(system.case(), data := os.urandom(100), "damaged.bin")
    other = system.sealed(system.case(), b"unharmed", "unharmed.bin")
    blob_id = blob_of(system, exhibit_id)
    record = key_records.read(system.services.store, blob_id)
    with system.services.database.begin(prepare.OPERATOR) as work:
        event_id = work.record(recovering.event.draft("key.recovered", item="system", key="test", count=1))
        bad = replace(record, wrapped_key=record.wrapped_key[:-1])
        storage.replace_key(work, bad, event_id)
        work.commit()
    old = system.services.keys.key_id
    found = rotating.rotate(system.services, prepare.OPERATOR, quiet)
    assert (found.complete, found.damaged) == (False, (blob_id,))
    assert old in system.services.keys.versions()
    assert content(system, other) == b"unharmed"
    # its record beside the object is whole: put back, the next run finishes
    with system.services.database.begin(prepare.OPERATOR) as work:
        event_id = work.record(recovering.event.draft("key.recovered", item="system", key=old, count=1))
        storage.replace_key(work, record, event_id)
        work.commit()
    assert rotating.rotate(system.services, prepare.OPERATOR, quiet).complete
    assert content(system, exhibit_id) == data


def test_two_do_not_rotate_at_once(system) -> None:
    with system.services.database.hold() as held, held.unit() as guard:
        guard.session.execute(rotating.text("SELECT pg_advisory_lock(:key)"), {"key": rotating._LOCK})
        with pytest.raises(Conflict, match=r"keys\.rotating"):
            rotating.rotate(system.services, prepare.OPERATOR, quiet)


def test_keys_come_back_after_an_old_backup(system) -> None:
    """The blob's row is gone, as after a restore; the ledger has its event, the record its key."""
    exhibit_id = system.sealed(system.case(), data := os.urandom(999), "lost.bin")
    forged = system.sealed(system.case(), os.urandom(99), "forged.bin")
    lost = [blob_of(system, one) for one in (exhibit_id, forged)]
    until(lambda: not system.rows("SELECT 1 FROM event_outbox LIMIT 1"))
    _forget(system, lost)
    record = key_records.read(system.services.store, lost[1])
    key_records.keep(system.services.store, replace(record, size_bytes=98))
    assert system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content").status_code == 404
    seen = recovering.recover(system.services, prepare.OPERATOR, dry_run=True)
    assert seen.restored == (lost[0],)
    assert system.rows("SELECT count(*) FROM blobs WHERE id = :id", id=lost[0]) == [(0,)]
    said: list[str] = []
    assert stored_care.recover(system.settings, said.append, dry_run=False) == stored_care.INCOMPLETE
    assert any(str(lost[1]) in line and "not believed" in line for line in said)
    assert content(system, exhibit_id) == data
    assert hashlib.sha256(data).hexdigest() in str(system.rows("SELECT sha256 FROM blobs WHERE id = :id", id=lost[0]))
    key_records.keep(system.services.store, record)
    assert stored_care.recover(system.settings, said.append, dry_run=False) == stored_care.DONE
    assert stored_care.key_status(system.settings, said.append) == stored_care.DONE


def _forget(system, blob_ids: list[UUID]) -> None:
    """As if the database were of before: only its owner can, with the law's triggers off."""
    import psycopg

    from tests.databases import conninfo

    with psycopg.connect(conninfo(system.owner_url)) as owner:
        owner.execute("ALTER TABLE blobs DISABLE TRIGGER USER")
        owner.execute("DELETE FROM blobs WHERE id = ANY(%s)", [blob_ids])
        owner.execute("ALTER TABLE blobs ENABLE TRIGGER USER")


def test_a_record_can_be_destroyed(system) -> None:
    store = system.services.store
    exhibit_id = system.sealed(system.case(), b"to be destroyed", "destroyed.bin")
    blob_id = blob_of(system, exhibit_id)
    key_records.drop(store, blob_id)
    key_records.drop(store, blob_id)
    assert list(store.list(KEYS, key_records.name_of(blob_id))) == []
    with pytest.raises(NotFound):
        key_records.read(store, blob_id)
    store.put(KEYS, key_records.name_of(blob_id), b"{}")
    with pytest.raises(Corrupt, match=r"keys\.record_malformed"):
        key_records.read(store, blob_id)


def test_a_key_service_that_is_away(system) -> None:
    """Uploads and reads answer 503 with a code, jobs wait; when it is back all goes on and nothing was lost."""
    case_id = system.case()
    exhibit_id = system.sealed(case_id, b"read later", "later.bin")
    waiting = system.api("investigator").upload(case_id, b"sealed later", "waiting.bin")
    hidden = system.settings.kek_file.with_name("hidden")
    system.settings.kek_file.rename(hidden)
    try:
        answers = [
            system.api("prosecutor")("GET", f"/api/v1/exhibits/{exhibit_id}/content"),
            system.api("investigator").begin_upload(case_id, b"not now", "now.bin"),
        ]
        assert [(one.status_code, one.json()["code"]) for one in answers] == [(503, "keys.unavailable")] * 2
        assert system.work_off(f"exhibit:{waiting}") == ["later"]
        assert system.client().get("/readyz").status_code == 503
    finally:
        hidden.rename(system.settings.kek_file)
    assert system.work_off(f"exhibit:{waiting}") == ["done"]
    assert content(system, exhibit_id) == b"read later"
    assert content(system, waiting) == b"sealed later"
    ((attempts,),) = system.rows(
        "SELECT attempts FROM jobs WHERE subject = :subject AND task = 'exhibit.seal'", subject=f"exhibit:{waiting}"
    )
    assert attempts == 1
