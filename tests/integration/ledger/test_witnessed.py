"""Publishing with witnesses: cosigned when they answer, flagged when they do not, cosigned later when they do again."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody import heads, signer
from custody.cosigning import Witnesses
from custody.kernel.errors import Unavailable
from custody.kernel.unit_of_work import Database
from custody.ledger import Sequencer, wait_sequenced
from custody.proof import merkle, note, policy
from custody.publisher import Publisher
from custody.register import FileRegister
from tests.integration.ledger.support import MemoryStore, record_views
from tests.integration.ledger.test_publisher import grow, leaf_hashes
from tests.integration.ledger.test_sequencer import SOON
from tests.integration.witness.support import RunningWitness, running
from tests.whole import until


class Outside:
    """Two witnesses in processes of their own, a log that asks for both, and its publisher."""

    def __init__(
        self, database: Database, key: signer.Signer, directory: Path, court: RunningWitness, bar: RunningWitness
    ) -> None:
        self.court, self.bar = court, bar
        lines = [f"log {signer.vkey(key)}"]
        lines += [f"witness {one.name} {one.vkey} {one.url}" for one in (court, bar)]
        self.policy = policy.parse("\n".join([*lines, "group both all court bar", "quorum both", ""]).encode())
        self._parts = (database, MemoryStore(), MemoryStore(), FileRegister(directory / "head"), key)
        self.publisher = self.restarted()

    def restarted(self, deadline_s: float = 60.0) -> Publisher:
        asked = Witnesses(self.policy, lambda: int(time.time()), deadline_s=deadline_s)
        return Publisher(*self._parts, asked)

    def reached(self, view: heads.CheckpointView | None) -> bool:
        """Whether a reader finds the quorum under the note as it is served."""
        assert view is not None
        try:
            policy.verify_witnesses(self.policy, note.parse(view.note.encode()), int(time.time()) + 5)
        except policy.QuorumNotReached:
            assert view.witnessed_at is None
            return False
        assert view.witnessed_at is not None
        policy.verify_log(self.policy, note.parse(view.note.encode()))
        return True


@pytest.fixture
def outside(sequencer_side: Database, key: signer.EncryptedFileSigner, tmp_path: Path) -> Iterator[Outside]:
    vkey = signer.vkey(key)
    with running("court", tmp_path / "court", vkey) as court, running("bar", tmp_path / "bar", vkey) as bar:
        yield Outside(sequencer_side, key, tmp_path, court, bar)


def latest(app: Database) -> heads.CheckpointView:
    with app.read() as session:
        view = heads.latest_checkpoint(session)
    assert view is not None
    return view


def witnessed(app: Database) -> heads.CheckpointView | None:
    with app.read() as session:
        return heads.latest_witnessed(session)


def test_a_published_head_is_cosigned(app: Database, sequencer_side: Database, outside: Outside) -> None:
    for count in (3, 1, 300):
        grow(app, sequencer_side, count)
        outside.publisher.publish_once()
        view = latest(app)
        assert outside.reached(view)
        assert view == witnessed(app)
        assert [one.name for one in view.witnesses] == ["bar", "court"]
        assert view.root == merkle.root(leaf_hashes(app))


def test_without_quorum_it_goes_on_flagged_and_catches_up(
    app: Database, sequencer_side: Database, outside: Outside
) -> None:
    grow(app, sequencer_side, 3)
    outside.publisher.publish_once()
    outside.bar.kill()
    for size in (4, 5):
        grow(app, sequencer_side, 1)
        outside.publisher.publish_once()
        view = latest(app)
        assert (view.size, [one.name for one in view.witnesses]) == (size, ["court"])
        assert not outside.reached(view)
    last = witnessed(app)
    assert last is not None
    assert last.size == 3
    outside.bar.start()

    def caught_up() -> bool:
        assert outside.publisher.publish_once() is None
        return latest(app).witnessed_at is not None

    until(caught_up)
    assert outside.reached(latest(app))
    assert latest(app).size == 5


def test_a_publisher_that_starts_anew_catches_up(app: Database, sequencer_side: Database, outside: Outside) -> None:
    outside.bar.kill()
    outside.court.kill()
    grow(app, sequencer_side, 3)
    outside.publisher.publish_once()
    assert latest(app).witnesses == ()
    outside.bar.start()
    outside.court.start()
    outside.restarted().publish_once()
    assert outside.reached(latest(app))


def test_a_cosignature_is_not_lost_with_the_database(
    app: Database, sequencer_side: Database, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(app, sequencer_side, 3)

    def down(*_: object) -> None:
        raise Unavailable("database.unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(outside.publisher, "_attach", down)
        with pytest.raises(Unavailable):
            outside.publisher.publish_once()
    outside.publisher.publish_once()
    assert outside.reached(latest(app))


def test_a_hanging_witness_costs_the_deadline_and_no_more(
    app: Database, sequencer_side: Database, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = outside.restarted(deadline_s=0.5)
    released = threading.Event()
    asked = publisher._witnesses
    honest = asked._post

    def hang(url: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
        if url.startswith(outside.bar.url):
            released.wait(60)
        return honest(url, body, timeout_s)

    monkeypatch.setattr(asked, "_post", hang)
    grow(app, sequencer_side, 3)
    publisher.publish_once()  # and not what comes in late: the bar answers only once it is let go
    assert not outside.reached(latest(app))
    released.set()

    def late() -> bool:
        publisher.publish_once()
        return latest(app).witnessed_at is not None

    until(late)


def test_no_witnesses_no_quorum_to_wait_for(
    app: Database, sequencer_side: Database, key: signer.EncryptedFileSigner, tmp_path: Path
) -> None:
    register = FileRegister(tmp_path / "alone")
    publisher = Publisher(sequencer_side, MemoryStore(), MemoryStore(), register, key)
    grow(app, sequencer_side, 2)
    publisher.publish_once()
    assert witnessed(app) == latest(app)
    assert latest(app).note.encode() == register.read()


def test_what_is_committed_is_witnessed_by_itself(app: Database, sequencer_side: Database, outside: Outside) -> None:
    stop = threading.Event()
    sequencer = Sequencer(sequencer_side, outside.publisher.check_head)
    threads = [
        threading.Thread(target=sequencer.run, args=(stop,)),
        threading.Thread(target=outside.publisher.run, args=(stop, sequencer.leading, 0.2)),
    ]
    for thread in threads:
        thread.start()
    try:
        wait_sequenced(app, record_views(app, 1), SOON)
        until(lambda: witnessed(app))
        (index,) = wait_sequenced(app, record_views(app, 1), SOON).values()
        until(lambda: (view := witnessed(app)) and view.size > index)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
