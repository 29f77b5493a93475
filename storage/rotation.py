"""Changing the key-encryption key: every wrapped data key is wrapped anew, nothing is encrypted again.

A version is known, then closed (the database takes no more wraps under it: trigger `refuse_closed_key`), then retired
(the key service ends it). It can be closed only when no row is wrapped under it, and closing and inserting wait for
each other on the version's row, so no wrap is ever left behind under a version that is gone. Writing functions do not
commit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from custody.kernel.errors import Corrupt
from custody.kernel.unit_of_work import Unit, UnitOfWork
from storage import key_records
from storage.care_tables import KeyVersionRow
from storage.keys import KeyWrapper, WrappedKey
from storage.ports import ObjectStore
from storage.service import facts_of
from storage.tables import BlobRow, UploadRow

Row = TypeVar("Row", UploadRow, BlobRow)


@dataclass(frozen=True)
class KeyVersion:
    """A version of the key-encryption key and how many rows are wrapped under it. Times are None before they come."""

    key_id: str
    known_at: datetime | None
    closed_at: datetime | None
    retired_at: datetime | None
    uploads: int
    blobs: int

    @property
    def needed(self) -> int:
        """How many rows would be lost with it."""
        return self.uploads + self.blobs


@dataclass(frozen=True)
class Rewrapped:
    """One batch: how many were wrapped anew, and the blobs whose wrap no longer opens."""

    count: int
    damaged: tuple[UUID, ...] = ()


def versions(session: Session) -> list[KeyVersion]:
    """Every version that is known or named by a row, in the order they became known."""
    uploads, blobs = (_count(session, row) for row in (UploadRow, BlobRow))
    rows = {row.key_id: row for row in session.scalars(select(KeyVersionRow).order_by(KeyVersionRow.known_at))}
    return [
        KeyVersion(
            key_id,
            row.known_at if row else None,
            row.closed_at if row else None,
            row.retired_at if row else None,
            uploads.get(key_id, 0),
            blobs.get(key_id, 0),
        )
        for key_id in dict.fromkeys([*rows, *uploads, *blobs])
        for row in [rows.get(key_id)]
    ]


def _count(session: Session, row: type[UploadRow] | type[BlobRow]) -> dict[str, int]:
    """Rows with a wrapped key, by version. A destroyed key leaves an empty wrap, which needs no version."""
    query = select(row.key_id, func.count()).where(func.octet_length(row.wrapped_key) > 0).group_by(row.key_id)
    return {row[0]: row[1] for row in session.execute(query)}


def unknown(session: Session, key_ids: Sequence[str]) -> list[str]:
    """Those of these versions that are not known yet."""
    known = set(session.scalars(select(KeyVersionRow.key_id)))
    return [key_id for key_id in key_ids if key_id not in known]


def note(work: UnitOfWork, key_id: str, event_id: UUID) -> None:
    """A version is known, under the event `key.created`."""
    work.session.add(KeyVersionRow(key_id=key_id, known_at=work.clock.now(), event_id=event_id))


def rewrap_uploads(unit: Unit, keys: KeyWrapper, old: str, most: int, skip: Sequence[UUID] = ()) -> Rewrapped:
    """A batch of uploads, those that a request is appending to left for the next."""
    rows = _batch(unit.session, UploadRow, UploadRow.blob_id, old, most, skip)
    done, damaged = _rewrapped(keys, [(WrappedKey(row.key_id, row.wrapped_key), row.blob_id) for row in rows])
    for row in rows:
        if new := done.get(row.blob_id):
            row.key_id, row.wrapped_key = new.key_id, new.data
    return Rewrapped(len(done), damaged)


def rewrap_blobs(
    work: UnitOfWork,
    keys: KeyWrapper,
    store: ObjectStore,
    old: str,
    record: Callable[[int], UUID],
    most: int,
    skip: Sequence[UUID] = (),
) -> Rewrapped:
    """A batch of blobs and the records beside their objects, under the event that `record(count)` makes.

    The records are written while the rows are held: a disposal comes before this batch or after it, never between.
    """
    rows = _batch(work.session, BlobRow, BlobRow.id, old, most, skip)
    done, damaged = _rewrapped(keys, [(WrappedKey(row.key_id, row.wrapped_key), row.id) for row in rows])
    if done:
        event_id = record(len(done))
        for row in rows:
            if new := done.get(row.id):
                key_records.keep(store, replace(facts_of(row), key_id=new.key_id, wrapped_key=new.data))
                row.key_id, row.wrapped_key, row.event_id = new.key_id, new.data, event_id
    return Rewrapped(len(done), damaged)


def close(work: UnitOfWork, key_id: str) -> bool:
    """Take no more wraps under a version; False while rows need it. The caller records `key.rotated` and `closed`."""
    row = work.session.get(KeyVersionRow, key_id, with_for_update=True, populate_existing=True)
    found = {one.key_id: one for one in versions(work.session)}
    return row is not None and not found[key_id].needed


def closed(work: UnitOfWork, key_id: str, event_id: UUID) -> None:
    """It is closed, under the event `key.rotated`. In the same unit of work as `close`."""
    row = work.session.get_one(KeyVersionRow, key_id)
    row.closed_at, row.event_id = work.clock.now(), event_id


def retired(work: UnitOfWork, key_id: str, event_id: UUID) -> None:
    """The key service has ended it, under the event `key.destroyed`."""
    row = work.session.get_one(KeyVersionRow, key_id)
    row.retired_at, row.event_id = work.clock.now(), event_id


def _batch(session: Session, row: type[Row], blob_id: Any, old: str, most: int, skip: Sequence[UUID]) -> Sequence[Row]:
    query = select(row).where(row.key_id == old, func.octet_length(row.wrapped_key) > 0, blob_id.not_in(skip))
    return session.scalars(query.order_by(blob_id).limit(most).with_for_update(skip_locked=True)).all()


def _rewrapped(
    keys: KeyWrapper, wrapped: Sequence[tuple[WrappedKey, UUID]]
) -> tuple[dict[UUID, WrappedKey], tuple[UUID, ...]]:
    """New wraps by blob. Where one of a batch does not open each is tried alone: one does not stop the rest."""
    ids = [blob_id for _, blob_id in wrapped]
    try:
        return dict(zip(ids, keys.rewrap(wrapped), strict=True)), ()
    except Corrupt:
        if len(wrapped) == 1:
            return {}, (ids[0],)
    found: dict[UUID, WrappedKey] = {}
    damaged: list[UUID] = []
    for one in wrapped:
        done, bad = _rewrapped(keys, [one])
        found |= done
        damaged += bad
    return found, tuple(damaged)
