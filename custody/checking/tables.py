"""Tables of the check of the whole ledger: how far one has come, and what each has found."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class CheckPositionRow(Base):
    """How far the check of a job has come. Operational: it saves repeating what held, and is removed at the end."""

    __tablename__ = "ledger_check_positions"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[dict[str, Any]]


class LedgerCheckRow(Recorded, Base):
    """What a check has found: the canonical report, whose digest its event `ledger.checked` names. Never changes."""

    __tablename__ = "ledger_checks"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    report: Mapped[str]
    report_sha256: Mapped[str]
    checked_at: Mapped[datetime]
