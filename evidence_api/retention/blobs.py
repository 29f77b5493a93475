"""Which objects belong to an exhibit: its chain of custody names every one, whatever room made it.

The view `stored_objects` asks the ledger, and the events that still wait for their place in it, so that nothing is
missed: events of sealing, of burning, of light copies that name a `blob`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_OF_EXHIBIT = "SELECT blob_id FROM stored_objects WHERE item = :item AND blob_id IS NOT NULL ORDER BY blob_id"
_BEHIND = """
    SELECT DISTINCT exhibits.id FROM exhibits
    JOIN stored_objects ON item = 'exhibit:' || exhibits.id AND stored_objects.blob_id IS NOT NULL
    WHERE destroyed_at IS NULL
        AND EXISTS (
            SELECT FROM holds WHERE holds.case_id = exhibits.case_id AND lifted_at IS NULL
                AND (holds.exhibit_id IS NULL OR holds.exhibit_id = exhibits.id)
        )
        AND NOT EXISTS (SELECT FROM held_objects WHERE held_objects.blob_id = stored_objects.blob_id)
        AND NOT EXISTS (
            SELECT FROM jobs WHERE subject = 'exhibit:' || exhibits.id AND task = 'exhibit.protect'
                AND jobs.state IN ('queued', 'running')
        )
    ORDER BY exhibits.id LIMIT :most
"""


def of_exhibit(session: Session, exhibit_id: UUID) -> tuple[UUID, ...]:
    """Every blob of an exhibit: the original and whatever was made from it, the destroyed ones included."""
    return tuple(_rows(session, _OF_EXHIBIT, item=f"exhibit:{exhibit_id}"))


def behind(session: Session, most: int) -> list[UUID]:
    """Exhibits under a hold with an object that the store does not hold yet and that no job is about."""
    return list(_rows(session, _BEHIND, most=most))


def _rows(session: Session, query: str, **values: Any) -> Sequence[Any]:
    return session.execute(text(query), values).scalars().all()
