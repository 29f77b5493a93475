"""The sweep on a real store: what killed processes left goes, what somebody needs or a lock holds stays."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from custody.kernel.unit_of_work import Database
from storage import service
from storage.keys import FileKeyWrapper
from storage.ports import EVIDENCE, RENDITIONS, STAGING
from storage.s3 import S3Store
from storage.seal import evidence_key
from storage.sweep import Swept, sweep
from storage.upload import State
from tests.integration.storage.support import SEGMENT, WORKER, announce, held, seal_now, send, text_of
from tests.whole import until

NOW = timedelta(seconds=-30)
"""A grace that lets the sweep take what is a moment old; in life it is a day."""


@pytest.fixture
def clean(db: Database, store: S3Store) -> None:
    """What other tests left is swept first."""
    sweep(db, store, grace=NOW)


def mine(store: S3Store, blob_id: UUID) -> list[str]:
    """What the store holds of a blob: its versions, tails and unfinished multipart uploads."""
    key = evidence_key(blob_id)
    found = [stored.version_id for bucket in (EVIDENCE, RENDITIONS) for stored in store.list(bucket, key)]
    found += [stored.key for stored in store.list(STAGING, f"{blob_id}/")]
    return found + [begun.upload_id for begun in store.begun(EVIDENCE) if begun.key == key]


def counts(swept: Swept) -> tuple[int, int, int]:
    return swept.multiparts, swept.tails, swept.versions


@pytest.mark.usefixtures("clean")
def test_what_killed_processes_left_goes(db: Database, store: S3Store, keys: FileKeyWrapper) -> None:
    """After the store's answer and before the commit: a multipart begun, a tail, a whole object, a rendition."""
    upload = announce(db, keys, text_of(SEGMENT + 5))
    key = evidence_key(upload.blob_id)
    store.create_multipart(EVIDENCE, key)
    store.put(STAGING, f"{upload.blob_id}/1-77", b"tail")
    store.put(EVIDENCE, key, b"not named")
    nobody = uuid4()
    store.put(EVIDENCE, evidence_key(nobody), b"no row at all")
    store.put(RENDITIONS, evidence_key(nobody), b"never recorded")
    assert counts(sweep(db, store)) == (0, 0, 0)
    assert len(mine(store, upload.blob_id)) == 3
    assert counts(sweep(db, store, grace=NOW)) == (1, 1, 3)
    assert mine(store, upload.blob_id) + mine(store, nobody) == []
    assert counts(sweep(db, store, grace=NOW)) == (0, 0, 0)
    data = text_of(SEGMENT + 5)
    assert send(db, store, keys, upload, data).state is State.RECEIVED
    seal_now(db, store, keys, upload)


@pytest.mark.usefixtures("clean")
def test_what_is_needed_stays(db: Database, store: S3Store, keys: FileKeyWrapper) -> None:
    """An upload half sent, one that waits for its seal, one that is sealed: nothing of them is touched."""
    data = text_of(2 * SEGMENT + 5)
    half, waits, small, done = (announce(db, keys, part) for part in (data, data, b"small", data))
    send(db, store, keys, half, data[: SEGMENT + 100])
    for upload, content in ((waits, data), (small, b"small"), (done, data)):
        send(db, store, keys, upload, content)
    seal_now(db, store, keys, done)
    swept = sweep(db, store, grace=NOW)
    ours = {evidence_key(upload.blob_id) for upload in (half, waits, small, done)}
    assert (counts(swept), ours & {*swept.locked}) == ((0, 0, 0), set())  # other tests' databases name the rest
    send(db, store, keys, half, data[SEGMENT + 100 :], SEGMENT + 100)
    for upload in (half, waits, small):
        seal_now(db, store, keys, upload)


@pytest.mark.usefixtures("clean")
def test_what_is_locked_stays_until_its_lock_ends(db: Database, store: S3Store) -> None:
    """A rendition whose worker was killed between lock and commit."""
    nobody = uuid4()
    key = evidence_key(nobody)
    version = store.put(RENDITIONS, key, b"locked and never recorded")
    store.lock(RENDITIONS, key, version, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3))
    swept = sweep(db, store, grace=NOW)
    assert (counts(swept), key in swept.locked) == ((0, 0, 0), True)
    removed = until(lambda: sweep(db, store, grace=NOW).versions)
    assert removed == 1
    assert mine(store, nobody) == []


@pytest.mark.usefixtures("clean")
def test_what_a_put_that_was_tried_again_left_goes(db: Database, store: S3Store, keys: FileKeyWrapper) -> None:
    """The answer to the first was lost: the same object twice, of which one was named, read back and locked."""
    upload = announce(db, keys, b"twice")
    send(db, store, keys, upload, b"twice")
    store.put(EVIDENCE, evidence_key(upload.blob_id), b"the other attempt")
    assert counts(sweep(db, store, grace=NOW)) == (0, 0, 1)
    facts = seal_now(db, store, keys, upload)
    store.put(EVIDENCE, evidence_key(upload.blob_id), b"and a late one")
    assert counts(sweep(db, store, grace=NOW)) == (0, 0, 1)
    assert mine(store, upload.blob_id) == [facts.blob.version_id]


@pytest.mark.usefixtures("clean")
def test_what_a_liar_was_given_stays_what_a_sender_gave_wrongly_goes(
    db: Database, store: S3Store, keys: FileKeyWrapper
) -> None:
    for reason, left in (("store.corrupt", 1), ("upload.digest_mismatch", 0)):
        upload = announce(db, keys, b"refused")
        send(db, store, keys, upload, b"refused")
        with db.begin(WORKER) as work:
            service.record_refusal(work, upload.id, reason)
            work.commit()
        sweep(db, store, grace=NOW)
        assert len(mine(store, upload.blob_id)) == left
        assert held(db, upload).state is State.REFUSED
