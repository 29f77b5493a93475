"""The ledger's tables: events in their final order, the sequencer's state, and the published heads.

Rows stay inside `custody`; others read through `custody.audit` and `custody.ledger`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel import outbox
from custody.kernel.orm import Base

__all__ = [
    "AnchorRow",
    "CheckpointQuorumRow",
    "CheckpointRow",
    "CheckpointTimestampRow",
    "CosignatureRow",
    "LedgerEntryRow",
    "LedgerStateRow",
    "LogRow",
    "outbox",
]


class LedgerEntryRow(Base):
    """One event in its place. Never updated, never deleted: triggers refuse it, whoever asks.

    `canonical` is the leaf, byte for byte; `leaf_hash` is SHA-256(0x00 ‖ canonical) (RFC 9162, section 2.1.1). The
    other columns repeat what the leaf says, for queries only: where they differ, the leaf is right.
    """

    __tablename__ = "ledger_entries"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf_hash: Mapped[bytes]
    item: Mapped[str]
    item_seq: Mapped[int]
    event_id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    case_id: Mapped[UUID | None]
    time_ms: Mapped[int]
    actor_id: Mapped[UUID | None]
    canonical: Mapped[bytes]
    __table_args__ = (
        UniqueConstraint("item", "item_seq"),
        Index("ix_ledger_entries_case_id_seq", "case_id", "seq"),
        Index("ix_ledger_entries_actor_id_seq", "actor_id", "seq"),
        CheckConstraint("seq >= 0 AND item_seq >= 0 AND octet_length(leaf_hash) = 32", name="sane"),
    )


class LedgerStateRow(Base):
    """The sequencer's one row: how long the ledger is, whose epoch it is, and whether it is halted.

    `beat_at` is the database's own clock and decides only when a silent leader may be replaced; what it may still
    write is decided by `epoch` alone. `closing`: the last entry closes the log, and nothing gets a place until the
    next log has begun.
    """

    __tablename__ = "ledger_state"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]
    epoch: Mapped[int]
    beat_at: Mapped[datetime | None]
    halted: Mapped[str | None]
    closing: Mapped[bool] = mapped_column(server_default=false())
    __table_args__ = (CheckConstraint("id = 1", name="single"),)


class LogRow(Base):
    """A log of the ledger (`custody.logs`). `start` is None from the moment the log before it is closed until its own
    first entry stands. `unwitnessed`: people decided to open it although the quorum does not stand behind the end of
    the one before.
    """

    __tablename__ = "ledger_logs"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(unique=True)
    vkey: Mapped[str]
    start: Mapped[int | None] = mapped_column(unique=True)
    unwitnessed: Mapped[bool] = mapped_column(server_default=false())


class CheckpointRow(Base):
    """A published head, as it was signed. The register outside the database decides; this row is for readers."""

    __tablename__ = "checkpoints"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    published_at: Mapped[datetime]


class CosignatureRow(Base):
    """A witness's verified cosignature of a published head: the line as it stands in a note, by the key's label."""

    __tablename__ = "checkpoint_cosignatures"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str]
    time_s: Mapped[int]
    received_at: Mapped[datetime]


class CheckpointQuorumRow(Base):
    """That the policy's quorum stands behind a published head, and since when. A head without it is flagged."""

    __tablename__ = "checkpoint_quorums"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reached_at: Mapped[datetime]


class AnchorRow(Base):
    """A published head that is to be time-stamped: the queue, and once stamped the memory of it."""

    __tablename__ = "anchors"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wanted_at: Mapped[datetime]


class CheckpointTimestampRow(Base):
    """An RFC 3161 token over a published head's text, verified before it was kept."""

    __tablename__ = "checkpoint_timestamps"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    authority: Mapped[str] = mapped_column(primary_key=True)
    time_s: Mapped[int]
    token: Mapped[bytes]
    received_at: Mapped[datetime]
