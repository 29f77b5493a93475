"""Policies: the grammar of C2SP tlog-policy and what each quorum means."""

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import note, policy
from custody.proof.note import COSIGNATURE_V1
from custody.proof.strict import Malformed


def public(number: int) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw()


LOG = note.vkey("dalel.example/log", public(0))
X1, X2, X3, Y1, Y2, Y3 = (note.vkey(f"w{number}", public(number), COSIGNATURE_V1) for number in range(1, 7))
WITNESSES = f"witness X1 {X1}\nwitness X2 {X2}\nwitness X3 {X3}\nwitness Y1 {Y1}\nwitness Y2 {Y2}\nwitness Y3 {Y3}\n"
EXAMPLE = f"""# the example of the specification
log {LOG} https://dalel.example/log
\t
{WITNESSES}group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3
  group  X-and-Y\tall X-witnesses Y-witnesses
quorum X-and-Y
"""


def parse(text: str) -> policy.Policy:
    return policy.parse(text.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("cosigners", "reached"),
    [
        ("X1 X2 Y1", True),
        ("X1 X2 X3 Y3", True),
        ("X1 Y1 Y2 Y3", False),
        ("X1 X2 X3", False),
        ("", False),
        ("Z1 Z2 Y1", False),
    ],
)
def test_example(cosigners: str, reached: bool) -> None:
    assert parse(EXAMPLE).reached(frozenset(cosigners.split())) is reached


def test_none_and_a_single_witness() -> None:
    assert parse("quorum none\n").reached(frozenset())
    alone = parse(f"witness ә {X1} url\nquorum ә\n")
    assert alone.reached(frozenset({"ә"}))
    assert not alone.reached(frozenset())
    assert parse(f"witness \udcff {X1}\nquorum \udcff\n").quorum == "\udcff"


def test_thirty_two_of_each() -> None:
    lines = [f"log {note.vkey(f'log{number}', public(number))}" for number in range(32)]
    for number in range(32):
        lines.append(f"witness w{number} {note.vkey(f'w{number}', public(number + 100), COSIGNATURE_V1)}")
        lines.append(f"group g{number} 1 w{number}")
    lines.append("group all all " + " ".join(f"g{number}" for number in range(32)))
    parsed = parse("\n".join([*lines, "quorum all", ""]))
    assert parsed.reached(frozenset(parsed.witnesses))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"log {LOG}\n",
        "quorum none",
        "quorum none\r\n",
        "quorum none\x7f\n",
        "quorum none\nquorum none\n",
        "quorum nobody\n",
        "quorum\n",
        "quorum none none\n",
        "Quorum none\n",
        f"log {LOG} url more\nquorum none\n",
        "log\nquorum none\n",
        f"log {X1}\nquorum none\n",
        f"witness w {LOG}\nquorum none\n",
        f"log {LOG}\nlog {LOG}\nquorum none\n",
        f"log {LOG}\nlog {note.vkey('another', public(0))}\nquorum none\n",
        f"witness a {X1}\nwitness b {X1}\nquorum a\n",
        f"witness a {X1}\nwitness a {X2}\nquorum a\n",
        f"witness none {X1}\nquorum none\n",
        f"witness a {X1} url more\nquorum none\n",
        f"quorum a\nwitness a {X1}\n",
        f"witness a {X1}\ngroup a 1 a\nquorum a\n",
        f"witness a {X1}\ngroup g 0 a\nquorum g\n",
        f"witness a {X1}\ngroup g 2 a\nquorum g\n",
        f"witness a {X1}\ngroup g 01 a\nquorum g\n",
        f"witness a {X1}\ngroup g some a\nquorum g\n",
        f"witness a {X1}\ngroup g any\nquorum g\n",
        f"witness a {X1}\ngroup g any a a\nquorum g\n",
        f"witness a {X1}\ngroup g any a\ngroup h any a\nquorum h\n",
        "group g any none\nquorum g\n",
        "group g any g\nquorum g\n",
        f"witness a {X1}\u00a0\nquorum a\n",
        "# " + "x" * policy.MAX_BYTES + "\nquorum none\n",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)


words = st.sampled_from(["log", "witness", "group", "quorum", "none", "any", "all", "1", "a", "b", LOG, X1, "#", "\n"])


@given(st.one_of(st.binary(max_size=80), st.lists(words, max_size=25).map(lambda parts: " ".join(parts).encode())))
def test_parser_raises_nothing_else(data: bytes) -> None:
    with suppress(Malformed):
        policy.parse(data).reached(frozenset({"a"}))
