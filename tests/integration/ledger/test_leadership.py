"""Leaders that are killed or paused, with producers that do not stop."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer, wait_sequenced
from custody.tables import LedgerStateRow
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import record, record_views, sequencer_process, unguarded, viewed
from tests.integration.ledger.test_sequencer import SOON, check_ledger
from tests.whole import until


@contextmanager
def producing(app: Database) -> Iterator[list[UUID]]:
    """Four threads that record until the block ends; the ids that were acknowledged."""
    acknowledged: list[UUID] = []
    enough = threading.Event()
    exhibits = [uuid4() for _ in range(4)]

    def produce(number: int) -> None:
        while not enough.wait(0.01):
            acknowledged.extend(record(app, viewed(exhibits[number]), viewed(exhibits[0])))

    threads = [threading.Thread(target=produce, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_sigkill_loses_nothing(app: Database, ledger_database: FreshDatabase) -> None:
    dice = random.Random(20261121)
    seen = _epoch(app)
    with producing(app) as acknowledged:
        kills = 0
        while kills < 8 or len(acknowledged) < 50:
            kills += 1
            with sequencer_process(ledger_database.sequencer_url):
                while (epoch := _epoch(app)) == seen:
                    time.sleep(0.005)
                seen = epoch
                time.sleep(dice.uniform(0.02, 0.3))
    with sequencer_process(ledger_database.sequencer_url):
        wait_sequenced(app, acknowledged, SOON)
        wait_sequenced(app, record_views(app, 1), SOON)
    check_ledger(app, set(acknowledged))


def test_a_standby_takes_over_and_the_paused_leader_cannot_write(app: Database, ledger_database: FreshDatabase) -> None:
    with sequencer_process(ledger_database.sequencer_url) as leader:
        wait_sequenced(app, record_views(app, 3), SOON)
        with sequencer_process(ledger_database.sequencer_url), producing(app) as acknowledged:
            time.sleep(0.2)
            before = _epoch(app)
            os.kill(_pid(leader), signal.SIGSTOP)
            until(lambda: _epoch(app) > before)
            wait_sequenced(app, record_views(app, 1), SOON)
            os.kill(_pid(leader), signal.SIGCONT)
            time.sleep(1.0)  # the old leader wakes up, finds its connection gone, and waits
            wait_sequenced(app, list(acknowledged), SOON)
            after = _epoch(app)
        wait_sequenced(app, record_views(app, 1), SOON)  # the standby is dead: the former leader leads again
        assert _epoch(app) > after
    check_ledger(app, set(acknowledged))


def test_a_new_leader_that_still_looks_around_is_not_taken_for_a_silent_one(
    ledger_database: FreshDatabase, sequencer_side: Database
) -> None:
    """The last leader's beat is old, and the new one asks the store before its first. Two would end each other."""
    with psycopg.connect(conninfo(ledger_database.owner_url)) as owner:
        owner.execute("UPDATE ledger_state SET beat_at = clock_timestamp() - interval '1 hour'")
    looking, enough, patience = threading.Event(), threading.Event(), timedelta(minutes=30)

    def look_around(_: Session) -> None:
        looking.set()
        assert enough.wait(60)

    new = Sequencer(sequencer_side, look_around, takeover_after=patience)
    standby = Sequencer(sequencer_side, unguarded, takeover_after=patience)
    with sequencer_side.hold() as held, sequencer_side.hold() as other, ThreadPoolExecutor(1) as beside:
        leading = beside.submit(new.try_lead, held)
        assert looking.wait(60)
        assert standby.try_lead(other) is None
        enough.set()
        assert leading.result(60) is not None


def _pid(process: object) -> int:
    pid = getattr(process, "pid", None)
    assert isinstance(pid, int)
    return pid


def _epoch(app: Database) -> int:
    with app.read() as session:
        return session.scalars(select(LedgerStateRow.epoch)).one()
