"""How long after its commit an event stands under a head that two witnesses have cosigned, and how long nobody orders
events when the leader is stopped: the sequencer as `dalel sequencer` runs it, on the stack's database and store.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from bench import report
from custody import heads
from custody.kernel.unit_of_work import Database
from custody.ledger import wait_sequenced
from custody.tables import LedgerStateRow
from evidence_api import container, embedded, prepare
from evidence_api.demo import witnesses
from evidence_api.settings import as_environment
from evidence_api.stack.endpoints import Endpoints
from evidence_api.stack.stack import Stack

EVENTS = 20
PATIENCE = timedelta(seconds=60)
_COMMAND = (sys.executable, "-m", "evidence_api.cli", "sequencer")


def rows(stack: Stack, endpoints: Endpoints, app: Database, record: Callable[[], UUID]) -> list[report.Row]:
    """Both rows. The database is migrated and nobody orders its events; `record` commits one and returns its id."""
    settings = embedded.settings_of(endpoints, stack.kept, "http://127.0.0.1:1")
    prepare.keys(settings)
    asked = [witnesses.made(title, settings.data_dir, stack.kept.port(title)) for title in witnesses.TITLES]
    policy_file = settings.data_dir / "keys" / "policy"
    policy_file.write_text(prepare.policy(settings, witnesses.policy_lines(asked)))
    stack.run([stack.program(one.title, one.command(policy_file), {}, one.ready) for one in asked])
    container.object_store(settings).ensure_buckets()
    environment = {**os.environ, **as_environment(dict(settings) | {"tsa_urls": None, "tsa_roots_file": None})}
    with _sequencer(environment) as leader:
        witnessed_s = _witnessed(app, record)
        taken_over_s = _taken_over(app, leader, environment)
    note = "two witnesses in programs of their own, publisher every second"
    return [
        report.Row(f"commit to witnessed head, p95 of {EVENTS}", witnessed_s, "s", False, 2, note=note),
        report.Row("leader stopped (SIGSTOP) to the standby's epoch", taken_over_s, "s", False, 5),
    ]


@contextmanager
def _sequencer(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(_COMMAND, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _witnessed(app: Database, record: Callable[[], UUID]) -> float:
    dice, took = random.Random(1), []
    for number in range(EVENTS + 1):
        time.sleep(dice.random())  # at any moment of the publisher's second
        began = time.monotonic()
        (index,) = wait_sequenced(app, [record()], PATIENCE).values()
        _until(lambda index=index: _covers(app, index))
        if number:  # the first one waits for the programs to load
            took.append(time.monotonic() - began)
    return sorted(took)[EVENTS * 95 // 100 - 1]


def _taken_over(app: Database, leader: "subprocess.Popen[bytes]", environment: dict[str, str]) -> float:
    with _sequencer(environment):
        time.sleep(5)  # the standby is loaded and waits
        before = _epoch(app)
        os.kill(leader.pid, signal.SIGSTOP)
        began = time.monotonic()
        _until(lambda: _epoch(app) > before)
        return time.monotonic() - began


def _covers(app: Database, index: int) -> bool:
    with app.read() as session:
        view = heads.latest_witnessed(session)
    return view is not None and view.size > index


def _epoch(app: Database) -> int:
    with app.read() as session:
        return session.scalars(select(LedgerStateRow.epoch)).one()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE.total_seconds()
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)
