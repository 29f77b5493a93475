"""The unit of work: the only way to change state, and the only `commit()` in the program (law 1)."""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import ORMExecuteState, Session

from custody.kernel.clock import Clock
from custody.kernel.ids import IdFactory
from custody.kernel.laws import translate_refusals
from custody.kernel.outbox import Actor, EventDraft, JobRow, Opening, WrittenEvent, append, append_alone


class Scribe(Protocol):
    """Turns a draft into an event as it is stored and the openings of its personal values."""

    def write(self, draft: EventDraft, actor: Actor) -> tuple[WrittenEvent, list[Opening]]:
        """Raises Invalid when the draft cannot be written canonically."""
        ...


class Unit:
    """One transaction on the ledger's own tables, which record events and are not recorded themselves.

    Business state never changes through it: the database refuses a `Recorded` row without its event.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def commit(self) -> None:
        """Make everything durable, or nothing: business rows, events and jobs stand or fall together."""
        if self._in_transaction():
            self.session.commit()

    def _in_transaction(self) -> bool:
        """What remains to be written is; whether there is a transaction to end."""
        return True


class UnitOfWork(Unit):
    """One transaction of one actor. Rolls back unless `commit()` was called.

    Events are written in the order they are recorded, in the transaction of the rows they belong to. Those recorded
    before anything else was done wait for the commit: a unit of events alone is then one statement and one round trip.
    """

    def __init__(
        self, session: Session, engine: Engine, actor: Actor, clock: Clock, ids: IdFactory, scribe: Scribe
    ) -> None:
        super().__init__(session)
        self.actor = actor
        self.clock = clock
        self.ids = ids
        self._engine = engine
        self._scribe = scribe
        self._waiting: list[tuple[WrittenEvent, list[Opening]]] = []
        self._recorded = False
        self._expendable = False

    def record(self, draft: EventDraft) -> UUID:
        """Put an event into the outbox; returns its id, which the changed rows carry as `event_id`."""
        return self.record_all([draft])[0]

    def record_all(self, drafts: Sequence[EventDraft]) -> list[UUID]:
        """Put events into the outbox, in this order; returns their ids. One round trip at most, however many."""
        if self._expendable:
            raise ValueError("a unit of work with events is durable")
        written = [self._scribe.write(draft, self.actor) for draft in drafts]
        self._recorded = True
        self._waiting += written
        if self.session.in_transaction():
            self._append(self.session.connection())
        return [event.event_id for event, _ in written]

    def _in_transaction(self) -> bool:
        """Events that nothing goes with are one statement, which needs no transaction around it to be one."""
        if self.session.in_transaction():
            self._append(self.session.connection())
            return True
        if self._waiting:
            append_alone(self._engine, *self._unwritten())
            self._waiting = []
        return False

    def may_be_lost(self) -> None:
        """What this unit changes is bookkeeping (a counter, a claim that is made again): its commit does not wait for
        the disk, so a power failure or a killed PostgreSQL may undo the last half second of it. Call before `commit`.
        Raises ValueError when an event was recorded: those are never lost.
        """
        if self._recorded:
            raise ValueError("a unit of work with events is durable")
        self.session.execute(text("SET LOCAL synchronous_commit = off"))
        self._expendable = True

    def _append(self, connection: Connection) -> None:
        if self._waiting:
            append(connection, *self._unwritten())
            self._waiting = []

    def _unwritten(self) -> tuple[list[WrittenEvent], list[Opening]]:
        events = [event for event, _ in self._waiting]
        return events, [opening for _, openings in self._waiting for opening in openings]

    def enqueue(self, task: str, *, subject: str | None = None, **args: Any) -> UUID:
        """Put a job into the outbox; it is sent after the commit, at least once. Arguments are JSON (ids as text)."""
        row = JobRow(
            id=self.ids.new(),
            task=task,
            subject=subject,
            args={name: str(value) if isinstance(value, UUID) else value for name, value in args.items()},
            created_at=self.clock.now(),
        )
        self.session.add(row)
        return row.id


class HeldConnection:
    """One connection kept across transactions: session locks taken on it live until it closes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A transaction on this very connection; whatever was not committed is rolled back at the end."""
        with Session(self._connection, expire_on_commit=False) as session:
            yield Unit(session)

    def ask(self, question: LiteralString) -> Any:
        """The one value that a query answers, outside every unit. Straight through the driver, for what is asked fifty
        times a second: one round trip, without a transaction around it. Raises what the driver raises.
        """
        driver: Any = self._connection.connection.driver_connection
        driver.autocommit = True
        (value,) = driver.execute(question).fetchone()
        driver.autocommit = False
        return value


class Database:
    """A PostgreSQL database reached as one role. Made by the composition root, never at import."""

    def __init__(self, url: str, clock: Clock, ids: IdFactory, scribe: Scribe, *, pool_size: int = 10) -> None:
        self.engine: Engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size)
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        listen(self.engine, "checkout", _refuse_closed)
        translate_refusals(self.engine)
        self.clock = clock
        self.ids = ids
        self._scribe = scribe

    @contextmanager
    def begin(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A unit of work for `actor`; whatever was not committed is rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield UnitOfWork(session, self.engine, actor, self.clock, self.ids, self._scribe)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only session on one snapshot."""
        with Session(self.engine) as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
            yield session

    @contextmanager
    def look(self) -> Iterator[Session]:
        """A session for a statement or two that need not agree: each sees the present, with no transaction around it,
        which saves two round trips. Raises ValueError for what is not a SELECT.
        """
        with Session(self._looking, autoflush=False) as session:
            listen(session, "do_orm_execute", _refuse_change)
            yield session

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A transaction of the system itself on the ledger's own tables; rolled back unless committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield Unit(session)

    @contextmanager
    def hold(self) -> Iterator[HeldConnection]:
        """A connection of one's own, closed for good at the end, its session locks with it."""
        with self.engine.connect() as connection:
            try:
                yield HeldConnection(connection)
            finally:
                connection.invalidate()

    @contextmanager
    def alone(self, key: int) -> Iterator[bool]:
        """Whether no other process holds the advisory lock `key`; it is ours until the end, or until this process dies.

        Given back explicitly: PostgreSQL notices a closed connection only a little later.
        """
        with self.engine.connect() as kept:
            connection = kept.execution_options(isolation_level="AUTOCOMMIT")
            got = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one())
            try:
                yield got
            finally:
                with suppress(DBAPIError):  # the connection was cut, and the lock went with it
                    if got:
                        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                connection.invalidate()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _refuse_change(asked: ORMExecuteState) -> None:
    if not asked.is_select:
        raise ValueError("a look changes nothing")


def _refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """Leave out a pooled connection whose server went away, without a round trip to ask: an idle connection has
    nothing to read, so one that has was closed (or warned that it will be). Not noticed: a line cut in silence.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        raise InvalidatePoolError
