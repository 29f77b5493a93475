"""Witnesses: too few, repeated, unknown, of another checkpoint, from the future, under a key of another kind."""

import pytest

from custody.proof import bundle, cosignature, note
from custody.proof.note import Note, Signature
from custody.proof.refusal import Step
from tests.attacks import forge

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
