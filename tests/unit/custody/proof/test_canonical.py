"""Canonical JSON: the examples of RFC 8785 within the profile, round trips, and everything outside it refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import canonical
from custody.proof.canonical import MAX_INT, NotCanonical

scalars = st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127), max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)


def test_strings_of_rfc8785() -> None:
    """RFC 8785 §3.2.2.2: only what must be escaped is, in the shortest way."""
    value = '\u20ac$\u000f\nA\'B"\\\\"/'
    assert canonical.encode(value) == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'
    assert canonical.encode("\u007f\u2028\b\f\t\r") == '"\u007f\u2028\\b\\f\\t\\r"'.encode()


def test_literals_and_order() -> None:
    value = {"b": [None, True, False, 0, -7, {}], "a": "ә", "B": {"z": 1, "A": 2}, "": []}
    assert canonical.encode(value) == '{"":[],"B":{"A":2,"z":1},"a":"ә","b":[null,true,false,0,-7,{}]}'.encode()


@given(values)
def test_round_trip(value: Any) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert json.loads(data) == value


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        2**53,
        -(2**53),
        {1: 2},
        {"ключ": 1},
        {"\ud800": 1},
        "\ud800",
        ["\udfff"],
        b"bytes",
        {"a": {1, 2}},
        object(),
    ],
)
def test_outside_the_profile(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical.encode(value)


def test_depth() -> None:
    deep: list[Any] = []
    for _ in range(canonical.MAX_DEPTH):
        deep = [deep]
    assert canonical.decode(canonical.encode(deep)) == deep
    with pytest.raises(NotCanonical):
        canonical.encode([deep])
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotCanonical):
        canonical.encode(loop)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1\n",
        b"01",
        b"-0",
        b"+1",
        b"1.0",
        b"1e3",
        b"1E400",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"9" * 100_000,
        b"-" + b"9" * 17,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\\uD83D\\uDE00"',
        b'"\t"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":1}',
        b'{"\xd0\xb0":1}',
        b'{"a": 1}',
        b"[1,]",
        b"[1] []",
        b"tru",
        b"[" * 100_000,
        b"[" * 200 + b"]" * 200,
        b'{"a":' * 50_000,
        b"\xed\xa0\x80",
    ],
)
def test_other_bytes(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical.decode(data)


@given(st.one_of(st.binary(max_size=60), st.text(alphabet='{}[]",:0123456789.eE+-\\unltrfas \n', max_size=60)))
def test_decoder_raises_nothing_else(data: bytes | str) -> None:
    raw = data if isinstance(data, bytes) else data.encode()
    try:
        value = canonical.decode(raw)
    except NotCanonical:
        return
    assert canonical.encode(value) == raw
