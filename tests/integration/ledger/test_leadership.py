"""Leaders that are killed or paused, with producers that do not stop."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select

from custody.kernel.unit_of_work import Database
from custody.ledger import wait_sequenced
from custody.tables import LedgerStateRow
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import record, record_views, sequencer_process, viewed
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


def test_two_that_look_around_for_long_do_not_end_each_other(app: Database, ledger_database: FreshDatabase) -> None:
    """The last leader has been silent for long, and whoever comes next asks the store before its first beat."""
    with psycopg.connect(conninfo(ledger_database.owner_url)) as owner:
        owner.execute("UPDATE ledger_state SET beat_at = clock_timestamp() - interval '1 hour'")
    url = ledger_database.sequencer_url
    with sequencer_process(url, slow_s=1.0), sequencer_process(url, slow_s=1.0):
        wait_sequenced(app, record_views(app, 1), SOON)


def _pid(process: object) -> int:
    pid = getattr(process, "pid", None)
    assert isinstance(pid, int)
    return pid


def _epoch(app: Database) -> int:
    with app.read() as session:
        return session.scalars(select(LedgerStateRow.epoch)).one()
