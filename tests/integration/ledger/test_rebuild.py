"""A database restored from an old backup: the ledger halts by itself, is rebuilt from its bundles, and goes on."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from custody import audit, rebuild, signer
from custody.bundles import EntryBundles
from custody.checking import entries
from custody.checking.entries import Walk
from custody.kernel.errors import Conflict, Corrupt, Unavailable
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer, wait_sequenced
from custody.proof import note, policy
from custody.proof.checkpoint import Checkpoint
from custody.proof.policy import Policy
from tests.databases import FreshDatabase
from tests.integration.ledger.support import described, record, record_views, sequence_all, tamper
from tests.integration.ledger.test_publisher import Log, published
from tests.integration.ledger.test_sequencer import SOON

__all__ = ["published"]

_BACK_TO = (
    "DELETE FROM ledger_entries WHERE seq >= {size}; UPDATE ledger_state SET size = {size};"
    " ALTER TABLE checkpoints DISABLE TRIGGER refuse_change; DELETE FROM checkpoints WHERE size > {size};"
    " ALTER TABLE checkpoints ENABLE TRIGGER refuse_change"
)


@pytest.fixture
def trusted(key: signer.Signer) -> Policy:
    return policy.parse(f"log {signer.vkey(key)}\nquorum none\n".encode())


@pytest.fixture
def behind(app: Database, sequencer_side: Database, published: Log, ledger_database: FreshDatabase) -> Log:
    """300 and 22 entries were published; the database is the backup from between, and knows 300."""
    record_views(app, 300)
    sequence_all(sequencer_side)
    published.publisher.publish_once()
    exhibit = uuid4()
    record(app, *(described(exhibit) for _ in range(20)))
    record_views(app, 2)
    sequence_all(sequencer_side)
    published.publisher.publish_once()
    tamper(ledger_database.owner_url, _BACK_TO.format(size=300))
    return published


@contextmanager
def running(log: Log, database: Database) -> Iterator[None]:
    """The sequencer process: both halves, in threads."""
    order, stop = Sequencer(database, log.publisher.check_head), threading.Event()
    threads = [
        threading.Thread(target=order.run, args=(stop,)),
        threading.Thread(target=log.publisher.run, args=(stop, order.leading, 0.05)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not come about in time")


def halted(app: Database) -> str | None:
    with app.read() as session:
        return audit.health(session).halted


def plan(database: Database, log: Log, trusted: Policy) -> rebuild.Rebuilding:
    return rebuild.plan(database, EntryBundles(log.private), rebuild.head_of(log.register.read(), trusted))


def test_halt_rebuild_resume(app: Database, sequencer_side: Database, behind: Log, trusted: Policy) -> None:
    with running(behind, sequencer_side):
        until(lambda: halted(app) == "ledger.behind_published_head")
        with pytest.raises(Unavailable, match=r"ledger\.read_only"):
            record(app, described(uuid4()))
        waiting = record_views(app, 1)

        planned = plan(sequencer_side, behind, trusted)
        rebuild.apply(sequencer_side, planned)

        assert halted(app) is None
        late = record(app, described(uuid4()))
        assert min(wait_sequenced(app, waiting + late, SOON).values()) >= 322
        until(lambda: behind.head().size == 325)
    assert (planned.start, planned.head.size, len(planned.entries)) == (300, 322, 22)
    assert [one.seq for one in planned.lost] == list(range(300, 320))  # looking leaves no row that could be lost
    walk = Walk(app, behind.store, behind.private, trusted)
    walk.run(entries.begin(app, trusted, behind.register.read()), lambda _: None)
    with app.read() as session:
        rebuilt = [entry for entry in audit.chain(session, "system") if entry.type == "ledger.rebuilt"]
    assert [entry.data["from_size"] for entry in rebuilt] == [300]
    assert (rebuilt[0].data["restored"], rebuilt[0].data["without_row"]) == (22, 20)


def test_what_the_backup_held_as_waiting_is_not_placed_twice(
    app: Database, sequencer_side: Database, behind: Log, trusted: Policy, ledger_database: FreshDatabase
) -> None:
    leaf = plan(sequencer_side, behind, trusted).entries[3]
    body = json.loads(leaf.canonical)
    del body["item_seq"], body["prev"]
    text = json.dumps(body).replace("'", "''")
    tamper(
        ledger_database.owner_url,
        f"INSERT INTO event_outbox (event_id, item, body) VALUES ('{leaf.event_id}', '{leaf.item}', '{text}')",
    )

    planned = plan(sequencer_side, behind, trusted)
    rebuild.apply(sequencer_side, planned)
    sequence_all(sequencer_side)

    assert 303 not in {one.seq for one in planned.lost}  # its row was in the backup with it
    with app.read() as session:
        assert audit.health(session).size == 323
        assert not audit.pending(session)


def test_nothing_missing_nothing_to_do(
    sequencer_side: Database, app: Database, published: Log, trusted: Policy
) -> None:
    record_views(app, 1)
    sequence_all(sequencer_side)
    published.publisher.publish_once()
    planned = plan(sequencer_side, published, trusted)
    assert (planned.start, planned.entries) == (1, ())


def test_the_first_entries_can_be_restored_too(
    app: Database, sequencer_side: Database, behind: Log, trusted: Policy, ledger_database: FreshDatabase
) -> None:
    tamper(ledger_database.owner_url, _BACK_TO.format(size=0))
    rebuild.apply(sequencer_side, plan(sequencer_side, behind, trusted))
    with app.read() as session:
        assert audit.health(session).size == 322


def test_another_history_is_not_mended(
    sequencer_side: Database, behind: Log, trusted: Policy, ledger_database: FreshDatabase
) -> None:
    tamper(ledger_database.owner_url, "UPDATE ledger_entries SET canonical = 'x' WHERE seq = 7")
    with pytest.raises(Corrupt) as caught:
        plan(sequencer_side, behind, trusted)
    assert (caught.value.code, caught.value.params["seq"]) == ("ledger.rebuild_forked", 7)


def _last(log: Log) -> str:
    return max(log.private.files)


def _change(log: Log) -> None:
    log.private.files[_last(log)] = log.private.files[_last(log)].replace(b'"means":"api"', b'"means":"cli"', 1)


def _garble(log: Log) -> None:
    log.private.files[_last(log)] = b"\x00\x01x" * 22


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda log: log.private.files.pop(_last(log)), "ledger.bundle_missing"),
        (_change, "ledger.root_mismatch"),
        (_garble, "ledger.bundle_malformed"),
    ],
)
def test_nothing_unproved_is_put_back(
    sequencer_side: Database, behind: Log, trusted: Policy, damage: Callable[[Log], None], code: str
) -> None:
    damage(behind)
    with pytest.raises(Corrupt) as caught:
        plan(sequencer_side, behind, trusted)
    assert caught.value.code == code


def test_a_plan_that_was_overtaken_changes_nothing(sequencer_side: Database, behind: Log, trusted: Policy) -> None:
    planned = plan(sequencer_side, behind, trusted)
    rebuild.apply(sequencer_side, planned)
    with pytest.raises(Conflict, match=r"ledger\.rebuild_moved"):
        rebuild.apply(sequencer_side, planned)


def test_only_a_signed_head_counts(behind: Log, trusted: Policy, tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match=r"ledger\.register_lost"):
        rebuild.head_of(None, trusted)
    with pytest.raises(Corrupt, match=r"ledger\.register_malformed"):
        rebuild.head_of((behind.register.read() or b"").replace(b"322", b"300"), trusted)
    other = tmp_path / "other"
    other.mkdir()
    (other / "passphrase").touch(mode=0o600)
    (other / "passphrase").write_text("x")
    signer.create_key(other / "key.pem", other / "passphrase")
    own = signer.EncryptedFileSigner("log.test.example/dalel", other / "key.pem", other / "passphrase")
    forged = note.sign(Checkpoint(own.name, 1, b"\0" * 32).text(), own.name, own)
    with pytest.raises(Corrupt, match=r"ledger\.register_malformed"):
        rebuild.head_of(forged, trusted)
