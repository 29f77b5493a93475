"""The sweep: what processes left in the store that were killed between the store's answer and their commit.

Left behind may be: a multipart upload whose id was never recorded, a tail that no row names, a version that a request
tried again and nobody named, a rendition that was stored and never recorded. None of it is of use to anybody: its key
died with the process. Nothing younger than the grace is touched, for it may be under way; nothing under a lock can be
removed before the lock ends, so it is told and left. Whatever was sealed is locked: also a database restored from an
old backup, which knows too little, cannot make the sweep remove it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import select

from custody.kernel.errors import Conflict
from custody.kernel.unit_of_work import Database
from storage.ports import EVIDENCE, PACKAGES, RENDITIONS, STAGING, ObjectStore, Stored
from storage.seal import evidence_key
from storage.tables import BlobRow, UploadRow
from storage.upload import ENDED, OPEN, State

GRACE: Final = timedelta(hours=24)
"""Longer than any job or request may take from its first byte in the store to its commit (`visibility_timeout`)."""

_BATCH: Final = 500
_T = TypeVar("_T")


@dataclass
class Swept:
    """What was removed; `locked` has the keys of what must stay until its lock ends."""

    multiparts: int = 0
    tails: int = 0
    versions: int = 0
    locked: list[str] = field(default_factory=list)

    @property
    def removed(self) -> int:
        """How many things were removed in all."""
        return self.multiparts + self.tails + self.versions


def sweep(db: Database, store: ObjectStore, *, grace: timedelta = GRACE) -> Swept:
    """Remove what nobody will ever name. Reads the list of the whole store, some hundred keys at a time.

    Safe to run twice, also at once. Relies on the store's clock for age: one that is wrong by more than the grace can
    cost an upload under way, which its seal would notice; never anything sealed, which is locked and named.
    Raises Unavailable `store.unreachable`: go on the next time.
    """
    found = Swept()
    before = db.clock.now() - grace
    for bucket in (EVIDENCE, RENDITIONS, PACKAGES):
        _multiparts(db, store, bucket, before, found)
        _versions(db, store, bucket, before, found)
    _tails(db, store, before, found)
    return found


def _multiparts(db: Database, store: ObjectStore, bucket: str, before: datetime, found: Swept) -> None:
    old = (begun for begun in store.begun(bucket) if begun.begun_at is not None and begun.begun_at < before)
    for batch in _batches(old):
        uploads = _uploads(db, [blob_id for begun in batch if (blob_id := _blob_id(begun.key))])
        for begun in batch:
            upload = uploads.get(_blob_id(begun.key))
            if upload and upload.multipart_id == begun.upload_id and State(upload.state) not in ENDED | {State.SEALED}:
                continue
            store.abort(bucket, begun.key, begun.upload_id)
            found.multiparts += 1


def _versions(db: Database, store: ObjectStore, bucket: str, before: datetime, found: Swept) -> None:
    for batch in _batches(_old(store.list(bucket, ""), before)):
        ids = [blob_id for stored in batch if (blob_id := _blob_id(stored.key))]
        named, uploads = _named(db, ids), _uploads(db, ids)
        for stored in batch:
            blob_id = _blob_id(stored.key)
            if blob_id is None or stored.version_id in named.get(blob_id, ()):
                continue
            upload = uploads.get(blob_id)
            if upload is None or not _waits(upload, stored.version_id):
                _remove(store, bucket, stored, found)


def _waits(upload: UploadRow, version_id: str) -> bool:
    """Whether a version that is not sealed must stay: its seal is still to come, or it is what a liar was given."""
    match State(upload.state):
        case State.RECEIVED:
            return upload.multipart_id is not None or upload.version_id == version_id
        case State.REFUSED:
            return not (upload.reason or "").startswith("upload.")
        case _:
            return False


def _remove(store: ObjectStore, bucket: str, stored: Stored, found: Swept) -> None:
    try:
        store.delete(bucket, stored.key, stored.version_id)
    except Conflict:
        found.locked.append(stored.key)
    else:
        found.versions += 1


def _tails(db: Database, store: ObjectStore, before: datetime, found: Swept) -> None:
    for batch in _batches(_old(store.list(STAGING, ""), before)):
        uploads = _uploads(db, [blob_id for stored in batch if (blob_id := _tail_of(stored.key))])
        for stored in batch:
            blob_id = _tail_of(stored.key)
            upload = uploads.get(blob_id)
            if blob_id is None or (upload and State(upload.state) in OPEN and upload.tail_key == stored.key):
                continue
            store.delete(STAGING, stored.key, "")
            found.tails += 1


def _old(stored: Iterable[Stored], before: datetime) -> Iterator[Stored]:
    return (one for one in stored if one.written_at is not None and one.written_at < before)


def _batches(things: Iterable[_T]) -> Iterator[list[_T]]:
    source = iter(things)
    while batch := list(islice(source, _BATCH)):
        yield batch


def _blob_id(key: str) -> UUID | None:
    """The blob of an object's key, None for what is none (a canary)."""
    blob_id = _uuid(key.rpartition("/")[2])
    return blob_id if blob_id and evidence_key(blob_id) == key else None


def _tail_of(key: str) -> UUID | None:
    return _uuid(key.partition("/")[0])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _uploads(db: Database, blob_ids: list[UUID]) -> dict[UUID | None, UploadRow]:
    """Read after the store was listed: what was committed meanwhile is seen."""
    with db.read() as session:
        return {row.blob_id: row for row in session.scalars(select(UploadRow).where(UploadRow.blob_id.in_(blob_ids)))}


def _named(db: Database, blob_ids: list[UUID]) -> dict[UUID | None, Sequence[str | None]]:
    """The version that was sealed, and the one in the store that it was moved to."""
    query = select(BlobRow.id, BlobRow.version_id, BlobRow.moved_version).where(BlobRow.id.in_(blob_ids))
    with db.read() as session:
        return {blob_id: versions for blob_id, *versions in session.execute(query)}
