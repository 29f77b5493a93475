"""Reading the ledger: chains, trails, single entries, heads. Sessions in, frozen values out; nothing is changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from custody import logs
from custody.kernel.clock import from_ms, to_ms
from custody.kernel.errors import Corrupt, NotFound
from custody.kernel.outbox import EventOpeningRow, EventOutboxRow
from custody.logs import Log
from custody.proof import merkle
from custody.tables import (
    CheckpointQuorumRow,
    CheckpointRow,
    CheckpointTimestampRow,
    CosignatureRow,
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
class WitnessView:
    """A witness that cosigned a head: its key's name, and the time it claims."""

    name: str
    at: datetime


@dataclass(frozen=True)
class TimestampView:
    """A time stamp over the head of `size`: by whom, when (the authority's time), and the RFC 3161 token itself."""

    size: int
    authority: str
    at: datetime
    token: bytes = field(repr=False)


@dataclass(frozen=True)
class CheckpointView:
    """A published head: `note` is the signed note as others verify it, with every cosignature that came in.

    `size` counts the ledger's entries up to this head, over all logs; `tree_size` those of the log `origin`, as the
    note says it. `witnessed_at` is when the policy's quorum was reached, None while it is not.
    """

    size: int
    root: bytes
    note: str
    published_at: datetime
    origin: str
    tree_size: int
    witnesses: tuple[WitnessView, ...] = ()
    witnessed_at: datetime | None = None
    timestamps: tuple[TimestampView, ...] = ()


@dataclass(frozen=True)
class HeadFilter:
    """Which published heads are asked for, by when they were published: a half-open span [since, until).

    `stamped`: only those with a time stamp; `without_quorum`: only those behind which the witnesses do not stand.
    """

    since: datetime | None = None
    until: datetime | None = None
    stamped: bool = False
    without_quorum: bool = False


@dataclass(frozen=True)
class HeadPage:
    """Heads, the largest first, and the size to ask below for more; None when there are no more."""

    heads: tuple[CheckpointView, ...]
    next_size: int | None


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
    row = session.execute(
        select(LedgerEntryRow.item, LedgerEntryRow.case_id).where(LedgerEntryRow.event_id == event_id)
    ).one_or_none()
    if row is not None:
        return row[0], row[1]
    body = session.scalar(select(EventOutboxRow.body).where(EventOutboxRow.event_id == event_id))
    if body is None:
        return None
    said = json.loads(body)
    return said["item"], UUID(said["case"]) if said["case"] else None


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


def latest_checkpoint(session: Session) -> CheckpointView | None:
    """The last published head; None before the first."""
    row = session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))
    return None if row is None else _checkpoint(session, row)


def latest_of(session: Session, log: Log) -> CheckpointView | None:
    """The last published head of one log; None before its first."""
    within = select(CheckpointRow).where(
        CheckpointRow.size > log.start, CheckpointRow.size <= logs.end_of(session, log)
    )
    row = session.scalar(within.order_by(CheckpointRow.size.desc()).limit(1))
    return None if row is None else _checkpoint(session, row)


def latest_witnessed(session: Session, *, stamped: bool = False) -> CheckpointView | None:
    """The last published head behind which the policy's quorum stands; None before the first.

    With `stamped`, the last one of them that an authority has stamped as well.
    """
    query = select(CheckpointRow).join(CheckpointQuorumRow, CheckpointQuorumRow.size == CheckpointRow.size)
    if stamped:
        query = query.where(exists().where(CheckpointTimestampRow.size == CheckpointRow.size))
    row = session.scalar(query.order_by(CheckpointRow.size.desc()).limit(1))
    return None if row is None else _checkpoint(session, row)


def latest_timestamp(session: Session) -> TimestampView | None:
    """The time stamp over the largest head that has one."""
    row = session.scalar(select(CheckpointTimestampRow).order_by(CheckpointTimestampRow.size.desc()).limit(1))
    return None if row is None else _timestamp(row)


def checkpoint(session: Session, size: int) -> CheckpointView:
    """The published head of this size. Raises NotFound `ledger.no_such_head`."""
    row = session.get(CheckpointRow, size)
    if row is None:
        raise NotFound("ledger.no_such_head")
    return _checkpoint(session, row)


def heads(session: Session, wanted: HeadFilter, *, before_size: int | None = None, limit: int = PAGE) -> HeadPage:
    """A page of published heads, the largest first, below `before_size` when that is given. `limit` is cut to 500."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(CheckpointRow).order_by(CheckpointRow.size.desc())
    if before_size is not None:
        query = query.where(CheckpointRow.size < before_size)
    if wanted.since is not None:
        query = query.where(CheckpointRow.published_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(CheckpointRow.published_at < wanted.until)
    if wanted.stamped:
        query = query.where(exists().where(CheckpointTimestampRow.size == CheckpointRow.size))
    if wanted.without_quorum:
        query = query.where(~exists().where(CheckpointQuorumRow.size == CheckpointRow.size))
    rows = session.scalars(query.limit(limit + 1)).all()
    found = tuple(_checkpoints(session, rows[:limit]))
    return HeadPage(found, found[-1].size if len(rows) > limit else None)


def checkpoint_covering(session: Session, index: int) -> CheckpointView | None:
    """The first published head that contains the entry at `index`; None while there is none."""
    query = select(CheckpointRow).where(CheckpointRow.size > index).order_by(CheckpointRow.size).limit(1)
    row = session.scalar(query)
    return None if row is None else _checkpoint(session, row)


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


def _timestamp(row: CheckpointTimestampRow) -> TimestampView:
    return TimestampView(row.size, row.authority, from_ms(row.time_s * 1000), bytes(row.token))


def _checkpoint(session: Session, row: CheckpointRow) -> CheckpointView:
    return _checkpoints(session, [row])[0]


def _checkpoints(session: Session, rows: Sequence[CheckpointRow]) -> list[CheckpointView]:
    """Heads with all that came in about them, in three queries however many they are."""
    sizes = [row.size for row in rows]
    cosigned: dict[int, list[CosignatureRow]] = {size: [] for size in sizes}
    query = select(CosignatureRow).where(CosignatureRow.size.in_(sizes)).order_by(CosignatureRow.name)
    for one in session.scalars(query):
        cosigned[one.size].append(one)
    stamps: dict[int, list[TimestampView]] = {size: [] for size in sizes}
    stamped = select(CheckpointTimestampRow).where(CheckpointTimestampRow.size.in_(sizes))
    for stamp in session.scalars(stamped.order_by(CheckpointTimestampRow.authority)):
        stamps[stamp.size].append(_timestamp(stamp))
    quorums = session.scalars(select(CheckpointQuorumRow).where(CheckpointQuorumRow.size.in_(sizes)))
    reached = {one.size: one.reached_at for one in quorums}
    return [
        CheckpointView(
            size=row.size,
            origin=row.note.split("\n", 2)[0],
            tree_size=int(row.note.split("\n", 2)[1]),
            root=bytes(row.root),
            note=row.note + "".join(one.line for one in cosigned[row.size]),
            published_at=row.published_at,
            witnesses=tuple(WitnessView(one.name, from_ms(one.time_s * 1000)) for one in cosigned[row.size]),
            witnessed_at=reached.get(row.size),
            timestamps=tuple(stamps[row.size]),
        )
        for row in rows
    ]


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
