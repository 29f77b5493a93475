"""The end of a blob: its wrapped key leaves the database, then its object the store, when its lock has ended.

Without its key the ciphertext is noise to everyone, the store and its backups included, from the moment the row's
change is durable: the data key was wrapped in `blobs`, in the `uploads` row it came by, and in its record in the store,
which `remove` destroys first. Not guaranteed here: older copies of those rows in backups of the database, see
docs/retention.md.

Also the other end: what keeps an object for longer (`protect`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, Corrupt, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from storage import key_records
from storage.blob import BlobFacts
from storage.ports import ObjectStore
from storage.seal import lock_and_check
from storage.tables import BlobRow, HeldObjectRow, UploadRow


@dataclass(frozen=True)
class Locked:
    """An object version that the store does not let go yet; `until` is None when it does not say why."""

    bucket: str
    key: str
    version_id: str
    until: datetime | None


def protect(store: ObjectStore, facts: BlobFacts, until: datetime, *, held: bool) -> None:
    """Bring the store to what the record says: locked at least until then, the store's own hold on or off, read back.

    Nothing is ever shortened. Raises Corrupt `store.not_locked`, `store.not_held` when the store did not keep it.
    """
    place = (facts.bucket, facts.key, facts.version_id)
    locked = store.head(*place).locked_until
    if locked is None or locked < until:
        lock_and_check(store, *place, until, facts.ciphertext_bytes)
    if store.is_held(*place) != held:
        store.set_hold(*place, on=held)
        if store.is_held(*place) != held:
            raise Corrupt("store.not_held")


def record_protection(work: UnitOfWork, blob_ids: Sequence[UUID], *, held: bool) -> None:
    """How far the store has followed a hold."""
    if not held:
        work.session.execute(delete(HeldObjectRow).where(HeldObjectRow.blob_id.in_(blob_ids)))
        return
    for blob_id in blob_ids:
        row = insert(HeldObjectRow).values(blob_id=blob_id, held_at=work.clock.now())
        work.session.execute(row.on_conflict_do_nothing())


def held_objects(session: Session, blob_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """On which of these blobs the store itself has a hold, and since when."""
    rows = session.execute(
        select(HeldObjectRow.blob_id, HeldObjectRow.held_at).where(HeldObjectRow.blob_id.in_(blob_ids))
    )
    return dict(rows.all())


def lengthen(work: UnitOfWork, blob_id: UUID, until: datetime, event_id: UUID) -> None:
    """The store was seen to hold the object's lock for longer."""
    row = work.session.get(BlobRow, blob_id, with_for_update=True, populate_existing=True)
    if row is not None and row.retain_until < until:
        row.retain_until, row.event_id = until, event_id


def destroy_key(work: UnitOfWork, blob_id: UUID, event_id: UUID) -> None:
    """The blob's data key is gone, under the event `key.destroyed`; for ever. Again changes nothing.

    Raises NotFound `blob.not_found`.
    """
    row = work.session.get(BlobRow, blob_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("blob.not_found")
    if row.destroyed_at is None:
        row.wrapped_key, row.destroyed_at, row.event_id = b"", work.clock.now(), event_id
    work.session.execute(update(UploadRow).where(UploadRow.blob_id == blob_id).values(wrapped_key=b""))


def remove(store: ObjectStore, facts: BlobFacts) -> list[Locked]:
    """Remove every version of a destroyed blob's object, those of earlier attempts included; returns what stays locked.

    Idempotent: what is gone is gone. A hold of the store's own that was left behind is taken off: the record has none.
    Raises Conflict `blob.not_destroyed` for a blob that has its key.
    """
    if facts.destroyed_at is None:
        raise Conflict("blob.not_destroyed")
    key_records.drop(store, facts.blob_id)
    kept = []
    for stored in list(store.list(facts.bucket, facts.key)):
        place = (facts.bucket, stored.key, stored.version_id)
        if store.is_held(*place):
            store.set_hold(*place, on=False)
        try:
            store.delete(*place)
        except Conflict:
            kept.append(Locked(*place, store.head(*place).locked_until))
    return kept
