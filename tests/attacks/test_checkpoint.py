"""The checkpoint: every change of its text, its form, its signature and its key."""

from collections.abc import Callable

import pytest

from custody.proof import bundle, cosignature, merkle, note
from custody.proof.note import COSIGNATURE_V1, Note, Signature
from custody.proof.refusal import Step
from custody.proof.strict import base64_text
from tests.attacks import forge

STORY = forge.tell()
LOG = forge.Log(forge.chained(STORY.events))
HONEST = forge.entries(STORY, LOG)
CHECKPOINT = HONEST[bundle.CHECKPOINT]
TEXT = LOG.head().text()
SIZE = str(LOG.head().size)
ROOT = base64_text(LOG.head().root)


def with_checkpoint(data: bytes) -> dict[str, bytes]:
    return forge.replaced(HONEST, bundle.CHECKPOINT, lambda _: data)


FORMS: dict[str, Callable[[str], str]] = {
    "Arabic digits": lambda text: text.replace(f"\n{SIZE}\n", "\n٣٠\n"),
    "leading zero": lambda text: text.replace(f"\n{SIZE}\n", f"\n0{SIZE}\n"),
    "plus": lambda text: text.replace(f"\n{SIZE}\n", f"\n+{SIZE}\n"),
    "space": lambda text: text.replace(f"\n{SIZE}\n", f"\n {SIZE}\n"),
    "too large": lambda text: text.replace(f"\n{SIZE}\n", f"\n{2**63}\n"),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "tab": lambda text: text.replace(forge.ORIGIN, forge.ORIGIN + "\t", 1),
    "bad base64": lambda text: text.replace(ROOT, "!" + ROOT[1:]),
    "short root": lambda text: text.replace(ROOT, base64_text(b"x" * 31)),
    "empty root": lambda text: text.replace(ROOT, ""),
    "no text": lambda _: "",
    "one line": lambda _: "x\n",
    "no signatures": lambda text: text.partition("\n\n")[0] + "\n",
    "not a note": lambda text: text.replace("\n\n", "\n"),
    "signature without dash": lambda text: text.replace("— ", "- "),
    "signature without a name": lambda text: text.replace(f"— {forge.ORIGIN} ", "— ", 1),
    "no final newline": lambda text: text[:-1],
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    changed = FORMS[name](CHECKPOINT.decode()).encode()
    forge.refused(with_checkpoint(changed), Step.CHECKPOINT, "form")


def test_not_utf8() -> None:
    forge.refused(with_checkpoint(b"\xff" + CHECKPOINT), Step.CHECKPOINT, "form")


def test_larger_than_any_note() -> None:
    forge.refused(with_checkpoint(CHECKPOINT + b"x" * note.MAX_BYTES), Step.CHECKPOINT, "form")


def test_extra_line_even_signed() -> None:
    signed = LOG.checkpoint(TEXT + "extension\n")
    forge.refused(with_checkpoint(signed), Step.CHECKPOINT, "checkpoint.extension")


def test_size_changed_to_one_of_the_same_shape() -> None:
    """The proofs lead to the root for this size as well: the signature alone binds the size."""
    changed = CHECKPOINT.decode().replace(f"\n{SIZE}\n", "\n31\n").encode()
    forge.refused(with_checkpoint(changed), Step.CHECKPOINT, "checkpoint.signature")


@pytest.mark.parametrize(("old", "new"), [(f"\n{SIZE}\n", "\n200\n"), (ROOT, base64_text(b"r" * 32))])
def test_size_or_root_changed(old: str, new: str) -> None:
    """The proofs do not lead there: step 8 says so before the signature is looked at."""
    changed = CHECKPOINT.decode().replace(old, new).encode()
    assert changed != CHECKPOINT
    forge.refused(with_checkpoint(changed), Step.INCLUSION, "proofs.invalid")


def test_root_changed_with_a_tree_to_match() -> None:
    """A whole tree of one's own under the old signature: only the signature is left to say no."""
    story = forge.tell()
    story.find("exhibit.registered")["data"]["retain_days"] = 1
    log = forge.Log(forge.chained(story.events))
    own = CHECKPOINT.decode().replace(ROOT, base64_text(log.head().root)).encode()
    package = forge.relisted({**forge.entries(story, log), bundle.CHECKPOINT: own})
    forge.refused(package, Step.CHECKPOINT, "checkpoint.signature")


def test_origin_changed() -> None:
    changed = CHECKPOINT.decode().replace(forge.ORIGIN, "dalel.example/other", 1).encode()
    forge.refused(with_checkpoint(changed), Step.CHECKPOINT, "checkpoint.signature")


def test_origin_changed_and_signed() -> None:
    """The right key speaks under its name for a log of another name."""
    signed = LOG.checkpoint(TEXT.replace(forge.ORIGIN, "dalel.example/other"))
    refusal = forge.refused(with_checkpoint(signed), Step.CHECKPOINT, "checkpoint.signature")
    assert "origin" in str(refusal.values["reason"])


def test_own_key_under_the_logs_name() -> None:
    forged = forge.Log(LOG.leaves, key_name="mallory").checkpoint()
    forge.refused(with_checkpoint(forged), Step.CHECKPOINT, "checkpoint.signature")


def test_own_key_under_the_logs_name_and_key_id() -> None:
    line = Signature(forge.ORIGIN, note.key_id(forge.ORIGIN, note.ED25519, forge.public("log")), b"")
    forged = Signature(line.name, line.key_id, forge.key("mallory").sign(TEXT.encode()))
    signed = LOG.signed(TEXT)
    refusal = forge.refused(
        with_checkpoint(Note(TEXT, (forged, *signed.signatures[1:])).encode()), Step.CHECKPOINT, "checkpoint.signature"
    )
    assert refusal.values["detail"] == forge.ORIGIN


def test_true_signature_beside_a_forged_one() -> None:
    """A false line of a known key spoils the note, wherever it stands."""
    true = LOG.signed(TEXT).signatures
    forged = Signature(forge.ORIGIN, true[0].key_id, b"x" * 64)
    forge.refused(with_checkpoint(Note(TEXT, (*true, forged)).encode()), Step.CHECKPOINT, "checkpoint.signature")


def test_signature_stripped() -> None:
    signed = LOG.signed(TEXT)
    stripped = Note(TEXT, signed.signatures[1:]).encode()
    forge.refused(with_checkpoint(stripped), Step.CHECKPOINT, "checkpoint.signature")


@pytest.mark.parametrize("length", [1, 63, 65])
def test_signature_of_another_length(length: int) -> None:
    true = LOG.signed(TEXT).signatures
    cut = Signature(true[0].name, true[0].key_id, (true[0].payload * 2)[:length])
    forge.refused(with_checkpoint(Note(TEXT, (cut, *true[1:])).encode()), Step.CHECKPOINT, "checkpoint.signature")


def test_key_type_confusion() -> None:
    """The log's key used as a witness's: another type, hence another key id, hence nobody the policy knows."""
    line = cosignature.sign(TEXT, forge.ORIGIN, forge.key("log"), forge.NOW_S)
    assert line.key_id == note.key_id(forge.ORIGIN, COSIGNATURE_V1, forge.public("log"))
    as_log = Signature(forge.ORIGIN, note.key_id(forge.ORIGIN, note.ED25519, forge.public("log")), line.payload)
    for forged in (line, as_log):
        data = Note(TEXT, (forged, *LOG.signed(TEXT).signatures[1:])).encode()
        forge.refused(with_checkpoint(data), Step.CHECKPOINT, "checkpoint.signature")


def test_checkpoint_of_an_empty_log() -> None:
    empty = forge.Log([])
    assert empty.head().root == merkle.EMPTY_ROOT
    forge.refused(with_checkpoint(empty.checkpoint()), Step.INCLUSION, "proofs.invalid")
