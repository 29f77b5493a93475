"""What PostgreSQL itself refuses: law 1, law 3, and what the application's role may not."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from custody.kernel.errors import Conflict, DalelError, Unavailable
from custody.kernel.unit_of_work import Database
from custody.ledger import halt, resume
from evidence_api.migrations import law1
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import CLERK, described, record, record_views, sequence_all, viewed


class _Statements:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, sqltext: str) -> None:
        self._connection.execute(sqltext)


@pytest.fixture
def business(ledger_database: FreshDatabase) -> Iterator[psycopg.Connection]:
    """The owner's connection, after it put a business table under law 1."""
    with psycopg.connect(conninfo(ledger_database.owner_url), autocommit=True) as owner:
        op = _Statements(owner)
        op.execute("CREATE TABLE thing (id uuid PRIMARY KEY, name text, event_id uuid NOT NULL)")
        law1.attach(op, "thing")
        law1.open_to_app(op, "thing")
        yield owner


INSERT = text("INSERT INTO thing VALUES (:id, 'a', :event_id)")
UPDATE = text("UPDATE thing SET name = 'b', event_id = :event_id")


def test_a_row_with_its_event_is_accepted(app: Database, business: psycopg.Connection) -> None:
    with app.begin(CLERK) as work:
        work.session.execute(INSERT, {"id": uuid4(), "event_id": work.record(described(uuid4()))})
        work.commit()
    assert business.execute("SELECT count(*) FROM thing").fetchone() == (1,)
    assert business.execute("SELECT count(*) FROM event_outbox").fetchone() == (1,)


@pytest.mark.usefixtures("business")
def test_a_row_without_its_event_is_refused_at_commit(app: Database) -> None:
    with app.begin(CLERK) as work:
        work.session.execute(INSERT, {"id": uuid4(), "event_id": uuid4()})
        with pytest.raises(Conflict, match=r"law\.no_event"):
            work.commit()


def test_an_update_with_a_stale_event_is_refused(
    app: Database, sequencer_side: Database, business: psycopg.Connection
) -> None:
    with app.begin(CLERK) as work:
        first = work.record(described(uuid4()))
        work.session.execute(INSERT, {"id": uuid4(), "event_id": first})
        work.commit()
    _refused_update(app, first)  # still in the outbox, but of another transaction
    sequence_all(sequencer_side)
    _refused_update(app, first)
    with app.begin(CLERK) as work:
        work.session.execute(UPDATE, {"event_id": work.record(described(uuid4()))})
        work.commit()
    assert business.execute("SELECT name FROM thing").fetchone() == ("b",)


def _refused_update(app: Database, event_id: UUID) -> None:
    with app.begin(CLERK) as work:
        work.session.execute(UPDATE, {"event_id": event_id})
        with pytest.raises(Conflict, match=r"law\.no_event"):
            work.commit()


@pytest.mark.usefixtures("business")
def test_an_event_in_a_savepoint_that_was_rolled_back_does_not_count(app: Database) -> None:
    with app.begin(CLERK) as work:
        savepoint = work.session.begin_nested()
        event_id = work.record(described(uuid4()))
        work.session.flush()
        savepoint.rollback()
        work.session.execute(INSERT, {"id": uuid4(), "event_id": event_id})
        with pytest.raises(Conflict, match=r"law\.no_event"):
            work.commit()


FORBIDDEN = [
    "UPDATE ledger_entries SET type = 'x'",
    "DELETE FROM ledger_entries",
    "TRUNCATE ledger_entries",
    "INSERT INTO ledger_entries SELECT * FROM ledger_entries",
    "UPDATE ledger_state SET size = 0",
    "DELETE FROM ledger_state",
    "UPDATE checkpoints SET note = ''",
    "DELETE FROM checkpoints",
    "DELETE FROM event_outbox",
    "UPDATE event_outbox SET body = body",
    "TRUNCATE event_outbox",
    "INSERT INTO event_outbox (event_id, item, body, txid) SELECT gen_random_uuid(), 'x', '{}', '1'::xid8",
    "INSERT INTO event_outbox (position, event_id, item, body) OVERRIDING SYSTEM VALUE"
    " SELECT 1, gen_random_uuid(), 'x', '{}'",
    "ALTER TABLE ledger_entries DISABLE TRIGGER refuse_change",
    "DROP TABLE ledger_entries",
    "CREATE TABLE mine (id int)",
    "SET session_replication_role = replica",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_may_not(app: Database, sequencer_side: Database, statement: str) -> None:
    record_views(app, 2)
    sequence_all(sequencer_side)
    with app.begin(CLERK) as work, pytest.raises(ProgrammingError) as refused:
        work.session.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"  # insufficient privilege


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET type = 'x'",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "UPDATE checkpoints SET note = ''",
        "DELETE FROM ledger_state",
        "UPDATE event_outbox SET body = body",
        "TRUNCATE event_outbox",
    ],
)
def test_even_the_owner_is_stopped_by_a_slip(ledger_database: FreshDatabase, statement: str) -> None:
    with (
        psycopg.connect(conninfo(ledger_database.owner_url)) as owner,
        pytest.raises(psycopg.DatabaseError) as refused,
    ):
        owner.execute(statement)
    assert refused.value.sqlstate == "DL002"


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", '{"id":"{id}"}', '{"id":"{id}","item":"another"}', '{"id":null,"item":"x"}', "null", "not json"],
)
def test_an_outbox_row_that_is_not_its_event_is_refused(app: Database, body: str) -> None:
    event_id = uuid4()
    values = {"id": event_id, "body": body.replace("{id}", str(event_id))}
    with app.begin(CLERK) as work, pytest.raises((IntegrityError, DBAPIError)):
        work.session.execute(text("INSERT INTO event_outbox (event_id, item, body) VALUES (:id, 'x', :body)"), values)


def test_while_halted_reading_goes_on_and_nothing_else(app: Database, sequencer_side: Database) -> None:
    with sequencer_side.unit() as unit:
        halt(unit, "ledger.behind_published_head")
    with pytest.raises(Unavailable, match=r"ledger\.read_only"):
        record(app, described(uuid4()))
    record(app, viewed(uuid4()))
    assert sequence_all(sequencer_side) == 0
    with sequencer_side.unit() as unit:
        resume(unit)
    record(app, described(uuid4()))
    assert sequence_all(sequencer_side) == 2


def test_nothing_of_a_unit_that_was_not_committed_stays(app: Database, business: psycopg.Connection) -> None:
    with app.begin(CLERK) as work:
        event_id = work.record(described(uuid4()))
        work.enqueue("seal", subject="exhibit:1", exhibit=uuid4())
        work.session.execute(INSERT, {"id": uuid4(), "event_id": event_id})
        work.session.flush()
    for table in ("thing", "event_outbox", "event_openings", "jobs"):
        assert business.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_refusal_is_an_error_with_a_code(app: Database, ledger_database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(ledger_database.owner_url), autocommit=True) as owner:
        owner.execute("GRANT UPDATE ON ledger_entries TO dalel_app")
    with app.begin(CLERK) as work, pytest.raises(DalelError, match=r"law\.immutable"):
        work.session.execute(text("UPDATE ledger_entries SET type = 'x'"))
