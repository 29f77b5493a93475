"""The registry's tables. Rows stay inside `service` and `reads`; every one is under law 1."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, exists, or_, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from custody.kernel.orm import Base, Recorded


class AccountRow(Recorded, Base):
    """Who may sign in: a person, or a device, whose term `ends_at` is. Never deleted: the record outlives it (U1)."""

    __tablename__ = "accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    role: Mapped[str]
    language: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]


class CaseRow(Recorded, Base):
    """One criminal case, keyed by its ЕРДР number."""

    __tablename__ = "cases"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    erdr: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    opened_at: Mapped[datetime]


class GrantRow(Recorded, Base):
    """An account's role in one case, until a moment or for good. Revoking keeps the row."""

    __tablename__ = "grants"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    role: Mapped[str]
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    granted_at: Mapped[datetime]
    until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_grants_standing",
            "account_id",
            "case_id",
            "role",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_grants_case_id", "case_id"),
    )


class HoldRow(Recorded, Base):
    """A ground in law why nothing of an exhibit, or of a whole case (`exhibit_id` None), may be destroyed."""

    __tablename__ = "holds"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    exhibit_id: Mapped[UUID | None] = mapped_column(ForeignKey("exhibits.id"), index=True)
    ground: Mapped[str]
    note: Mapped[str]
    placed_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    lifted_at: Mapped[datetime | None]
    lift_ground: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted_by_a_person"),
        Index("ix_holds_standing", "case_id", postgresql_where=text("lifted_at IS NULL")),
    )


class ExhibitRow(Recorded, Base):
    """One piece of digital evidence in a case. `sha256` and `size_bytes` are the client's word until it is sealed."""

    __tablename__ = "exhibits"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[int]
    filename: Mapped[str]
    folder: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    media_type: Mapped[str | None]
    basis: Mapped[str]
    purpose: Mapped[str]
    retain_days: Mapped[int]
    registered_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    registered_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    retain_until: Mapped[datetime | None]
    blob_id: Mapped[UUID | None]
    upload_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    recorded_at_claim: Mapped[str] = mapped_column("recorded_at", default="")
    claims: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    category: Mapped[str | None]
    rule_version: Mapped[int | None]
    disposal_id: Mapped[UUID | None]
    disposal_number: Mapped[int | None]
    destroyed_at: Mapped[datetime | None]
    held: Mapped[bool] = column_property(
        exists().where(
            HoldRow.case_id == case_id,
            HoldRow.lifted_at.is_(None),
            or_(HoldRow.exhibit_id.is_(None), HoldRow.exhibit_id == id),
        )
    )
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("number >= 1", name="number_from_one"),
        CheckConstraint("size_bytes > 0", name="not_empty"),
        CheckConstraint("(destroyed_at IS NULL) = (disposal_id IS NULL)", name="destroyed_by_an_act"),
        Index("ix_exhibits_term", "retain_until", postgresql_where=text("destroyed_at IS NULL")),
        Index(
            "uq_exhibits_digest_in_case",
            "case_id",
            "sha256",
            unique=True,
            postgresql_where=text("state NOT IN ('refused', 'discarded') AND destroyed_at IS NULL"),
        ),
        Index("ix_exhibits_destroyed_digest", "case_id", "sha256", postgresql_where=text("destroyed_at IS NOT NULL")),
        Index("ix_exhibits_upload_id", "upload_id"),
    )


class ReceiptRow(Recorded, Base):
    """A signed receipt for what an officer delivered. `body` is what it says, the blob the PDF. Never changes."""

    __tablename__ = "receipts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    issued_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    issued_at: Mapped[datetime]
    files: Mapped[int]
    size_bytes: Mapped[int]
    blob_id: Mapped[UUID]
    sha256: Mapped[str]
    body: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_receipts_case_id", "case_id", "issued_at"),)
