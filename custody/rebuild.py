"""Rebuilding: the entries a database restored from an old backup no longer has, from the private entry bundles.

What is put back is proved first: the entries that are there and those of the bundles must together lead to the root of
the last published head. Only the ledger is restored. Business rows and the openings of personal values are not in the
bundles and stay lost; wrapped keys of files come back from the records beside them (`dalel keys recover`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from custody import event, logs
from custody.bundles import EntryBundles
from custody.kernel.errors import Conflict, Corrupt
from custody.kernel.outbox import Actor, EventOutboxRow
from custody.kernel.unit_of_work import Database
from custody.ledger import Entry, copy_entries
from custody.logs import Log
from custody.proof import checkpoint, grammar, merkle, note, policy
from custody.proof.checkpoint import Checkpoint
from custody.proof.policy import Policy
from custody.proof.strict import ProofError
from custody.tables import LedgerEntryRow, LedgerStateRow

BEHIND = "ledger.behind_published_head"
_BATCH = 4096
_MARKS = (b'"type":"log.closed"', b'"type":"log.opened"')
"""As the canonical bytes of such a leaf spell it: no other text of a leaf can, its quotes would be escaped."""
_REBUILDER = Actor(id=None, role="system", means="cli")
WITHOUT_ROWS = frozenset(
    {
        *("content.viewed", "content.downloaded", "page.viewed", "trail.exported", "access.denied"),
        *("session.failed", "fixity.checked", "system.started", "store.self_tested", "config.changed"),
        *("upload.expired", "upload.finished", "upload.refused", "ledger.rebuilt"),
        *("act.refused", "content.copied", "content.printed", "personal.erased"),
    }
)
"""Types of events that leave no row of their own: nothing is missing when none names them."""


@dataclass(frozen=True)
class Lost:
    """An entry that is restored whose business row is not."""

    seq: int
    event_id: str
    type: str
    item: str


@dataclass(frozen=True)
class Rebuilding:
    """What is to be put back: `entries` from index `start` up to the published `head`, at `size` entries over all logs.

    `lost` are those of them whose business rows went with the database. `logs` are all that the entries tell of,
    `announced` origin and key of one that is named and has not begun.
    """

    start: int
    head: Checkpoint
    entries: tuple[Entry, ...]
    lost: tuple[Lost, ...]
    size: int
    logs: tuple[Log, ...]
    announced: tuple[str, str] | None


def head_of(register: bytes | None, trusted: Policy) -> Checkpoint:
    """The last published head, from the register's bytes.

    Raises Corrupt `ledger.register_lost` without any, `ledger.register_malformed` unless a log of the policy signed it.
    """
    if register is None:
        raise Corrupt("ledger.register_lost")
    try:
        _, head = policy.verify_log(trusted, note.parse(register))
    except ProofError as error:
        raise Corrupt("ledger.register_malformed") from error
    return head


def plan(database: Database, bundles: EntryBundles, head: Checkpoint) -> Rebuilding:
    """What is missing, proved against `head`. Changes nothing; holds the missing entries in memory.

    Raises Corrupt `ledger.rebuild_forked` at the first entry of the database that is not the published one,
    `ledger.bundle_missing` when a bundle is gone, `ledger.root_mismatch` when all of them lead to another root.
    """
    with database.read() as session:
        last = session.scalar(select(func.max(LedgerEntryRow.seq)))
        start = 0 if last is None else last + 1
        hashes: list[bytes] = []
        entries: list[Entry] = []
        boundaries = _Boundaries()
        for seq, leaf in enumerate(bundles.leaves()):
            if seq % _BATCH == 0:
                stored = _hashes(session, seq)
            hashes.append(merkle.leaf_hash(leaf))
            if seq < start and stored[seq % _BATCH] != hashes[-1]:
                raise Corrupt("ledger.rebuild_forked", seq=seq)
            if seq >= start:
                entries.append(_entry(seq, leaf))
            boundaries.hear(leaf, hashes)
        size = boundaries.start_of(head.origin) + head.size
        if len(hashes) < size:
            raise Corrupt("ledger.bundle_missing", start=len(hashes))
        if merkle.root(hashes[size - head.size : size]) != head.root:
            raise Corrupt("ledger.root_mismatch", size=head.size)
        waiting = {str(event_id) for event_id in session.scalars(select(EventOutboxRow.event_id))}
    entries = entries[: max(0, size - start)]
    announced = boundaries.announced if entries and entries[-1].type == logs.CLOSED else None
    return Rebuilding(start, head, tuple(entries), _lost(entries, waiting), size, boundaries.logs(size), announced)


class _Boundaries:
    """Where one log ends and the next begins, from the leaves as they come, each end held against its tree."""

    def __init__(self) -> None:
        self.announced: tuple[str, str] | None = None
        self._logs: list[Log] = []

    def hear(self, leaf: bytes, hashes: Sequence[bytes]) -> None:
        """Look at a leaf; `hashes` are those up to it. Raises Corrupt `ledger.root_mismatch`."""
        if not any(mark in leaf for mark in _MARKS):
            return
        event = grammar.parse(leaf)
        if event.type == logs.CLOSED:
            self.announced = (event.data["next"], event.data["next_key"])
        elif event.type == logs.OPENED and self.announced is not None:
            begin, start = self._logs[-1].start if self._logs else 0, len(hashes) - 1
            final = checkpoint.parse(note.parse(event.data["checkpoint"].encode()).text)
            if final.size != start - begin or final.root != merkle.root(hashes[begin:start]):
                raise Corrupt("ledger.root_mismatch", size=final.size)
            if not self._logs:
                self._logs.append(Log(1, final.origin, event.data["closed"], 0))
            self._logs.append(Log(len(self._logs) + 1, *self.announced, start))

    def start_of(self, origin: str) -> int:
        """The index of a log's first entry; 0 where no log ever followed another."""
        return next((log.start for log in self._logs if log.origin == origin), 0)

    def logs(self, size: int) -> tuple[Log, ...]:
        """Those that have begun within `size` entries."""
        return tuple(log for log in self._logs if log.start < size)


def apply(database: Database, rebuilding: Rebuilding) -> None:
    """Put the missing entries back and let the ledger go on, in one transaction with the event that says so.

    `database` is the sequencer's. Events that the backup still held as waiting, and that are now in their places, leave
    the outbox. Raises Conflict `ledger.rebuild_moved` when the ledger is not where `plan` saw it.
    """
    entries, head = rebuilding.entries, rebuilding.head
    with database.begin(_REBUILDER) as work:
        state = work.session.execute(select(LedgerStateRow).with_for_update()).scalar_one()
        if state.size != rebuilding.start or state.halted not in (None, BEHIND):
            raise Conflict("ledger.rebuild_moved")
        copy_entries(work.session, entries)
        ids = [UUID(entry.event_id) for entry in entries]
        work.session.execute(delete(EventOutboxRow).where(EventOutboxRow.event_id.in_(ids)))
        state.size, state.halted = rebuilding.size, None
        if entries:
            logs.restore(work.session, rebuilding.logs, rebuilding.announced)
            state.closing = rebuilding.announced is not None
        work.session.flush()
        rebuilt = event.draft(
            "ledger.rebuilt",
            item="system",
            from_size=rebuilding.start,
            size=rebuilding.size,
            root="sha256:" + head.root.hex(),
            restored=len(entries),
            without_row=len(rebuilding.lost),
        )
        work.record(rebuilt)
        work.commit()


def _hashes(session: Session, start: int) -> list[bytes]:
    """The leaf hashes of a batch, computed from the leaves."""
    query = select(LedgerEntryRow.canonical).where(LedgerEntryRow.seq.between(start, start + _BATCH - 1))
    return [merkle.leaf_hash(bytes(leaf)) for leaf in session.scalars(query.order_by(LedgerEntryRow.seq))]


def _entry(seq: int, leaf: bytes) -> Entry:
    try:
        said = grammar.parse(leaf)
    except ProofError as error:
        raise Corrupt("ledger.bundle_malformed", seq=seq) from error
    return Entry(
        seq,
        merkle.leaf_hash(leaf),
        said.item,
        said.item_seq,
        said.id,
        said.type,
        said.case,
        said.time_ms,
        said.actor,
        leaf,
    )


def _lost(entries: Sequence[Entry], waiting: set[str]) -> tuple[Lost, ...]:
    """Entries whose rows are gone: all but those that leave none, and those the backup held as waiting with theirs."""
    return tuple(
        Lost(entry.seq, entry.event_id, entry.type, entry.item)
        for entry in entries
        if entry.type not in WITHOUT_ROWS and entry.event_id not in waiting
    )
