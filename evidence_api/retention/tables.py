"""Tables of retention: every version of the rules, destruction acts, and what each act did to each exhibit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class RuleSetRow(Recorded, Base):
    """One version of the retention rules: canonical bytes, kept for ever."""

    __tablename__ = "retention_rule_sets"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]
    sha256: Mapped[str]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    made_at: Mapped[datetime]


class DisposalRow(Recorded, Base):
    """A destruction act. `body` is what two people sign: canonical JSON, never changed."""

    __tablename__ = "disposals"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[int]
    state: Mapped[str]
    ground: Mapped[str]
    body: Mapped[str]
    act_sha256: Mapped[str]
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime]
    signed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    signed_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    done_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("state IN ('proposed', 'signed', 'approved', 'done', 'rejected', 'stopped')", name="state"),
        CheckConstraint("approved_by IS NULL OR approved_by <> signed_by", name="two_people"),
        CheckConstraint(
            "state NOT IN ('approved', 'done') OR (signed_by IS NOT NULL AND approved_by IS NOT NULL)", name="signed"
        ),
    )


class _Outcome:
    """What became of one thing in an act. `locked` are the objects that the store did not let go yet; counts are None
    until done.
    """

    open: Mapped[bool]
    keys_destroyed: Mapped[int | None]
    objects_removed: Mapped[int | None]
    locked: Mapped[list[Any]] = mapped_column(default=list)
    free_at: Mapped[datetime | None]


class DisposalItemRow(_Outcome, Recorded, Base):
    """One exhibit of an act."""

    __tablename__ = "disposal_items"
    disposal_id: Mapped[UUID] = mapped_column(ForeignKey("disposals.id"), primary_key=True)
    exhibit_id: Mapped[UUID] = mapped_column(ForeignKey("exhibits.id"), primary_key=True)
    __table_args__ = (
        Index("uq_disposal_items_open", "exhibit_id", unique=True, postgresql_where=text("open")),
        Index("ix_disposal_items_free_at", "free_at", postgresql_where=text("free_at IS NOT NULL")),
    )


class DisposalPackageRow(_Outcome, Recorded, Base):
    """The package of one round in an act."""

    __tablename__ = "disposal_packages"
    disposal_id: Mapped[UUID] = mapped_column(ForeignKey("disposals.id"), primary_key=True)
    disclosure_id: Mapped[UUID] = mapped_column(ForeignKey("disclosures.id"), primary_key=True)
    __table_args__ = (
        Index("uq_disposal_packages_open", "disclosure_id", unique=True, postgresql_where=text("open")),
        Index("ix_disposal_packages_free_at", "free_at", postgresql_where=text("free_at IS NOT NULL")),
    )
