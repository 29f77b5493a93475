"""Order: gapless, chained, whatever the producers do."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from custody import audit, ledger
from custody.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer, index_of, wait_sequenced
from custody.proof import merkle
from custody.tables import LedgerEntryRow
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import (
    CLERK,
    record,
    record_views,
    running_sequencer,
    sequence_all,
    unguarded,
    viewed,
)

SOON = timedelta(seconds=60)


def check_ledger(app: Database, acknowledged: set[UUID]) -> None:
    """No gap, nothing lost, nothing twice, every chain and hash right."""
    with app.read() as session:
        rows = session.execute(select(LedgerEntryRow).order_by(LedgerEntryRow.seq)).scalars().all()
        assert [row.seq for row in rows] == list(range(len(rows)))
        ids = [row.event_id for row in rows]
        assert len(set(ids)) == len(ids)
        assert acknowledged <= set(ids)
        assert all(merkle.leaf_hash(row.canonical) == row.leaf_hash for row in rows)
        for item in {row.item for row in rows}:
            assert audit.check_chain(session, item).length == sum(row.item == item for row in rows)
        assert not audit.pending(session)
        assert audit.health(session).size == len(rows)


def test_eight_producers_and_a_sequencer(app: Database, ledger_database: FreshDatabase) -> None:
    exhibits = [uuid4() for _ in range(5)]
    acknowledged: list[UUID] = []

    def produce(number: int) -> None:
        for turn in range(25):
            acknowledged.extend(record(app, viewed(exhibits[(number + turn) % 5]), viewed(exhibits[turn % 5])))

    with running_sequencer(ledger_database.sequencer_url):
        threads = [threading.Thread(target=produce, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        indexes = wait_sequenced(app, acknowledged, SOON)
    assert sorted(indexes.values()) == list(range(400))
    check_ledger(app, set(acknowledged))


def test_events_of_one_transaction_keep_their_order(app: Database, sequencer_side: Database) -> None:
    exhibit = uuid4()
    ids = record(app, *(viewed(exhibit) for _ in range(10)))
    sequence_all(sequencer_side, batch=3)
    with app.read() as session:
        assert [entry.id for entry in audit.chain(session, f"exhibit:{exhibit}")] == ids
        assert index_of(session, ids[4]) == 4


def test_a_transaction_that_commits_late_is_not_lost(app: Database, sequencer_side: Database) -> None:
    with app.begin(CLERK) as slow:
        slow.session.connection()  # in a transaction, where an event is written at once
        late = slow.record(viewed(uuid4()))  # has its position in the outbox, but is not committed
        early = record_views(app, 3)
        sequence_all(sequencer_side)
        slow.commit()
    sequence_all(sequencer_side)
    with app.read() as session:
        assert [index_of(session, each) for each in [*early, late]] == [0, 1, 2, 3]


def test_waiting_has_an_end(app: Database) -> None:
    (event_id,) = record(app, viewed(uuid4()))
    with pytest.raises(Unavailable, match=r"ledger\.delayed"):
        wait_sequenced(app, [event_id], timedelta(milliseconds=30))
    with app.read() as session, pytest.raises(NotFound, match=r"ledger\.not_sequenced"):
        index_of(session, event_id)


def test_an_old_epoch_writes_nothing(app: Database, sequencer_side: Database) -> None:
    record_views(app, 3)
    sequencer = Sequencer(sequencer_side, unguarded)
    with sequencer_side.hold() as old:
        epoch = sequencer.try_lead(old)
        assert epoch is not None
        with sequencer_side.hold() as second:
            assert sequencer.try_lead(second) is None
        with pytest.raises(Conflict, match=r"ledger\.fenced"):
            sequencer.step(old, epoch - 1)
        assert sequencer.step(old, epoch) == 3


def test_a_database_that_must_not_grow_is_halted(app: Database, sequencer_side: Database) -> None:
    def guard(_: object) -> None:
        raise Corrupt("ledger.behind_published_head", size=0, published=5)

    record_views(app, 3)
    sequencer = Sequencer(sequencer_side, guard)
    with sequencer_side.hold() as held:
        epoch = sequencer.try_lead(held)
        assert epoch is not None
        assert sequencer.step(held, epoch) == 0
    with app.read() as session:
        assert audit.health(session) == audit.LedgerHealth(0, 0, 3, "ledger.behind_published_head")


def test_a_forged_body_halts_instead_of_entering(
    app: Database, sequencer_side: Database, ledger_database: FreshDatabase
) -> None:
    event_id = uuid4()
    with psycopg.connect(conninfo(ledger_database.app_url)) as forger:
        body = f'{{"id":"{event_id}","item":"system","type":"content.viewed"}}'
        forger.execute("INSERT INTO event_outbox (event_id, item, body) VALUES (%s, 'system', %s)", (event_id, body))
    assert sequence_all(sequencer_side) == 0
    with app.read() as session:
        assert audit.health(session) == audit.LedgerHealth(0, 0, 1, "outbox.malformed")


def test_a_sequencer_goes_on_after_its_connection_died(app: Database, ledger_database: FreshDatabase) -> None:
    with (
        running_sequencer(ledger_database.sequencer_url),
        psycopg.connect(conninfo(ledger_database.sequencer_url), autocommit=True) as other,
    ):
        wait_sequenced(app, record_views(app, 3), SOON)
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        wait_sequenced(app, record_views(app, 3), SOON)
    check_ledger(app, set())


def test_a_batch_costs_a_batch_though_the_outbox_counts_as_empty(
    app: Database, sequencer_side: Database, ledger_database: FreshDatabase
) -> None:
    """Statistics taken while one event waited made each waiting row meet each of a batch: 440 events a second."""
    record_views(app, 2000)
    with psycopg.connect(conninfo(ledger_database.owner_url), autocommit=True) as owner:
        sequence_all(sequencer_side)
        record_views(app, 1)  # in the last page: the table is not cut short, and counts as one row in many pages
        owner.execute("VACUUM ANALYZE event_outbox")
    record_views(app, 1000)
    with sequencer_side.unit() as unit:
        explained = text("EXPLAIN (ANALYZE, FORMAT JSON) " + ledger._TAKE.text)
        (plan,) = unit.session.execute(explained, {"batch": 100}).scalar_one()
    nodes = list(_nodes(plan["Plan"]))
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in nodes) == 100
    assert not any(node["Node Type"] == "Seq Scan" for node in nodes)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
