"""Reading the ledger: chains, filtered trails by pages, single entries, broken chains."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from custody import audit, event, heads
from custody.audit import TrailFilter
from custody.kernel.errors import Corrupt, NotFound
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from custody.proof import canonical, merkle
from tests.databases import FreshDatabase
from tests.integration.ledger.support import CLERK, described, record, sequence_all, tamper, viewed

OTHER = Actor(UUID(int=8), "prosecutor", "browser")


@pytest.fixture
def case_id(app: Database, sequencer_side: Database) -> UUID:
    """A case with seven events of two people on two exhibits, among events of others."""
    case_id, first, second = uuid4(), UUID(int=1), UUID(int=2)
    record(app, viewed(first, case_id), described(uuid4()), viewed(second, case_id), viewed(first, case_id))
    with app.begin(OTHER) as work:
        for exhibit in (first, second, second):
            work.record(viewed(exhibit, case_id))
        draft = event.draft(
            "case.opened", item=f"case:{case_id}", case_id=case_id, erdr_digest="sha256:" + "1" * 64,
            personal={"erdr": "123456789012345"},
        )  # fmt: skip
        work.record(draft)
        work.commit()
    sequence_all(sequencer_side)
    return case_id


def test_a_trail_in_pages_is_the_whole_trail(app: Database, case_id: UUID) -> None:
    with app.read() as session:
        whole = audit.trail(session, TrailFilter(case_id=case_id))
        assert [entry.seq for entry in whole.entries] == [7, 6, 5, 4, 3, 2, 0]
        assert whole.next_seq is None
        paged, page = [], audit.trail(session, TrailFilter(case_id=case_id), limit=3)
        while True:
            paged += page.entries
            if page.next_seq is None:
                break
            page = audit.trail(session, TrailFilter(case_id=case_id), before_seq=page.next_seq, limit=3)
        assert paged == list(whole.entries)
        upwards = audit.trail(session, TrailFilter(case_id=case_id), after_seq=2, limit=2)
        assert [entry.seq for entry in upwards.entries] == [3, 4]
        assert upwards.next_seq == 4


def test_filters_narrow_a_trail(app: Database, case_id: UUID) -> None:
    with app.read() as session:

        def seqs(**wanted: object) -> list[int]:
            page = audit.trail(session, TrailFilter(**wanted), after_seq=-1)  # type: ignore[arg-type]  # test words
            return [entry.seq for entry in page.entries]

        assert seqs(types=["case.opened", "exhibit.described"]) == [1, 7]
        assert seqs(case_id=case_id, types=["case.opened"]) == [7]
        assert seqs(case_id=case_id, actor_id=CLERK.id) == [0, 2, 3]
        assert seqs(item=f"exhibit:{UUID(int=2)}") == [2, 5, 6]
        assert seqs(until=datetime(2020, 1, 1, tzinfo=UTC)) == []
        assert seqs(since=datetime(2020, 1, 1, tzinfo=UTC)) == list(range(8))
        assert seqs(case_id=uuid4()) == []


def test_an_entry_is_what_its_bytes_say(app: Database, case_id: UUID) -> None:
    with app.read() as session:
        (opened,) = audit.chain(session, f"case:{case_id}")
        found = audit.entry(session, opened.id)
        assert found == opened
        assert merkle.leaf_hash(found.canonical) == found.leaf_hash
        assert (found.item_seq, found.prev, found.role, found.means) == (0, None, "prosecutor", "browser")
        assert b"123456789012345" not in found.canonical
        assert audit.openings(session, [found.id]) == {found.id: {"erdr": "123456789012345"}}
        with pytest.raises(NotFound, match=r"ledger\.not_sequenced"):
            audit.entry(session, uuid4())


def test_a_chain_names_its_predecessors(app: Database, case_id: UUID) -> None:
    assert case_id
    item = f"exhibit:{UUID(int=1)}"
    with app.read() as session:
        entries = audit.chain(session, item)
        assert [entry.item_seq for entry in entries] == [0, 1, 2]
        for earlier, later in pairwise(entries):
            assert later.prev == "sha256:" + earlier.leaf_hash.hex()
        assert audit.check_chain(session, item) == audit.ChainLink(item, 3, entries[-1].leaf_hash)
        assert audit.check_chain(session, "exhibit:none") == audit.ChainLink("exhibit:none", 0, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET canonical = convert_to(replace(convert_from(canonical, 'UTF8'),"
        " 'investigator', 'prosecutor'), 'UTF8') WHERE item_seq = 1",
        "UPDATE ledger_entries SET leaf_hash = sha256('x') WHERE item_seq = 2",
        "DELETE FROM ledger_entries WHERE item_seq = 1",
        "UPDATE ledger_entries SET item = 'exhibit:00000000-0000-0000-0000-000000000001', item_seq = 3"
        " WHERE item = 'exhibit:00000000-0000-0000-0000-000000000002' AND item_seq = 2",
    ],
    ids=["edited", "hash", "removed", "moved"],
)
def test_a_chain_that_was_touched_is_broken(
    app: Database, case_id: UUID, ledger_database: FreshDatabase, statement: str
) -> None:
    assert case_id
    tamper(ledger_database.owner_url, statement)
    with app.read() as session, pytest.raises(Corrupt, match=r"ledger\.chain_broken"):
        audit.check_chain(session, f"exhibit:{UUID(int=1)}")


def test_what_waits_is_told(app: Database, sequencer_side: Database) -> None:
    record(app, described(uuid4()))
    with app.read() as session:
        assert audit.pending(session)
        assert audit.health(session) == audit.LedgerHealth(size=0, published=0, waiting=1, halted=None)
        assert heads.latest_checkpoint(session) is None
    sequence_all(sequencer_side)
    with app.read() as session:
        assert not audit.pending(session)
        (entry,) = audit.trail(session, TrailFilter()).entries
        assert canonical.encode(json.loads(entry.canonical)) == entry.canonical
