"""Tables of disclosure. Rows stay inside this package's service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class DisclosureRow(Recorded, Base):
    """One numbered round to one recipient. After release its manifest never changes (trigger `keep_manifest`)."""

    __tablename__ = "disclosures"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    round: Mapped[int | None]
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[str]
    drafted_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    drafted_at: Mapped[datetime]
    renditions: Mapped[list[Any]]
    withheld: Mapped[list[Any]]
    released_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    released_at: Mapped[datetime | None]
    manifest: Mapped[str | None]
    manifest_sha256: Mapped[str | None]
    package_blob_id: Mapped[UUID | None] = mapped_column(ForeignKey("blobs.id"))
    package_sha256: Mapped[str | None]
    package_bytes: Mapped[int | None]
    checkpoint_size: Mapped[int | None]
    opened_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    disposal_id: Mapped[UUID | None]
    disposal_number: Mapped[int | None]
    destroyed_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("case_id", "recipient_id", "round"),
        CheckConstraint("(destroyed_at IS NULL) = (disposal_id IS NULL)", name="destroyed_by_an_act"),
    )
