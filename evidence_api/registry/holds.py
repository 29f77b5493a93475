"""Holds: grounds in law why nothing of an exhibit or a case may be destroyed. Several stand; each is lifted alone."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.registry.facts import Hold
from evidence_api.registry.tables import ExhibitRow, HoldRow


def place(
    work: UnitOfWork, hold_id: UUID, *, case_id: UUID, exhibit_id: UUID | None, ground: str, note: str, event_id: UUID
) -> Hold:
    """Put a hold on an exhibit, or on the whole case. `note` is free text and stays out of the ledger."""
    if work.actor.id is None:
        raise ValueError("a hold is placed by a person")
    row = HoldRow(
        id=hold_id,
        case_id=case_id,
        exhibit_id=exhibit_id,
        ground=ground,
        note=note,
        placed_by=work.actor.id,
        placed_at=work.clock.now(),
        event_id=event_id,
    )
    work.session.add(row)
    work.session.flush()
    return hold_of(row)


def lift(work: UnitOfWork, hold_id: UUID, *, ground: str, event_id: UUID) -> Hold:
    """End one hold. Raises NotFound `hold.not_found`, Conflict `hold.lifted`."""
    row = work.session.get(HoldRow, hold_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("hold.not_found")
    if row.lifted_at is not None:
        raise Conflict("hold.lifted")
    row.lifted_by, row.lifted_at, row.lift_ground = work.actor.id, work.clock.now(), ground
    row.event_id = event_id
    return hold_of(row)


def get(session: Session, hold_id: UUID) -> Hold:
    """Raises NotFound `hold.not_found`."""
    row = session.get(HoldRow, hold_id)
    if row is None:
        raise NotFound("hold.not_found")
    return hold_of(row)


def of_exhibit(session: Session, exhibit_id: UUID) -> tuple[Hold, ...]:
    """Every hold that ever covered an exhibit, its case's included, oldest first."""
    case_id = select(ExhibitRow.case_id).where(ExhibitRow.id == exhibit_id).scalar_subquery()
    query = select(HoldRow).where(
        or_(HoldRow.exhibit_id == exhibit_id, HoldRow.exhibit_id.is_(None) & (HoldRow.case_id == case_id))
    )
    return tuple(hold_of(row) for row in session.scalars(query.order_by(HoldRow.id)))


def standing(session: Session, case_id: UUID, exhibits: Collection[UUID]) -> bool:
    """Whether a hold stands on the whole case or on one of these exhibits of it."""
    covers = or_(HoldRow.exhibit_id.is_(None), HoldRow.exhibit_id.in_(exhibits))
    query = select(HoldRow.id).where(HoldRow.case_id == case_id, HoldRow.lifted_at.is_(None), covers)
    return session.scalar(query.limit(1)) is not None


def of_case(session: Session, case_id: UUID) -> tuple[Hold, ...]:
    """Every hold on the whole case, oldest first."""
    query = select(HoldRow).where(HoldRow.case_id == case_id, HoldRow.exhibit_id.is_(None)).order_by(HoldRow.id)
    return tuple(hold_of(row) for row in session.scalars(query))


def hold_of(row: HoldRow) -> Hold:
    """The fact of a row."""
    return Hold(
        id=row.id,
        case_id=row.case_id,
        exhibit_id=row.exhibit_id,
        ground=row.ground,
        note=row.note,
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        lifted_by=row.lifted_by,
        lifted_at=row.lifted_at,
        lift_ground=row.lift_ground,
    )
