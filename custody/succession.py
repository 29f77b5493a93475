"""One log after another: publishing the one that is open, and when it is closed, opening the next.

A rotation is a row of small steps, each in its own transaction, and whoever publishes does the one that is due:

1. `close` records `log.closed` (next origin, next key, why). It waits in the outbox like any event.
2. The sequencer gives it its place, the last of its log, and gives no other place until a log is open again.
3. The closed log is published to its end and shown to its witnesses.
4. `log.opened` becomes the next entry, the first of the new log; it carries the final head of the closed one.
5. The new log's first head replaces the closed one's last in the register.

Killed between any two, the next run goes on from there. Events are accepted all the time and wait for their place.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from custody import event, logs
from custody import signer as keys
from custody.cosigning import Witnesses
from custody.kernel.errors import Conflict, Corrupt, NotFound
from custody.kernel.outbox import Actor, EventOutboxRow
from custody.kernel.unit_of_work import Database
from custody.ledger import copy_entries, place
from custody.logs import CLOSED, OPENED, SYSTEM, Log
from custody.proof import checkpoint, note
from custody.proof.checkpoint import Checkpoint
from custody.proof.strict import ProofError
from custody.publisher import Publisher, Publishing
from custody.register import CheckpointRegister
from custody.tables import CheckpointQuorumRow, CheckpointRow, LedgerEntryRow, LedgerStateRow, LogRow
from custody.tile_store import TileStore

OPENER = Actor(id=None, role="system", means="sequencer")
_TAKE_ONE = text("DELETE FROM event_outbox WHERE event_id = :id RETURNING item, body")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LogParts:
    """How the keys and witnesses of a log are found by its origin: both are asked again for each log that opens.

    `signer` raises NotFound `ledger.no_signer` for a log whose key nobody configured.
    """

    signer: Callable[[str], keys.Signer]
    witnesses: Callable[[str], Witnesses | None]


class Succession(Publishing):
    """Publishes whichever log is open. `origin` names the first one, where none has begun yet."""

    def __init__(
        self,
        database: Database,
        store: TileStore,
        private: TileStore,
        register: CheckpointRegister,
        parts: LogParts,
        origin: str,
    ) -> None:
        super().__init__(database)
        self._store = store
        self._private = private
        self._register = register
        self._parts = parts
        self._origin = origin
        self._publishers: dict[str, Publisher] = {}

    def check_head(self, session: Session) -> None:
        """What the sequencer asks before it writes: does the database hold all that was published?

        Raises Corrupt `ledger.behind_published_head`, `ledger.register_lost`, `ledger.register_malformed`.
        """
        self._publisher(session).check_head(session)

    def publish_once(self) -> Checkpoint | None:
        """Publish what the open log has grown by; when it is closed and published to its end, open the next.

        Raises what `Publisher.publish_once` raises, and Corrupt `ledger.no_successor` when nothing says which is next.
        """
        with self._database.read() as session:
            publisher = self._publisher(session)
            first = logs.current(session) is None
        if first:
            self._begin_first()
        try:
            published = publisher.publish_once()
        except Corrupt as error:
            if self._moved_on(publisher):  # another publisher has opened the next log meanwhile: nothing is wrong
                raise Conflict("ledger.checkpoint_moved") from error
            raise
        with self._database.read() as session:
            closing = session.scalars(select(LedgerStateRow.closing)).one()
        if closing:
            self._open_next()
        return published

    def _publisher(self, session: Session) -> Publisher:
        log = logs.current(session)
        if log is None:
            log = Log(1, self._origin, keys.vkey(self._parts.signer(self._origin)), 0)
        self._check_register(session, log)
        kept = self._publishers.get(log.origin)
        if kept is None:
            kept = self._publishers[log.origin] = Publisher(
                self._database,
                self._store,
                self._private,
                self._register,
                keys.LateSigner(log.vkey, lambda: self._parts.signer(log.origin)),
                self._parts.witnesses(log.vkey),
                log=log,
                final=logs.final_note(session, log),
            )
        return kept

    def _moved_on(self, publisher: Publisher) -> bool:
        with self._database.read() as session:
            log = logs.current(session)
        return log is not None and self._publishers.get(log.origin) is not publisher

    def _check_register(self, session: Session, log: Log) -> None:
        """A database restored from before a rotation meets the head of a log that it does not know."""
        data = self._register.read()
        known = {log.origin, *(one.origin for one in logs.opened(session))}
        try:
            signed = note.parse(data or b"")
            head = checkpoint.parse(signed.text)
            if head.origin in known:
                return
            note.verify(signed, [keys.verifier(self._parts.signer(head.origin))])
        except (ProofError, NotFound):
            return  # nothing that could be told from it: the publisher of the log says what is wrong
        size = session.scalars(select(LedgerStateRow.size)).one()
        raise Corrupt("ledger.behind_published_head", size=size, published=head.size)

    def _begin_first(self) -> None:
        vkey = keys.vkey(self._parts.signer(self._origin))
        with self._database.unit() as unit:
            logs.begin_first(unit.session, self._origin, vkey)
            unit.commit()

    def _open_next(self) -> None:
        """Step 4, once the closed log is published to its end and its witnesses stand behind that (or people decided
        not to wait for them). One transaction: the entry, the ledger's size, the new log's beginning.
        """
        with self._database.begin(OPENER) as work:
            session = work.session
            state = session.execute(select(LedgerStateRow).with_for_update()).scalar_one()
            closed, following = logs.current(session), logs.announced(session)
            if not state.closing:
                return
            if closed is None or following is None:
                raise Corrupt("ledger.no_successor")
            head = session.get(CheckpointRow, state.size)
            if head is None or head.note.encode() != self._register.read():
                return  # not published to its end yet
            if session.get(CheckpointQuorumRow, state.size) is None and not following.unwitnessed:
                log.warning("publisher: the closed log %s waits for its witnesses", closed.origin)
                return
            opened = event.draft(OPENED, item=SYSTEM, checkpoint=head.note, closed=closed.vkey)
            taken = session.execute(_TAKE_ONE, {"id": work.record(opened)}).one()
            last = session.execute(_last_of_system()).one()
            entries = place([(taken.item, taken.body)], state.size, {SYSTEM: (last.item_seq, bytes(last.leaf_hash))})
            copy_entries(session, entries)
            following.start = state.size
            state.size += 1
            state.closing = False
            work.commit()
        log.warning("publisher: %s is closed, %s is open", closed.origin, following.origin)


@dataclass(frozen=True)
class Rotation:
    """How far a rotation has come: `closing` while the closed log is published to its end, `opened` afterwards."""

    origin: str
    state: str


def close(
    database: Database,
    actor: Actor,
    following: keys.Signer,
    reason: str,
    *,
    compromised_since_ms: int | None = None,
    unwitnessed: bool = False,
) -> Rotation:
    """Close the open log in favour of the one that `following` signs for. Safe to run again, by two at once as well.

    `database` is the sequencer's. With reason `compromised` the event `key.compromised` comes first. `unwitnessed`: do
    not wait for witnesses that refuse the end of the closed log; readers whose policy asks for them will then refuse
    packages that need it. Raises Conflict `ledger.not_published` before the first head, `ledger.origin_used` for a log
    that is closed already or a key that signed for one, `ledger.rotation_under_way` when another log was announced.
    """
    origin, vkey = following.name, keys.vkey(following)
    with database.begin(actor) as work:
        session = work.session
        state = session.execute(select(LedgerStateRow).with_for_update()).scalar_one()
        current = logs.current(session)
        if current is None:
            raise Conflict("ledger.not_published")
        if (current.origin, current.vkey) == (origin, vkey) and not state.closing:
            return Rotation(origin, "opened")
        _unused(session, following)
        under_way = _under_way(session)
        if under_way is not None:
            if under_way != (origin, vkey):
                raise Conflict("ledger.rotation_under_way", origin=under_way[0])
            _hurry(session, origin, unwitnessed=unwitnessed)
            work.commit()
            return Rotation(origin, "closing")
        if reason == "compromised":
            stolen = event.draft(
                "key.compromised", item=SYSTEM, key=current.vkey, purpose="log", since_ms=compromised_since_ms
            )
            work.record(stolen)
        work.record(event.draft(CLOSED, item=SYSTEM, next=origin, next_key=vkey, reason=reason))
        work.commit()
    return Rotation(origin, "closing")


def _unused(session: Session, following: keys.Signer) -> None:
    verifier = keys.verifier(following)
    for one in logs.opened(session):
        used = note.parse_vkey(one.vkey)
        if one.origin == following.name or used.public_key == verifier.public_key:
            raise Conflict("ledger.origin_used", origin=one.origin)


def _under_way(session: Session) -> tuple[str, str] | None:
    """Origin and key of the log that is to come: announced, or named by an event that waits for its place."""
    row = logs.announced(session)
    if row is not None:
        return row.origin, row.vkey
    waiting = session.scalars(select(EventOutboxRow.body).where(EventOutboxRow.item == SYSTEM))
    for said in map(json.loads, waiting):
        if said["type"] == CLOSED:
            return said["data"]["next"], said["data"]["next_key"]
    return None


def _hurry(session: Session, origin: str, *, unwitnessed: bool) -> None:
    row = session.scalar(select(LogRow).where(LogRow.origin == origin))
    if row is not None and unwitnessed:
        row.unwitnessed = True


def _last_of_system() -> Select[int, bytes]:
    found = select(LedgerEntryRow.item_seq, LedgerEntryRow.leaf_hash).where(LedgerEntryRow.item == SYSTEM)
    return found.order_by(LedgerEntryRow.item_seq.desc()).limit(1)
