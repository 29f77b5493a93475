"""Operational tables of access: sessions, upload tokens, rate limits. No business fact lives here, so no event ids.

A reader of these tables learns no token: only SHA-256 digests of random 256-bit tokens are kept. A writer could invent
a session; the events `session.opened` would then be missing from the ledger.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base


class SessionRow(Base):
    """A signed-in person on one device or program."""

    __tablename__ = "sessions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    means: Mapped[str]
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None]
    __table_args__ = (Index("ix_sessions_account_id", "account_id"),)


class UploadTokenRow(Base):
    """A token for one upload only: it outlives the session's idle time, never the upload."""

    __tablename__ = "upload_tokens"
    token_digest: Mapped[bytes] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_upload_tokens_upload_id", "upload_id"),)


class RateLimitRow(Base):
    """One bucket of the generic cell rate algorithm: when it will be empty again. Unlogged: a crash forgets it."""

    __tablename__ = "rate_limits"
    bucket: Mapped[bytes] = mapped_column(primary_key=True)
    empty_at: Mapped[datetime]
    __table_args__ = (Index("ix_rate_limits_empty_at", "empty_at"), {"prefixes": ["UNLOGGED"]})
