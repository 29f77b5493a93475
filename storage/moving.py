"""Moving objects to another store: each is copied, read back there and locked before anything points to it.

The source is only read. What was copied and not recorded, because the process was killed, is found again by the next
run and not sent twice; a multipart upload that was cut off there is dropped by `tidy`. Writing functions do not commit.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, Corrupt
from custody.kernel.unit_of_work import UnitOfWork
from storage.blob import BlobFacts
from storage.disposal import protect
from storage.fixity import Expected, check_light, check_place
from storage.ports import BUNDLES, EVIDENCE, LOG, PACKAGES, RENDITIONS, ObjectStore, Part
from storage.retention import whole_seconds
from storage.routed import elsewhere, home
from storage.service import facts_of
from storage.tables import BlobRow, UploadRow
from storage.upload import ENDED, State

Pace = Callable[[int], None]
"""Told how many bytes were just read; waits where that was too fast."""

LEAST_LOCK: Final = timedelta(minutes=1)
"""Of an object whose term is over: a store takes no lock that ends in the past."""


@dataclass(frozen=True)
class Left:
    """What still lies only in the store that is left: objects, their bytes, uploads that are under way."""

    objects: int
    size_bytes: int
    uploads: int


def left(session: Session, target: str) -> Left:
    """What is still to be moved. What was destroyed is not: its bytes are noise, its record is the ledger's."""
    query = select(func.count(), func.coalesce(func.sum(BlobRow.ciphertext_bytes), 0)).where(*_unmoved(target))
    objects, size_bytes = session.execute(query).one()
    over = [*ENDED, State.SEALED, State.REFUSED]
    uploads = session.scalar(select(func.count()).select_from(UploadRow).where(UploadRow.state.not_in(over)))
    return Left(objects, int(size_bytes), uploads or 0)


def following(session: Session, target: str, after: UUID | None, most: int) -> list[UUID]:
    """The next objects that are not there yet, in the order of ids."""
    query = select(BlobRow.id).where(*_unmoved(target))
    if after is not None:
        query = query.where(BlobRow.id > after)
    return list(session.scalars(query.order_by(BlobRow.id).limit(most)))


def _unmoved(target: str) -> tuple[ColumnElement[bool], ...]:
    return func.octet_length(BlobRow.wrapped_key) > 0, BlobRow.moved_to.is_distinct_from(target)


def copy(store: ObjectStore, expected: Expected, target: str, now: datetime, pace: Pace) -> BlobFacts:
    """The object in the other store, as facts of its new place: read back whole, locked, held as the source is.

    Raises Corrupt `store.corrupt` with `what`: `source` when the source no longer is what was recorded (then nothing
    was moved), else what the copy was found to lack; NotFound `store.missing` when the source is gone; Corrupt
    `store.not_locked`, `store.not_held`; Unavailable.
    """
    facts = expected.facts
    held = store.is_held(facts.bucket, facts.key, facts.version_id)
    there = _found(store, expected, target) or _send(store, expected, target, pace)
    difference, _ = check_light(store, replace(expected, facts=there))
    if difference is None:
        protect(store, there, max(facts.retain_until, whole_seconds(now + LEAST_LOCK)), held=held)
        difference = check_place(store, there, now)
    if difference is not None:
        raise Corrupt("store.corrupt", what=difference.what)
    pace(there.ciphertext_bytes)
    return there


def _found(store: ObjectStore, expected: Expected, target: str) -> BlobFacts | None:
    """A copy that an earlier run made and did not record."""
    bucket = elsewhere(target, home(expected.facts.bucket))
    for stored in list(store.list(bucket, expected.facts.key)):
        there = replace(expected.facts, bucket=bucket, version_id=stored.version_id)
        same = stored.key == there.key and stored.size_bytes == there.ciphertext_bytes
        if same and check_light(store, replace(expected, facts=there))[0] is None:
            return there
    return None


def _send(store: ObjectStore, expected: Expected, target: str, pace: Pace) -> BlobFacts:
    """A segment at a time, so memory does not depend on the size; nothing is visible there before its digest fits."""
    facts = expected.facts
    bucket, digest = elsewhere(target, home(facts.bucket)), hashlib.sha256()
    segments = _segments(store, expected, digest.update, pace)
    if expected.layout.count == 1:
        data = b"".join(segments)
        _same(facts, digest.hexdigest())
        return replace(facts, bucket=bucket, version_id=store.put(bucket, facts.key, data))
    upload_id = store.create_multipart(bucket, facts.key)
    parts: list[Part] = []
    for number, data in enumerate(segments, 1):
        sha256 = hashlib.sha256(data).digest()
        parts.append(store.put_part(bucket, facts.key, upload_id, number, data, sha256))
    try:
        _same(facts, digest.hexdigest())
    except Corrupt:
        store.abort(bucket, facts.key, upload_id)
        raise
    return replace(facts, bucket=bucket, version_id=store.complete(bucket, facts.key, upload_id, parts))


def _segments(store: ObjectStore, expected: Expected, seen: Callable[[bytes], None], pace: Pace) -> Iterator[bytes]:
    facts, layout = expected.facts, expected.layout
    for number in range(layout.count):
        data = bytearray()
        for piece in store.get(facts.bucket, facts.key, facts.version_id, layout.offset(number), layout.sealed(number)):
            data += piece
        whole = bytes(data)
        seen(whole)
        pace(len(whole))
        yield whole


def _same(facts: BlobFacts, found: str) -> None:
    if facts.ciphertext_sha256 != f"sha256:{found}":
        raise Corrupt("store.corrupt", what="source")


def lock_row(work: UnitOfWork, before: BlobFacts) -> bool:
    """Hold the row; False when it is no longer as it was copied: destroyed, or to be kept for longer."""
    row = work.session.get_one(BlobRow, before.blob_id, with_for_update=True, populate_existing=True)
    now = facts_of(row)
    place = (now.bucket, now.version_id, now.retain_until, now.destroyed_at)
    return place == (before.bucket, before.version_id, before.retain_until, before.destroyed_at)


def same_hold(store: ObjectStore, facts: BlobFacts, there: BlobFacts) -> bool:
    """Whether the copy is held as its source is now. Ask it behind `lock_row`: whoever sets a hold waits for the row
    and then looks where the object lies (`disposal.still_there`).
    """
    source, copy = ((one.bucket, one.key, one.version_id) for one in (facts, there))
    return store.is_held(*source) == store.is_held(*copy)


def record(work: UnitOfWork, there: BlobFacts, event_id: UUID) -> BlobFacts:
    """From the commit on the object is read there, under the event that says so. Returns the facts as they then are."""
    row = work.session.get_one(BlobRow, there.blob_id)
    row.moved_to, row.moved_version = there.bucket.rpartition(":")[0], there.version_id
    row.event_id = event_id
    return facts_of(row)


def tidy(store: ObjectStore, target: str) -> int:
    """Drop what a killed run began to send there. Only while nothing but the move writes there."""
    dropped = 0
    for name in (EVIDENCE, RENDITIONS, PACKAGES):
        bucket = elsewhere(target, name)
        for begun in list(store.begun(bucket)):
            store.abort(bucket, begun.key, begun.upload_id)
            dropped += 1
    return dropped


def copy_log(store: ObjectStore, target: str, pace: Pace) -> tuple[int, tuple[str, ...]]:
    """The ledger's files, each written once here and there: how many were sent, and those that differ there."""
    sent, different = 0, []
    for name in (LOG, BUNDLES):
        there, last = elsewhere(target, name), ""
        for stored in store.list(name, ""):
            if stored.key == last:
                continue
            last, data = stored.key, store.read(name, stored.key)
            pace(len(data))
            try:
                store.put_once(there, stored.key, data)
                sent += 1
            except Conflict:
                pass  # an earlier run has sent it: what lies there is compared all the same
            if store.read(there, stored.key) != data:
                different.append(f"{name}/{stored.key}")
    return sent, tuple(different)
