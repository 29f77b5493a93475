"""Sends queued jobs to the broker, and again those whose worker died or whose message was lost."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from custody.kernel.errors import Unavailable
from custody.kernel.outbox import JobRow
from custody.kernel.unit_of_work import Database
from evidence_api.jobs import SMALL, WORKER, lock_key

POLL_S = 0.2
LOST_AFTER = timedelta(seconds=30)
"""A message that nobody took for so long is sent again; a busy queue costs only a duplicate, which is harmless."""
RETRY_AFTER = timedelta(seconds=3)
"""A job that was begun and has no worker is sent again after this, times its attempts."""
BATCH = 100
QUEUE_HOLDS = 500
"""From so many on that were given to the broker and are not over, a queue gets no new ones; they wait in their table.
What lies in the broker for long is taken for lost and sent again, over and over, ten thousand of them as well.
"""
AWAY_S = 1.0
"""How long to wait for a broker or a database that does not answer."""

OPEN = ("queued", "running")

log = logging.getLogger(__name__)


class Dispatcher:
    """The bridge from the jobs table to the broker. `send(queue, job_id)` raises Unavailable without a broker.

    Of small jobs of a kind that were never sent, one in `together` is: the worker takes the others along
    (`Runner.together`). Those it did not take are sent by themselves when `LOST_AFTER` is over.
    """

    def __init__(
        self,
        database: Database,
        send: Callable[[str, UUID], None],
        queue_of: Callable[[str], str],
        *,
        together: int = 1,
    ) -> None:
        self._database = database
        self._send = send
        self._queue_of = queue_of
        self._together = together

    def dispatch_once(self) -> int:
        """Send what is due; returns how many. A crash between sending and noting it sends twice, which is harmless."""
        sent = 0
        along: Counter[str] = Counter()
        with self._database.begin(WORKER) as work:
            now = work.clock.now()
            due = select(JobRow).where(
                JobRow.state.in_(OPEN),
                # In the query, not behind it: a batch of those that only wait their turn would hide the lost ones.
                or_(
                    and_(JobRow.sent_at.is_(None), JobRow.task.not_in(self._held_back(work.session))),
                    JobRow.sent_at < now - LOST_AFTER,
                    and_(JobRow.attempts > 0, JobRow.sent_at < now - RETRY_AFTER),
                ),
            )
            due = due.order_by(JobRow.sent_at.nulls_first(), JobRow.id).limit(BATCH).with_for_update(skip_locked=True)
            for row in work.session.scalars(due):
                wait = RETRY_AFTER * row.attempts if row.attempts else LOST_AFTER
                if row.sent_at is not None and row.sent_at > now - wait:
                    continue
                free = text("SELECT pg_try_advisory_xact_lock(:key)")
                if row.sent_at is not None and not work.session.execute(free, {"key": lock_key(row.id)}).scalar_one():
                    continue
                small = row.sent_at is None and bool(row.args.get(SMALL))
                if not small or along[row.task] % self._together == 0:
                    self._send(self._queue_of(row.task), row.id)
                along[row.task] += small
                row.sent_at = now
                sent += 1
            if sent:
                work.may_be_lost()  # they are then sent twice, which is harmless
                work.commit()
        return sent

    def _held_back(self, session: Session) -> list[str]:
        """The tasks of queues that are full."""
        sent = select(JobRow.task, func.count()).where(JobRow.state.in_(OPEN), JobRow.sent_at.is_not(None))
        counts = session.execute(sent.group_by(JobRow.task)).all()
        queues: Counter[str] = Counter()
        for task, count in counts:
            queues[self._queue_of(task)] += count
        return [task for task, _ in counts if queues[self._queue_of(task)] >= QUEUE_HOLDS]

    def run(self, stop: Event) -> None:
        """Until `stop`: dispatch, ride out a broker or database that is away."""
        while not stop.is_set():
            try:
                busy = self.dispatch_once()
            except (OperationalError, Unavailable):
                log.exception("dispatching waits")
                stop.wait(AWAY_S)
                continue
            if not busy:
                stop.wait(POLL_S)
