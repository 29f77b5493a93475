"""The two outboxes: events on their way into the ledger, jobs on their way to a worker (laws 1 and 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import CheckConstraint, Connection, Engine, FetchedValue, Identity, Index, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from custody.kernel.laws import refusal
from custody.kernel.orm import Base


@dataclass(frozen=True)
class Actor:
    """Who acts, in which role, by which means and from where.

    `role` is the role this act was allowed under; `means` is browser, api, worker or cli; `address` is personal and
    reaches an event only as a salted digest.
    """

    id: UUID | None
    role: str
    means: str
    address: str | None = None


@dataclass(frozen=True)
class EventDraft:
    """An event before it has its place: built and checked by `custody.event.draft`, never by hand.

    `item` names the chain it belongs to (`exhibit:<uuid>`, `case:<uuid>`, `account:<uuid>`, `system`). `data` holds
    JSON within the canonical profile; `personal` holds values that go into the event as salted digests only.
    """

    type: str
    item: str
    case_id: UUID | None
    data: dict[str, Any]
    personal: dict[str, str]


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in SQL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that reflection (migrations compare themselves with the models) knows the type


class EventOutboxRow(Base):
    """An event that is durable with its business row but has no place in the ledger yet.

    `body` is the canonical JSON without `item_seq` and `prev`, which the sequencer adds.
    """

    __tablename__ = "event_outbox"
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    item: Mapped[str]
    body: Mapped[str]
    txid: Mapped[int] = mapped_column(Xid8(), FetchedValue(), server_default=text("pg_current_xact_id()"))
    __table_args__ = (
        CheckConstraint(
            "octet_length(body) <= 65000 AND body::jsonb @> jsonb_build_object('id', event_id::text, 'item', item)",
            name="body_is_the_event",
        ),
    )


class EventOpeningRow(Base):
    """The opening of one salted digest in an event: erasable without breaking a hash."""

    __tablename__ = "event_openings"
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    value: Mapped[str]


class WrittenEvent(NamedTuple):
    """An event as its outbox row will say it. No ORM object: an ORM's bookkeeping costs more than the writing."""

    event_id: UUID
    item: str
    body: str


class Opening(NamedTuple):
    """The opening of one salted digest, as its row will say it."""

    event_id: UUID
    field: str
    salt: bytes
    value: str


_APPEND_ONE = (
    "INSERT INTO event_outbox (event_id, item, body) VALUES (%b, %b, %b)",
    "WITH appended AS (INSERT INTO event_outbox (event_id, item, body) VALUES (%b, %b, %b))"
    " INSERT INTO event_openings (event_id, field, salt, value) VALUES (%b, %b, %b, %b)",
)
"""By the number of openings."""

# Binary parameters (%b): an array of JSON texts in its text form is escaped quote by quote, 46 µs an event; this is 1.
_APPEND = """
WITH appended AS (
    INSERT INTO event_outbox (event_id, item, body)
    SELECT event_id, item, body
    FROM unnest(%b::uuid[], %b::text[], %b::text[]) WITH ORDINALITY AS event (event_id, item, body, place)
    ORDER BY place
)
INSERT INTO event_openings (event_id, field, salt, value)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::text[])
"""


def append(connection: Connection, events: Sequence[WrittenEvent], openings: Sequence[Opening]) -> None:
    """Write events, in this order, and their openings in one statement: every business act waits for this.

    Raises what the connection's engine would raise.
    """
    _execute(connection.connection.driver_connection, connection.engine, _statement(events, openings))


def append_alone(engine: Engine, events: Sequence[WrittenEvent], openings: Sequence[Opening]) -> None:
    """The same as a transaction of its own, which one statement is: one round trip, on a connection of the pool."""
    held = engine.raw_connection()
    driver: Any = held.driver_connection
    try:
        driver.autocommit = True
        _execute(driver, engine, _statement(events, openings))
        driver.autocommit = False
    except BaseException:
        held.invalidate()
        raise
    finally:
        held.close()


def _execute(driver: Any, engine: Engine, statement: tuple[str, tuple[Any, ...]]) -> None:
    """Straight through the driver: SQLAlchemy's own way to run one statement takes more processor time than the driver,
    the event and its hashes together.
    """
    try:
        with driver.cursor() as cursor:
            cursor.execute(*statement)
    except psycopg.Error as error:
        refused = refusal(error.sqlstate)
        # Neither statement nor values: they may be personal (law 10).
        raise refused or DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=driver.closed, dialect=engine.dialect
        ) from error


def _statement(events: Sequence[WrittenEvent], openings: Sequence[Opening]) -> tuple[str, tuple[Any, ...]]:
    if len(events) == 1 and len(openings) < len(_APPEND_ONE):
        return _APPEND_ONE[len(openings)], (*events[0], *(value for opening in openings for value in opening))
    columns = (
        [row.event_id for row in events],
        [row.item for row in events],
        [row.body for row in events],
        [row.event_id for row in openings],
        [row.field for row in openings],
        [row.salt for row in openings],
        [row.value for row in openings],
    )
    return _APPEND, columns


class JobRow(Base):
    """A job for a worker. It stays until done, so a lost message or a killed worker costs a delay, not the job."""

    __tablename__ = "jobs"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    task: Mapped[str]
    args: Mapped[dict[str, Any]]
    subject: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None]
    done_units: Mapped[int] = mapped_column(default=0)
    total_units: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_jobs_open", "state", "sent_at", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_jobs_subject", "subject"),
    )
