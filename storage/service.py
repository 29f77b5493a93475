"""What other rooms do with uploads and blobs in the database. Writing functions do not commit and record no event."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from custody.kernel.errors import NotFound
from custody.kernel.unit_of_work import UnitOfWork
from storage import upload
from storage.blob import BlobFacts, FileName, FolderPath
from storage.crypto import new_key
from storage.derived import put_derived
from storage.keys import KeyWrapper
from storage.ports import ObjectStore
from storage.reader import BlobReader
from storage.retention import whole_seconds
from storage.routed import elsewhere
from storage.seal import SealFacts, SealPlan, SentSegment
from storage.segments import segment_bytes_for
from storage.tables import BlobRow, UploadRow, UploadSegmentRow
from storage.upload import Limits, Progress, State

__all__ = [
    "NewUpload",
    "Upload",
    "blob_facts",
    "create_upload",
    "expire_uploads",
    "get_upload",
    "open_blob",
    "put_derived",
    "record_blob",
    "record_refusal",
    "record_seal",
    "record_seals",
    "seal_plan",
    "seal_plans",
    "terminate_upload",
    "uploads_of_exhibit",
]


@dataclass(frozen=True)
class NewUpload:
    """What must be said before the first byte. `sha256` is the client's digest, `sha256:<hex>`."""

    exhibit_id: UUID
    case_id: UUID
    account_id: UUID
    name: FileName
    folder: FolderPath
    size_bytes: int
    sha256: str
    retain_until: datetime


@dataclass(frozen=True)
class Upload:
    """An upload as it durably stands. `reason` is the code it was refused with."""

    id: UUID
    exhibit_id: UUID
    case_id: UUID
    account_id: UUID
    blob_id: UUID
    name: FileName
    folder: FolderPath
    sha256: str
    state: State
    size_bytes: int
    offset_bytes: int
    segment_bytes: int
    reason: str | None
    created_at: datetime
    expires_at: datetime
    moved_at: datetime
    """When bytes last became durable, or when it was announced."""


def create_upload(work: UnitOfWork, keys: KeyWrapper, new: NewUpload, limits: Limits) -> Upload:
    """Announce an upload: its own data key is made and wrapped. Nothing is in the store yet.

    Raises Invalid `upload.empty`, `upload.bad_digest`; TooLarge `upload.too_large`; Unavailable `keys.unavailable`.
    """
    now = work.clock.now()
    progress = upload.announce(new.size_bytes, limits, now)
    blob_id = work.ids.new()
    wrapped = keys.wrap(new_key(), blob_id)
    row = UploadRow(
        id=work.ids.new(),
        exhibit_id=new.exhibit_id,
        case_id=new.case_id,
        account_id=new.account_id,
        blob_id=blob_id,
        state=progress.state,
        filename=new.name.text,
        folder=str(new.folder),
        size_bytes=new.size_bytes,
        offset_bytes=0,
        segment_bytes=segment_bytes_for(new.size_bytes),
        sha256=upload.parse_sha256(new.sha256),
        key_id=wrapped.key_id,
        wrapped_key=wrapped.data,
        epoch=0,
        lifetime_s=int(limits.lifetime.total_seconds()),
        retain_until=whole_seconds(new.retain_until),
        created_at=now,
        expires_at=progress.expires_at,
    )
    work.session.add(row)
    return upload_of(row)


def get_upload(session: Session, upload_id: UUID) -> Upload:
    """How far an upload durably is. Raises NotFound `upload.not_found`."""
    return upload_of(_row(session, upload_id))


def uploads_of_exhibit(session: Session, exhibit_id: UUID) -> list[Upload]:
    """Every upload ever made for an exhibit, oldest first."""
    rows = session.scalars(select(UploadRow).where(UploadRow.exhibit_id == exhibit_id).order_by(UploadRow.id))
    return [upload_of(row) for row in rows]


def terminate_upload(work: UnitOfWork, upload_id: UUID) -> Upload:
    """The client gives up. Enqueue `seal.discard` with `seal_plan`. Raises what `upload.terminate` raises."""
    row = lock_upload(work, upload_id)
    row.state = upload.terminate(progress_of(row)).state
    row.epoch += 1
    return upload_of(row)


def expire_uploads(work: UnitOfWork, most: int = 100) -> list[Upload]:
    """Mark uploads that were left alone too long; those another process holds are left for the next time.

    The caller records `upload.expired` for each and enqueues its discarding.
    """
    now = work.clock.now()
    rows = work.session.scalars(
        select(UploadRow)
        .where(UploadRow.state.in_(list(upload.OPEN)), UploadRow.expires_at <= now)
        .order_by(UploadRow.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state = upload.expire(progress_of(row), now).state
        row.epoch += 1
    return [upload_of(row) for row in rows]


def seal_plan(session: Session, upload_id: UUID) -> SealPlan:
    """What `seal.inspect` and `seal.discard` need. Raises NotFound `upload.not_found`."""
    return seal_plans(session, [upload_id])[0][0]


def seal_plans(session: Session, upload_ids: Sequence[UUID]) -> list[tuple[SealPlan, Upload]]:
    """The plan of each upload and the upload, in the order asked for. Raises NotFound `upload.not_found`."""
    rows = {row.id: row for row in session.scalars(select(UploadRow).where(UploadRow.id.in_(upload_ids)))}
    if len(rows) < len(set(upload_ids)):
        raise NotFound("upload.not_found")
    segments: dict[UUID, list[SentSegment]] = {upload_id: [] for upload_id in upload_ids}
    parts = select(UploadSegmentRow).where(UploadSegmentRow.upload_id.in_(upload_ids)).order_by(UploadSegmentRow.number)
    for part in session.scalars(parts):
        sent = SentSegment(part.number, part.etag, part.ciphertext_sha256, part.ciphertext_bytes)
        segments[part.upload_id].append(sent)
    return [(_plan(rows[one], tuple(segments[one])), upload_of(rows[one])) for one in upload_ids]


def _plan(row: UploadRow, segments: tuple[SentSegment, ...]) -> SealPlan:
    return SealPlan(
        upload_id=row.id,
        exhibit_id=row.exhibit_id,
        blob_id=row.blob_id,
        name=FileName(row.filename),
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        segment_bytes=row.segment_bytes,
        wrapped_key=row.wrapped_key,
        key_id=row.key_id,
        retain_until=row.retain_until,
        multipart_id=row.multipart_id,
        version_id=row.version_id,
        segments=segments,
        whole=row.epoch == 0,
    )


def record_seal(work: UnitOfWork, facts: SealFacts, event_id: UUID) -> list[BlobFacts]:
    """The upload is sealed and its blob is known, under the event `exhibit.sealed`. Doing it again changes nothing.

    The key goes over as it is wrapped now. Returns the blob if it was rewrapped since `inspect` began: its record in
    the store is to be written again before the commit.
    Raises Conflict `upload.not_received` when the upload was refused meanwhile.
    """
    return record_seals(work, [(facts, event_id)])


def record_seals(work: UnitOfWork, sealed: Sequence[tuple[SealFacts, UUID]]) -> list[BlobFacts]:
    """As `record_seal`, of many. Raises NotFound `upload.not_found`."""
    wanted = select(UploadRow).where(UploadRow.id.in_([facts.upload_id for facts, _ in sealed])).order_by(UploadRow.id)
    locked = work.session.scalars(wanted.with_for_update().execution_options(populate_existing=True))
    rows = {row.id: row for row in locked}
    rewrapped = []
    for facts, event_id in sealed:
        row = rows.get(facts.upload_id)
        if row is None:
            raise NotFound("upload.not_found")
        if row.state != State.SEALED:
            row.state = upload.seal(progress_of(row)).state
            blob = replace(facts.blob, wrapped_key=row.wrapped_key, key_id=row.key_id)
            record_blob(work, blob, event_id)
            rewrapped += [blob] if blob.key_id != facts.blob.key_id else []
    return rewrapped


def record_refusal(work: UnitOfWork, upload_id: UUID, reason: str) -> Upload:
    """The upload is not accepted, for a reason (an error's code). Enqueue its discarding. Again changes nothing.

    Raises Conflict `upload.not_received` when it was sealed, or not all of it came.
    """
    row = lock_upload(work, upload_id)
    if row.state != State.REFUSED:
        row.state = upload.refuse(progress_of(row)).state
        row.reason = reason
    return upload_of(row)


def record_blob(work: UnitOfWork, facts: BlobFacts, event_id: UUID) -> None:
    """A verified, locked object becomes a business fact, under the event that says so."""
    work.session.add(_row_of(work, facts, event_id, event_id))


def _row_of(work: UnitOfWork, facts: BlobFacts, made_event_id: UUID, event_id: UUID) -> BlobRow:
    return BlobRow(
        id=facts.blob_id,
        bucket=facts.bucket,
        key=facts.key,
        version_id=facts.version_id,
        format=facts.format,
        sha256=facts.sha256,
        size_bytes=facts.size_bytes,
        segment_bytes=facts.segment_bytes,
        ciphertext_sha256=facts.ciphertext_sha256,
        ciphertext_bytes=facts.ciphertext_bytes,
        wrapped_key=facts.wrapped_key,
        key_id=facts.key_id,
        retain_until=facts.retain_until,
        created_at=work.clock.now(),
        made_event_id=made_event_id,
        event_id=event_id,
    )


def restore_blob(work: UnitOfWork, facts: BlobFacts, *, made_event_id: UUID, event_id: UUID) -> None:
    """A row that was lost with the database comes back, under the event `key.recovered`."""
    store, _, bucket = facts.bucket.rpartition(":")
    sealed = replace(facts, bucket=bucket, version_id=facts.sealed_version or facts.version_id)
    row = _row_of(work, sealed, made_event_id, event_id)
    if store:
        row.moved_to, row.moved_version = store, facts.version_id
    work.session.add(row)


def replace_key(work: UnitOfWork, facts: BlobFacts, event_id: UUID) -> None:
    """Another wrap of the same data key. Nothing for a blob whose key was destroyed."""
    row = work.session.get_one(BlobRow, facts.blob_id, with_for_update=True, populate_existing=True)
    if row.wrapped_key:
        row.wrapped_key, row.key_id, row.event_id = facts.wrapped_key, facts.key_id, event_id


def blob_facts(session: Session, blob_id: UUID) -> BlobFacts:
    """What is known of a blob. Raises NotFound `blob.not_found`."""
    row = session.get(BlobRow, blob_id)
    if row is None:
        raise NotFound("blob.not_found")
    return facts_of(row)


def facts_of(row: BlobRow) -> BlobFacts:
    """The row as others see it; one that was moved is at its new place."""
    return BlobFacts(
        blob_id=row.id,
        bucket=row.bucket if row.moved_to is None else elsewhere(row.moved_to, row.bucket),
        key=row.key,
        version_id=row.moved_version or row.version_id,
        sealed_version=row.version_id if row.moved_to is not None else "",
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        segment_bytes=row.segment_bytes,
        ciphertext_sha256=row.ciphertext_sha256,
        ciphertext_bytes=row.ciphertext_bytes,
        wrapped_key=row.wrapped_key,
        key_id=row.key_id,
        retain_until=row.retain_until,
        format=row.format,
        destroyed_at=row.destroyed_at,
    )


def open_blob(store: ObjectStore, keys: KeyWrapper, facts: BlobFacts) -> BlobReader:
    """Open a blob for reading; asks nothing of the store yet. The caller has made the read event durable (law 2)."""
    return BlobReader(store, keys, facts)


def lock_upload(work: UnitOfWork, upload_id: UUID) -> UploadRow:
    """The upload's row, held until the transaction ends. Raises NotFound `upload.not_found`."""
    row = work.session.get(UploadRow, upload_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("upload.not_found")
    return row


def progress_of(row: UploadRow) -> Progress:
    """The row as the state machine sees it."""
    return Progress(State(row.state), row.size_bytes, row.offset_bytes, row.expires_at)


def upload_of(row: UploadRow) -> Upload:
    """The row as others may see it: no keys, no place in the store."""
    return Upload(
        id=row.id,
        exhibit_id=row.exhibit_id,
        case_id=row.case_id,
        account_id=row.account_id,
        blob_id=row.blob_id,
        name=FileName(row.filename),
        folder=FolderPath.parse(row.folder),
        sha256=row.sha256,
        state=State(row.state),
        size_bytes=row.size_bytes,
        offset_bytes=row.offset_bytes,
        segment_bytes=row.segment_bytes,
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        moved_at=row.expires_at - timedelta(seconds=row.lifetime_s),
    )


def _row(session: Session, upload_id: UUID) -> UploadRow:
    row = session.get(UploadRow, upload_id)
    if row is None:
        raise NotFound("upload.not_found")
    return row
