"""Rate limits in PostgreSQL: the generic cell rate algorithm, one row per bucket, one atomic statement per question.

The table is unlogged: no disk wait, and a crash of the database forgets the counts (an attacker gains one burst).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from custody.kernel.errors import TooMany
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.access.tables import RateLimitRow


@dataclass(frozen=True)
class Limit:
    """`burst` at once, refilled evenly over `window`."""

    burst: int
    window: timedelta

    @property
    def cost(self) -> timedelta:
        """The time one use takes to be forgotten."""
        return self.window / self.burst


def bucket(kind: str, key: str) -> bytes:
    """The name of a bucket: a digest, so that the table holds no login and no address in the clear."""
    return hashlib.sha256(f"dalel rate v1\n{kind}\n{key}".encode("utf-8", "surrogatepass")).digest()


def take(work: UnitOfWork, name: bytes, limit: Limit) -> None:
    """Use the bucket once. Raises TooMany `rate.limited` with `retry_after_seconds`. The caller commits."""
    now = work.clock.now()
    start = func.greatest(RateLimitRow.empty_at, now)
    statement = (
        insert(RateLimitRow)
        .values(bucket=name, empty_at=now + limit.cost)
        .on_conflict_do_update(
            index_elements=[RateLimitRow.bucket],
            set_={"empty_at": start + limit.cost},
            where=or_(RateLimitRow.empty_at <= now, RateLimitRow.empty_at + limit.cost <= now + limit.window),
        )
        .returning(RateLimitRow.empty_at)
    )
    if work.session.scalar(statement) is None:
        empty_at = work.session.scalar(select(RateLimitRow.empty_at).where(RateLimitRow.bucket == name))
        raise TooMany("rate.limited", retry_after_seconds=_seconds((empty_at or now) + limit.cost - limit.window, now))


def give_back(work: UnitOfWork, name: bytes) -> None:
    """Forget a bucket: the person proved to be who they said."""
    work.session.execute(delete(RateLimitRow).where(RateLimitRow.bucket == name))


def forget_empty(work: UnitOfWork) -> None:
    """Delete the buckets that are empty again."""
    work.session.execute(delete(RateLimitRow).where(RateLimitRow.empty_at < work.clock.now()))


def _seconds(moment: datetime, now: datetime) -> int:
    return max(1, ceil((moment - now).total_seconds()))
