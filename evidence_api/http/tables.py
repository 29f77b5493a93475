"""The edge's one operational table: answers already given under an `Idempotency-Key`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base


class IdempotencyRow(Base):
    """A request seen under a key: its digest and, once finished, its answer. Never holds a token or a password."""

    __tablename__ = "idempotency_keys"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    started_at: Mapped[datetime]
    status: Mapped[int | None]
    media_type: Mapped[str | None]
    location: Mapped[str | None]
    body: Mapped[bytes | None]
    __table_args__ = (Index("ix_idempotency_keys_started_at", "started_at"),)
