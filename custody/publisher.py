"""Publishing: hash tiles and signed checkpoints in C2SP formats, and the private entry bundles.

What is signed is never what was computed but what was read back from the store. A head once published is never taken
back: when the database shows less, or other, than what was published, nothing is signed and the ledger is halted.

Witnesses see a head only after the register holds it: a head that an outsider has seen can no longer be exchanged.
Without their quorum publishing goes on; the head is flagged (it has no `checkpoint_quorums` row), and the newest one is
shown to them again until they agree.
"""

import logging
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass

import psycopg
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from custody import logs
from custody import signer as keys
from custody.bundles import EntryBundles
from custody.cosigning import CLOCK_TOLERANCE_S, Cosigned, Witnesses
from custody.kernel.errors import Corrupt, DalelError
from custody.kernel.unit_of_work import Database
from custody.ledger import halt, resume
from custody.logs import Log
from custody.proof import checkpoint, merkle, note, policy, tiles
from custody.proof.checkpoint import Checkpoint
from custody.proof.policy import Policy
from custody.proof.strict import ProofError
from custody.register import CheckpointRegister
from custody.tables import CheckpointQuorumRow, CheckpointRow, CosignatureRow, LedgerEntryRow, LedgerStateRow
from custody.tile_store import Tiles, TileStore

_GROWTH = 16_384
"""Leaves per checkpoint at most, which bounds memory; a longer backlog is published in several."""

_REFUSED_RETRY_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Head:
    """The last published head: its signed bytes for the swap, and what they say once verified."""

    signed: bytes | None
    size: int
    root: bytes


class Publishing(ABC):
    """Publishing again and again, and halting the ledger when it must not go on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    def publish_once(self) -> Checkpoint | None:
        """Publish what was sequenced since the last head; None if nothing was."""

    def run(self, stop: threading.Event, leading: threading.Event, interval_s: float = 1.0) -> None:
        """Publish every `interval_s` seconds while `leading`, until `stop` is set. A refusal halts the ledger.

        What does not answer, the token with the key included, is waited for: entries stay where they are.
        """
        pause = interval_s
        while not stop.wait(pause):
            pause = interval_s
            if not leading.is_set():
                continue
            try:
                self.publish_or_halt()
            except Corrupt:
                pause = _REFUSED_RETRY_S
            except (DBAPIError, psycopg.Error, DalelError) as error:
                # what a database says may quote rows (law 10); our own refusals never do
                log.warning("publisher: not this time (%s)", error if isinstance(error, DalelError) else type(error))
            except Exception:  # a thread that died would end publishing in silence
                log.exception("publisher: failed")
                pause = _REFUSED_RETRY_S

    def publish_or_halt(self) -> Checkpoint | None:
        """`publish_once`, and the ledger halted when it refuses, resumed when it no longer does."""
        try:
            published = self.publish_once()
        except Corrupt as error:
            log.critical("publisher: refused, %s", error)
            with self._database.unit() as unit:
                halt(unit, error.code)
            raise
        with self._database.unit() as unit:
            if unit.session.scalar(select(LedgerStateRow.halted)):
                resume(unit)
        return published


class Publisher(Publishing):
    """Publishes the head of one log. Two at once are safe, since the register lets one win, but a waste.

    `store` is public, `private` keeps the entry bundles (the leaves themselves) and must not be. Without `witnesses`
    no quorum is asked for. `log` is the first unless said otherwise, and `final` then the last head of the log before,
    which the register holds until this one has a head. Sizes in the database count the ledger's entries, over all logs.
    """

    def __init__(
        self,
        database: Database,
        store: TileStore,
        private: TileStore,
        register: CheckpointRegister,
        signer: keys.Signer,
        witnesses: Witnesses | None = None,
        *,
        log: Log | None = None,
        final: bytes | None = None,
    ) -> None:
        super().__init__(database)
        self._witnesses = witnesses or Witnesses(Policy((), {}, {}, policy.NONE), self._now_s)
        self._cosigned: list[Cosigned] = []
        self._log = log or Log(1, signer.name, keys.vkey(signer), 0)
        self._final = final
        self._store = self._log.tiles(store)
        self._bundles = EntryBundles(private)
        self._register = register
        self._signer = signer
        self._verifier = note.parse_vkey(self._log.vkey)

    def check_head(self, session: Session) -> None:
        """What the sequencer asks before it writes: does the database hold all that was published?

        Raises Corrupt `ledger.behind_published_head`, `ledger.register_lost`, `ledger.register_malformed`.
        """
        self._check_size(session, self._head())

    def publish_once(self) -> Checkpoint | None:
        """Publish what was sequenced since the last head; None if nothing was.

        Raises Corrupt when the database, the store and the last head do not agree (`check_head`'s codes,
        `ledger.leaf_mismatch`, `ledger.tile_missing`, `ledger.tile_differs`, `ledger.root_mismatch`), Conflict
        `ledger.checkpoint_moved` when another publisher was first.
        """
        head = self._head()
        with self._database.read() as session:
            size = min(self._check_size(session, head), head.size + _GROWTH)
            first = self._log.start
            start = head.size - head.size % tiles.WIDTH  # the last tile again: is it still what was published?
            if start == head.size and start:
                start -= tiles.WIDTH
            leaves = _leaves(session, first + start, first + size)
            shown = session.scalar(select(func.max(CheckpointRow.size))) or 0
            witnessed = session.get(CheckpointQuorumRow, first + head.size)
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        self._check_tail(head, start, hashes)
        if size == head.size:
            if head.signed and shown < first + head.size:
                self._show(head.signed, head.size, head.root)
            if head.signed and not witnessed:
                self._witness(head.signed, Checkpoint(self._signer.name, head.size, head.root))
            return None
        self._bundles.append(first + head.size, leaves[head.size - start :])
        root = self._grow(head, size, hashes[head.size - start :])
        signed = note.sign(Checkpoint(self._signer.name, size, root).text(), self._signer.name, self._signer)
        self._register.swap(head.signed, signed)
        grown = Checkpoint(self._signer.name, size, root)
        self._ask(signed, grown)
        self._show(signed, size, root)
        return grown

    def _head(self) -> _Head:
        data = self._register.read()
        if data is None or data == self._final:
            return _Head(data, 0, merkle.EMPTY_ROOT)
        try:
            signed = note.parse(data)
            note.verify(signed, [self._verifier])
            head = checkpoint.parse(signed.text)
        except ValueError as error:  # Malformed, SignatureInvalid
            raise Corrupt("ledger.register_malformed") from error
        if head.origin != self._signer.name:
            raise Corrupt("ledger.register_malformed")
        return _Head(data, head.size, head.root)

    def _check_size(self, session: Session, head: _Head) -> int:
        """How many leaves the log has now: to the end of the ledger, or to where the next log began."""
        start = self._log.start
        size = logs.end_of(session, self._log) - start
        shown = (session.scalar(select(func.max(CheckpointRow.size))) or 0) - start
        if size < head.size:
            raise Corrupt("ledger.behind_published_head", size=size, published=head.size)
        if shown > head.size:
            raise Corrupt("ledger.register_lost", shown=shown, published=head.size)
        return size

    def _check_tail(self, head: _Head, start: int, hashes: list[bytes]) -> None:
        if not head.size:
            return
        index = start // tiles.WIDTH
        width = tiles.width_at(0, index, head.size)
        published = Tiles(self._store, head.size)(0, index, width)
        if published != b"".join(hashes[:width]):
            raise Corrupt("ledger.leaf_mismatch", start=start, size=head.size)

    def _grow(self, head: _Head, size: int, hashes: list[bytes]) -> bytes:
        """Write the tiles of the growth, read them back, and return the root they lead to."""
        old = Tiles(self._store, head.size)
        written: dict[tuple[int | None, int], bytes] = {}
        for tile in tiles.changed(head.size, size):
            level = tile.level or 0
            width = tiles.width_at(level, tile.index, head.size)
            data = old(level, tile.index, width)[: width * merkle.HASH_BYTES] if width else b""
            for position in range(tile.index * tiles.WIDTH + width, tile.index * tiles.WIDTH + tile.width):
                data += _root_of(written[level - 1, position]) if level else hashes[position - head.size]
            written[level, tile.index] = data
            self._put(tiles.path(level, tile.index, tile.width), data)
        new = Tiles(self._store, size)
        if tiles.tree_root(new, head.size) != head.root:
            raise Corrupt("ledger.root_mismatch", size=head.size)
        return tiles.tree_root(new, size)

    def _put(self, path: str, data: bytes) -> None:
        self._store.put_new(path, data)
        if self._store.read(path) != data:
            raise Corrupt("ledger.tile_differs", path=path)

    def _show(self, signed: bytes, size: int, root: bytes) -> None:
        total = self._log.start + size
        row = {"size": total, "root": root, "note": signed.decode(), "published_at": self._database.clock.now()}
        with self._database.unit() as unit:
            unit.session.execute(insert(CheckpointRow).values(row).on_conflict_do_nothing())
            self._attach(unit.session, signed, size)
            unit.commit()
        self._cosigned.clear()

    def _witness(self, signed: bytes, head: Checkpoint) -> None:
        """Catch up: show a published head to the witnesses again."""
        self._ask(signed, head)
        if not self._cosigned and self._witnesses.policy.quorum != policy.NONE:
            return
        with self._database.unit() as unit:
            self._attach(unit.session, signed, head.size)
            unit.commit()
        self._cosigned.clear()

    def _ask(self, signed: bytes, head: Checkpoint) -> None:
        def proof(old: int) -> list[bytes]:
            return tiles.consistency_proof(Tiles(self._store, head.size), old, head.size)

        self._cosigned += self._witnesses.ask(signed, head, proof)

    def _attach(self, session: Session, signed: bytes, size: int) -> None:
        """Store what came in, and that the quorum is reached if a reader with this policy would find it so."""
        now, total = self._database.clock.now(), self._log.start + size
        for one in self._cosigned:
            row = {
                "size": self._log.start + one.size,
                "name": one.name,
                "line": one.line,
                "time_s": one.time_s,
                "received_at": now,
            }
            session.execute(insert(CosignatureRow).values(row).on_conflict_do_nothing())
        lines = session.scalars(select(CosignatureRow.line).where(CosignatureRow.size == total))
        whole = note.parse(signed + "".join(lines).encode())
        try:
            policy.verify_witnesses(self._witnesses.policy, whole, self._now_s() + CLOCK_TOLERANCE_S)
        except policy.QuorumNotReached:
            return
        except ProofError as error:
            log.critical("publisher: a stored cosignature of the head at %d is false (%s)", size, error)
            return
        reached = insert(CheckpointQuorumRow).values(size=total, reached_at=now)
        session.execute(reached.on_conflict_do_nothing())

    def _now_s(self) -> int:
        return int(self._database.clock.now().timestamp())


def _leaves(session: Session, start: int, end: int) -> list[bytes]:
    """The leaves [start, end), each found to be what its row's hash says, and to stand in its place."""
    query = select(LedgerEntryRow.seq, LedgerEntryRow.leaf_hash, LedgerEntryRow.canonical)
    rows = session.execute(query.where(LedgerEntryRow.seq.between(start, end - 1)).order_by(LedgerEntryRow.seq)).all()
    if [row.seq for row in rows] != list(range(start, end)):
        raise Corrupt("ledger.leaf_mismatch", start=start, size=end)
    for row in rows:
        if merkle.leaf_hash(bytes(row.canonical)) != bytes(row.leaf_hash):
            raise Corrupt("ledger.leaf_mismatch", start=row.seq, size=end)
    return [bytes(row.canonical) for row in rows]


def _root_of(tile: bytes) -> bytes:
    return merkle.root([tile[at : at + merkle.HASH_BYTES] for at in range(0, len(tile), merkle.HASH_BYTES)])
