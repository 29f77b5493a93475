"""The logs, one after another. The ledger's entries go on for ever; the log that publishes them has one name and one
key, and is closed when they change. Entry `seq` has the index `seq - start` in the log that holds it.

Every closed log ends with the event `log.closed`, which names the next, and every further log begins with
`log.opened`, which carries the final head of the one before: together they make of several logs one history. The rows
here repeat what those two events say, for finding; where they differ, the events are right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from custody.kernel.errors import Corrupt
from custody.proof import canonical
from custody.tables import LedgerEntryRow, LedgerStateRow, LogRow
from custody.tile_store import TileStore

CLOSED, OPENED = "log.closed", "log.opened"
SYSTEM = "system"
"""The item on whose chain both events stand, so that the second names the first."""


@dataclass(frozen=True)
class Log:
    """One log: its number from 1, its origin and key, and the ledger index of its first entry."""

    number: int
    origin: str
    vkey: str
    start: int

    @property
    def address(self) -> str:
        """Below the public log's address: nothing for the first, `2/` for the second."""
        return "" if self.number == 1 else f"{self.number}/"

    def tiles(self, store: TileStore) -> TileStore:
        """Where its hash tiles lie: each log has its own, for ever."""
        return store if self.number == 1 else Below(store, self.address)


class Below:
    """The files of a store under a prefix."""

    def __init__(self, store: TileStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def put_new(self, path: str, data: bytes) -> bool:
        """As `TileStore`."""
        return self._store.put_new(self._prefix + path, data)

    def read(self, path: str) -> bytes | None:
        """As `TileStore`."""
        return self._store.read(self._prefix + path)


def opened(session: Session) -> list[Log]:
    """Every log that has begun, in order; none before the first head was published."""
    rows = session.scalars(select(LogRow).where(LogRow.start.is_not(None)).order_by(LogRow.number))
    return [_log(row) for row in rows]


def current(session: Session) -> Log | None:
    """The log that entries go into now; None before the first head was published."""
    found = opened(session)
    return found[-1] if found else None


def end_of(session: Session, log: Log) -> int:
    """The ledger index behind the log's last entry: where the next begins, or the end of the ledger."""
    later = session.scalar(select(func.min(LogRow.start)).where(LogRow.number > log.number))
    return session.scalars(select(LedgerStateRow.size)).one() if later is None else later


def holding(logs: Sequence[Log], seq: int) -> Log:
    """The log that holds an entry. `logs` are all, in order."""
    return next(log for log in reversed(logs) if log.start <= seq)


def begin_first(session: Session, origin: str, vkey: str) -> None:
    """Note that the first log has this name and key, unless it was noted."""
    row = insert(LogRow).values(number=1, origin=origin, vkey=vkey, start=0)
    session.execute(row.on_conflict_do_nothing())


def announced(session: Session) -> LogRow | None:
    """The log that is to be opened once the one before is published to its end."""
    return session.scalar(select(LogRow).where(LogRow.start.is_(None)))


def announce(session: Session, leaf: bytes) -> None:
    """Note the log that the event `log.closed` names as the next. Raises Corrupt `ledger.successor_known`."""
    data = canonical.decode(leaf)["data"]
    number = (session.scalar(select(func.max(LogRow.number))) or 1) + 1
    if session.scalar(select(LogRow.number).where(LogRow.origin == data["next"])):
        raise Corrupt("ledger.successor_known", origin=str(data["next"]))
    session.add(LogRow(number=number, origin=data["next"], vkey=data["next_key"], start=None))
    session.flush()


def restore(session: Session, opened: Sequence[Log], following: tuple[str, str] | None) -> None:
    """Note the logs that restored entries tell of, and the one that is named and has not begun."""
    for log in opened:
        row = insert(LogRow).values(number=log.number, origin=log.origin, vkey=log.vkey, start=log.start)
        session.execute(row.on_conflict_do_nothing())
        begun = update(LogRow).where(LogRow.number == log.number, LogRow.start.is_(None)).values(start=log.start)
        session.execute(begun)
    if following is not None:
        number = (session.scalar(select(func.max(LogRow.number))) or 1) + 1
        row = insert(LogRow).values(number=number, origin=following[0], vkey=following[1], start=None)
        session.execute(row.on_conflict_do_nothing())


def final_note(session: Session, log: Log) -> bytes | None:
    """The final signed head of the log before, as the log's first entry carries it; None for the first log."""
    if log.number == 1:
        return None
    leaf = session.scalar(select(LedgerEntryRow.canonical).where(LedgerEntryRow.seq == log.start))
    try:
        event = canonical.decode(bytes(leaf or b""))
        text: str = event["data"]["checkpoint"]
    except (ValueError, KeyError) as error:
        raise Corrupt("ledger.leaf_mismatch", start=log.start, size=log.start) from error
    return text.encode()


def _log(row: LogRow) -> Log:
    if row.start is None:
        raise ValueError("a log that has not begun")
    return Log(row.number, row.origin, row.vkey, row.start)
