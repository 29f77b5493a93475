"""The record: events of a case or an exhibit with their canonical bytes, jobs, the ledger's state."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from custody.audit import EntryView
from custody.kernel.clock import from_ms
from evidence_api.http.guard import Access, by_case, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import trails

routes = router("", "trail")


class EventOut(BaseModel):
    """One event in its place. `canonical` is the exact leaf."""

    seq: int
    id: UUID
    type: str
    item: str
    item_seq: int
    time: datetime
    actor: UUID | None
    role: str
    means: str
    data: dict[str, Any]
    canonical: str


class TrailOut(BaseModel):
    """Events, newest first; `next` is the `before` of the page after this one."""

    items: list[EventOut]
    next: int | None


class LedgerOut(BaseModel):
    """How the ledger stands."""

    size: int
    published: int
    waiting: int
    halted: str | None


@routes.get("/cases/{case_id}/trail")
def of_case(
    case_id: UUID,
    services: ServicesOf,
    access: Annotated[Access, guard("trail.read", by_case)],
    before: Annotated[int | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    type: Annotated[str | None, Query(max_length=60)] = None,
) -> TrailOut:
    """The events of a case, newest first."""
    del access
    page = trails.of_case(services, case_id, types=(type,) if type else (), before=before, limit=limit)
    return TrailOut(items=[event_out(entry) for entry in page.entries], next=page.next_seq)


@routes.get("/exhibits/{exhibit_id}/trail")
def of_exhibit(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("trail.read", by_exhibit)]
) -> TrailOut:
    """The whole chain of an exhibit, oldest first, recomputed before it is shown."""
    del access
    return TrailOut(items=[event_out(entry) for entry in trails.of_exhibit(services, exhibit_id)], next=None)


@routes.get("/ledger")
def ledger(services: ServicesOf, access: Annotated[Access, guard("system.read")]) -> LedgerOut:
    """Size, published size, what waits, whether it is halted."""
    del access
    health = trails.health(services)
    return LedgerOut(size=health.size, published=health.published, waiting=health.waiting, halted=health.halted)


def event_out(entry: EntryView) -> EventOut:
    """An event as the API shows it."""
    return EventOut(
        seq=entry.seq,
        id=entry.id,
        type=entry.type,
        item=entry.item,
        item_seq=entry.item_seq,
        time=from_ms(entry.time_ms),
        actor=entry.actor_id,
        role=entry.role,
        means=entry.means,
        data=dict(entry.data),
        canonical=entry.canonical.decode(),
    )
