"""Rotation: one log closes, the next opens; nothing is lost, forked or put behind the end, wherever it is cut off."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from custody import audit, heads, logs, rebuild, succession
from custody import signer as keys
from custody.bundles import EntryBundles
from custody.checking import entries
from custody.checking.difference import Differs
from custody.checking.entries import Position, Walk
from custody.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database, Unit
from custody.ledger import Proofs
from custody.proof import canonical, checkpoint, merkle, note, policy, tiles
from custody.proof.policy import Policy
from custody.register import FileRegister
from custody.succession import LogParts, Succession
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import MemoryStore, described, record, record_views, sequence_all

OPERATOR = Actor(None, "system", "cli")


class Logs:
    """Logs with their keys, store and register; `again` is the same after its process was killed."""

    def __init__(self, app: Database, sequencer_side: Database, directory: Path) -> None:
        self.app, self.database = app, sequencer_side
        self.store, self.private = MemoryStore(), MemoryStore()
        self.register = FileRegister(directory / "head")
        self._directory = directory
        self._signers: dict[str, keys.Signer] = {}
        self.publishing = self.again()

    def again(self) -> Succession:
        parts = LogParts(self.signer, lambda _: None)
        return Succession(self.database, self.store, self.private, self.register, parts, "log/1")

    def signer(self, origin: str) -> keys.Signer:
        if origin not in self._signers:
            raise NotFound("ledger.no_signer", origin=origin)
        return self._signers[origin]

    def key(self, origin: str) -> keys.Signer:
        place = self._directory / origin.replace("/", "-")
        place.mkdir()
        (place / "passphrase").touch(mode=0o600)
        (place / "passphrase").write_text("not a secret\n")
        keys.create_key(place / "key.pem", place / "passphrase")
        made = keys.EncryptedFileSigner(origin, place / "key.pem", place / "passphrase")
        self._signers[origin] = made
        return made

    def close(self, following: keys.Signer, reason: str = "scheduled", **more: Any) -> succession.Rotation:
        return succession.close(self.database, OPERATOR, following, reason, **more)

    def settle(self) -> None:
        """Sequence and publish until there is nothing left to do."""
        while sequence_all(self.database) or self.publishing.publish_once() is not None or self.unfinished():
            pass

    def closing(self) -> bool:
        with self.app.read() as session:
            return logs.announced(session) is not None

    def unfinished(self) -> bool:
        with self.app.read() as session:
            health = audit.health(session)
        return self.closing() or health.published < health.size

    def opened(self) -> list[logs.Log]:
        with self.app.read() as session:
            return logs.opened(session)


@pytest.fixture
def rotating(app: Database, sequencer_side: Database, tmp_path: Path) -> Logs:
    made = Logs(app, sequencer_side, tmp_path)
    made.key("log/1")
    record_views(app, 5)
    made.settle()
    return made


def everything(app: Database) -> list[audit.EntryView]:
    with app.read() as session:
        return list(audit.trail(session, audit.TrailFilter(), after_seq=-1, limit=500).entries)


def check(rotating: Logs) -> None:
    """What must hold of logs that follow each other: each ends with `log.closed`, the next begins with `log.opened`
    over its final head, every entry has its proof under a head of its own log, and item chains go on.
    """
    found, opened = everything(rotating.app), rotating.opened()
    assert [entry.seq for entry in found] == list(range(len(found)))
    for log, following in zip(opened, [*opened[1:], None], strict=True):
        with rotating.app.read() as session:
            head = heads.latest_of(session, log)
            end = logs.end_of(session, log)
        assert head is not None
        assert (head.origin, head.size, log.start + head.tree_size) == (log.origin, end, end)
        signed = note.parse(head.note.encode())
        note.verify(signed, [note.parse_vkey(log.vkey)])
        hashes = [entry.leaf_hash for entry in found[log.start : end]]
        assert checkpoint.parse(signed.text).root == merkle.root(hashes)
        proofs = Proofs(log.tiles(rotating.store)).inclusion(range(len(hashes)), len(hashes))
        for index, digest in enumerate(hashes):
            merkle.verify_inclusion(digest, index, len(hashes), proofs[index], head.root)
        last = found[end - 1]
        assert [entry.seq for entry in found[log.start : end] if entry.type == logs.CLOSED] == (
            [last.seq] if following else []
        )
        if following is not None:
            first = found[following.start]
            assert (last.data["next"], last.data["next_key"]) == (following.origin, following.vkey)
            assert (first.type, first.data["closed"]) == (logs.OPENED, log.vkey)
            assert head.note.startswith(first.data["checkpoint"])  # witnesses' lines came later
            assert first.prev == "sha256:" + last.leaf_hash.hex()
    items = {entry.item for entry in found}
    with rotating.app.read() as session:
        assert sum(audit.check_chain(session, item).length for item in items) == len(found)


def test_a_log_closes_and_the_next_goes_on(rotating: Logs) -> None:
    exhibit = uuid4()
    record(rotating.app, described(exhibit))
    following = rotating.key("log/2")
    assert rotating.close(following).state == "closing"
    record(rotating.app, described(exhibit), described(exhibit))
    rotating.settle()
    assert rotating.close(following).state == "opened"
    assert [log.origin for log in rotating.opened()] == ["log/1", "log/2"]
    check(rotating)
    seqs = [entry.seq for entry in everything(rotating.app) if entry.item == f"exhibit:{exhibit}"]
    with rotating.app.read() as session:
        assert [logs.holding(logs.opened(session), seq).number for seq in seqs] == [1, 2, 2]
    rotating.close(rotating.key("log/3"))
    record_views(rotating.app, 300)
    rotating.settle()
    check(rotating)


def test_what_waits_behind_the_end_goes_into_the_next_log(rotating: Logs) -> None:
    """One batch holds events before, of and after the end: it is cut there, and the rest waits for the new log."""
    record_views(rotating.app, 3)
    rotating.close(rotating.key("log/2"))
    record_views(rotating.app, 4)
    assert sequence_all(rotating.database) == 4
    assert sequence_all(rotating.database) == 0
    with rotating.app.read() as session:
        assert audit.health(session).waiting == 4
    rotating.settle()
    check(rotating)
    assert rotating.opened()[1].start == 9


def test_nothing_is_opened_before_the_end_is_published(rotating: Logs) -> None:
    rotating.close(rotating.key("log/2"))
    rotating.publishing.publish_once()
    assert sequence_all(rotating.database) == 1
    rotating.publishing._open_next()  # too early: the end was not published
    assert len(rotating.opened()) == 1
    rotating.settle()
    check(rotating)


@pytest.mark.parametrize("persisted", [False, True])
def test_killed_at_every_step_it_is_finished_by_running_again(
    rotating: Logs, persisted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotation after rotation, each killed at another write, before or after it reached the disk."""

    class Killed(BaseException):
        pass

    left = [0]
    ours = threading.main_thread()  # not the shared system's

    def fused(write: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any) -> Any:
            left[0] -= threading.current_thread() is ours
            dying = left[0] == 0 and threading.current_thread() is ours
            result = write(*arguments) if persisted or not dying else None
            if dying:
                raise Killed
            return result

        return act

    monkeypatch.setattr(Unit, "commit", fused(Unit.commit))
    for written, name in ((MemoryStore, "put_new"), (FileRegister, "swap")):
        monkeypatch.setattr(written, name, fused(getattr(written, name)))
    step, number = 0, 1
    while True:
        step, number = step + 1, number + 1
        following = rotating.key(f"log/{number}")
        record_views(rotating.app, 2)
        left[0] = step
        try:
            rotating.close(following)
            record_views(rotating.app, 2)
            rotating.settle()
        except Killed:
            rotating.publishing = rotating.again()
            left[0] = 0
            rotating.close(following)
            rotating.settle()
        else:
            break
        assert rotating.opened()[-1].number == number
    check(rotating)
    assert step > 12  # every write of a rotation was one to be killed at


def test_a_rotation_is_refused_that_could_not_be_explained(rotating: Logs) -> None:
    one = rotating.signer("log/1")
    assert rotating.close(one).state == "opened"  # it is what is open
    following, other = rotating.key("log/2"), rotating.key("log/other")
    rotating.close(following)
    assert rotating.close(following).state == "closing"
    with pytest.raises(Conflict, match=r"ledger\.rotation_under_way"):
        rotating.close(other)
    sequence_all(rotating.database)
    with pytest.raises(Conflict, match=r"ledger\.rotation_under_way"):
        rotating.close(other)
    rotating.settle()
    with pytest.raises(Conflict, match=r"ledger\.origin_used"):
        rotating.close(one)
    with pytest.raises(Conflict, match=r"ledger\.other_key"):
        keys.LateSigner(keys.vkey(one), lambda: other).sign(b"")
    check(rotating)


def test_without_its_token_publishing_waits_and_ordering_goes_on(rotating: Logs) -> None:
    """The key is in a token that is away from the start: entries get their places, nothing is signed, nothing lost."""
    away = Succession(
        rotating.database,
        rotating.store,
        rotating.private,
        rotating.register,
        LogParts(_unplugged, lambda _: None),
        "log/1",
    )
    record_views(rotating.app, 3)
    with rotating.app.read() as session:
        away.check_head(session)
    assert sequence_all(rotating.database) == 3
    with pytest.raises(Unavailable, match=r"hsm\.token_missing"):
        away.publish_or_halt()
    with rotating.app.read() as session:
        health = audit.health(session)
    assert (health.size, health.published, health.halted) == (8, 5, None)
    rotating.settle()
    check(rotating)


def _unplugged(_: str) -> keys.Signer:
    raise Unavailable("hsm.token_missing", token="dalel")


def test_a_database_from_before_the_rotation_is_noticed(rotating: Logs, ledger_database: FreshDatabase) -> None:
    """The register holds a head of a log that this database does not know: it was restored from before."""
    rotating.close(rotating.key("log/2"))
    rotating.settle()
    _forget_the_rotation(ledger_database)
    with rotating.app.read() as session, pytest.raises(Corrupt, match=r"ledger\.behind_published_head"):
        rotating.again().check_head(session)


def _forget_the_rotation(database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(database.owner_url)) as owner:
        for table in ("ledger_entries", "checkpoints", "ledger_logs"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER refuse_change")
        owner.execute("DELETE FROM ledger_entries WHERE seq >= 5")
        owner.execute("DELETE FROM checkpoints WHERE size > 5")
        owner.execute("DELETE FROM ledger_logs WHERE number > 1")
        owner.execute("UPDATE ledger_state SET size = 5")


def test_the_rows_of_logs_never_change(rotating: Logs, ledger_database: FreshDatabase) -> None:
    with psycopg.connect(conninfo(ledger_database.sequencer_url), autocommit=True) as connection:
        for statement in (
            "UPDATE ledger_logs SET vkey = 'x'",
            "UPDATE ledger_logs SET start = 7",
            "DELETE FROM ledger_logs",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)


def walked(rotating: Logs, trusted: Policy, start: Position | None = None) -> list[Position]:
    kept: list[Position] = []
    begun = entries.begin(rotating.app, trusted, rotating.register.read())
    Walk(rotating.app, rotating.store, rotating.private, trusted).run(start or begun, kept.append)
    return kept


@pytest.fixture
def thrice(rotating: Logs) -> Logs:
    """Three logs with something in each."""
    for number in (2, 3):
        record_views(rotating.app, 300)
        rotating.settle()
        rotating.close(rotating.key(f"log/{number}"))
        rotating.settle()
    record_views(rotating.app, 20)
    rotating.settle()
    return rotating


def newest(rotating: Logs) -> Policy:
    """A policy that knows the key of the last log alone."""
    return policy.parse(f"log {rotating.opened()[-1].vkey}\nquorum none\n".encode())


def test_a_check_walks_over_all_logs(thrice: Logs, ledger_database: FreshDatabase) -> None:
    kept = walked(thrice, newest(thrice))
    assert [position.seq for position in kept] == [306, 608, 629]
    for position in kept:
        assert [later.seq for later in walked(thrice, newest(thrice), position)] == [
            later.seq for later in kept if later.seq > position.seq
        ]
    with psycopg.connect(conninfo(ledger_database.owner_url)) as owner:
        owner.execute("ALTER TABLE ledger_logs DISABLE TRIGGER keep")
        owner.execute("UPDATE ledger_logs SET vkey = %s WHERE number = 1", [thrice.opened()[1].vkey])
    with pytest.raises(Differs, match=r"head\.signature|tiles\.boundary"):
        walked(thrice, newest(thrice))


def test_a_damaged_tile_of_a_closed_log_is_found(thrice: Logs) -> None:
    path = "2/" + tiles.path(0, 0)
    thrice.store.files[path] = bytes(len(thrice.store.files[path]))
    with pytest.raises(Differs, match=r"tiles\.differs"):
        walked(thrice, newest(thrice))


@pytest.mark.parametrize("size", [5, 306, 307, 628])
def test_rebuilt_from_a_backup_of_any_log(thrice: Logs, ledger_database: FreshDatabase, size: int) -> None:
    """A backup from before, at and after each boundary: the missing entries come back, and the logs with them."""
    before, trusted = everything_of(thrice), newest(thrice)
    _set_back(ledger_database, size)
    with thrice.app.read() as session, pytest.raises(Corrupt, match=r"ledger\.behind_published_head"):
        thrice.again().check_head(session)
    head = rebuild.head_of(thrice.register.read(), trusted)
    planned = rebuild.plan(thrice.database, EntryBundles(thrice.private), head)
    assert (planned.start, planned.size, len(planned.entries)) == (size, 629, 629 - size)
    rebuild.apply(thrice.database, planned)
    assert everything_of(thrice) == before
    assert [log.number for log in thrice.opened()] == [1, 2, 3]
    thrice.publishing = thrice.again()
    thrice.settle()
    walked(thrice, trusted)


def everything_of(rotating: Logs) -> list[bytes]:
    found: list[bytes] = []
    with rotating.app.read() as session:
        for after in (-1, 499):
            page = audit.trail(session, audit.TrailFilter(), after_seq=after, limit=500)
            found += [entry.canonical for entry in page.entries if entry.seq < 629]
    return found


def _set_back(database: FreshDatabase, size: int) -> None:
    """The database as a backup of `size` entries has it."""
    with psycopg.connect(conninfo(database.owner_url)) as owner:
        for table in ("ledger_entries", "checkpoints", "checkpoint_quorums", "ledger_logs"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER refuse_change")
        owner.execute("ALTER TABLE ledger_logs DISABLE TRIGGER keep_start")
        owner.execute("DELETE FROM ledger_entries WHERE seq >= %s", [size])
        owner.execute("DELETE FROM checkpoints WHERE size > %s", [size])
        owner.execute("DELETE FROM checkpoint_quorums WHERE size > %s", [size])
        closing = size in (306, 608)
        for number, start in ((2, 306), (3, 608)):
            if size < start:
                owner.execute("DELETE FROM ledger_logs WHERE number = %s", [number])
            elif size == start:
                owner.execute("UPDATE ledger_logs SET start = NULL WHERE number = %s", [number])
        owner.execute("UPDATE ledger_state SET size = %s, closing = %s", [size, closing])


def test_a_compromised_key_is_said_before_the_log_closes(rotating: Logs) -> None:
    old = rotating.opened()[0].vkey
    rotating.close(rotating.key("log/2"), "compromised", compromised_since_ms=1_700_000_000_000)
    rotating.settle()
    check(rotating)
    stolen, closed, _ = everything(rotating.app)[-3:]
    assert (stolen.type, stolen.data) == (
        "key.compromised",
        {"key": old, "purpose": "log", "since_ms": 1_700_000_000_000},
    )
    assert canonical.decode(closed.canonical)["data"]["reason"] == "compromised"
