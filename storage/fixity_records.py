"""What is kept of checks: the last result per object, rounds, alarms. Writing functions do not commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from custody.kernel.errors import NotFound
from custody.kernel.unit_of_work import Unit, UnitOfWork
from storage.care_tables import FixityAlarmRow, FixityRoundRow, FixityStateRow
from storage.fixity import Difference, Expected
from storage.service import facts_of
from storage.tables import BlobRow, UploadRow, UploadSegmentRow


@dataclass(frozen=True)
class Checked:
    """The last check of an object. `difference` is None when it was the same."""

    blob_id: UUID
    at: datetime
    deep_at: datetime | None
    difference: Difference | None


@dataclass(frozen=True)
class Round:
    """A walk over every object. `after` and `segment` say where to go on; times are aware."""

    id: UUID
    deep: bool
    began_at: datetime
    ended_at: datetime | None
    next_at: datetime
    after: UUID | None
    segment: int
    checked: int
    size_bytes: int
    differences: int


@dataclass(frozen=True)
class Alarm:
    """A difference that was found. `item` is the chain it concerns; `blob_id` is None for the store as a whole."""

    id: UUID
    blob_id: UUID | None
    item: str
    case_id: UUID | None
    difference: Difference
    found_at: datetime
    cleared_at: datetime | None


@dataclass(frozen=True)
class Totals:
    """How much there is to check, and how much was."""

    objects: int
    size_bytes: int
    checked: int
    damaged: int
    oldest: datetime | None
    """When the object was checked (or sealed) that nobody has looked at for longest."""


def expected(session: Session, blob_id: UUID) -> Expected:
    """An object as recorded. Raises NotFound `blob.not_found`; also for one that was disposed of."""
    row = session.get(BlobRow, blob_id)
    if row is None or not row.wrapped_key:
        raise NotFound("blob.not_found")
    return _expected(session, row)


def following(session: Session, after: UUID | None, most: int) -> list[Expected]:
    """The next objects in the order of ids; those disposed of are left out."""
    query = select(BlobRow).where(func.octet_length(BlobRow.wrapped_key) > 0)
    if after is not None:
        query = query.where(BlobRow.id > after)
    return [_expected(session, row) for row in session.scalars(query.order_by(BlobRow.id).limit(most))]


def _expected(session: Session, row: BlobRow) -> Expected:
    query = select(UploadSegmentRow.ciphertext_sha256).join(UploadRow, UploadRow.id == UploadSegmentRow.upload_id)
    query = query.where(UploadRow.blob_id == row.id).order_by(UploadSegmentRow.number)
    found = Expected(facts_of(row), tuple(session.scalars(query)))
    return found if len(found.segments) == found.layout.count else Expected(found.facts)


def made_by(session: Session, blob_id: UUID) -> UUID:
    """The event that an object came into being under. Raises NotFound `blob.not_found`."""
    row = session.get(BlobRow, blob_id)
    if row is None:
        raise NotFound("blob.not_found")
    return row.made_event_id


def last(session: Session, blob_ids: Sequence[UUID]) -> dict[UUID, Checked]:
    """The last check of each of these objects that was ever checked."""
    rows = session.scalars(select(FixityStateRow).where(FixityStateRow.blob_id.in_(blob_ids)))
    return {row.blob_id: Checked(row.blob_id, row.checked_at, row.deep_at, _difference(row)) for row in rows}


def keep(unit: Unit, results: Sequence[tuple[UUID, Difference | None]], at: datetime, *, deep: bool) -> None:
    """The results of checks."""
    for blob_id, found in results:
        values = {
            "checked_at": at,
            "what": found.what if found else None,
            "place": found.place if found else None,
            "expected": found.expected if found else None,
            "found": found.found if found else None,
        } | ({"deep_at": at} if deep else {})
        row = insert(FixityStateRow).values(blob_id=blob_id, **values)
        unit.session.execute(row.on_conflict_do_update(index_elements=["blob_id"], set_=values))


def totals(session: Session) -> Totals:
    """How the whole store stands."""
    alive = func.octet_length(BlobRow.wrapped_key) > 0
    seen = func.coalesce(FixityStateRow.checked_at, BlobRow.created_at)
    query = (
        select(
            func.count(),
            func.coalesce(func.sum(BlobRow.ciphertext_bytes), 0),
            func.count(FixityStateRow.blob_id),
            func.count(FixityStateRow.what),
            func.min(seen),
        )
        .select_from(BlobRow)
        .outerjoin(FixityStateRow, FixityStateRow.blob_id == BlobRow.id)
        .where(alive)
    )
    objects, size_bytes, checked, damaged, oldest = session.execute(query).one()
    return Totals(objects, int(size_bytes), checked, damaged, oldest)


def first_made(session: Session) -> datetime | None:
    """When the first object came into being."""
    return session.scalar(select(func.min(BlobRow.created_at)))


def open_round(session: Session) -> Round | None:
    """The round under way."""
    row = session.scalar(select(FixityRoundRow).where(FixityRoundRow.ended_at.is_(None)).limit(1))
    return _round(row) if row else None


def get_round(session: Session, round_id: UUID) -> Round:
    """A round. Raises NotFound `fixity.no_such_round`."""
    row = session.get(FixityRoundRow, round_id)
    if row is None:
        raise NotFound("fixity.no_such_round")
    return _round(row)


def rounds(session: Session, most: int = 20) -> list[Round]:
    """The last rounds, newest first."""
    rows = session.scalars(select(FixityRoundRow).order_by(FixityRoundRow.began_at.desc()).limit(most))
    return [_round(row) for row in rows]


def begin_round(unit: Unit, round_id: UUID, now: datetime, *, deep: bool) -> None:
    """A round begins. The database refuses a second of its kind."""
    row = FixityRoundRow(id=round_id, deep=deep, began_at=now, next_at=now, after=None, segment=0)
    row.checked = row.size_bytes = row.differences = 0
    unit.session.add(row)


def keep_round(unit: Unit, present: Round) -> None:
    """How far it has come."""
    row = unit.session.get_one(FixityRoundRow, present.id, with_for_update=True, populate_existing=True)
    row.after, row.segment, row.next_at, row.ended_at = (
        present.after,
        present.segment,
        present.next_at,
        present.ended_at,
    )
    row.checked, row.size_bytes, row.differences = present.checked, present.size_bytes, present.differences


def standing(session: Session, blob_id: UUID | None) -> list[Alarm]:
    """The alarms about an object (None: about the store) that were not cleared yet."""
    query = select(FixityAlarmRow).where(FixityAlarmRow.cleared_at.is_(None))
    same = FixityAlarmRow.blob_id.is_(None) if blob_id is None else FixityAlarmRow.blob_id == blob_id
    return [_alarm(row) for row in session.scalars(query.where(same).order_by(FixityAlarmRow.id))]


def alarms(
    session: Session, *, cases: Sequence[UUID] | None = None, standing: bool = False, most: int = 100
) -> list[Alarm]:
    """Alarms, newest first: of these cases, or (None) of all and the store; only those not cleared if `standing`."""
    query = select(FixityAlarmRow)
    if cases is not None:
        query = query.where(FixityAlarmRow.case_id.in_(cases))
    if standing:
        query = query.where(FixityAlarmRow.cleared_at.is_(None))
    return [_alarm(row) for row in session.scalars(query.order_by(FixityAlarmRow.id.desc()).limit(most))]


def raise_alarm(
    work: UnitOfWork, blob_id: UUID | None, item: str, case_id: UUID | None, found: Difference, event_id: UUID
) -> None:
    """A difference, under the event that says so."""
    work.session.add(
        FixityAlarmRow(
            id=work.ids.new(),
            blob_id=blob_id,
            item=item,
            case_id=case_id,
            what=found.what,
            place=found.place,
            expected=found.expected,
            found=found.found,
            found_at=work.clock.now(),
            event_id=event_id,
        )
    )


def clear(work: UnitOfWork, alarm_id: UUID, event_id: UUID) -> None:
    """A check that a person asked for found nothing any more."""
    row = work.session.get_one(FixityAlarmRow, alarm_id, with_for_update=True, populate_existing=True)
    row.cleared_at, row.event_id = work.clock.now(), event_id


def _difference(row: FixityStateRow) -> Difference | None:
    return Difference(row.what, row.place or "", row.expected or "", row.found or "") if row.what else None


def _round(row: FixityRoundRow) -> Round:
    return Round(
        row.id,
        row.deep,
        row.began_at,
        row.ended_at,
        row.next_at,
        row.after,
        row.segment,
        row.checked,
        row.size_bytes,
        row.differences,
    )


def _alarm(row: FixityAlarmRow) -> Alarm:
    difference = Difference(row.what, row.place, row.expected, row.found)
    return Alarm(row.id, row.blob_id, row.item, row.case_id, difference, row.found_at, row.cleared_at)
