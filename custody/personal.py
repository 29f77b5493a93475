"""Personal values of events: shown with proof that they are what was recorded, erased without breaking a hash.

An event holds a personal value as a digest under a salt; value and salt, its opening, lie in `event_openings`. Without
the opening the digest says nothing, and every hash over the event stays as it was. What erasing does not reach: copies
that people made, backups of the database made before it, and openings in packages that were handed out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import from_ms
from custody.kernel.outbox import EventOpeningRow
from custody.kernel.unit_of_work import UnitOfWork
from custody.tables import LedgerEntryRow

ERASED = "personal.erased"


@dataclass(frozen=True)
class Erasure:
    """That a value was erased: when, and by which order."""

    at: datetime
    order: str


@dataclass(frozen=True)
class Value:
    """A personal value of an event. `value` is None where there is no opening, or one that is not what was recorded.

    `erasure` says why there is none; without it the opening was lost.
    """

    field: str
    value: str | None
    true: bool
    erasure: Erasure | None = None


def values(session: Session, events: Mapping[UUID, Mapping[str, str]]) -> dict[UUID, tuple[Value, ...]]:
    """The personal values of events, given the digests that stand in each: by event, in the order of their names."""
    wanted = {event_id: digests for event_id, digests in events.items() if digests}
    if not wanted:
        return {}
    query = select(EventOpeningRow).where(EventOpeningRow.event_id.in_(wanted))
    opened = {(row.event_id, row.field): (bytes(row.salt), row.value) for row in session.scalars(query)}
    erased = _erasures(session, wanted) if len(opened) < sum(map(len, wanted.values())) else {}
    found = {}
    for event_id, digests in wanted.items():
        row = []
        for field, digest in sorted(digests.items()):
            salt, value = opened.get((event_id, field), (b"", None))
            true = value is not None and event.personal_digest(salt, value) == digest
            row.append(Value(field, value if true else None, true or value is None, erased.get((event_id, field))))
        found[event_id] = tuple(row)
    return found


def erase(work: UnitOfWork, event_id: UUID, field: str) -> bool:
    """Erase one value's opening for good; whether there was one. Whoever calls records `personal.erased` beside it."""
    gone = delete(EventOpeningRow).where(EventOpeningRow.event_id == event_id, EventOpeningRow.field == field)
    return work.session.scalar(gone.returning(EventOpeningRow.field)) is not None


def _erasures(session: Session, wanted: Mapping[UUID, object]) -> dict[tuple[UUID, str], Erasure]:
    """The erasures of these events: on the chain of each, as the erased value was."""
    items = select(LedgerEntryRow.item).where(LedgerEntryRow.event_id.in_(wanted))
    query = select(LedgerEntryRow.canonical).where(LedgerEntryRow.item.in_(items), LedgerEntryRow.type == ERASED)
    told = [json.loads(bytes(leaf)) for leaf in session.scalars(query)]
    return {
        (UUID(one["data"]["event"]), one["data"]["field"]): Erasure(from_ms(one["time_ms"]), one["data"]["order"])
        for one in told
    }
