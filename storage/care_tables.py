"""Tables of the care for what is stored: versions of the key-encryption key, checks of the objects, alarms."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from custody.kernel.orm import Base, Recorded


class KeyVersionRow(Recorded, Base):
    """A version of the key-encryption key. Once `closed_at` the database takes no more wraps under it; `retired_at` is
    when the key service was told to end it.
    """

    __tablename__ = "key_versions"
    key_id: Mapped[str] = mapped_column(primary_key=True)
    known_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class FixityStateRow(Base):
    """What the last check of an object found. Operational: what differs has its event and its alarm."""

    __tablename__ = "fixity_states"
    blob_id: Mapped[UUID] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    deep_at: Mapped[datetime | None]
    what: Mapped[str | None]
    place: Mapped[str | None]
    expected: Mapped[str | None]
    found: Mapped[str | None]
    __table_args__ = (Index("ix_fixity_states_damaged", "blob_id", postgresql_where=text("what IS NOT NULL")),)


class FixityRoundRow(Base):
    """One walk over every object, in the order of ids. `after` and `segment` say how far it has come.

    Operational: it saves checking again what was checked before a worker died.
    """

    __tablename__ = "fixity_rounds"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    deep: Mapped[bool]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    next_at: Mapped[datetime]
    after: Mapped[UUID | None]
    segment: Mapped[int] = mapped_column(default=0)
    checked: Mapped[int] = mapped_column(default=0)
    size_bytes: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("uq_fixity_rounds_open", "deep", unique=True, postgresql_where=text("ended_at IS NULL")),)


class FixityAlarmRow(Recorded, Base):
    """A difference, and who it concerns. It never changes but to be cleared by a check that a person asked for."""

    __tablename__ = "fixity_alarms"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    blob_id: Mapped[UUID | None] = mapped_column(index=True)
    item: Mapped[str]
    case_id: Mapped[UUID | None]
    what: Mapped[str]
    place: Mapped[str]
    expected: Mapped[str]
    found: Mapped[str]
    found_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("(blob_id IS NULL) = (item = 'system')", name="about"),
        Index("ix_fixity_alarms_open", "case_id", postgresql_where=text("cleared_at IS NULL")),
    )
