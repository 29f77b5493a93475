"""Uploads on a real store and a real database: exact offsets, interruptions, races, lies."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from custody.kernel.errors import Conflict, Corrupt, Gone, Invalid, NotFound, TooLarge, Unavailable
from custody.kernel.outbox import EventOutboxRow, JobRow
from custody.kernel.unit_of_work import Database
from storage import seal, service
from storage.intake import append
from storage.keys import FileKeyWrapper
from storage.ports import EVIDENCE, STAGING, Part
from storage.s3 import S3Address, S3Store
from storage.service import Upload
from storage.tables import UploadRow
from storage.upload import Checksum, State
from tests.integration.storage import support
from tests.integration.storage.support import MIB, OFFICER, SEGMENT, announce, begin, cut, held, seal_now, send, text_of

Parts = tuple[Database, S3Store, FileKeyWrapper]


@pytest.fixture
def parts(db: Database, store: S3Store, keys: FileKeyWrapper) -> Parts:
    return db, store, keys


def left_in_store(store: S3Store, upload: Upload) -> int:
    tails = len(list(store.list(STAGING, f"{upload.blob_id}/")))
    return tails + len(list(store.list(EVIDENCE, seal.evidence_key(upload.blob_id))))


@pytest.mark.parametrize("size", [1, 4096, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 12345])
def test_an_upload_of_any_size_is_sealed_and_read_back(parts: Parts, size: int) -> None:
    db, store, keys = parts
    data = text_of(size)
    upload = announce(db, keys, data)
    assert (upload.state, upload.offset_bytes) == (State.CREATED, 0)
    done = send(*parts, upload, data)
    assert (done.state, done.offset_bytes) == (State.RECEIVED, size)
    facts = seal_now(*parts, upload)
    assert held(db, upload).state is State.SEALED
    assert support.content(*parts, facts) == data
    assert seal_now_again_is_the_same(parts, upload, facts)
    with pytest.raises(Conflict, match=r"store\.locked"):
        store.delete(EVIDENCE, facts.blob.key, facts.blob.version_id)
    assert left_in_store(store, upload) == 1


def seal_now_again_is_the_same(parts: Parts, upload: Upload, facts: seal.SealFacts) -> bool:
    db, store, keys = parts
    with db.read() as session:
        plan = service.seal_plan(session, upload.id)
    with db.begin(OFFICER) as work:
        service.record_seal(work, facts, work.ids.new())
        work.commit()
    return seal.inspect(store, keys, plan) == facts


def test_many_requests_of_any_length_make_one_upload(parts: Parts) -> None:
    db, store, keys = parts
    data = text_of(3 * SEGMENT + 100)
    upload = announce(db, keys, data)
    offset = 0
    for length in (1, 0, 5 * MIB, 3 * MIB - 1, 4 * MIB, SEGMENT, 99):
        offset = send(*parts, upload, data[offset : offset + length], offset).offset_bytes
        assert held(db, upload).offset_bytes == offset
        assert len(list(store.list(STAGING, f"{upload.blob_id}/"))) == (1 if offset % SEGMENT else 0)
    last = send(*parts, upload, data[offset:], offset)
    assert last.state is State.RECEIVED
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_a_body_that_breaks_off_is_kept_to_the_byte(parts: Parts) -> None:
    db, _, keys = parts
    data = text_of(SEGMENT + 5 * MIB)
    upload = announce(db, keys, data)

    def breaking(at: int) -> Iterator[bytes]:
        yield from cut(data[:at])
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        append(begin(*parts, upload, 0), breaking(SEGMENT + 777))
    assert held(db, upload).offset_bytes == SEGMENT + 777
    send(*parts, upload, data[SEGMENT + 777 :], SEGMENT + 777)
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_after_sigkill_the_upload_goes_on_at_the_last_durable_byte(
    parts: Parts, database_url: str, store_address: S3Address, tmp_path: Path
) -> None:
    db, _, keys = parts
    data = text_of(5 * SEGMENT + 321)
    upload = announce(db, keys, data)
    address = (store_address.endpoint, store_address.access_key, store_address.secret_key, store_address.prefix)
    for megabytes in (17, 17):
        start = held(db, upload).offset_bytes
        child = subprocess.Popen(
            [sys.executable, "-m", support.__name__, database_url, *address, str(tmp_path / "kek"), str(upload.id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        assert child.stdin
        assert child.stdout
        for piece in cut(data[start : start + megabytes * MIB], MIB):
            child.stdin.write(piece)
            child.stdin.flush()
            assert child.stdout.readline() == b"taken\n"
        child.kill()
        child.stdin.close()
        child.stdout.close()
        assert child.wait() == -9
        # What was claimed is whole segments; one more may have been claimed while we looked away, never a part of one.
        assert held(db, upload).offset_bytes % SEGMENT == 0
        assert start < held(db, upload).offset_bytes <= start + megabytes * MIB
    offset = held(db, upload).offset_bytes
    assert send(*parts, upload, data[offset:], offset).state is State.RECEIVED
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_a_wrong_digest_is_refused_and_nothing_is_left(parts: Parts) -> None:
    db, store, keys = parts
    for size in (1000, SEGMENT + 1000):
        data = text_of(size)
        upload = announce(db, keys, data, sha256="sha256:" + "0" * 64)
        send(*parts, upload, data)
        with pytest.raises(Invalid, match=r"upload\.digest_mismatch"):
            seal_now(*parts, upload)
        with db.begin(OFFICER) as work:
            service.record_refusal(work, upload.id, "upload.digest_mismatch")
            refused = service.record_refusal(work, upload.id, "upload.digest_mismatch")
            work.commit()
        assert (refused.state, refused.reason) == (State.REFUSED, "upload.digest_mismatch")
        with db.read() as session:
            seal.discard(store, service.seal_plan(session, upload.id))
        assert left_in_store(store, upload) == 0
        with pytest.raises(Conflict, match=r"upload\.refused"):
            begin(*parts, upload, size)


def test_more_than_announced_is_refused(parts: Parts) -> None:
    db, _, keys = parts
    data = text_of(1000)
    upload = announce(db, keys, data)
    with pytest.raises(TooLarge, match=r"upload\.larger_than_announced"):
        begin(*parts, upload, 0, declared=1001)
    appender = begin(*parts, upload, 0)
    appender.write(data)
    with pytest.raises(TooLarge, match=r"upload\.larger_than_announced"):
        appender.write(b"x")
    assert appender.finish(interrupted=True).offset_bytes == 0
    assert send(*parts, upload, data).state is State.RECEIVED


def test_offsets_that_are_not_ours(parts: Parts) -> None:
    db, _, keys = parts
    data = text_of(1000)
    upload = announce(db, keys, data)
    with pytest.raises(Conflict, match=r"upload\.wrong_offset"):
        begin(*parts, upload, 5)
    send(*parts, upload, data)
    with pytest.raises(Conflict, match=r"upload\.already_received"):
        begin(*parts, upload, 1000)
    with db.read() as session, pytest.raises(NotFound, match=r"upload\.not_found"):
        service.get_upload(session, upload.blob_id)
    with db.read() as session, pytest.raises(NotFound, match=r"blob\.not_found"):
        service.blob_facts(session, upload.id)
    with db.begin(OFFICER) as work, pytest.raises(NotFound, match=r"upload\.not_found"):
        service.terminate_upload(work, upload.blob_id)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_holds_everything_back_until_it_matched(parts: Parts, algorithm: str) -> None:
    db, store, keys = parts
    data = text_of(2 * SEGMENT + 10)
    upload = announce(db, keys, data)
    good = Checksum(algorithm, hashlib.new(algorithm, data[: SEGMENT + 5]).digest())
    with pytest.raises(Invalid, match=r"upload\.checksum_mismatch"):
        append(begin(*parts, upload, 0, checksum=good), cut(data[: SEGMENT + 4]))
    assert held(db, upload).offset_bytes == 0
    broken_off = begin(*parts, upload, 0, checksum=good)
    for piece in cut(data[: SEGMENT + 4]):
        broken_off.write(piece)
    assert broken_off.finish(interrupted=True).offset_bytes == 0
    kept = append(begin(*parts, upload, 0, checksum=good), cut(data[: SEGMENT + 5]))
    assert kept.offset_bytes == SEGMENT + 5
    rest = Checksum(algorithm, hashlib.new(algorithm, data[SEGMENT + 5 :]).digest())
    append(begin(*parts, upload, SEGMENT + 5, checksum=rest), cut(data[SEGMENT + 5 :]))
    assert support.content(*parts, seal_now(*parts, upload)) == data
    assert left_in_store(store, upload) == 1


def test_a_checksummed_body_may_end_with_its_segment(parts: Parts) -> None:
    db, store, keys = parts
    data = text_of(SEGMENT + 5)
    upload = announce(db, keys, data)
    good = Checksum("sha256", hashlib.sha256(data[:SEGMENT]).digest())
    assert append(begin(*parts, upload, 0, checksum=good), cut(data[:SEGMENT])).offset_bytes == SEGMENT
    assert list(store.list(STAGING, f"{upload.blob_id}/")) == []
    send(*parts, upload, data[SEGMENT:], SEGMENT)
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_a_later_request_takes_the_upload_over(parts: Parts) -> None:
    db, _, keys = parts
    data = text_of(3 * SEGMENT)
    upload = announce(db, keys, data)
    older = begin(*parts, upload, 0)
    older.write(data[:MIB])
    newer = begin(*parts, upload, 0)
    with pytest.raises(Conflict, match=r"upload\.superseded"):
        append(older, cut(data[MIB:]))
    assert older.finish(interrupted=True).offset_bytes == 0
    assert append(newer, cut(data)).state is State.RECEIVED
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_of_six_writers_at_once_one_upload_comes_out(parts: Parts) -> None:
    db, _, keys = parts
    data = text_of(2 * SEGMENT + 3)
    upload = announce(db, keys, data)
    gate = threading.Barrier(6)
    outcomes: list[str] = []

    def write() -> None:
        gate.wait()
        try:
            send(*parts, upload, data)
            outcomes.append("done")
        except Conflict as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "upload.superseded", "upload.wrong_offset", "upload.already_received"}
    assert support.content(*parts, seal_now(*parts, upload)) == data
    with db.read() as session:
        item = f"exhibit:{upload.exhibit_id}"
        jobs = session.scalar(select(func.count()).where(JobRow.subject == item))
        events = session.scalar(select(func.count()).where(EventOutboxRow.item == item))
    assert (jobs, events) == (1, 2)


def test_giving_up_and_expiring(parts: Parts) -> None:
    db, store, keys = parts
    data = text_of(SEGMENT + 10)
    given_up = announce(db, keys, data)
    send(*parts, given_up, data[: SEGMENT + 5])
    late = announce(db, keys, data, lifetime=timedelta(seconds=0))
    running = begin(*parts, given_up, SEGMENT + 5)
    with db.begin(OFFICER) as work:
        assert service.terminate_upload(work, given_up.id).state is State.TERMINATED
        assert [expired.id for expired in service.expire_uploads(work)] == [late.id]
        work.commit()
    with pytest.raises((Conflict, Gone)):
        append(running, cut(data[SEGMENT + 5 :]))
    for ended, code in ((given_up, r"upload\.terminated"), (late, r"upload\.expired")):
        with pytest.raises(Gone, match=code):
            begin(*parts, ended, 0)
        for _ in range(2):
            with db.read() as session:
                seal.discard(store, service.seal_plan(session, ended.id))
        assert left_in_store(store, ended) == 0


def test_a_store_that_fails_costs_no_claimed_byte(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    db, store, keys = parts
    data = text_of(3 * SEGMENT + 5)
    upload = announce(db, keys, data)
    honest = store.put_part

    def failing(bucket: str, key: str, upload_id: str, number: int, sent: bytearray, sha256: bytes) -> Part:
        if number == 2:
            raise Unavailable("store.unreachable")
        return honest(bucket, key, upload_id, number, sent, sha256)

    monkeypatch.setattr(store, "put_part", failing)
    appender = begin(*parts, upload, 0)
    with pytest.raises(Unavailable):
        append(appender, cut(data))
    assert appender.finish(interrupted=True).offset_bytes == SEGMENT
    monkeypatch.undo()
    send(*parts, upload, data[SEGMENT:], SEGMENT)
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_a_last_part_that_fails_can_be_sent_again(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    db, store, keys = parts
    data = text_of(1000)
    upload = announce(db, keys, data)
    send(*parts, upload, data[:600])

    def failing(*_: object) -> str:
        raise Unavailable("store.unreachable")

    monkeypatch.setattr(store, "put", failing)
    with pytest.raises(Unavailable):
        send(*parts, upload, data[600:], 600)
    with pytest.raises(Unavailable):
        send(*parts, upload, data[600:700], 600)
    monkeypatch.undo()
    assert held(db, upload).offset_bytes == 600
    send(*parts, upload, data[600:], 600)
    assert support.content(*parts, seal_now(*parts, upload)) == data


class _Lying:
    """The real store with one lie: a byte flipped at a place, or a lock forgotten."""

    def __init__(self, store: S3Store, flip: int | None) -> None:
        self._store, self._flip = store, flip

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def get(self, bucket: str, key: str, version_id: str, offset: int, length: int) -> Iterator[bytes]:
        for piece in self._store.get(bucket, key, version_id, offset, length):
            if self._flip is not None and offset <= self._flip < offset + len(piece):
                at = self._flip - offset
                yield piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
            else:
                yield piece
            offset += len(piece)

    def lock(self, *arguments: object) -> None:
        if self._flip is not None:
            self._store.lock(*arguments)


@pytest.mark.parametrize(("flip", "code"), [(SEGMENT + 9000, "store.corrupt"), (None, "store.not_locked")])
def test_a_lying_store_is_caught_before_sealed(parts: Parts, flip: int | None, code: str) -> None:
    db, store, keys = parts
    data = text_of(SEGMENT + 20_000)
    upload = announce(db, keys, data)
    send(*parts, upload, data)
    with db.read() as session:
        plan = service.seal_plan(session, upload.id)
    with pytest.raises(Corrupt) as refusal:
        seal.inspect(_Lying(store, flip), keys, plan)
    assert refusal.value.code == code
    assert held(db, upload).state is State.RECEIVED
    assert support.content(*parts, seal_now(*parts, upload)) == data


def test_a_claim_never_leaves_a_gap(parts: Parts) -> None:
    db, _, keys = parts
    data = text_of(3 * SEGMENT)
    upload = announce(db, keys, data)
    appender = begin(*parts, upload, 0)
    appender._segment = 1
    with pytest.raises(Conflict, match=r"upload\.wrong_offset"):
        append(appender, cut(data[: SEGMENT + 1]))
    assert held(db, upload).offset_bytes == 0


def test_uploads_of_an_exhibit(parts: Parts) -> None:
    db, _, keys = parts
    upload = announce(db, keys, b"data")
    with db.read() as session:
        assert service.uploads_of_exhibit(session, upload.exhibit_id) == [held(db, upload)]
        row = session.get_one(UploadRow, upload.id)
        assert row.filename == "жазба.bin"
        assert row.folder == "Камера 1"
