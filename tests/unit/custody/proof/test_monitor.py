"""The monitor: growth is followed, a fork or a rollback is caught, and its proof stands on its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from custody.proof import merkle, monitor, note, policy, tiles
from custody.proof.monitor import Kind, Misbehaviour
from custody.proof.strict import Malformed, ProofError
from custody.proof.words import LANGUAGES, because, monitoring
from tests.attacks.forge import NOW_S, ORIGIN, Log, key, policy_text

TRUSTED = policy.parse(policy_text().encode())


@dataclass
class Site:
    """A log's public files."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, leaves: list[bytes], old: int = 0, **how: object) -> bytes:
        log = Log(leaves, **how)  # type: ignore[arg-type]
        hashes = {0: log.hashes}
        for tile in tiles.changed(old, len(leaves)):
            level = tile.level or 0
            if level not in hashes:
                below = hashes[level - 1]
                hashes[level] = [merkle.root(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)]
            part = hashes[level][tile.index * 256 : tile.index * 256 + tile.width]
            self.files[tiles.path(level, tile.index, tile.width)] = b"".join(part)
        self.files["checkpoint"] = log.checkpoint()
        return self.files["checkpoint"]

    def fetch(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.files.get(path)


def leaves(count: int, mark: str = "") -> list[bytes]:
    return [f"leaf {number}{mark}".encode() for number in range(count)]


def forked(count: int, from_index: int) -> list[bytes]:
    return leaves(from_index) + leaves(count, "'")[from_index:]


def caught(site: Site, seen: bytes | None) -> Misbehaviour:
    with pytest.raises(Misbehaviour) as raised:
        monitor.follow(site.fetch, TRUSTED, seen, NOW_S)
    return raised.value


@pytest.mark.parametrize("old", [1, 2, 255, 256, 257, 511, 700])
@pytest.mark.parametrize("new", [700, 1000])
def test_growth_is_followed(old: int, new: int) -> None:
    site = Site()
    seen = site.publish(leaves(old))
    assert monitor.follow(site.fetch, TRUSTED, None, NOW_S).old is None
    site.publish(leaves(new), old)
    site.asked.clear()
    followed = monitor.follow(site.fetch, TRUSTED, seen, NOW_S)
    assert (followed.old and followed.old.size, followed.head.size, followed.quorum) == (old, new, True)
    assert len(set(site.asked)) == len(site.asked)


def test_a_partial_tile_that_is_gone_may_be_there_in_full() -> None:
    site = Site()
    seen = site.publish(leaves(100))
    site.publish(leaves(300), 100)
    site.files[tiles.path(0, 1)] = site.files.pop(tiles.path(0, 1, 44)) + b"\0" * 32 * 212
    assert monitor.follow(site.fetch, TRUSTED, seen, NOW_S).head.size == 300


def test_too_few_witnesses_are_said_and_not_held_against_the_log() -> None:
    site = Site()
    site.publish(leaves(3), witnesses=("court",))
    assert monitor.follow(site.fetch, TRUSTED, None, NOW_S).quorum is False


@pytest.mark.parametrize(("old", "new", "at"), [(5, 5, 4), (5, 6, 0), (256, 300, 255), (300, 1000, 299), (8, 16, 3)])
def test_a_fork_is_proved(old: int, new: int, at: int) -> None:
    site = Site()
    seen = site.publish(leaves(old))
    site.publish(forked(new, at))
    found = caught(site, seen)
    assert found.kind is Kind.FORK
    assert monitor.confirm(found.encode(), TRUSTED) is Kind.FORK


def test_a_rollback_is_caught() -> None:
    site = Site()
    seen = site.publish(leaves(20))
    site.publish(leaves(12))
    found = caught(site, seen)
    assert found.kind is Kind.ROLLBACK
    assert monitor.confirm(found.encode(), TRUSTED) is Kind.ROLLBACK


def _flipped(site: Site) -> None:
    path = tiles.path(0, 0, 9)
    site.files[path] = b"\0" * 32 + site.files[path][32:]


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda site: site.files.pop(tiles.path(0, 0, 9)), Kind.UNPROVED),
        (lambda site: site.files.update({tiles.path(0, 0, 9): b"short"}), Kind.UNPROVED),
        (_flipped, Kind.UNPROVED),
        (lambda site: site.files.pop("checkpoint"), Kind.UNSIGNED),
        (lambda site: site.files.update(checkpoint=b"<html>"), Kind.UNSIGNED),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_what_cannot_be_shown_is_no_growth(damage: Callable[[Site], object], kind: Kind, first: bool) -> None:
    site = Site()
    seen = site.publish(leaves(5))
    site.publish(leaves(9), 5)
    damage(site)
    found = caught(site, None if first else seen)
    assert found.kind is kind
    with pytest.raises(ProofError):
        monitor.confirm(found.encode(), TRUSTED)
    for language in LANGUAGES:
        assert because(found.reason, language)


def test_another_key_or_name_is_not_this_log() -> None:
    site = Site()
    seen = site.publish(leaves(5))
    site.publish(leaves(9), key_name="thief")
    assert caught(site, seen).kind is Kind.UNSIGNED


def test_another_log_of_the_same_policy_is_not_this_log() -> None:
    both = policy.parse(
        (policy_text() + f"log {note.vkey('other.example', key('log2').public_key().public_bytes_raw())}\n").encode()
    )
    site = Site()
    seen = site.publish(leaves(5))
    site.publish(leaves(9), key_name="log2", origin="other.example")
    with pytest.raises(Misbehaviour) as raised:
        monitor.follow(site.fetch, both, seen, NOW_S)
    assert raised.value.kind is Kind.UNSIGNED
    assert ORIGIN != "other.example"


def test_a_false_cosignature_is_named() -> None:
    site = Site()
    site.publish(leaves(3), witness_time_s=NOW_S + 100)
    assert caught(site, None).kind is Kind.WITNESS


def test_a_state_that_is_no_head_is_refused() -> None:
    site = Site()
    site.publish(leaves(3))
    with pytest.raises(Malformed):
        monitor.follow(site.fetch, TRUSTED, b"nonsense", NOW_S)


@pytest.mark.parametrize("kind", ["fork", "rollback", "unproved"])
def test_an_invented_proof_confirms_nothing(kind: str) -> None:
    site = Site()
    old = site.publish(leaves(5))
    new = site.publish(leaves(9), 5)
    for invented in (
        Misbehaviour(Kind(kind), "", old, new),
        Misbehaviour(Kind(kind), "", old, old),
        Misbehaviour(Kind(kind), "", old, new, b"\0" * 32, (b"\0" * 32,)),
        Misbehaviour(Kind(kind), "", b"", new),
        Misbehaviour(Kind(kind), "", old, new, merkle.root([merkle.leaf_hash(leaf) for leaf in leaves(5)])),
    ):
        with pytest.raises(ProofError):
            monitor.confirm(invented.encode(), TRUSTED)
    for garbage in (b"", b"{}", b'{"v":1}'):
        with pytest.raises(ProofError):
            monitor.confirm(garbage, TRUSTED)


def test_the_words_are_complete() -> None:
    for sentences in monitoring.SAID.values():
        assert len(sentences) == len({*map(str.strip, sentences)}) == 3
        assert len({frozenset(re.findall(r"\{(\w+)\}", sentence)) for sentence in sentences}) == 1
