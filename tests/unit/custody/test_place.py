"""Placing events: pure, so every shape of a batch can be tried."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.kernel.errors import Corrupt
from custody.ledger import place
from custody.proof import canonical, merkle


def body(item: str, number: int) -> str:
    event = {"id": str(number), "type": "t", "item": item, "case": None, "time_ms": number, "actor": {"id": None}}
    return canonical.encode(event).decode()


@given(st.lists(st.sampled_from("abcd"), max_size=40), st.lists(st.integers(1, 10), max_size=8))
def test_however_it_is_cut_into_batches_the_ledger_is_the_same(items: list[str], cuts: list[int]) -> None:
    waiting = [(item, body(item, number)) for number, item in enumerate(items)]
    whole = place(waiting, 0, {})
    pieces, heads, rest = [], {}, waiting
    for cut in [*cuts, len(waiting) + 1]:
        batch, rest = rest[:cut], rest[cut:]
        pieces += place(batch, len(pieces), heads)
        heads = {entry.item: (entry.item_seq, entry.leaf_hash) for entry in pieces}
    assert pieces == whole
    assert [entry.seq for entry in whole] == list(range(len(items)))


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_every_chain_counts_from_zero_and_names_its_predecessor(items: list[str]) -> None:
    entries = place([(item, body(item, number)) for number, item in enumerate(items)], 100, {})
    for item in set(items):
        prev = None
        for number, entry in enumerate(entry for entry in entries if entry.item == item):
            leaf = json.loads(entry.canonical)
            assert (leaf["item_seq"], leaf["prev"]) == (number, prev)
            assert entry.leaf_hash == merkle.leaf_hash(entry.canonical)
            assert canonical.encode(leaf) == entry.canonical
            prev = "sha256:" + entry.leaf_hash.hex()


def test_a_chain_goes_on_from_its_head() -> None:
    (entry,) = place([("a", body("a", 1))], 7, {"a": (4, b"\x01" * 32)})
    assert (entry.seq, entry.item_seq) == (7, 5)
    assert json.loads(entry.canonical)["prev"] == "sha256:" + "01" * 32


@pytest.mark.parametrize("malformed", ["", "[]", "1", "{}", '{"id":1.5}', body("a", 1).replace("1", "1.5")])
def test_what_cannot_become_a_leaf_is_corrupt(malformed: str) -> None:
    with pytest.raises(Corrupt, match=r"outbox\.malformed"):
        place([("a", malformed)], 0, {})
