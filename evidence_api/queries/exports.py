"""A trail to take away: the event of the export first, then exactly as many events as it says, in the ledger's order.

An export is bound by the size of the ledger at its beginning: entries never change, so its pages, read one after the
other, are those of that one moment and their number is known beforehand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, event, heads
from custody.audit import EntryView, TrailFilter
from custody.kernel.errors import TooLarge
from custody.kernel.outbox import Actor
from evidence_api.queries.cases import Thing, names_in, things_in
from evidence_api.queries.trails import Wanted, criteria
from evidence_api.registry import reads
from evidence_api.registry.facts import Case, Exhibit
from evidence_api.services import Services

_PAGE = 500


@dataclass(frozen=True)
class ExportPage:
    """Some of an export's events, with names as pages show them and the exhibits they are about."""

    entries: tuple[EntryView, ...]
    names: Mapping[UUID, str]
    things: Mapping[UUID, Thing]
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True)
class Export:
    """What is exported: `total` events of the first `size` of the ledger. `filters` as they were asked for.

    `checkpoint` is the last head with the witnesses' quorum, as text; None before the first.
    """

    case: Case
    exhibit: Exhibit | None
    filters: Mapping[str, str]
    at: datetime
    by: str
    total: int
    size: int
    checkpoint: str | None
    _services: Services
    _criteria: TrailFilter | None

    def pages(self) -> Iterator[ExportPage]:
        """Every event asked for, oldest first, a few hundred at a time."""
        after: int | None = -1
        while after is not None and self._criteria is not None:
            with self._services.database.read() as session:
                page = audit.trail(session, self._criteria, after_seq=after, limit=_PAGE)
                entries = tuple(entry for entry in page.entries if entry.seq < self.size)
                after = page.next_seq if len(entries) == len(page.entries) else None
                yield self._named(session, entries)

    def entries(self) -> Iterator[EntryView]:
        """The events alone."""
        for page in self.pages():
            yield from page.entries

    def _named(self, session: Session, entries: tuple[EntryView, ...]) -> ExportPage:
        items = dict.fromkeys(entry.item for entry in entries if entry.item.startswith("exhibit:"))
        exhibits = tuple(reads.get_exhibit(session, UUID(item.partition(":")[2])) for item in items)
        return ExportPage(entries, names_in(session, entries), things_in(session, self.case.id, entries), exhibits)


def begin(
    services: Services,
    actor: Actor,
    case_id: UUID,
    wanted: Wanted,
    *,
    filters: Mapping[str, str],
    format: str,
    exhibit_id: UUID | None = None,
    limit: int | None = None,
) -> Export:
    """Record the export, then say what it will hold. An exhibit's export is on the exhibit's chain.

    Raises TooLarge `trail.too_long` when it has more events than `limit`; nothing is then recorded.
    """
    item = f"exhibit:{exhibit_id}" if exhibit_id else f"case:{case_id}"
    with services.database.read() as session:
        asked = criteria(session, case_id, wanted, exhibit_id)
        size = audit.health(session).size
        total = audit.count(session, asked, below=size) if asked else 0
        head = heads.latest_witnessed(session)
        exhibit = reads.get_exhibit(session, exhibit_id) if exhibit_id else None
        case = reads.get_case(session, case_id)
        names = reads.names_of(session, [actor.id] if actor.id else [])
    if limit is not None and total > limit:
        raise TooLarge("trail.too_long", events=total, limit=limit)
    with services.database.begin(actor) as work:
        work.record(event.draft("trail.exported", item=item, case_id=case_id, format=format))
        work.commit()
    return Export(
        case=case,
        exhibit=exhibit,
        filters=dict(filters),
        at=services.database.clock.now(),
        by=names.get(actor.id, "") if actor.id else "",
        total=total,
        size=size,
        checkpoint=head.note if head else None,
        _services=services,
        _criteria=asked,
    )
