"""Run one job exactly once in effect, however often it is delivered (law 8).

The row in `jobs` is the truth; a message only wakes a worker. While a job runs, its worker holds a PostgreSQL advisory
lock on a connection of its own: a SIGKILL drops the connection and with it the lock, so the dispatcher sees at once
that nobody works on it any more. The result, its event and `state = 'done'` are one transaction.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from custody.kernel.errors import DalelError, Unavailable
from custody.kernel.outbox import Actor, JobRow
from custody.kernel.unit_of_work import Database, UnitOfWork

MAX_ATTEMPTS = 5
SMALL = "small"
"""The argument that marks a job as quick enough to be done together with others of its kind."""
WORKER = Actor(id=None, role="system", means="worker")

log = logging.getLogger(__name__)


class JobOver(Exception):
    """The job was finished by another delivery: nothing is left to do."""


@dataclass(frozen=True)
class JobFacts:
    """A job as its handler sees it."""

    id: UUID
    task: str
    args: Mapping[str, Any]
    attempts: int

    def uuid(self, name: str) -> UUID:
        """The argument `name` as an id. Raises KeyError or ValueError when the job was enqueued wrongly."""
        return UUID(self.args[name])


class Job:
    """What a handler may do besides its work: tell its step and progress, and finish."""

    def __init__(self, database: Database, facts: JobFacts) -> None:
        self.facts = facts
        self._database = database

    def step(self, name: str) -> None:
        """A point between two durable steps, named for the log. A subclass in tests/failures dies here."""
        log.info("job %s %s: %s", self.facts.task, self.facts.id, name)

    def progress(self, done: int, total: int, unit: str) -> None:
        """Show progress in units of the work (ms of sound, bytes, pages). Survives a reload of the page."""
        with self._database.begin(WORKER) as work:
            change = {"done_units": done, "total_units": total, "unit": unit}
            work.session.execute(update(JobRow).where(JobRow.id == self.facts.id).values(change))
            work.may_be_lost()
            work.commit()

    @contextmanager
    def conclude(self, state: str = "done", error_code: str | None = None) -> Iterator[UnitOfWork]:
        """The unit of work in which the handler writes its result; it commits with the job's end.

        Raises JobOver when another delivery was first: the handler's result is then dropped.
        """
        with self._database.begin(WORKER) as work:
            row = work.session.get(JobRow, self.facts.id, with_for_update=True)
            if row is None or row.state in ("done", "failed"):
                raise JobOver
            yield work
            row.state, row.error_code, row.finished_at = state, error_code, work.clock.now()
            self.step("before commit")
            work.commit()
        self.step("after commit")


class Handler(Protocol):
    """Does one kind of job. Everything before `conclude()` must be repeatable."""

    def run(self, job: Job) -> None:
        """Do the work and conclude. Raises DalelError for what no retry mends, anything else to be tried again."""
        ...

    def fail(self, job: Job, code: str) -> None:
        """Conclude a job that cannot be done: record the failure where its people look."""
        ...


@runtime_checkable
class TogetherHandler(Handler, Protocol):
    """A handler that does many small jobs at little more than the cost of one: all their results are one commit."""

    def look(self, jobs: Sequence[Job]) -> list[Any]:
        """The slow part of each, repeatable and without effect on the others: its facts, or the error it raised."""
        ...

    def record(self, work: UnitOfWork, found: Sequence[Any]) -> None:
        """Write the results of those that were looked at without fault."""
        ...


class Runner:
    """Runs jobs by id. One per worker process. `together` is how many small jobs of a kind are done at once at most."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        make_job: Callable[[Database, JobFacts], Job] = Job,
        *,
        together: int = 1,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._make_job = make_job
        self._together = together

    def run(self, job_id: UUID) -> str:
        """Run the job unless it is over or running elsewhere. Returns one of done, failed, over, busy, later.

        Raises DBAPIError when the database does not answer before the job was begun: nothing has happened then.
        """
        with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
            key = {"key": lock_key(job_id)}
            if not guard.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
                return "busy"
            try:
                return self._run_locked(job_id, guard)
            finally:
                with suppress(DBAPIError):  # a connection that was lost has taken its locks along
                    guard.execute(text("SELECT pg_advisory_unlock_all()"))

    def _run_locked(self, job_id: UUID, guard: Connection) -> str:
        facts = self._claim(job_id)
        if facts is None:
            return "over"
        job = self._make_job(self._database, facts)
        handler = self._handlers.get(facts.task)
        if self._together > 1 and facts.args.get(SMALL) and isinstance(handler, TogetherHandler):
            return self._run_together(handler, [job, *self._companions(job, guard)])
        return self._run_alone(job)

    def _run_together(self, handler: TogetherHandler, jobs: list[Job]) -> str:
        """Many at once; what cannot be done so is done alone, its fault dealt with there. The first's outcome."""
        outcomes: dict[UUID, str] = {}
        with suppress(DalelError, DBAPIError):  # each is then tried alone
            looked = list(zip(jobs, handler.look(jobs), strict=True))
            outcomes = self._record_together(handler, [(job, one) for job, one in looked if not _is_fault(one)])
            for job, fault in looked:
                if isinstance(fault, Unavailable):
                    self._give_back(job.facts)
                    outcomes[job.facts.id] = "later"
        for job in jobs:
            if job.facts.id not in outcomes:
                outcomes[job.facts.id] = self._run_alone(job)
        return outcomes[jobs[0].facts.id]

    def _record_together(self, handler: TogetherHandler, found: list[tuple[Job, Any]]) -> dict[UUID, str]:
        ids = [job.facts.id for job, _ in found]
        with self._database.begin(WORKER) as work:
            mine = select(JobRow).where(JobRow.id.in_(ids)).order_by(JobRow.id).with_for_update()
            open_ones = {row.id: row for row in work.session.scalars(mine) if row.state not in ("done", "failed")}
            handler.record(work, [one for job, one in found if job.facts.id in open_ones])
            for row in open_ones.values():
                row.state, row.finished_at = "done", work.clock.now()
            work.commit()
        return {one: "done" if one in open_ones else "over" for one in ids}

    def _companions(self, job: Job, guard: Connection) -> list[Job]:
        """Other waiting jobs like this one that were never tried, claimed as it is; `guard` holds their locks."""
        with self._database.begin(WORKER) as work:
            waiting = select(JobRow).where(JobRow.state == "queued", JobRow.task == job.facts.task)
            waiting = waiting.where(JobRow.attempts == 0, JobRow.args[SMALL].as_boolean(), JobRow.id != job.facts.id)
            waiting = waiting.order_by(JobRow.id).limit(self._together - 1).with_for_update(skip_locked=True)
            rows = work.session.scalars(waiting).all()
            free = text("SELECT key FROM unnest(CAST(:keys AS bigint[])) AS key WHERE pg_try_advisory_lock(key)")
            taken = set(guard.execute(free, {"keys": [lock_key(row.id) for row in rows]}).scalars()) if rows else set()
            claimed = [row for row in rows if lock_key(row.id) in taken]
            for row in claimed:
                row.state, row.attempts = "running", 1
            facts = [JobFacts(row.id, row.task, row.args, row.attempts) for row in claimed]
            work.may_be_lost()  # as `_claim`
            work.commit()
        return [self._make_job(self._database, one) for one in facts]

    def _run_alone(self, job: Job) -> str:
        facts = job.facts
        try:
            return self._attempt(job)
        except JobOver:
            return "over"
        except (Unavailable, DBAPIError) as fault:
            if isinstance(fault, DBAPIError) and not fault.connection_invalidated:
                return _crashed(facts, fault)
            log.warning("job %s %s waits: %s", facts.task, facts.id, _name(fault))
            with suppress(DBAPIError):
                self._give_back(facts)
            return "later"
        except Exception as fault:
            return _crashed(facts, fault)

    def _attempt(self, job: Job) -> str:
        handler = self._handlers.get(job.facts.task)
        if handler is None:
            return _end(job, "job.unknown_task")
        if job.facts.attempts > MAX_ATTEMPTS:
            return self._fail(handler, job, "job.attempts_exhausted")
        try:
            handler.run(job)
        except Unavailable:
            raise
        except DalelError as error:
            log.warning("job %s %s failed: %s", job.facts.task, job.facts.id, error)
            return self._fail(handler, job, error.code)
        return "done"

    def _fail(self, handler: Handler, job: Job, code: str) -> str:
        try:
            handler.fail(job, code)
        except (JobOver, Unavailable, DBAPIError):
            raise
        except Exception as fault:
            # Its people cannot be told in the usual place. Without this the job would come back for ever.
            _crashed(job.facts, fault)
            return _end(job, code)
        return "failed"

    def _give_back(self, facts: JobFacts) -> None:
        """A part that does not answer is not the job's fault: the attempt does not count."""
        with self._database.begin(WORKER) as work:
            change = {"state": "queued", "attempts": facts.attempts - 1}
            work.session.execute(update(JobRow).where(JobRow.id == facts.id).values(change))
            work.commit()

    def _claim(self, job_id: UUID) -> JobFacts | None:
        with self._database.begin(WORKER) as work:
            row = work.session.scalar(select(JobRow).where(JobRow.id == job_id).with_for_update())
            if row is None or row.state in ("done", "failed"):
                return None
            row.state, row.attempts = "running", row.attempts + 1
            facts = JobFacts(row.id, row.task, row.args, row.attempts)
            work.may_be_lost()  # the job is then still queued, and sent again
            work.commit()
            return facts


def _is_fault(found: object) -> bool:
    return isinstance(found, Exception)


def _end(job: Job, code: str) -> str:
    with job.conclude("failed", code):
        pass
    return "failed"


def _crashed(facts: JobFacts, fault: Exception) -> str:
    """Anything unforeseen may be a passing fault: the dispatcher sends the job again, MAX_ATTEMPTS times.

    The log gets type and place, never the message: a database's quotes the values of its rows (law 10).
    """
    trace = "".join(traceback.format_tb(fault.__traceback__))
    log.error("job %s %s crashed: %s\n%s", facts.task, facts.id, _name(fault), trace)
    return "later"


def _name(fault: Exception) -> str:
    return fault.code if isinstance(fault, DalelError) else type(fault).__qualname__


@dataclass(frozen=True)
class JobView:
    """A job as pages see it. Progress is in `unit`s of its work."""

    facts: JobFacts
    state: str
    error_code: str | None
    done_units: int
    total_units: int
    unit: str | None
    created_at: datetime


def latest(session: Session, subject: str) -> JobView | None:
    """The last job about a subject (`exhibit:<uuid>`, `plan:<uuid>`, …), None when there was none."""
    row = session.scalar(select(JobRow).where(JobRow.subject == subject).order_by(JobRow.id.desc()).limit(1))
    if row is None:
        return None
    facts = JobFacts(row.id, row.task, row.args, row.attempts)
    return JobView(facts, row.state, row.error_code, row.done_units, row.total_units, row.unit, row.created_at)


def lock_key(job_id: UUID) -> int:
    """The advisory lock of a job: 63 of its 74 random bits and some of its time."""
    return job_id.int & (2**63 - 1)
