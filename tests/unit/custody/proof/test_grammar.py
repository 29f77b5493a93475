"""The parser of leaves."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from custody.proof import canonical, grammar
from custody.proof.strict import Malformed
from tests.attacks import forge

LEAVES = forge.chained(forge.tell().events)


def test_events_are_read_as_they_are() -> None:
    for leaf in LEAVES:
        parsed = grammar.parse(leaf)
        assert parsed.leaf == leaf
        assert canonical.decode(leaf)["data"] == parsed.data
        assert (parsed.prev is None) == (parsed.item_seq == 0)


@given(st.sampled_from(LEAVES), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 5))
def test_parser_raises_nothing_else(leaf: bytes, at: int, insert: bytes, cut: int) -> None:
    changed = leaf[:at] + insert + leaf[at + cut :]
    with suppress(Malformed):
        assert grammar.parse(changed).leaf == changed


json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
)


@given(st.sampled_from(LEAVES), st.data())
def test_no_field_may_be_just_anything(leaf: bytes, data: st.DataObject) -> None:
    """Any JSON in the place of any field: an event or Malformed, never another exception later on."""
    value = canonical.decode(leaf)
    holder = data.draw(st.sampled_from([value, value["actor"], value["data"], value["personal"]]))
    if holder:
        holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(json)
    with suppress(Malformed):
        grammar.parse(canonical.encode(value))


def both(leaf: bytes) -> None:
    """What is read at half the cost is what the rules say, or is left to them."""
    plain = grammar._plain(leaf)
    if plain is not None:
        assert plain == grammar._general(leaf)


PARTS = [part for leaf in LEAVES[:8] for part in leaf.replace(b",", b"\0,\0").split(b"\0")]


@given(st.sampled_from(LEAVES), st.integers(0, 600), st.sampled_from(PARTS) | st.binary(max_size=3), st.integers(0, 60))
def test_the_shorter_reading_is_the_same(leaf: bytes, at: int, insert: bytes, cut: int) -> None:
    assert grammar._plain(leaf) is not None
    both(leaf[:at] + insert + leaf[at + cut :])


@given(st.sampled_from(LEAVES), st.data())
def test_the_shorter_reading_takes_no_other_value(leaf: bytes, data: st.DataObject) -> None:
    value = canonical.decode(leaf)
    holder = data.draw(st.sampled_from([value, value["actor"], value["data"]]))
    name = data.draw(st.sampled_from(sorted(holder)))
    holder[name] = data.draw(json | st.just(2**53) | st.just(2**53 - 1) | st.just("\\") | st.just("қ\u2028\x7f"))
    with suppress(Malformed):
        both(canonical.encode(value))
    both(repr(value).replace("'", '"').replace(" ", "").encode())


def test_depth_counts_from_the_leaf() -> None:
    for depth in range(28, 34):
        value = canonical.decode(LEAVES[0])
        inner: list[object] = []
        for _ in range(depth):
            inner = [inner]
        value["data"]["number"] = inner
        both(canonical._written(value))
