"""What the ledger's tests stand on: databases by role, drafts, a store in memory, a sequencer in a process."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import SystemClock
from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer
from custody.scribe import EventScribe
from tests.databases import conninfo

ORIGIN = "log.test.example/dalel"
CLERK = Actor(UUID(int=7), "investigator", "api", "192.0.2.1")
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.integration.ledger.support", "pytest"])


def database(url: str, pool_size: int = 10) -> Database:
    clock = SystemClock()
    ids = RandomIds(clock)
    return Database(url, clock, ids, EventScribe(clock, ids), pool_size=pool_size)


def viewed(exhibit: UUID, case_id: UUID | None = None) -> EventDraft:
    return event.draft(
        "content.viewed", item=f"exhibit:{exhibit}", case_id=case_id, subject=exhibit, sha256="sha256:" + "0" * 64
    )


def described(exhibit: UUID) -> EventDraft:
    return event.draft(
        "exhibit.described", item=f"exhibit:{exhibit}", exhibit=exhibit, metadata_sha256="sha256:" + "0" * 64
    )


def record(app: Database, *drafts: EventDraft) -> list[UUID]:
    with app.begin(CLERK) as work:
        ids = work.record_all(drafts)
        work.commit()
    return ids


def record_views(app: Database, count: int) -> list[UUID]:
    exhibits = [uuid4() for _ in range(7)]
    return record(app, *(viewed(exhibits[number % 7]) for number in range(count)))


def tamper(owner_url: str, statement: str) -> None:
    """What an administrator could do who owns the tables and does not shrink from switching off their triggers."""
    with psycopg.connect(conninfo(owner_url)) as owner:
        owner.execute("ALTER TABLE ledger_entries DISABLE TRIGGER refuse_change")
        owner.execute(statement)
        owner.execute("ALTER TABLE ledger_entries ENABLE TRIGGER refuse_change")


def unguarded(_: Session) -> None:
    """A guard that lets the sequencer write."""


def sequence_all(sequencer_database: Database, batch: int = 1000) -> int:
    """Move all that waits, as a leader of one's own."""
    sequencer = Sequencer(sequencer_database, unguarded, batch=batch)
    total = 0
    with sequencer_database.hold() as held:
        while (epoch := sequencer.try_lead(held)) is None:  # another thread of the test leads for a moment
            time.sleep(0.01)
        while moved := sequencer.step(held, epoch):
            total += moved
    return total


@contextmanager
def running_sequencer(url: str) -> Iterator[Sequencer]:
    """A sequencer in a thread of this process."""
    ours = database(url)
    sequencer = Sequencer(ours, unguarded)
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run, args=(stop,))
    thread.start()
    try:
        yield sequencer
    finally:
        stop.set()
        thread.join()
        ours.close()


@contextmanager
def sequencer_process(url: str) -> "Iterator[multiprocessing.process.BaseProcess]":
    """A sequencer in a process of its own, to be paused; killed at the end, which is how all of them end here."""
    process = _FORKS.Process(target=_sequence_forever, args=(url,), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _sequence_forever(url: str) -> None:
    takeover_after = timedelta(seconds=1.5)
    Sequencer(database(url), unguarded, batch=50, takeover_after=takeover_after).run(threading.Event())


class MemoryStore:
    """A tile store in a dictionary, which tests may open and damage."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_new(self, path: str, data: bytes) -> bool:
        if path in self.files:
            return False
        self.files[path] = data
        return True

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)
