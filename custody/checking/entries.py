"""Steps 1 to 4 of a check: every entry from its bytes, up to every head that was ever published.

Nothing is taken from a column that can be computed: leaf hashes, chains, the tree's root at each published size, the
public tiles and the private bundles are rebuilt from the canonical bytes and compared. The walk can be cut off after
any batch and taken up from its `Position`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from custody import logs
from custody.bundles import EntryBundles
from custody.checking.difference import Differs, Step
from custody.kernel.errors import Corrupt
from custody.kernel.unit_of_work import Database
from custody.logs import Log
from custody.proof import grammar, handover, merkle, note, policy, tiles
from custody.proof.checkpoint import Checkpoint
from custody.proof.policy import Policy
from custody.proof.strict import ProofError
from custody.tables import CheckpointRow, LedgerEntryRow, LedgerStateRow
from custody.tile_store import TileStore

BATCH = 16 * tiles.WIDTH

_HEADS = text(
    "SELECT DISTINCT ON (item) item, item_seq, leaf_hash FROM ledger_entries"
    " WHERE item = ANY(:items) AND seq < :start ORDER BY item, item_seq DESC"
)


@dataclass(frozen=True)
class Position:
    """How far a walk has come: `seq` entries are checked. `frontier` holds (leaves, hash) of the subtrees so far.

    `head` is the signed note the walk is held against, `end` how many entries there were when it began, `bundle` the
    first index of the private bundle that holds entry `seq`, or follows it.
    """

    head: str
    end: int
    seq: int = 0
    frontier: tuple[tuple[int, bytes], ...] = ()
    bundle: int = 0

    def encode(self) -> dict[str, Any]:
        """As JSON."""
        frontier = [[size, digest.hex()] for size, digest in self.frontier]
        return {**vars(self), "frontier": frontier}

    @classmethod
    def decode(cls, value: dict[str, Any]) -> "Position":
        """What `encode` wrote."""
        frontier = tuple((size, bytes.fromhex(digest)) for size, digest in value["frontier"])
        return cls(**{**value, "frontier": frontier})


def head_of(data: str, trusted: Policy) -> Checkpoint:
    """What a published head says. Raises Differs at step 1 unless a log of the policy has signed it."""
    try:
        _, head = policy.verify_log(trusted, note.parse(data.encode()))
    except ProofError as error:
        raise Differs(Step.HEAD, "head.signature", "checkpoint", "", error.reason) from error
    return head


def begin(database: Database, trusted: Policy, register: bytes | None) -> Position:
    """Step 1: the head that everything is held against.

    That is the register's, where it can be read (`register` are its bytes), else the last one in the database. Raises
    Differs when it is not signed, or the database shows a later head or holds fewer entries.
    """
    with database.read() as session:
        shown = session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))
        size = session.scalars(select(LedgerStateRow.size)).one()
        last = session.scalar(select(func.max(LedgerEntryRow.seq)))
        text_shown = shown.note if shown is not None else ""
        opened = logs.opened(session)
    count = 0 if last is None else last + 1
    if size != count:
        raise Differs(Step.HEAD, "head.state", "ledger_state", size, count)
    data = register.decode("utf-8", "replace") if register is not None else text_shown
    if not data:
        return Position("", count)
    size, shown_size = (_published(text, opened, trusted) for text in (data, text_shown or data))
    if shown_size > size:
        raise Differs(Step.HEAD, "head.register", "register", shown_size, size)
    if count < size:
        raise Differs(Step.HEAD, "head.behind", "ledger_entries", size, count)
    return Position(data, count)


def _published(data: str, opened: Sequence[Log], trusted: Policy) -> int:
    """How many entries of the ledger a head covers, over all logs up to its own. A head of a log that the database does
    not know covers more than it has.
    """
    head = head_of(data, trusted)
    start = next((log.start for log in opened if log.origin == head.origin), 0)
    unknown = bool(opened) and head.origin not in {log.origin for log in opened}
    return opened[-1].start + head.size + 1 if unknown else start + head.size


class Walk:
    """Steps 2 to 4 over the entries, log by log. `public` holds the tiles, `private` the bundles."""

    def __init__(self, database: Database, public: TileStore, private: TileStore, trusted: Policy) -> None:
        self._database = database
        self._store = public
        self._bundles = EntryBundles(private)
        self._trusted = trusted
        self._log = Log(1, "", "", 0)
        self._public = public
        self._tile_roots: list[bytes] = []

    def run(self, start: Position, keep: Callable[[Position], None]) -> None:
        """Check everything from `start` on; `keep` hears of each batch that held. Raises Differs at the first place."""
        head = head_of(start.head, self._trusted) if start.head else None
        with self._database.read() as session:
            opened = logs.opened(session) or [Log(1, head.origin if head else "", "", 0)]
        # closed logs' keys are not the policy's any more: the next log's first entry gives them, and it is checked too
        closed = tuple(note.parse_vkey(log.vkey) for log in opened[:-1])
        self._trusted = replace(self._trusted, logs=tuple(dict.fromkeys((*self._trusted.logs, *closed))))
        position = start
        for log, following in zip(opened, [*opened[1:], None], strict=True):
            end = following.start if following else position.end
            if position.seq > end:
                continue  # checked before this walk was cut off
            if following and position.seq == end:
                self._boundary(log, following, position)  # cut off just before it was
                continue
            published = end if following else log.start + (head.size if head and head.origin == log.origin else 0)
            position = self._one(position, log, end, published, keep)
            if following:
                self._boundary(log, following, position)

    def _one(
        self, position: Position, log: Log, end: int, published: int, keep: Callable[[Position], None]
    ) -> Position:
        """Check the entries of one log, its tiles with them."""
        self._log, self._public = log, log.tiles(self._store)
        if position.seq == log.start:
            position = replace(position, frontier=())
        self._tile_roots = [
            merkle.root(_hashes(self._tile(0, index, tiles.WIDTH)))
            for index in range((min(position.seq, published) - log.start) // tiles.WIDTH)
        ]
        while position.seq < end:
            position = self._batch(position, end, published)
            keep(position)
        self._upper_tiles()
        return position

    def _boundary(self, log: Log, following: Log, position: Position) -> None:
        """The closed log ends with `log.closed`, the next begins with `log.opened` over the tree that was computed."""
        with self._database.read() as session:
            rows = list(session.scalars(_rows(following.start - 1, following.start + 1)))
        leaves = [bytes(row.canonical) for row in rows]
        try:
            first = _event(following.start, leaves[-1])
            found = handover.parse(str(first.data.get("checkpoint", "")).encode(), leaves[0], leaves[-1], ())
            handover.verify_signature(found)
        except ProofError as error:
            raise Differs(Step.TILES, "tiles.boundary", following.start, "", error.reason) from error
        root = merkle.fold([part for _, part in position.frontier])
        said = (note.parse_vkey(log.vkey), note.parse_vkey(following.vkey), following.start - log.start, root)
        if (found.key, found.next_key, found.head.size, found.head.root) != said:
            raise Differs(Step.TILES, "tiles.boundary", following.start, root.hex(), found.head.root.hex())

    def _batch(self, position: Position, end: int, published: int) -> Position:
        end = min(position.seq + BATCH, end)
        with self._database.read() as session:
            rows = list(session.scalars(_rows(position.seq, end)))
            leaves = _checked(session, rows, position.seq, end)
            heads = {row.size: row for row in session.scalars(_heads_between(position.seq, end))}
            frontier = self._grow(position, [merkle.leaf_hash(leaf) for leaf in leaves], heads)
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves[: max(0, published - position.seq)]]
        self._level_zero(position.seq - self._log.start, hashes, published - self._log.start)
        bundle = self._private(position, leaves[: len(hashes)])
        return replace(position, seq=end, frontier=frontier, bundle=bundle)

    def _grow(
        self, position: Position, hashes: Sequence[bytes], shown: dict[int, CheckpointRow]
    ) -> tuple[tuple[int, bytes], ...]:
        """Join the leaves to the tree; at each size that was published its root must be the published one."""
        frontier = list(position.frontier)
        wanted = head_of(position.head, self._trusted) if position.head else None
        if wanted is not None and wanted.origin != self._log.origin:
            wanted = None
        for total, digest in enumerate(hashes, position.seq + 1):
            leaves, current, size = 1, digest, total - self._log.start
            while frontier and frontier[-1][0] == leaves:
                current = merkle.node_hash(frontier.pop()[1], current)
                leaves *= 2
            frontier.append((leaves, current))
            row = shown.get(total)
            for head in filter(None, (_shown_head(row, self._log, self._trusted), wanted)):
                root = merkle.fold([part for _, part in frontier])
                if head.size == size and head.root != root:
                    raise Differs(Step.TILES, "tiles.root", total, head.root.hex(), root.hex())
        return tuple(frontier)

    def _level_zero(self, start: int, hashes: Sequence[bytes], published: int) -> None:
        for offset in range(0, len(hashes), tiles.WIDTH):
            index = (start + offset) // tiles.WIDTH
            width = tiles.width_at(0, index, published)
            expected = hashes[offset : offset + width]
            self._compare(0, index, expected)
            if width == tiles.WIDTH:
                self._tile_roots.append(merkle.root(expected))

    def _upper_tiles(self) -> None:
        below, level = self._tile_roots, 1
        while below:
            above = []
            for index in range((len(below) + tiles.WIDTH - 1) // tiles.WIDTH):
                expected = below[index * tiles.WIDTH : (index + 1) * tiles.WIDTH]
                self._compare(level, index, expected)
                if len(expected) == tiles.WIDTH:
                    above.append(merkle.root(expected))
            below, level = above, level + 1

    def _compare(self, level: int, index: int, expected: Sequence[bytes]) -> None:
        data = self._tile(level, index, len(expected))
        for place, (want, have) in enumerate(zip(expected, _hashes(data), strict=False)):
            if want != have:
                path = tiles.path(level, index, len(expected))
                raise Differs(Step.TILES, "tiles.differs", f"{path} #{place}", want.hex(), have.hex())

    def _tile(self, level: int, index: int, width: int) -> bytes:
        path = tiles.path(level, index, width)
        data = self._public.read(path)
        if data is None or len(data) != width * merkle.HASH_BYTES:
            length = "nothing" if data is None else len(data)
            raise Differs(Step.TILES, "tiles.missing", path, width * merkle.HASH_BYTES, length)
        return data

    def _private(self, position: Position, leaves: Sequence[bytes]) -> int:
        """Compare the leaves with the bundles; the first index of the bundle to go on with."""
        bundle, at, end = position.bundle, position.seq, position.seq + len(leaves)
        while at < end:
            stored = self._stored(bundle)
            rest = stored[at - bundle :]
            for have, want in zip(rest, leaves[at - position.seq :], strict=False):
                if have != want:
                    expected, found = (merkle.leaf_hash(leaf).hex() for leaf in (want, have))
                    raise Differs(Step.BUNDLES, "bundles.differs", at, expected, found)
                at += 1
            if at >= bundle + len(stored):
                bundle += len(stored)
        return bundle

    def _stored(self, start: int) -> list[bytes]:
        try:
            stored = self._bundles.at(start)
        except Corrupt as error:
            raise Differs(Step.BUNDLES, "bundles.form", start, "", error.code) from error
        if not stored:
            raise Differs(Step.BUNDLES, "bundles.missing", start)
        return stored


def _rows(start: int, end: int) -> Any:
    return select(LedgerEntryRow).where(LedgerEntryRow.seq.between(start, end - 1)).order_by(LedgerEntryRow.seq)


def _heads_between(start: int, end: int) -> Any:
    return select(CheckpointRow).where(CheckpointRow.size > start, CheckpointRow.size <= end)


def _shown_head(row: CheckpointRow | None, log: Log, trusted: Policy) -> Checkpoint | None:
    """A head as the database shows it. Raises Differs when its columns or its signature do not fit its note."""
    if row is None:
        return None
    head = head_of(row.note, trusted)
    if (row.size - log.start, bytes(row.root)) != (head.size, head.root):
        raise Differs(Step.HEAD, "head.columns", row.size, head.root.hex(), bytes(row.root).hex())
    return head


def _checked(session: Session, rows: Sequence[LedgerEntryRow], start: int, end: int) -> list[bytes]:
    """The leaves of a batch, each found in its place: hash, form, columns, chain. Raises Differs at step 2."""
    items = list({row.item for row in rows})
    found = session.execute(_HEADS, {"items": items, "start": start})
    heads: dict[str, tuple[int, bytes]] = {row.item: (row.item_seq, bytes(row.leaf_hash)) for row in found}
    leaves = []
    for seq, row in _in_order(rows, start, end):
        leaf = bytes(row.canonical)
        computed = merkle.leaf_hash(leaf)
        if computed != bytes(row.leaf_hash):
            raise Differs(Step.ENTRIES, "entries.hash", seq, computed.hex(), bytes(row.leaf_hash).hex())
        event = _event(seq, leaf)
        _columns(seq, row, event)
        sequence, prev = heads.get(event.item, (-1, b""))
        place = (sequence + 1, "sha256:" + prev.hex() if prev else None)
        if (event.item_seq, event.prev) != place:
            raise Differs(
                Step.ENTRIES, "entries.chain", seq, f"{place[0]} {place[1]}", f"{event.item_seq} {event.prev}"
            )
        heads[event.item] = (event.item_seq, computed)
        leaves.append(leaf)
    return leaves


def _in_order(rows: Sequence[LedgerEntryRow], start: int, end: int) -> Iterator[tuple[int, LedgerEntryRow]]:
    """Rows with the index each must have. Raises Differs where one is missing."""
    for seq, row in zip(range(start, end), rows, strict=False):
        if row.seq != seq:
            raise Differs(Step.ENTRIES, "entries.gap", seq, seq, row.seq)
        yield seq, row
    if len(rows) < end - start:
        raise Differs(Step.ENTRIES, "entries.gap", start + len(rows), start + len(rows), "nothing")


def _event(seq: int, leaf: bytes) -> grammar.Event:
    try:
        return grammar.parse(leaf)
    except ProofError as error:
        raise Differs(Step.ENTRIES, "entries.form", seq, "", error.reason) from error


def _columns(seq: int, row: LedgerEntryRow, event: grammar.Event) -> None:
    """The columns that pages search by must say what the leaf says."""
    for name, said, shown in (
        ("event_id", event.id, str(row.event_id)),
        ("type", event.type, row.type),
        ("item", event.item, row.item),
        ("item_seq", event.item_seq, row.item_seq),
        ("case_id", event.case, str(row.case_id) if row.case_id else None),
        ("time_ms", event.time_ms, row.time_ms),
        ("actor_id", event.actor, str(row.actor_id) if row.actor_id else None),
    ):
        if said != shown:
            raise Differs(Step.ENTRIES, "entries.columns", f"{seq} {name}", said, shown)


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + merkle.HASH_BYTES] for at in range(0, len(tile), merkle.HASH_BYTES)]
