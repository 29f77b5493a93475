"""Witnesses: too few, repeated, unknown, of another checkpoint, from the future, under a key of another kind."""

import pytest

from custody.proof import bundle, cosignature, note
from custody.proof.note import Note, Signature
from custody.proof.refusal import Step
from tests.attacks import forge
from tests.attacks.keys import ml_dsa_key

STORY = forge.tell()
LOG = forge.Log(forge.chained(STORY.events))
HONEST = forge.entries(STORY, LOG)
TEXT = LOG.head().text()
LOG_LINE, COURT, BAR, UNIVERSITY = LOG.signed(TEXT).signatures


def cosigned(*lines: Signature) -> dict[str, bytes]:
    return forge.replaced(HONEST, bundle.CHECKPOINT, lambda _: Note(TEXT, (LOG_LINE, *lines)).encode())


def sign(name: str, key: str | None = None, time_s: int = forge.NOW_S, text: str = TEXT) -> Signature:
    return cosignature.sign(text, f"{name}.example", forge.key(key or name), time_s)


def test_two_of_three_are_enough() -> None:
    verified = forge.checked(forge.zipped(cosigned(COURT, UNIVERSITY)))
    assert [witness.name for witness in verified.witnesses] == ["court.example", "university.example"]


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (COURT,),
        (COURT, COURT, COURT),
        (COURT, sign("court", time_s=forge.NOW_S - 5)),
        (COURT, sign("mallory")),
        (COURT, sign("bar", key="mallory")),
        (COURT, Signature("bar.example", COURT.key_id, COURT.payload)),
    ],
    ids=["none", "one", "one thrice", "one at two times", "unknown", "own key under a name", "renamed line"],
)
def test_below_quorum(lines: tuple[Signature, ...]) -> None:
    forge.refused(cosigned(*lines), Step.WITNESSES, "witnesses.quorum")


@pytest.mark.parametrize(
    "forged",
    [
        Signature(BAR.name, BAR.key_id, BAR.payload[:-1] + b"x"),
        Signature(BAR.name, BAR.key_id, BAR.payload[:8]),
        Signature(BAR.name, BAR.key_id, BAR.payload + b"x"),
        Signature(BAR.name, BAR.key_id, b"\xff" * 8 + BAR.payload[8:]),
        Signature(BAR.name, BAR.key_id, b"\0" * 8 + BAR.payload[8:]),
        Signature(BAR.name, BAR.key_id, forge.key("bar").sign(TEXT.encode())),
        sign("bar", text=TEXT.replace(forge.ORIGIN, "dalel.example/other")),
        sign("bar", text=forge.Log(LOG.leaves[:-1]).head().text()),
    ],
    ids=["flip", "short", "long", "time above 2^63", "time changed", "signed as a log", "other log", "replayed"],
)
def test_false_line_of_a_known_witness(forged: Signature) -> None:
    refusal = forge.refused(cosigned(COURT, forged, UNIVERSITY), Step.WITNESSES, "witnesses.signature")
    assert refusal.values["detail"] == "bar.example"


def test_from_the_future() -> None:
    future = sign("bar", time_s=forge.NOW_S + 1)
    refusal = forge.refused(cosigned(COURT, future), Step.WITNESSES, "witnesses.signature")
    assert "future" in str(refusal.values["reason"])


def test_witness_key_as_type_of_a_log() -> None:
    """A line that a witness's key made as a plain note signature counts for nothing."""
    plain = note.signature(TEXT, "bar.example", forge.key("bar"))
    forge.refused(cosigned(COURT, plain), Step.WITNESSES, "witnesses.quorum")


@pytest.mark.parametrize("quorum", ["court", "witnesses", "none"])
def test_changed_policy(quorum: str) -> None:
    """What is enough is the reader's own decision."""
    package = cosigned(BAR)
    if quorum == "none":
        assert forge.checked(forge.zipped(package), forge.policy_text("none")).steps[9].code == "passed.no_witnesses"
    else:
        forge.refused(package, Step.WITNESSES, "witnesses.quorum", forge.policy_text(quorum))


def test_policy_for_another_log() -> None:
    forge.refused(HONEST, Step.CHECKPOINT, "checkpoint.signature", forge.policy_text(log="another"))


# ML-DSA-44 (type 0x06): the bar has such a key

BAR_44 = cosignature.witness_key("bar.example", ml_dsa_key("bar"))
POLICY_44 = forge.policy_text(ml_dsa=["bar"])


def sign_44(text: str = TEXT, name: str = "bar.example", time_s: int = forge.NOW_S, key: str = "bar") -> Signature:
    return cosignature.sign(text, name, ml_dsa_key(key), time_s)


LINE_44 = sign_44()


def test_a_witness_with_an_ml_dsa_key_counts() -> None:
    verified = forge.checked(forge.zipped(cosigned(COURT, LINE_44)), POLICY_44)
    assert [witness.name for witness in verified.witnesses] == ["court.example", "bar.example (ML-DSA-44)"]


@pytest.mark.parametrize(
    "line",
    [
        BAR,
        sign_44(key="mallory"),
        Signature(BAR_44.name, BAR.key_id, LINE_44.payload),
        Signature("court.example", BAR_44.key_id, LINE_44.payload),
    ],
    ids=["its own Ed25519 key", "own key under its name", "under the id of type 4", "renamed"],
)
def test_ml_dsa_line_of_another_key(line: Signature) -> None:
    """A line of a key that the policy does not name counts for nothing, whatever its type."""
    forge.refused(cosigned(UNIVERSITY, line), Step.WITNESSES, "witnesses.quorum", POLICY_44)


@pytest.mark.parametrize(
    "payload",
    [
        LINE_44.payload[:-1] + bytes([LINE_44.payload[-1] ^ 1]),
        LINE_44.payload[:8] + bytes([LINE_44.payload[8] ^ 0x80]) + LINE_44.payload[9:],
        LINE_44.payload[:7] + bytes([LINE_44.payload[7] ^ 1]) + LINE_44.payload[8:],
        LINE_44.payload[:-1],
        LINE_44.payload + b"\0",
        b"\xff" * 8 + LINE_44.payload[8:],
        BAR.payload,
        sign_44(text=TEXT.replace(forge.ORIGIN, "dalel.example/other")).payload,
        sign_44(text=forge.Log(LOG.leaves[:-1]).head().text()).payload,
        sign_44(name="ba.example").payload,
        LINE_44.payload[:8] + ml_dsa_key("bar").sign(cosignature.message(TEXT, forge.NOW_S)),
        LINE_44.payload[:8]
        + ml_dsa_key("bar").sign(cosignature.subtree_message(LOG.head(), "bar.example", forge.NOW_S), b"subtree/v1"),
    ],
    ids=[
        "flip at the end",
        "flip at the beginning",
        "time changed",
        "short",
        "long",
        "time above 2^63",
        "signature of type 4",
        "other log",
        "replayed",
        "under another name",
        "message of type 4",
        "another context",
    ],
)
def test_false_ml_dsa_line_of_a_known_witness(payload: bytes) -> None:
    forged = Signature(BAR_44.name, BAR_44.key_id, payload)
    refusal = forge.refused(cosigned(COURT, forged, UNIVERSITY), Step.WITNESSES, "witnesses.signature", POLICY_44)
    assert refusal.values["detail"] == "bar.example"


def test_ml_dsa_from_the_future() -> None:
    future = sign_44(time_s=forge.NOW_S + 1)
    forge.refused(cosigned(COURT, future), Step.WITNESSES, "witnesses.signature", POLICY_44)
