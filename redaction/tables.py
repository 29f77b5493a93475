"""Plans, suggestions, persons and renditions as rows. Rows stay inside this package (`service.py`, `queries.py`).

The text of a suggestion and the names of a person are personal data: they stand here and nowhere else, never in an
event, a job's arguments, a plan or a log line.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class PlanRow(Recorded, Base):
    """A redaction plan. `version` rises with every change; `body` holds the submitted canonical bytes."""

    __tablename__ = "redaction_plans"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    case_id: Mapped[UUID] = mapped_column(index=True)
    source_sha256: Mapped[str]
    text_sha256: Mapped[str | None]
    rules_version: Mapped[str]
    rules_sha256: Mapped[str]
    unread_pages: Mapped[list[Any]]
    state: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    submitted_by: Mapped[UUID | None]
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None]
    return_reason: Mapped[str | None]
    body: Mapped[bytes | None]
    plan_sha256: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("state IN ('drafted', 'submitted', 'returned', 'approved')", name="state"),
        CheckConstraint("approved_by IS NULL OR approved_by <> submitted_by", name="two_people"),
        CheckConstraint("(state IN ('submitted', 'approved')) <= (body IS NOT NULL)", name="body"),
    )


class SuggestionRow(Recorded, Base):
    """One suggestion, or one addition of a person (`recognizer` is then `person`). `text` is personal."""

    __tablename__ = "redaction_suggestions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("redaction_plans.id"))
    position: Mapped[int]
    entity: Mapped[str]
    regions: Mapped[list[Any]]
    text: Mapped[str]
    score_ppm: Mapped[int]
    recognizer: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    replacement: Mapped[str | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("state IN ('open', 'accepted', 'rejected')", name="state"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided"),
        UniqueConstraint("plan_id", "position"),
    )


class PersonRow(Recorded, Base):
    """A person of a case under one pseudonym number. `names` (accepted mentions) is personal."""

    __tablename__ = "redaction_persons"
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    names: Mapped[list[Any]]


class RenditionRow(Recorded, Base):
    """A burned file and its leak check. `blob_id` is the stored object, set by the use case that stored it."""

    __tablename__ = "redaction_renditions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("redaction_plans.id"), index=True)
    exhibit_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str]
    blob_id: Mapped[UUID | None]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    source_sha256: Mapped[str]
    plan_sha256: Mapped[str]
    tool: Mapped[str]
    tool_version: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    burned_at: Mapped[datetime]
    leak_result: Mapped[str | None]
    leak_sha256: Mapped[str | None]
    leak_report: Mapped[bytes | None]
    checked_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("leak_result IN ('passed', 'failed')", name="leak_result"),
        CheckConstraint("(leak_result IS NULL) = (leak_report IS NULL)", name="leak_report"),
        Index("uq_redaction_renditions_plan_id_kind", "plan_id", "kind", unique=True),
    )
