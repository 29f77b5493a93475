"""The unit of work's shortcuts keep its promises: what is written together, in which order, and how durably."""

import secrets
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import delete, func, select, text, update

from custody import audit, event
from custody.kernel.outbox import Actor, EventDraft, JobRow, Opening, WrittenEvent
from custody.kernel.unit_of_work import Database
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import CLERK, described, record, sequence_all, viewed

WORKER = Actor(None, "system", "worker")


def test_events_recorded_before_and_after_a_row_keep_their_order(app: Database, sequencer_side: Database) -> None:
    exhibit = uuid4()
    with app.begin(CLERK) as work:
        ids = [work.record(viewed(exhibit))]  # waits: nothing was done yet
        work.enqueue("seal", subject=f"exhibit:{exhibit}")
        ids += work.record_all([viewed(exhibit), viewed(exhibit)])  # written at once, behind the first
        work.commit()
    sequence_all(sequencer_side)
    with app.read() as session:
        assert [entry.id for entry in audit.chain(session, f"exhibit:{exhibit}")] == ids


def test_a_unit_of_events_alone_can_be_committed_and_gone_on_with(app: Database, sequencer_side: Database) -> None:
    with app.begin(CLERK) as work:
        first = work.record(viewed(uuid4()))
        work.commit()
        work.commit()  # nothing waits any more
        second = work.record(viewed(uuid4()))
        work.commit()
    assert _waiting(app) == [first, second]
    assert sequence_all(sequencer_side) == 2


@pytest.mark.parametrize("actor", [CLERK, WORKER], ids=["with an opening", "without"])
@pytest.mark.parametrize("count", [1, 2, 200])
def test_every_event_comes_with_its_openings(app: Database, actor: Actor, count: int) -> None:
    with app.begin(actor) as work:
        ids = work.record_all([viewed(uuid4()) for _ in range(count)])
        work.commit()
    assert _waiting(app) == ids
    with app.read() as session:
        opened = session.execute(text("SELECT event_id, field, value FROM event_openings")).all()
    expected = {(event_id, "address", "192.0.2.1") for event_id in ids} if actor.address else set()
    assert {tuple(row) for row in opened} == expected


def test_texts_come_out_as_they_went_in(app: Database) -> None:
    """Arrays travel in binary: quotes, backslashes, braces, NULL and every alphabet need no escape."""
    actor = Actor(UUID(int=7), "administrator", "api", 'a"b\\c{d},NULL,\n\u0001қазақша 🜨')
    with app.begin(actor) as work:
        work.record_all([_named('"{}\\,NULL'), _named("Әлия «Ұлы»\n")])
        work.commit()
    with app.read() as session:
        rows = session.execute(text("SELECT value FROM event_openings WHERE field = 'address'")).scalars().all()
        names = session.execute(text("SELECT value FROM event_openings WHERE field = 'name'")).scalars().all()
    assert rows == [actor.address, actor.address]
    assert set(names) == {'"{}\\,NULL', "Әлия «Ұлы»\n"}


def _named(name: str) -> EventDraft:
    account = uuid4()
    return event.draft(
        "account.created", item=f"account:{account}", account=account, role="auditor",
        personal={"login": secrets.token_hex(4), "name": name},
    )  # fmt: skip


def test_what_may_be_lost_carries_no_event(app: Database) -> None:
    with app.begin(CLERK) as work:
        work.record(viewed(uuid4()))
        with pytest.raises(ValueError, match="durable"):
            work.may_be_lost()
    with app.begin(CLERK) as work:
        work.enqueue("x")
        work.may_be_lost()
        assert work.session.scalar(text("SHOW synchronous_commit")) == "off"
        with pytest.raises(ValueError, match="durable"):
            work.record(viewed(uuid4()))
        work.commit()
    with app.read() as session:
        assert session.scalar(text("SHOW synchronous_commit")) != "off"
        assert session.scalar(text("SELECT count(*) FROM jobs")) == 1


def test_a_look_sees_the_present_and_changes_nothing(app: Database) -> None:
    with app.look() as session:
        assert session.scalar(select(func.count()).select_from(JobRow)) == 0
        with app.begin(CLERK) as work:
            job = work.enqueue("x")
            work.commit()
        assert session.scalars(select(JobRow.id)).all() == [job]
        for change in (update(JobRow).values(task="y"), delete(JobRow), text("DELETE FROM jobs")):
            with pytest.raises(ValueError, match="changes nothing"):
                session.execute(change)
        session.add(JobRow(id=uuid4(), task="z", args={}, created_at=app.clock.now()))
        assert session.scalars(select(JobRow.task)).all() == ["x"]
    with app.begin(CLERK) as work:
        work.enqueue("not committed")
    with app.read() as session:
        assert session.scalars(select(JobRow.task)).all() == ["x"]


def test_connections_the_server_closed_are_left_out(app: Database, ledger_database: FreshDatabase) -> None:
    with app.read() as one, app.read() as two:
        pids = [session.scalar(text("SELECT pg_backend_pid()")) for session in (one, two)]
    with psycopg.connect(conninfo(ledger_database.app_url), autocommit=True) as same_role:
        for pid in pids:
            same_role.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    ids = record(app, viewed(uuid4()))
    with app.read() as session, app.read() as other:
        new = {each.scalar(text("SELECT pg_backend_pid()")) for each in (session, other)}
    assert new.isdisjoint(pids)
    record(app, described(uuid4()))
    assert _waiting(app)[0] == ids[0]


def test_an_event_that_cannot_be_written_leaves_the_unit_unable_to_commit(app: Database) -> None:
    class Liar:
        def write(self, *_: object) -> tuple[WrittenEvent, list[Opening]]:
            return WrittenEvent(uuid4(), "system", "{}"), []

    with app.begin(CLERK) as work:
        work._scribe = Liar()
        work.record(viewed(uuid4()))
        for _ in range(2):
            with pytest.raises(Exception, match="body_is_the_event"):
                work.commit()
    assert _waiting(app) == []


def _waiting(app: Database) -> list[UUID]:
    with app.read() as session:
        return list(session.scalars(text("SELECT event_id FROM event_outbox ORDER BY position")))
