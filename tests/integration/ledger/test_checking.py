"""The check of the whole ledger: each place that can differ is named as the first, and what is right passes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from custody import bundles, signer
from custody.checking import entries, rows, words
from custody.checking.difference import Differs, Step
from custody.checking.entries import Position, Walk
from custody.kernel.unit_of_work import Database
from custody.proof import policy, tiles
from custody.proof.policy import Policy
from tests.databases import FreshDatabase
from tests.integration.ledger.support import record, record_views, sequence_all, tamper, viewed
from tests.integration.ledger.test_publisher import Log, published

__all__ = ["published"]


@dataclass
class Checker:
    """A ledger of 600 entries, published at 300 and at 599; 600 lacks only its head."""

    app: Database
    log: Log
    trusted: Policy
    kept: list[Position] = field(default_factory=list)

    def check(self, start: Position | None = None) -> Position:
        begun = entries.begin(self.app, self.trusted, self.log.register.read())
        Walk(self.app, self.log.store, self.log.private, self.trusted).run(start or begun, self.kept.append)
        return self.kept[-1]

    def differs(self, step: Step, code: str) -> Differs:
        with pytest.raises(Differs) as caught:
            self.check()
        found = caught.value.difference
        assert (found.step, found.code) == (step, code), caught.value
        for language in ("kk", "ru", "en"):
            assert all(words.told(found, language).values())
        return caught.value


@pytest.fixture
def checker(app: Database, sequencer_side: Database, key: signer.Signer, published: Log) -> Checker:
    for count in (300, 299):
        record_views(app, count)
        sequence_all(sequencer_side)
        published.publisher.publish_once()
    record_views(app, 1)
    sequence_all(sequencer_side)
    return Checker(app, published, policy.parse(f"log {signer.vkey(key)}\nquorum none\n".encode()))


def test_what_is_right_passes(checker: Checker) -> None:
    assert checker.check().seq == 600


def test_an_empty_ledger_passes(app: Database, published: Log, key: signer.Signer) -> None:
    trusted = policy.parse(f"log {signer.vkey(key)}\nquorum none\n".encode())
    begun = entries.begin(app, trusted, None)
    Walk(app, published.store, published.private, trusted).run(begun, lambda _: None)
    assert begun == Position("", 0)


def test_a_check_that_was_cut_off_goes_on(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "BATCH", tiles.WIDTH)
    checker.check()
    first = Position.decode(checker.kept[0].encode())
    assert first == checker.kept[0]
    assert (first.seq, first.bundle) == (256, 0)
    resumed = checker.check(first)
    assert resumed == checker.kept[2]


@pytest.mark.parametrize(
    ("statement", "step", "code", "place"),
    [
        ("UPDATE ledger_entries SET leaf_hash = sha256('x') WHERE seq = 17", Step.ENTRIES, "entries.hash", "17"),
        (
            "UPDATE ledger_entries SET canonical = 'x', leaf_hash = sha256('\\x00' || 'x'::bytea) WHERE seq = 3",
            Step.ENTRIES,
            "entries.form",
            "3",
        ),
        ("UPDATE ledger_entries SET time_ms = time_ms + 1 WHERE seq = 5", Step.ENTRIES, "entries.columns", "5 time_ms"),
        ("UPDATE ledger_entries SET case_id = event_id WHERE seq = 6", Step.ENTRIES, "entries.columns", "6 case_id"),
        ("DELETE FROM ledger_entries WHERE seq = 40", Step.ENTRIES, "entries.gap", "40"),
        ("DELETE FROM ledger_entries WHERE seq = 599", Step.HEAD, "head.state", "ledger_state"),
        (
            "WITH two AS (SELECT * FROM ledger_entries WHERE seq = 20) UPDATE ledger_entries entry SET"
            " canonical = convert_to(replace(convert_from(two.canonical, 'UTF8'), 'sha256:000', 'sha256:100'), 'UTF8'),"
            " leaf_hash = sha256('\\x00' || convert_to(replace(convert_from(two.canonical, 'UTF8'), 'sha256:000',"
            " 'sha256:100'), 'UTF8')) FROM two WHERE entry.seq = 20",
            Step.ENTRIES,
            "entries.chain",
            "27",
        ),
    ],
)
def test_a_changed_row_is_the_first_place(
    checker: Checker, ledger_database: FreshDatabase, statement: str, step: Step, code: str, place: str
) -> None:
    tamper(ledger_database.owner_url, statement)
    assert checker.differs(step, code).difference.place == place


def test_a_rewritten_last_entry_leads_to_another_root(checker: Checker, ledger_database: FreshDatabase) -> None:
    changed = "convert_to(replace(convert_from(canonical, 'UTF8'), 'sha256:000', 'sha256:100'), 'UTF8')"
    tamper(
        ledger_database.owner_url,
        f"UPDATE ledger_entries SET canonical = {changed}, leaf_hash = sha256('\\x00' || {changed}) WHERE seq = 598",
    )
    assert checker.differs(Step.TILES, "tiles.root").difference.place == "599"


def test_entries_behind_the_head_are_missed(checker: Checker, ledger_database: FreshDatabase) -> None:
    tamper(ledger_database.owner_url, "DELETE FROM ledger_entries WHERE seq >= 500; UPDATE ledger_state SET size = 500")
    checker.differs(Step.HEAD, "head.behind")


def test_a_register_behind_the_database_is_seen(checker: Checker) -> None:
    checker.log.register._path.write_bytes(checker.log.register.read().replace(b"599", b"300"))
    checker.differs(Step.HEAD, "head.signature")


def test_a_head_whose_column_was_changed(checker: Checker, ledger_database: FreshDatabase) -> None:
    tamper(
        ledger_database.owner_url,
        "ALTER TABLE checkpoints DISABLE TRIGGER refuse_change;"
        " UPDATE checkpoints SET root = sha256('x') WHERE size = 300",
    )
    checker.differs(Step.HEAD, "head.columns")


def _first_tile_flipped(log: Log) -> None:
    path = tiles.path(0, 0)
    log.store.files[path] = b"\0" * 32 + log.store.files[path][32:]


def _upper_tile_flipped(log: Log) -> None:
    path = tiles.path(1, 0, 2)
    log.store.files[path] = b"\0" * 32 + log.store.files[path][32:]


def _bundle_flipped(log: Log) -> None:
    path = bundles.path(300)
    log.private.files[path] = log.private.files[path].replace(b"content.viewed", b"content.v1ewed", 1)


@pytest.mark.parametrize(
    ("damage", "step", "code", "place"),
    [
        (_first_tile_flipped, Step.TILES, "tiles.differs", "tile/0/000 #0"),
        (_upper_tile_flipped, Step.TILES, "tiles.differs", "tile/1/000.p/2 #0"),
        (lambda log: log.store.files.pop(tiles.path(0, 1)), Step.TILES, "tiles.missing", "tile/0/001"),
        (_bundle_flipped, Step.BUNDLES, "bundles.differs", "300"),
        (lambda log: log.private.files.pop(bundles.path(300)), Step.BUNDLES, "bundles.missing", "300"),
        (lambda log: log.private.files.update({bundles.path(0): b"\xff"}), Step.BUNDLES, "bundles.form", "0"),
    ],
)
def test_a_damaged_store_is_the_first_place(
    checker: Checker, damage: Callable[[Log], None], step: Step, code: str, place: str
) -> None:
    damage(checker.log)
    assert checker.differs(step, code).difference.place == place


def test_a_row_without_its_event_is_named(app: Database, ledger_database: FreshDatabase) -> None:
    record(app, viewed(uuid4()))
    tamper(
        ledger_database.owner_url,
        "ALTER TABLE ledger_checks DISABLE TRIGGER require_event; INSERT INTO ledger_checks"
        " VALUES (gen_random_uuid(), '{}', 'x', now(), '00000000-0000-0000-0000-000000000009');"
        " ALTER TABLE ledger_checks ENABLE TRIGGER require_event",
    )
    with pytest.raises(Differs) as caught, app.read() as session:
        list(rows.check_rows(session))
    assert (caught.value.difference.code, caught.value.difference.place) == ("rows.event", "ledger_checks")


def test_a_law_that_was_switched_off_is_named(app: Database, ledger_database: FreshDatabase) -> None:
    tamper(ledger_database.owner_url, "ALTER TABLE ledger_checks DISABLE TRIGGER require_event")
    with pytest.raises(Differs) as caught, app.read() as session:
        list(rows.check_rows(session))
    assert (caught.value.difference.code, caught.value.difference.place) == ("rows.trigger", "ledger_checks")


def test_every_difference_has_its_sentences() -> None:
    raised = {code for module in (entries, rows) for code in _codes(Path(str(module.__file__)))}
    assert raised <= words.FOUND.keys()


def _codes(path: Path) -> set[str]:
    return {code for code in words.FOUND if f'"{code}"' in path.read_text()}
