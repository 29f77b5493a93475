"""How far the malware scanner is: sealed originals that it has spoken of, and those that it has yet to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from evidence_api.services import Services

_COUNTS = """
    SELECT count(*), count(last.result), count(*) FILTER (WHERE last.result = 'infected'),
        count(*) FILTER (WHERE last.result = 'not_scanned')
    FROM exhibits LEFT JOIN LATERAL (
        SELECT result FROM scans WHERE scans.exhibit_id = exhibits.id ORDER BY scans.id DESC LIMIT 1
    ) AS last ON true
    WHERE state = 'sealed' AND destroyed_at IS NULL
"""
_UNSEEN = """
    SELECT id FROM exhibits
    WHERE state = 'sealed' AND destroyed_at IS NULL
        AND NOT EXISTS (SELECT FROM scans WHERE scans.exhibit_id = exhibits.id)
        AND NOT EXISTS (
            SELECT FROM jobs WHERE subject = 'scan:' || exhibits.id
                AND (jobs.state IN ('queued', 'running') OR jobs.created_at > :since)
        )
    ORDER BY id DESC LIMIT :most
"""
_WAITING = "SELECT count(*) FROM jobs WHERE task = :task AND state IN ('queued', 'running')"


@dataclass(frozen=True)
class Scanning:
    """Sealed originals: all, those the scanner spoke of, and of these the infected and those too large for it."""

    total: int
    scanned: int
    infected: int
    too_large: int


def scanning(services: Services) -> Scanning | None:
    """None where no scanner is configured."""
    if services.scanner is None:
        return None
    with services.database.read() as session:
        return Scanning(*session.execute(text(_COUNTS)).one())


def unseen(session: Session, most: int, since: datetime) -> Sequence[UUID]:
    """Originals, the newest first, that no scanner spoke of and that no job is about, nor was one asked `since`."""
    return session.execute(text(_UNSEEN), {"most": most, "since": since}).scalars().all()


def waiting(session: Session, task: str) -> int:
    """How many scans are asked for and not done."""
    return int(session.execute(text(_WAITING), {"task": task}).scalar_one())
