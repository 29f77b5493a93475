"""The transcription tables. Rows stay inside `service`; both are under law 1.

The migrations add triggers beside `require_event` (law 3): no row is removed, a revision's text and digest never
change, and nothing at all changes once it is confirmed. The owner's slips are refused too.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class TranscriptRow(Recorded, Base):
    """The transcript of one exhibit, and how its draft was made (null until there is one)."""

    __tablename__ = "transcripts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str]
    failure_code: Mapped[str | None]
    requested_at: Mapped[datetime]
    drafted_at: Mapped[datetime | None]
    audio_sha256: Mapped[str | None]
    duration_ms: Mapped[int | None]
    channels: Mapped[int | None]
    sound_streams: Mapped[int | None]
    damaged_packets: Mapped[int | None]
    machine_ms: Mapped[int | None]
    engine: Mapped[str | None]
    engine_version: Mapped[str | None]
    model: Mapped[str | None]
    model_sha256: Mapped[str | None]
    parameters: Mapped[dict[str, Any] | None]
    parameters_sha256: Mapped[str | None]
    latest_revision: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        CheckConstraint("state IN ('requested', 'drafted', 'failed')", name="state"),
        # One that failed may be followed by another; besides those an exhibit has one transcript.
        Index("uq_transcripts_standing", "exhibit_id", unique=True, postgresql_where=text("state <> 'failed'")),
    )


class RevisionRow(Recorded, Base):
    """One revision: its canonical JSON (`dalel-transcript/1`) as it is hashed, and who stands behind it."""

    __tablename__ = "revisions"
    transcript_id: Mapped[UUID] = mapped_column(ForeignKey("transcripts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parent: Mapped[int | None]
    state: Mapped[str]
    content: Mapped[str]
    sha256: Mapped[str]
    author_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("transcript_id", "parent"),
        CheckConstraint("state IN ('draft', 'corrected', 'confirmed')", name="state"),
        CheckConstraint("(state = 'confirmed') = (confirmed_by IS NOT NULL)", name="confirmed_by_a_person"),
        CheckConstraint("(number = 1) = (parent IS NULL)", name="parent"),
    )
