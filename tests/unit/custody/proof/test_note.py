"""Signed notes, checkpoints, cosignatures and stand-alone proofs: public examples, round trips, strictness, fuzzing."""

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import checkpoint, cosignature, merkle, note, strict, tlog_proof
from custody.proof.checkpoint import Checkpoint
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.note import COSIGNATURE_V1, Note, Signature
from custody.proof.strict import Malformed
from custody.proof.tlog_proof import TlogProof

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
NAME = "dalel.example/log"
VKEY = note.vkey(NAME, PUBLIC)
ROOT = merkle.leaf_hash(b"x")
TEXT = Checkpoint(NAME, 7, ROOT).text()

# the note of Go's golang.org/x/mod/sumdb/note documentation
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
# the example of C2SP tlog-checkpoint
SOFA = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"  # noqa: E501
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"  # noqa: E501
).encode()


def test_public_note() -> None:
    verifier = note.parse_vkey(PETER)
    parsed = note.parse(PETERS_NOTE)
    assert note.verify(parsed, [verifier]) == (verifier,)
    assert parsed.encode() == PETERS_NOTE
    assert note.vkey(verifier.name, verifier.public_key) == PETER


def test_public_checkpoint() -> None:
    parsed = note.parse(SOFA)
    head = checkpoint.parse(parsed.text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert head.text() == parsed.text
    witness = parsed.signatures[1]
    assert int.from_bytes(witness.payload[:8], "big") == 1679315147
    assert len(witness.payload) == 72


def test_public_cosignature_message() -> None:
    text = note.parse(SOFA).text
    assert cosignature.message(text, 1679315147) == b"cosignature/v1\ntime 1679315147\n" + text.encode()


def test_sign_and_verify() -> None:
    verifier = note.parse_vkey(VKEY)
    signed = note.parse(note.sign(TEXT, NAME, KEY))
    assert note.verify(signed, [verifier, note.parse_vkey(PETER)]) == (verifier,)
    assert checkpoint.parse(signed.text) == Checkpoint(NAME, 7, ROOT)
    with pytest.raises(SignatureInvalid, match="no known key"):
        note.verify(signed, [note.parse_vkey(PETER)])
    with pytest.raises(SignatureInvalid, match="does not fit"):
        note.verify(Note(signed.text.replace("7", "8"), signed.signatures), [verifier])


def test_text_with_empty_lines() -> None:
    signed = note.parse(note.sign("a\n\nb\n\n", NAME, KEY))
    assert signed.text == "a\n\nb\n\n"
    note.verify(signed, [note.parse_vkey(VKEY)])


def test_unknown_lines_are_passed_over() -> None:
    own = note.signature(TEXT, NAME, KEY)
    strangers = [Signature(NAME, b"\0\0\0\1", b"x"), Signature("other", own.key_id, b"x")]
    assert note.verify(Note(TEXT, (*strangers, own)), [note.parse_vkey(VKEY)])


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "nul\0\n", "cr\r\n", "\ud800\n"])
def test_unsignable_text(text: str) -> None:
    with pytest.raises(Malformed):
        note.sign(text, NAME, KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "a\x01b", "\ud800"])
def test_bad_name(name: str) -> None:
    with pytest.raises(Malformed):
        note.sign(TEXT, name, KEY)
    with pytest.raises(Malformed):
        note.vkey(name, PUBLIC)
    with pytest.raises(Malformed):
        cosignature.sign(TEXT, name, KEY, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("c74f20a3", "0c74f20a3"),
        PETER[:-4],
        PETER + "\n",
        "PeterNeumann+c74f20a3+",
        "+" + PETER.partition("+")[2],
        note.vkey("x", PUBLIC)[:2] + "00000000+AA==",
        PETER.replace("ARpc", "Axpc"),
    ],
)
def test_bad_vkey(text: str) -> None:
    with pytest.raises(Malformed):
        note.parse_vkey(text)


def test_key_types_have_their_own_ids() -> None:
    witness = note.parse_vkey(note.vkey(NAME, PUBLIC, COSIGNATURE_V1))
    assert witness.key_type == COSIGNATURE_V1
    assert witness.key_id != note.parse_vkey(VKEY).key_id
    with pytest.raises(Malformed):
        note.vkey(NAME, PUBLIC, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\n\xe2\x80\x94 n AAAAAAA=",
        b"text\n\n\xe2\x80\x94 n AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 n\n",
        b"text\n\n\xe2\x80\x94  AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 n AAAAAAA= x\n",
        b"text\n\n\xe2\x80\x94 n AAAAAAB=\n",
        b"text\n\n- n AAAAAAA=\n",
        b"te\xffxt\n\n\xe2\x80\x94 n AAAAAAA=\n",
        b"te\x07xt\n\n\xe2\x80\x94 n AAAAAAA=\n",
        b"text\n\n" + b"\xe2\x80\x94 n AAAAAAA=\n" * 101,
        b"x" * (note.MAX_BYTES + 1),
    ],
)
def test_bad_note(data: bytes) -> None:
    with pytest.raises(Malformed):
        note.parse(data)


def test_sixteen_signatures_and_more_are_read() -> None:
    assert len(note.parse(b"text\n\n" + b"\xe2\x80\x94 n AAAAAAA=\n" * 100).signatures) == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{NAME}\n7\n",
        TEXT[:-1],
        TEXT + "\n",
        TEXT.replace("7", "07"),
        TEXT.replace("7", "+7"),
        TEXT.replace("7", "-7"),
        TEXT.replace("7", "7 "),
        TEXT.replace("7", "\u0667"),
        TEXT.replace("7", str(2**63)),
        TEXT.replace(NAME, ""),
        TEXT.replace("\n", "\r\n"),
        f"{NAME}\n7\n{strict.base64_text(ROOT[:31])}\n",
        f"{NAME}\n7\n{strict.base64_text(ROOT + b'x')}\n",
        f"\ud800\n7\n{strict.base64_text(ROOT)}\n",
    ],
)
def test_bad_checkpoint(text: str) -> None:
    with pytest.raises(Malformed):
        checkpoint.parse(text)


def test_checkpoint_extensions_are_read_and_kept() -> None:
    head = checkpoint.parse(TEXT + "Timestamp: 1\n")
    assert head.extensions == ("Timestamp: 1",)
    assert head.text() == TEXT + "Timestamp: 1\n"


@pytest.mark.parametrize("values", [("", 0, ROOT), (NAME, -1, ROOT), (NAME, 2**63, ROOT), (NAME, 1, b"")])
def test_no_such_checkpoint(values: tuple[str, int, bytes]) -> None:
    with pytest.raises(Malformed):
        Checkpoint(*values)


def test_cosignature() -> None:
    witness = note.parse_vkey(note.vkey("w.example", PUBLIC, COSIGNATURE_V1))
    line = cosignature.sign(TEXT, "w.example", KEY, 1_679_315_147)
    assert cosignature.verify(TEXT, line, witness).time_s == 1_679_315_147
    signed = Note(TEXT, (line, line))
    assert len(cosignature.verify_all(signed, witness)) == 2
    with pytest.raises(SignatureInvalid):
        cosignature.verify(TEXT.replace("7", "8"), line, witness)
    with pytest.raises(SignatureInvalid):
        cosignature.verify(TEXT, line, note.parse_vkey(VKEY))
    with pytest.raises(SignatureInvalid):
        cosignature.verify(TEXT, Signature("v.example", line.key_id, line.payload), witness)
    for time_s in (-1, 2**63):
        with pytest.raises(Malformed):
            cosignature.sign(TEXT, "w.example", KEY, time_s)


def test_key_that_is_no_point() -> None:
    """A key that is not on the curve verifies nothing, and says so as any false signature does."""
    broken = note.Verifier(NAME, note.ED25519, b"\x02" + bytes(31))
    with pytest.raises(SignatureInvalid):
        broken.verify_bytes(b"", bytes(64))


@pytest.mark.parametrize("extra", [None, b"", b"more"])
def test_stand_alone_proof(extra: bytes | None) -> None:
    hashes = [merkle.leaf_hash(bytes([number])) for number in range(7)]
    head = Checkpoint(NAME, 7, merkle.root(hashes))
    proof = TlogProof(5, tuple(merkle.inclusion_proof(hashes, 5)), note.parse(note.sign(head.text(), NAME, KEY)), extra)
    data = proof.encode()
    assert tlog_proof.parse(data) == proof
    lines = data.decode().split("\n")
    for wrong in (
        data.replace(b"@v1", b"@v2"),
        data.replace(b"index 5", b"index 05"),
        data.replace(b"index 5", b"index  5"),
        data.replace(b"index", b"place"),
        data.replace(b"index 5\n", b""),
        data.replace(b"\n\n", b"\n"),
        data.replace(b"index", b"index\xff"),
        (lines[0] + "\nindex 5\n" + (strict.base64_text(ROOT) + "\n") * 64).encode() + b"\n" + data,
        b"x" * (2 * note.MAX_BYTES + 1),
        b"c2sp.org/tlog-proof@v1\n\n",
    ):
        with pytest.raises(Malformed):
            tlog_proof.parse(wrong)


lines = st.lists(
    st.sampled_from(["— n AAAAAAA=", "", NAME, "7", strict.base64_text(ROOT), "x", "— ", "\t"]), max_size=9
)


@given(st.one_of(st.binary(max_size=200), lines.map(lambda parts: "\n".join(parts).encode())))
def test_parsers_raise_nothing_else_and_read_one_spelling(data: bytes) -> None:
    with suppress(Malformed):
        assert note.parse(data).encode() == data
    with suppress(Malformed):
        assert tlog_proof.parse(data).encode() == data
    text = data.decode("utf-8", "surrogateescape")
    with suppress(Malformed):
        assert checkpoint.parse(text).text() == text
    with suppress(Malformed):
        verifier = note.parse_vkey(text)
        assert note.vkey(verifier.name, verifier.public_key, verifier.key_type) == text


@given(st.text(max_size=30))
def test_strict_forms(text: str) -> None:
    with suppress(Malformed):
        assert str(strict.decimal(text)) == text
    with suppress(Malformed):
        assert strict.base64_text(strict.base64_bytes(text)) == text
    with suppress(Malformed):
        assert strict.sha256_text(text) == text


@given(st.integers(0, 2**63 - 1), st.binary())
def test_strict_forms_read_what_is_written(number: int, data: bytes) -> None:
    assert strict.decimal(str(number)) == number
    assert strict.base64_bytes(strict.base64_text(data), len(data)) == data
