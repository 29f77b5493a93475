"""Reading the ledger: chains, trails, single entries, heads. Sessions in, frozen values out; nothing is changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from custody.kernel.clock import to_ms
from custody.kernel.errors import Corrupt, NotFound
from custody.kernel.outbox import EventOpeningRow, EventOutboxRow
from custody.proof import merkle
from custody.tables import (
    CheckpointRow,
    LedgerEntryRow,
    LedgerStateRow,
)

PAGE = 50
MAX_PAGE = 500


@dataclass(frozen=True)
class EntryView:
    """One event in its place. `canonical` is the leaf; every other value was read from it, never from a column."""

    seq: int
    leaf_hash: bytes
    canonical: bytes
    id: UUID
    type: str
    item: str
    item_seq: int
    prev: str | None
    case_id: UUID | None
    time_ms: int
    actor_id: UUID | None
    role: str
    means: str
    data: Mapping[str, Any]
    personal: Mapping[str, str]


@dataclass(frozen=True)
class TrailFilter:
    """What of a trail is asked for; None asks for everything. Times are a half-open span [since, until)."""

    case_id: UUID | None = None
    item: str | None = None
    types: Sequence[str] = ()
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class TrailPage:
    """Entries, and the `seq` to ask for next; None when there is no more."""

    entries: tuple[EntryView, ...]
    next_seq: int | None


@dataclass(frozen=True)
class LedgerHealth:
    """How the ledger stands: entries in order, published of them, waiting for their place, and why it is halted."""

    size: int
    published: int
    waiting: int
    halted: str | None


@dataclass(frozen=True)
class ChainLink:
    """Where a chain was found to be right up to: the last entry's place, or nothing for an item without events."""

    item: str
    length: int
    last_leaf_hash: bytes | None = field(default=None)


def chain(session: Session, item: str, *, limit: int | None = None) -> list[EntryView]:
    """The chain of an item from its first event on, in order: the whole, or the first `limit` of it."""
    query = select(LedgerEntryRow).where(LedgerEntryRow.item == item).order_by(LedgerEntryRow.item_seq).limit(limit)
    return [_view(row) for row in session.scalars(query)]


def newest(session: Session, item: str, *, before: int | None = None, limit: int = PAGE) -> list[EntryView]:
    """The last events of an item's chain, newest first; with `before` those whose `item_seq` is smaller."""
    query = select(LedgerEntryRow).where(LedgerEntryRow.item == item)
    if before is not None:
        query = query.where(LedgerEntryRow.item_seq < before)
    return [_view(row) for row in session.scalars(query.order_by(LedgerEntryRow.item_seq.desc()).limit(limit))]


def length(session: Session, item: str) -> int:
    """How many events of an item have their place: `item_seq` counts from 0 without a gap."""
    last = session.scalar(select(func.max(LedgerEntryRow.item_seq)).where(LedgerEntryRow.item == item))
    return 0 if last is None else last + 1


def positions(session: Session, type: str, items: Sequence[str]) -> dict[str, EntryView]:
    """The last event of a type on each of these chains, by item; chains that have none yet are left out."""
    query = select(LedgerEntryRow).where(LedgerEntryRow.item.in_(items), LedgerEntryRow.type == type)
    return {row.item: _view(row) for row in session.scalars(query.order_by(LedgerEntryRow.seq))}


def trail(
    session: Session,
    wanted: TrailFilter,
    *,
    before_seq: int | None = None,
    after_seq: int | None = None,
    limit: int = PAGE,
) -> TrailPage:
    """A page of a trail: newest first before `before_seq`, or oldest first after `after_seq` when that is given.

    `limit` is cut to 500. Order is the ledger index, never a clock.
    """
    limit = max(1, min(limit, MAX_PAGE))
    query = _filtered(wanted)
    if after_seq is not None:
        query = query.where(LedgerEntryRow.seq > after_seq).order_by(LedgerEntryRow.seq)
    else:
        query = query.order_by(LedgerEntryRow.seq.desc())
        if before_seq is not None:
            query = query.where(LedgerEntryRow.seq < before_seq)
    rows = session.scalars(query.limit(limit + 1)).all()
    page = tuple(_view(row) for row in rows[:limit])
    return TrailPage(page, page[-1].seq if len(rows) > limit else None)


def _filtered(wanted: TrailFilter) -> Select[LedgerEntryRow]:
    query = select(LedgerEntryRow)
    if wanted.case_id is not None:
        query = query.where(LedgerEntryRow.case_id == wanted.case_id)
    if wanted.item is not None:
        query = query.where(LedgerEntryRow.item == wanted.item)
    if wanted.types:
        query = query.where(LedgerEntryRow.type.in_(wanted.types))
    if wanted.actor_id is not None:
        query = query.where(LedgerEntryRow.actor_id == wanted.actor_id)
    if wanted.since is not None:
        query = query.where(LedgerEntryRow.time_ms >= to_ms(wanted.since))
    if wanted.until is not None:
        query = query.where(LedgerEntryRow.time_ms < to_ms(wanted.until))
    return query


def count(session: Session, wanted: TrailFilter, *, below: int) -> int:
    """How many entries with a `seq` below `below` a filter asks for: what an export says of itself beforehand."""
    query = _filtered(wanted).where(LedgerEntryRow.seq < below)
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def waiting(session: Session, item: str) -> int:
    """How many events of an item are durable and have no place in the ledger yet."""
    query = select(func.count()).select_from(EventOutboxRow).where(EventOutboxRow.item == item)
    return session.scalar(query) or 0


def entry(session: Session, event_id: UUID) -> EntryView:
    """One event by its id. Raises NotFound `ledger.not_sequenced` while it has no place (or never will)."""
    row = session.scalar(select(LedgerEntryRow).where(LedgerEntryRow.event_id == event_id))
    if row is None:
        raise NotFound("ledger.not_sequenced")
    return _view(row)


def place_of(session: Session, event_id: UUID) -> tuple[str, UUID | None] | None:
    """The chain and the case of an event, whether it has its place in the ledger already or waits for it."""
    # In this order: between the two questions it may get its place, and then it is found there.
    body = session.scalar(select(EventOutboxRow.body).where(EventOutboxRow.event_id == event_id))
    if body is not None:
        said = json.loads(body)
        return said["item"], UUID(said["case"]) if said["case"] else None
    row = session.execute(
        select(LedgerEntryRow.item, LedgerEntryRow.case_id).where(LedgerEntryRow.event_id == event_id)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def entries_at(session: Session, seqs: Sequence[int]) -> list[EntryView]:
    """The entries with these indexes, in order; those that are not there are left out."""
    query = select(LedgerEntryRow).where(LedgerEntryRow.seq.in_(seqs)).order_by(LedgerEntryRow.seq)
    return [_view(row) for row in session.scalars(query)]


def openings(session: Session, event_ids: Sequence[UUID]) -> dict[UUID, dict[str, str]]:
    """The personal values of events, by event and field, as far as they were not erased."""
    found: dict[UUID, dict[str, str]] = {}
    for row in session.scalars(select(EventOpeningRow).where(EventOpeningRow.event_id.in_(event_ids))):
        found.setdefault(row.event_id, {})[row.field] = row.value
    return found


def pending(session: Session) -> bool:
    """Whether events are durable that have no place in the ledger yet."""
    return bool(session.scalar(select(exists(select(EventOutboxRow.position)))))


def health(session: Session) -> LedgerHealth:
    """How the ledger stands."""
    state = session.scalars(select(LedgerStateRow)).one()
    published = session.scalar(select(func.max(CheckpointRow.size))) or 0
    waiting = session.scalar(select(func.count()).select_from(EventOutboxRow)) or 0
    return LedgerHealth(state.size, published, waiting, state.halted)


def check_chain(session: Session, item: str) -> ChainLink:
    """Recompute an item's chain from the canonical bytes: every hash, every `item_seq`, every `prev`.

    Raises Corrupt `ledger.chain_broken` with the first `item_seq` that is wrong. Does not prove that the chain's end is
    its end, nor that it is in the published log: for that there are proofs.
    """
    query = select(LedgerEntryRow).where(LedgerEntryRow.item == item).order_by(LedgerEntryRow.item_seq)
    prev: bytes | None = None
    length = 0
    for row in session.scalars(query):
        view = _view(row)
        computed = merkle.leaf_hash(view.canonical)
        expected_prev = "sha256:" + prev.hex() if prev else None
        right = (computed, item, length, length, expected_prev)
        if right != (view.leaf_hash, view.item, view.item_seq, row.item_seq, view.prev):
            raise Corrupt("ledger.chain_broken", item=item, item_seq=length)
        prev, length = computed, length + 1
    return ChainLink(item, length, prev)


def _view(row: LedgerEntryRow) -> EntryView:
    leaf = bytes(row.canonical)
    event = json.loads(leaf)
    return EntryView(
        seq=row.seq,
        leaf_hash=bytes(row.leaf_hash),
        canonical=leaf,
        id=UUID(event["id"]),
        type=event["type"],
        item=event["item"],
        item_seq=event["item_seq"],
        prev=event["prev"],
        case_id=UUID(event["case"]) if event["case"] else None,
        time_ms=event["time_ms"],
        actor_id=UUID(event["actor"]["id"]) if event["actor"]["id"] else None,
        role=event["actor"]["role"],
        means=event["actor"]["means"],
        data=event["data"],
        personal=event["personal"],
    )
