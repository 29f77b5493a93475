"""The ledger beside the database it stands on: the same PostgreSQL, durable commits, the same number of clients.

Peers: one bare INSERT of a row of the same size per commit; the same business row through the same session without its
event; COPY of finished rows by itself.
"""

import multiprocessing
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.orm import Session

from bench import report, verification, witnessed
from custody import audit, event
from custody.kernel.clock import SystemClock
from custody.kernel.ids import RandomIds
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer, wait_sequenced
from custody.scribe import EventScribe
from evidence_api.migrations import run as migrations
from evidence_api.stack.endpoints import Endpoints
from evidence_api.stack.stack import Stack

CLIENTS = 8
"""So many that a commit's wait for the disk is filled by others, and not so many that they wait for two cores."""
SECONDS = 3.0
ROUNDS = 3
GROUP = 200
BACKLOG = 20_000
PATIENCE = timedelta(seconds=30)
PACE = 10_000
PACERS = 4
PACED_S = 20.0
SAMPLES = 200
ACTOR = Actor(UUID(int=7), "investigator", "api", "192.0.2.1")
_SPAWN = multiprocessing.get_context("spawn")
_EXHIBITS = [uuid4() for _ in range(10)]
"""Of each process."""

Client = Callable[[str, float], int]
"""`client(url, seconds)` acts for so long and says how often it did."""


def rows() -> list[report.Row]:
    """Start a stack of its own with durable commits, measure, stop it."""
    directory = Path(tempfile.mkdtemp(prefix="dalel-bench-"))
    try:
        with Stack(directory) as stack:
            endpoints = stack.start()
            migrations.upgrade(endpoints.owner_url, endpoints.app_password, endpoints.sequencer_password)
            with psycopg.connect(report.conninfo(endpoints.owner_url), autocommit=True) as owner:
                owner.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, body text)")
            app = _database(endpoints.app_url)
            outside = witnessed.rows(stack, endpoints, app, lambda: _record(app, 1)[0])
            app.close()
            return [*measure(endpoints), *outside, *verification.rows()]
    finally:
        shutil.rmtree(directory)


def measure(endpoints: Endpoints) -> list[report.Row]:
    """All rows. A sequencer runs during the commits, those of the peer included; the last rows measure it alone."""
    sequencer = _SPAWN.Process(target=_sequence_forever, args=(endpoints.sequencer_url,), daemon=True)
    sequencer.start()
    app = _database(endpoints.app_url)
    wait_sequenced(app, _record(app, 1), PATIENCE)
    per_second = _in_turn(
        {
            "bare": (_bare_commits, endpoints.owner_url),
            "event": (_events, endpoints.app_url),
            "row": (_rows_alone, endpoints.app_url),
            "business": (_business, endpoints.app_url),
            "grouped": (_grouped_reads, endpoints.app_url),
        },
        between=lambda: _drain(app),
    )
    behind = _behind(app, endpoints.app_url)
    lag_ms = _lag_ms(app, 100)
    paced_ms, paced = _lag_under_load(app, endpoints.app_url)
    sequencer.kill()
    sequencer.join()
    for _ in range(BACKLOG // GROUP):
        _record(app, GROUP)
    alone = _sequence_backlog(endpoints.sequencer_url)
    copied = _bare_copy(endpoints.owner_url)
    app.close()
    peer, bare, note = "bare single-row commits", per_second["bare"], _durability(endpoints.owner_url)
    return [
        report.Row("events, one per transaction", per_second["event"], "1/s", True, 2000, peer, bare, note),
        report.Row(
            "a job's row and its event per transaction",
            per_second["business"],
            "1/s",
            True,
            0.6 * per_second["row"],
            "the same row through the same session, no event",
            per_second["row"],
        ),
        report.Row(f"read events, group commit of {GROUP}", per_second["grouped"], "1/s", True, 20_000, peer, bare),
        report.Row(f"sequencer behind after {SECONDS:.0f} s of that", behind, "s", False),
        report.Row("commit to sequenced, idle, p99 of 100", lag_ms, "ms", False, 250),
        report.Row(
            f"commit to sequenced, beside {PACE:,} read events/s, p99 of {SAMPLES}",
            paced_ms,
            "ms",
            False,
            250,
            note=f"the load beside it was {paced:,.0f} events/s, groups of {GROUP} by {PACERS} processes",
        ),
        report.Row("sequencer alone, batches of 1000", alone, "1/s", True, None, "bare COPY of its rows", copied),
    ]


def _in_turn(clients: dict[str, tuple[Client, str]], between: Callable[[], object]) -> dict[str, float]:
    """Acts per second of each kind, by several processes at once: rounds in turn, the median of each counts."""
    found: dict[str, list[float]] = {name: [] for name in clients}
    with _SPAWN.Pool(CLIENTS) as pool:
        for client, url in clients.values():
            pool.starmap(client, [(url, 0.3)] * CLIENTS, chunksize=1)  # warm up: imports, connections, plans
        for _ in range(ROUNDS):
            for name, (client, url) in clients.items():
                between()
                found[name].append(sum(pool.starmap(client, [(url, SECONDS)] * CLIENTS, chunksize=1)) / SECONDS)
    return {name: statistics.median(rates) for name, rates in found.items()}


def _durability(owner_url: str) -> str:
    """How durable a commit was, in PostgreSQL's own words."""
    names = ("fsync", "synchronous_commit", "wal_sync_method", "full_page_writes", "wal_level", "shared_buffers")
    with psycopg.connect(report.conninfo(owner_url)) as connection:
        settings = [f"{name}={connection.execute(f'SHOW {name}').fetchone()[0]}" for name in names]
    return f"PostgreSQL: {', '.join(settings)}; {CLIENTS} client processes"


def _database(url: str) -> Database:
    clock = SystemClock()
    ids = RandomIds(clock)
    return Database(url, clock, ids, EventScribe(clock, ids))


def _viewed(exhibit: UUID) -> EventDraft:
    return event.draft("content.viewed", item=f"exhibit:{exhibit}", subject=exhibit, sha256="sha256:" + "0" * 64)


def _record(app: Database, count: int) -> list[UUID]:
    with app.begin(ACTOR) as work:
        ids = work.record_all([_viewed(_EXHIBITS[number % len(_EXHIBITS)]) for number in range(count)])
        work.commit()
    return ids


def _bare_commits(url: str, seconds: float) -> int:
    body = secrets.token_hex(330)
    with psycopg.connect(report.conninfo(url), autocommit=True) as connection:
        return _until(seconds, lambda: connection.execute("INSERT INTO bare (body) VALUES (%s)", (body,)))


def _events(url: str, seconds: float) -> int:
    app = _database(url)
    try:
        return _until(seconds, lambda: _record(app, 1))
    finally:
        app.close()


def _business(url: str, seconds: float) -> int:
    """A unit of work that changes something: a row is written through the session, its event with it."""
    return _business_rows(url, seconds, recorded=True)


def _rows_alone(url: str, seconds: float) -> int:
    """The same units of work, unrecorded."""
    return _business_rows(url, seconds, recorded=False)


def _business_rows(url: str, seconds: float, *, recorded: bool) -> int:
    app = _database(url)

    def act() -> None:
        exhibit = uuid4()
        with app.begin(ACTOR) as work:
            work.enqueue("bench.nothing", subject=f"exhibit:{exhibit}", exhibit=exhibit)
            if recorded:
                work.record(_viewed(exhibit))
            work.commit()

    try:
        return _until(seconds, act)
    finally:
        app.close()


def _grouped_reads(url: str, seconds: float) -> int:
    app = _database(url)
    try:
        return GROUP * _until(seconds, lambda: _record(app, GROUP))
    finally:
        app.close()


def _until(seconds: float, act: Callable[[], object]) -> int:
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        act()
        count += 1
    return count


def _behind(app: Database, url: str) -> float:
    """Seconds until the sequencer has caught up with a burst of grouped reads."""
    _drain(app)
    with _SPAWN.Pool(CLIENTS) as pool:
        pool.starmap(_grouped_reads, [(url, SECONDS)] * CLIENTS, chunksize=1)
    return _drain(app)


def _drain(app: Database) -> float:
    began = time.monotonic()
    while True:
        with app.read() as session:
            if not audit.pending(session):
                return time.monotonic() - began
        time.sleep(0.02)


def _lag_ms(app: Database, count: int, pause_s: float = 0.0) -> float:
    """The 99th of a hundred waits from a commit until its event has its index."""
    lags = []
    for _ in range(count):
        ids = _record(app, 1)
        began = time.monotonic()
        wait_sequenced(app, ids, PATIENCE)
        lags.append(time.monotonic() - began)
        time.sleep(pause_s)
    return sorted(lags)[count * 99 // 100 - 1] * 1000


def _lag_under_load(app: Database, url: str) -> tuple[float, float]:
    """The same while others record `PACE` events a second, and how many they truly did."""
    _drain(app)
    with _SPAWN.Pool(PACERS) as pool:
        pool.starmap(_paced_reads, [(url, 0.3)] * PACERS, chunksize=1)
        running = pool.starmap_async(_paced_reads, [(url, PACED_S)] * PACERS, chunksize=1)
        time.sleep(0.5)
        lag_ms = _lag_ms(app, SAMPLES, pause_s=0.02)
        return lag_ms, sum(running.get()) / PACED_S


def _paced_reads(url: str, seconds: float) -> int:
    """This process's share of `PACE`: a group whenever one is due."""
    app = _database(url)
    due = time.monotonic()

    def act() -> None:
        nonlocal due
        due += GROUP * PACERS / PACE
        time.sleep(max(0.0, due - time.monotonic()))
        _record(app, GROUP)

    try:
        return GROUP * _until(seconds, act)
    finally:
        app.close()


def _unguarded(_: Session) -> None:
    """Nothing is published here, so there is no head to be behind."""


def _sequence_forever(url: str) -> None:
    Sequencer(_database(url), _unguarded).run(threading.Event())


def _sequence_backlog(url: str) -> float:
    database = _database(url)
    sequencer = Sequencer(database, _unguarded)
    with database.hold() as held:
        while (epoch := sequencer.try_lead(held)) is None:
            time.sleep(0.05)
        began = time.monotonic()
        moved = 0
        while batch := sequencer.step(held, epoch):
            moved += batch
        took = time.monotonic() - began
    database.close()
    return moved / took


def _bare_copy(url: str) -> float:
    """COPY of the ledger's last rows, as they are, into a table without indexes, 1,000 per commit."""
    with psycopg.connect(report.conninfo(url), autocommit=True) as connection:
        connection.execute("CREATE TABLE copied (LIKE ledger_entries)")
        query = "SELECT * FROM ledger_entries ORDER BY seq DESC LIMIT %s"
        rows = connection.execute(query, (BACKLOG,)).fetchall()
        began = time.monotonic()
        for start in range(0, len(rows), 1000):
            with connection.cursor() as cursor, cursor.copy("COPY copied FROM STDIN") as copy:
                for row in rows[start : start + 1000]:
                    copy.write_row(row)
        return len(rows) / (time.monotonic() - began)
