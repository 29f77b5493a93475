"""Personal values of events as one reader may see them: one record, its names withheld from whom they are not for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from custody import personal
from custody.audit import EntryView
from custody.personal import Erasure
from evidence_api.services import Services


@dataclass(frozen=True)
class Shown:
    """One personal value. `state`: shown, withheld (from this reader), erased, lost, false (not what was recorded)."""

    field: str
    state: str
    value: str = ""
    erasure: Erasure | None = None


def shown(session: Session, entries: Iterable[EntryView], *, may_see: bool) -> Mapping[UUID, tuple[Shown, ...]]:
    """The personal values of events, by event."""
    found = personal.values(session, {entry.id: entry.personal for entry in entries})
    return {event_id: tuple(_shown(one, may_see=may_see) for one in values) for event_id, values in found.items()}


def of(services: Services, entries: Sequence[EntryView], *, may_see: bool) -> Mapping[UUID, tuple[Shown, ...]]:
    """As `shown`, in a session of its own."""
    with services.database.read() as session:
        return shown(session, entries, may_see=may_see)


def _shown(one: personal.Value, *, may_see: bool) -> Shown:
    if one.erasure is not None:
        return Shown(one.field, "erased", erasure=one.erasure)
    if one.value is None:
        return Shown(one.field, "lost" if one.true else "false")
    return Shown(one.field, "shown", one.value) if may_see else Shown(one.field, "withheld")
