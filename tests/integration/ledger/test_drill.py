"""The drill of docs/drills.md: the log's key is stolen, the thief signs, and it helps him nothing that counts."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody import audit, cosigning, heads, logs, witness
from custody import signer as keys
from custody.cosigning import Witnesses
from custody.kernel.unit_of_work import Database
from custody.ledger import Proofs
from custody.proof import checkpoint, handover, merkle, monitor, note, policy, tiles
from custody.proof.checkpoint import Checkpoint
from custody.proof.monitor import Kind, Misbehaviour
from custody.succession import LogParts, Succession
from tests.integration.ledger.support import record_views
from tests.integration.ledger.test_rotation import Logs, check
from tests.integration.witness.support import RunningWitness, running


class Watched(Logs):
    """Logs whose witnesses read their list of logs from one file each time, as `--policy` does."""

    def __init__(
        self, app: Database, sequencer_side: Database, directory: Path, court: RunningWitness, bar: RunningWitness
    ) -> None:
        self._names = {"court": court, "bar": bar}
        self.known = directory / "known"  # what the witnesses cosign for
        self.lines: list[str] = []
        super().__init__(app, sequencer_side, directory)

    def policy_text(self) -> str:
        lines = [f"log {vkey}" for vkey in self.lines]
        lines += [f"witness {name} {one.vkey} {one.url}" for name, one in self._names.items()]
        return "\n".join([*lines, "group both all court bar", "quorum both", ""])

    def tell(self, *vkeys: str) -> None:
        """Tell the witnesses which logs to cosign for."""
        self.known.write_text("".join(f"log {vkey}\n" for vkey in vkeys) + "quorum none\n")

    def again(self) -> Succession:
        parts = LogParts(self.signer, lambda _: self.witnesses())
        return Succession(self.database, self.store, self.private, self.register, parts, "log/1")

    def witnesses(self) -> Witnesses:
        return Witnesses(policy.parse(self.policy_text().encode()), lambda: int(time.time()), deadline_s=60.0)

    def ask(self, one: RunningWitness, signed: bytes, old: int, proof: list[bytes]) -> int:
        """What a witness answers to a head: its status."""
        body = witness.encode_submission(old, proof, signed)
        return cosigning.http_post(f"{one.url}/add-checkpoint", body, 60.0)[0]


@pytest.fixture
def watched(app: Database, sequencer_side: Database, tmp_path: Path) -> Iterator[Watched]:
    known = tmp_path / "known"
    known.write_text("quorum none\n")
    with (
        running("court", tmp_path / "court", None, known) as court,
        running("bar", tmp_path / "bar", None, known) as bar,
    ):
        made = Watched(app, sequencer_side, tmp_path, court, bar)
        made.lines.append(keys.vkey(made.key("log/1")))
        made.tell(*made.lines)
        record_views(app, 5)
        made.settle()
        yield made


class Thief:
    """Whoever has the stolen key, the public tiles and time."""

    def __init__(self, watched: Watched) -> None:
        self.key = watched.signer("log/1")
        with watched.app.read() as session:
            entries = audit.trail(session, audit.TrailFilter(), after_seq=-1, limit=500).entries
        self.hashes = [entry.leaf_hash for entry in entries]

    def head(self, hashes: list[bytes]) -> bytes:
        return note.sign(Checkpoint("log/1", len(hashes), merkle.root(hashes)).text(), "log/1", self.key)

    def forked(self) -> list[bytes]:
        """History with one event put out of it."""
        return [*self.hashes[:2], merkle.leaf_hash(b"forged"), *self.hashes[3:], merkle.leaf_hash(b"more")]


def test_the_drill(watched: Watched) -> None:
    court, bar = watched._names.values()
    thief = Thief(watched)
    old_vkey = watched.lines[0]
    before = _latest(watched)  # a package made on this head
    # a fork: both witnesses refuse it, whatever proof comes with it
    forged, forked = thief.head(thief.forked()), thief.forked()
    for one in (court, bar):
        assert watched.ask(one, forged, 5, merkle.consistency_proof(forked, 5)) == 422
        assert watched.ask(one, thief.head(forked[:5]), 5, []) == 409
    # a monitor that is shown the fork keeps a proof that needs nobody's word
    trusted = policy.parse(watched.policy_text().encode())
    proof = _caught(watched, trusted, before.note.encode(), forged, forked)
    assert monitor.confirm(proof.encode(), trusted) is Kind.FORK
    # the next key, told to witnesses and holders of policies; the log is closed
    following = watched.key("log/2")
    watched.lines.append(keys.vkey(following))
    watched.tell(*watched.lines)
    watched.close(following, "compromised", compromised_since_ms=int(time.time() * 1000))
    watched.settle()
    check(watched)
    watched.tell(watched.lines[1])  # minute 16
    # now not even a continuation of the closed log is cosigned
    longer = Thief(watched).hashes[: watched.opened()[1].start]
    extended = [*longer, merkle.leaf_hash(b"the thief goes on")]
    continued = thief.head(extended)
    for one in (court, bar):
        assert watched.ask(one, continued, len(longer), merkle.consistency_proof(extended, len(longer))) == 404
    # the new log is witnessed; the old end too, and the earlier package's head still is
    both = policy.parse(watched.policy_text().encode())
    record_views(watched.app, 3)
    watched.settle()
    for view in (before, _final(watched), _latest(watched)):
        assert view.witnessed_at is not None
        signed = note.parse(view.note.encode())
        policy.verify_log(both, signed)
        assert len(policy.verify_witnesses(both, signed)) == 2
    # the thief's heads have the log's signature and no quorum: under the policy they are nothing
    for head in (forged, continued):
        policy.verify_log(both, note.parse(head))
        with pytest.raises(policy.QuorumNotReached):
            policy.verify_witnesses(both, note.parse(head))
    # nor can he show his fork as what the new log goes on from
    assert old_vkey == watched.opened()[0].vkey
    _no_other_end(watched, forged)


def test_a_thief_who_was_with_the_witnesses_first_is_noticed(watched: Watched) -> None:
    """He continues the log before anybody knows: the witnesses cosign it, and then refuse ours. Publishing goes on
    without quorum, the rotation waits, and people decide.
    """
    thief = Thief(watched)
    extended = [*thief.hashes, merkle.leaf_hash(b"the thief was first")]
    for one in watched._names.values():
        assert watched.ask(one, thief.head(extended), 5, merkle.consistency_proof(extended, 5)) == 200
    record_views(watched.app, 2)
    watched.publishing.publish_once()
    following = watched.key("log/2")
    watched.lines.append(keys.vkey(following))
    watched.tell(*watched.lines)
    watched.close(following, "compromised")
    for _ in range(3):
        _step(watched)
    assert watched.closing()
    assert _latest(watched).witnessed_at is None
    watched.close(following, "compromised", unwitnessed=True)
    watched.settle()
    check(watched)
    record_views(watched.app, 1)
    watched.settle()
    assert _latest(watched).witnessed_at is not None  # the new log is cosigned from its first head on
    assert _final(watched).witnessed_at is None


def _step(watched: Watched) -> None:
    from tests.integration.ledger.support import sequence_all

    sequence_all(watched.database)
    watched.publishing.publish_once()


def _latest(watched: Watched) -> heads.CheckpointView:
    with watched.app.read() as session:
        view = heads.latest_checkpoint(session)
    assert view is not None
    return view


def _final(watched: Watched) -> heads.CheckpointView:
    with watched.app.read() as session:
        view = heads.latest_of(session, logs.opened(session)[0])
    assert view is not None
    return view


def _caught(watched: Watched, trusted: policy.Policy, seen: bytes, forged: bytes, forked: list[bytes]) -> Misbehaviour:
    files = {"checkpoint": forged, tiles.path(0, 0, len(forked)): b"".join(forked)}
    with pytest.raises(Misbehaviour) as caught:
        monitor.follow(files.get, trusted, seen)
    assert caught.value.kind is Kind.FORK
    return caught.value


def _no_other_end(watched: Watched, forged: bytes) -> None:
    """The handover with the thief's head in place of the true end."""
    first, second = watched.opened()
    with watched.app.read() as session:
        closed, opened = audit.entries_at(session, (second.start - 1, second.start))
    size = second.start
    proof = Proofs(first.tiles(watched.store)).inclusion([size - 1], size)[size - 1]
    true = handover.parse(_final(watched).note.encode(), closed.canonical, opened.canonical, proof)
    handover.verify_last(true)
    handover.verify_signature(true)
    handover.check_successor(true, note.parse_vkey(second.vkey))
    with pytest.raises(ValueError, match=r"log\.opened does not follow"):
        handover.parse(forged, closed.canonical, opened.canonical, proof)
    assert checkpoint.parse(note.parse(forged).text).origin == first.origin
