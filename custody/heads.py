"""The heads of the ledger as they were shown: who witnessed them, who stamped them. Sessions in, frozen values out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from custody import logs
from custody.kernel.clock import from_ms
from custody.kernel.errors import NotFound
from custody.logs import Log
from custody.tables import (
    CheckpointQuorumRow,
    CheckpointRow,
    CheckpointTimestampRow,
    CosignatureRow,
)

PAGE = 50
MAX_PAGE = 500


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


def page(session: Session, wanted: HeadFilter, *, before_size: int | None = None, limit: int = PAGE) -> HeadPage:
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
