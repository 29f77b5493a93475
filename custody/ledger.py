"""Order: ONE sequencer moves events from the outbox into the ledger, gapless, in one transaction per batch.

Two things keep it one. A session lock in PostgreSQL elects the leader; every batch then checks, under the lock of the
state row and in its own transaction, that the epoch is still the one it was elected in. The lock says who should write,
the epoch says who can: a leader that was paused and replaced finds another epoch and writes nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from custody import logs
from custody.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from custody.kernel.unit_of_work import Database, HeldConnection, Unit
from custody.proof import canonical, merkle, tiles
from custody.tables import LedgerEntryRow, LedgerStateRow
from custody.tile_store import Tiles, TileStore

_LEADER_LOCK = 0x44414C_454C0002
_POLL_S = 0.02
_BREATH_S = 0.05
"""After a batch: each costs about 4 ms besides its events, so that where events keep coming larger ones cost less."""
_BEAT_S = 0.5
_RETRY_S = 0.2

_HEADS = text(
    "SELECT wanted.item, last.item_seq, last.leaf_hash FROM unnest(CAST(:items AS text[])) AS wanted(item)"
    " CROSS JOIN LATERAL (SELECT item_seq, leaf_hash FROM ledger_entries entry WHERE entry.item = wanted.item"
    " ORDER BY item_seq DESC LIMIT 1) AS last"
)
# Both walk the outbox's key, whatever its statistics say. They lie as often as not: vacuumed while nothing waited, it
# counts as empty until the next time, and `IN (SELECT … LIMIT)` became a join of each waiting row with each of a batch.
_ANY_WAITING = "SELECT min(position) IS NOT NULL FROM event_outbox"
_TAKE = text(
    "WITH next AS (SELECT position FROM event_outbox ORDER BY position LIMIT :batch),"
    " taken AS (DELETE FROM event_outbox WHERE position <= (SELECT max(position) FROM next)"
    " RETURNING position, item, body)"
    " SELECT item, body FROM taken ORDER BY position"
)
# A leader that has just begun looks around before its first beat: it is silent only if it asks the database nothing
# either. Two that wait would else end each other for ever, each in its first moments.
_END_SILENT_LEADER = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid), ledger_state"
    " WHERE locktype = 'advisory' AND granted AND classid = :high AND objid = :low AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND greatest(beat_at, query_start) < clock_timestamp() - CAST(:after AS interval)"
)
_COPY = (
    "COPY ledger_entries (seq, leaf_hash, item, item_seq, event_id, type, case_id, time_ms, actor_id, canonical)"
    " FROM STDIN"
)

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """An event in its place, as a row of the ledger: fields in the order of `_COPY`."""

    seq: int
    leaf_hash: bytes
    item: str
    item_seq: int
    event_id: str
    type: str
    case_id: str | None
    time_ms: int
    actor_id: str | None
    canonical: bytes


def place(waiting: Iterable[tuple[str, str]], size: int, heads: Mapping[str, tuple[int, bytes]]) -> list[Entry]:
    """Give events (item, body) the next indexes from `size`, and each its place in its item's chain.

    `heads` holds the last `item_seq` and leaf hash of every item that has any. Raises Corrupt `outbox.malformed` when a
    body cannot become a leaf.
    """
    last = dict(heads)
    entries = []
    for seq, (item, body) in enumerate(waiting, start=size):
        item_seq, prev = last.get(item, (-1, None))
        entry = _entry(seq, item, body, item_seq + 1, prev)
        last[item] = (entry.item_seq, entry.leaf_hash)
        entries.append(entry)
    return entries


def _entry(seq: int, item: str, body: str, item_seq: int, prev: bytes | None) -> Entry:
    try:
        event = canonical.parsed(body)
        event |= {"item_seq": item_seq, "prev": "sha256:" + prev.hex() if prev else None}
        leaf = canonical.spelled(event)
        return Entry(
            seq,
            merkle.leaf_hash(leaf),
            item,
            item_seq,
            event["id"],
            event["type"],
            event["case"],
            event["time_ms"],
            event["actor"]["id"],
            leaf,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Corrupt("outbox.malformed", seq=seq) from error


class _TooFar(Exception):
    """A batch goes on behind the event that closes the log, which is its `batch`th."""

    def __init__(self, batch: int) -> None:
        super().__init__(batch)
        self.batch = batch


class Sequencer:
    """The one that orders. Start one per database; others wait and take over.

    `guard` looks before the first write of an epoch and raises Corrupt when the database must not grow (it is behind
    its published head): the ledger is then halted with that code. `takeover_after` is how long a leader that holds the
    lock may be silent before another ends its connection.
    """

    def __init__(
        self,
        database: Database,
        guard: Callable[[Session], None],
        *,
        batch: int = 1000,
        takeover_after: timedelta = timedelta(seconds=3),
    ) -> None:
        self._database = database
        self._guard = guard
        self._batch = batch
        self._takeover_after = takeover_after
        self.leading = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Lead when possible, wait otherwise, until `stop` is set. Survives the loss of PostgreSQL."""
        while not stop.is_set():
            try:
                with self._database.hold() as held:
                    self._run_held(held, stop)
            except (DBAPIError, psycopg.Error, Conflict, Unavailable) as error:
                log.warning("sequencer: lost its place (%s)", _kind(error))
                stop.wait(_RETRY_S)
            finally:
                self.leading.clear()

    def _run_held(self, held: HeldConnection, stop: threading.Event) -> None:
        epoch = None
        while epoch is None:
            epoch = self.try_lead(held)
            if epoch is None and stop.wait(_RETRY_S):
                return
        log.info("sequencer: leading in epoch %d", epoch)
        self.leading.set()
        beaten = 0.0
        while not stop.is_set():
            if time.monotonic() - beaten > _BEAT_S:
                self._beat(held, epoch)
                beaten = time.monotonic()
            moved = self.step(held, epoch)
            if moved < self._batch:
                stop.wait(_BREATH_S if moved else _POLL_S)

    def try_lead(self, held: HeldConnection) -> int | None:
        """The epoch this connection now leads in, or None while another leads (ending that one if it is silent)."""
        with held.unit() as unit:
            if not unit.session.scalar(select(func.pg_try_advisory_lock(_LEADER_LOCK))):
                self._end_silent_leader(unit)
                return None
            return self._next_epoch(unit)

    def _end_silent_leader(self, unit: Unit) -> None:
        parameters = {"high": _LEADER_LOCK >> 32, "low": _LEADER_LOCK & 0xFFFFFFFF, "after": self._takeover_after}
        if unit.session.execute(_END_SILENT_LEADER, parameters).all():
            log.warning("sequencer: ended the connection of a silent leader")

    def _next_epoch(self, unit: Unit) -> int:
        change = update(LedgerStateRow).values(
            epoch=LedgerStateRow.epoch + 1,
            beat_at=func.clock_timestamp(),
            halted=func.nullif(LedgerStateRow.halted, "outbox.malformed"),  # a new leader looks at the row again
        )
        try:
            self._guard(unit.session)
        except Corrupt as error:
            change = change.values(halted=error.code)
            log.critical("sequencer: halted, %s", error)
        epoch = unit.session.execute(change.returning(LedgerStateRow.epoch)).scalar_one()
        unit.commit()
        return epoch

    def _beat(self, held: HeldConnection, epoch: int) -> None:
        with held.unit() as unit:
            change = update(LedgerStateRow).where(LedgerStateRow.epoch == epoch).values(beat_at=func.clock_timestamp())
            if unit.session.scalar(change.returning(LedgerStateRow.epoch)) is None:
                raise Conflict("ledger.fenced")
            unit.commit()

    def step(self, held: HeldConnection, epoch: int) -> int:
        """Move one batch; how many events it had. Raises Conflict `ledger.fenced` once another epoch has begun.

        A batch ends with the event that closes the log, and the next one waits until a new log has begun.
        """
        if not held.ask(_ANY_WAITING):
            return 0
        batch = self._batch
        while True:
            try:
                return self._step(held, epoch, batch)
            except _TooFar as cut:
                batch = cut.batch

    def _step(self, held: HeldConnection, epoch: int, batch: int) -> int:
        with held.unit() as unit:
            state = unit.session.execute(select(LedgerStateRow).with_for_update()).scalar_one()
            if state.epoch != epoch:
                raise Conflict("ledger.fenced")
            if state.halted or state.closing:
                return 0
            try:
                moved = self._move(unit.session, state, batch)
            except Corrupt as error:
                log.critical("sequencer: halted, %s", error)
                unit.session.rollback()
                halt(unit, error.code)
                return 0
            unit.commit()
            return moved

    def _move(self, session: Session, state: LedgerStateRow, batch: int) -> int:
        waiting = [(row.item, row.body) for row in session.execute(_TAKE, {"batch": batch})]
        items = list({item for item, _ in waiting})
        heads = {row.item: (row.item_seq, bytes(row.leaf_hash)) for row in session.execute(_HEADS, {"items": items})}
        entries = place(waiting, state.size, heads)
        end = next((number for number, entry in enumerate(entries, 1) if entry.type == logs.CLOSED), None)
        if end is not None and end < len(entries):  # what comes after belongs to the next log: give it all back
            raise _TooFar(end)
        if end is not None:
            logs.announce(session, entries[-1].canonical)
            state.closing = True
        copy_entries(session, entries)
        state.size += len(entries)
        return len(entries)


def copy_entries(session: Session, entries: Sequence[Entry]) -> None:
    """Put entries into the ledger. Whoever calls holds the lock of the state row, and moves `size` along."""
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for entry in entries:
            copy.write_row(entry)


def halt(unit: Unit, code: str) -> None:
    """Stop the ledger and with it every change of state, saying why. Commits."""
    unit.session.execute(update(LedgerStateRow).values(halted=code))
    unit.commit()


def resume(unit: Unit) -> None:
    """Let the ledger go on, the cause of the publisher's halt gone; the sequencer's own halt stays. Commits."""
    ours = LedgerStateRow.halted != "outbox.malformed"
    unit.session.execute(update(LedgerStateRow).where(ours).values(halted=None))
    unit.commit()


def index_of(session: Session, event_id: UUID) -> int:
    """The ledger index of an event. Raises NotFound `ledger.not_sequenced` while it has none."""
    seq = session.scalar(select(LedgerEntryRow.seq).where(LedgerEntryRow.event_id == event_id))
    if seq is None:
        raise NotFound("ledger.not_sequenced")
    return seq


def _kind(error: Exception) -> str:
    """What went wrong, without the text: a database's quotes the values of its rows (law 10)."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


def wait_sequenced(database: Database, event_ids: Sequence[UUID], timeout: timedelta) -> dict[UUID, int]:
    """The ledger indexes of events that were committed, waiting for those that have none yet.

    Raises Unavailable `ledger.delayed` when one has none after `timeout`.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    pause = 0.005
    while True:
        with database.read() as session:
            query = select(LedgerEntryRow.event_id, LedgerEntryRow.seq).where(LedgerEntryRow.event_id.in_(event_ids))
            found = {row.event_id: row.seq for row in session.execute(query)}
        if len(found) == len(set(event_ids)):
            return found
        if time.monotonic() > deadline:
            raise Unavailable("ledger.delayed")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


class Proofs:
    """Inclusion proofs from the published tiles; the database is not asked."""

    def __init__(self, store: TileStore) -> None:
        self._store = store

    def inclusion(self, indexes: Iterable[int], size: int) -> dict[int, list[bytes]]:
        """The proof of each index in the published tree of `size` (RFC 9162 §2.1.3), by index.

        Raises ProofInvalid for an index outside the tree, Corrupt `ledger.tile_missing`.
        """
        read = Tiles(self._store, size)
        return {index: tiles.inclusion_proof(read, index, size) for index in indexes}

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `old` leaves begins the published tree of `new` (RFC 9162 §2.1.4)."""
        return tiles.consistency_proof(Tiles(self._store, new), old, new)
