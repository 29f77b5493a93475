"""Canonical JSON: the examples of RFC 8785 within the profile, round trips, and everything outside it refused."""

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import canonical
from custody.proof.canonical import MAX_INT, NotCanonical
from tests.attacks import forge

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


LEAVES = forge.chained(forge.tell().events)
SLIPS = [
    b" ",
    b"\n",
    b"1",
    b"9" * 16,
    b"-0",
    b"1.5",
    b"1e3",
    b"NaN",
    b'"a":1,',
    b"\\u0061",
    "ә".encode(),
    b'"',
    b"[",
    b"}",
    b",",
    b"\xff",
]


def slowly(data: bytes) -> Any:
    """`decode` without its short cut: the decoder itself looks at every key, and depth is always counted."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotCanonical("not UTF-8") from error
    value = canonical._parsed(canonical._DECODER, text)
    canonical._check(value, canonical.MAX_DEPTH)
    if canonical.spelled(value) != data:
        raise NotCanonical("another spelling than the canonical one")
    return value


def outcome(read: Any, data: bytes) -> tuple[Any, str]:
    try:
        return read(data), ""
    except NotCanonical as error:
        return None, error.reason


@given(st.sampled_from(LEAVES), st.integers(0, 800), st.sampled_from(SLIPS), st.integers(0, 4), st.booleans())
def test_the_short_cut_refuses_what_the_long_way_does(leaf: bytes, at: int, slip: bytes, cut: int, ascii: bool) -> None:
    leaf = leaf if ascii else leaf.replace(b"browser", "шолғыш".encode())
    data = leaf[:at] + slip + leaf[at + cut :]
    assert outcome(canonical.decode, data) == outcome(slowly, data)


@given(values)
def test_the_profile_is_a_part_of_rfc8785(value: Any) -> None:
    assert canonical.jcs(value) == canonical.encode(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (0.000001, "0.000001"),
        (0.0000001, "1e-7"),
        (-1.25e-9, "-1.25e-9"),
        (100.0, "100"),
        (333333333.3333333, "333333333.3333333"),
    ],
)
def test_numbers_are_written_as_ecmascript_writes_them(number: float, text: str) -> None:
    assert canonical.jcs(number) == text.encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_comes_back_from_one_spelling(number: float) -> None:
    text = canonical.jcs(number).decode()
    assert float(text) == number
    assert re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?(?:e[+-][1-9]\d*)?", text)


def test_keys_are_sorted_by_utf16_unit() -> None:
    assert canonical.jcs({"\ufb33": 1, "\U0001f602": 2, "ö": 3, "1": 4, "\r": 5, "a": ()}) == (
        '{"\\r":5,"1":4,"a":[],"ö":3,"\U0001f602":2,"\ufb33":1}'.encode()
    )


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 2**53, "\ud800", {"\udfff": 1}, {1: 2}, {2}, b"", object()]
)
def test_what_is_not_json_has_no_spelling(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical.jcs(value)


def test_what_has_no_end_has_no_spelling() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotCanonical):
        canonical.jcs(loop)
