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
