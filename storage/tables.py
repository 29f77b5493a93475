"""Tables of the storage room: uploads under way (operational); blobs, findings and light copies (under law 1)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class UploadRow(Base):
    """An upload's durable progress. Operational: its facts of custody are the exhibit's events.

    `epoch` counts the requests that took the upload over: a writer of an older epoch can no longer change anything.
    """

    __tablename__ = "uploads"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    case_id: Mapped[UUID]
    account_id: Mapped[UUID]
    blob_id: Mapped[UUID] = mapped_column(unique=True)
    state: Mapped[str]
    filename: Mapped[str]
    folder: Mapped[str]
    size_bytes: Mapped[int]
    offset_bytes: Mapped[int] = mapped_column(default=0)
    segment_bytes: Mapped[int]
    sha256: Mapped[str]
    key_id: Mapped[str]
    wrapped_key: Mapped[bytes]
    multipart_id: Mapped[str | None]
    tail_key: Mapped[str | None]
    version_id: Mapped[str | None]
    reason: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(default=0)
    lifetime_s: Mapped[int]
    retain_until: Mapped[datetime]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("size_bytes > 0 AND offset_bytes BETWEEN 0 AND size_bytes", name="offset"),
        CheckConstraint(
            "state IN ('created', 'receiving', 'received', 'sealed', 'refused', 'expired', 'terminated')", name="state"
        ),
        Index("ix_uploads_expiry", "expires_at", postgresql_where=text("state IN ('created', 'receiving')")),
    )


class UploadSegmentRow(Base):
    """One segment of an upload that is durable in the store, as it was when it was sent."""

    __tablename__ = "upload_segments"
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    etag: Mapped[str]
    ciphertext_sha256: Mapped[str]
    ciphertext_bytes: Mapped[int]


class BlobRow(Recorded, Base):
    """An object that was read back, verified and locked. Its facts never change, but for the wrapping of its key.

    `made_event_id` is the event it came into being under. `moved_to` and `moved_version` say in which other store it
    lies now, if it was moved; `version_id` stays what it was sealed as.
    A destroyed blob keeps its row and has no key: the database refuses to give it one again.
    """

    __tablename__ = "blobs"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    bucket: Mapped[str]
    key: Mapped[str]
    version_id: Mapped[str]
    format: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    segment_bytes: Mapped[int]
    ciphertext_sha256: Mapped[str]
    ciphertext_bytes: Mapped[int]
    wrapped_key: Mapped[bytes]
    key_id: Mapped[str]
    retain_until: Mapped[datetime]
    created_at: Mapped[datetime]
    made_event_id: Mapped[UUID]
    destroyed_at: Mapped[datetime | None]
    moved_to: Mapped[str | None]
    moved_version: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("size_bytes > 0 AND ciphertext_bytes > size_bytes", name="sizes"),
        CheckConstraint("(destroyed_at IS NULL) = (octet_length(wrapped_key) > 0)", name="no_key_once_destroyed"),
    )


class HeldObjectRow(Base):
    """An object version on which the store itself was asked for a legal hold and answered that it holds.

    Operational: the hold is the business of its own row and event; this says how far the store has followed.
    """

    __tablename__ = "held_objects"
    blob_id: Mapped[UUID] = mapped_column(primary_key=True)
    held_at: Mapped[datetime]


class ExaminationRow(Recorded, Base):
    """What a file says about itself, as read once: claims in canonical bytes, or the code why it could not be read."""

    __tablename__ = "examinations"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    facts: Mapped[bytes | None]
    facts_sha256: Mapped[str | None]
    reason: Mapped[str | None]
    made_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("(facts IS NULL) = (reason IS NOT NULL)", name="outcome"),
        CheckConstraint("facts IS NULL OR facts_sha256 IS NOT NULL", name="digest"),
    )


class ScanRow(Recorded, Base):
    """What a scanner for malware said of an original, once."""

    __tablename__ = "scans"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    result: Mapped[str]
    signature: Mapped[str | None]
    engine: Mapped[str]
    definitions: Mapped[str]
    made_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("result IN ('clean', 'infected', 'not_scanned')", name="result"),)


class LightCopyRow(Recorded, Base):
    """A light copy of an original, or (without a blob) the code why there is none of its kind."""

    __tablename__ = "light_copies"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str]
    source_sha256: Mapped[str]
    blob_id: Mapped[UUID | None]
    sha256: Mapped[str | None]
    size_bytes: Mapped[int | None]
    tool: Mapped[str | None]
    tool_version: Mapped[str | None]
    parameters: Mapped[dict[str, Any]]
    details: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    made_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("(blob_id IS NULL) = (reason IS NOT NULL)", name="outcome"),)
