"""An administrator with the database and the log's real key rewrites history and remakes everything.

Offline, only the witnesses stand against that; when enough of them help, the package passes by construction, and what
catches it is anything that remembers the older head: a receipt, the monitor.
"""

import pytest

from custody.proof import merkle, monitor, policy, tiles, words
from custody.proof.refusal import Step
from tests.attacks import forge

HONEST = forge.Log(forge.chained(forge.tell().events))


def rewritten() -> forge.Story:
    story = forge.tell()
    sealed = story.find("exhibit.sealed", f"exhibit:{forge.DOCUMENT}")
    story.files["data/0001/протокол.pdf"] = b"another protocol"
    new = forge.digest(b"another protocol")
    sealed["data"].update(sha256=new, size_bytes=16)
    story.manifest["files"][0].update(sha256=new, source_sha256=new, size_bytes=16)
    return story.rebind()


@pytest.mark.parametrize("colluding", [(), ("court",)])
def test_caught_only_by_the_witnesses(colluding: tuple[str, ...]) -> None:
    story = rewritten()
    log = forge.Log(forge.chained(story.events), witnesses=colluding)
    refusal = forge.refused(forge.entries(story, log), Step.WITNESSES, "witnesses.quorum")
    assert "out of reach" in refusal.does_not_prove


def colluded() -> forge.Log:
    """The rewritten log with two of the three witnesses helping: its package passes offline, by construction."""
    story = rewritten()
    log = forge.Log(forge.chained(story.events), witnesses=("court", "bar"))
    verified = forge.checked(forge.zipped(forge.entries(story, log)))
    assert verified.root_hex == log.head().root.hex() != HONEST.head().root.hex()
    return log


def test_passes_when_a_quorum_of_witnesses_colludes_and_the_text_says_so() -> None:
    colluded()
    assert "an earlier receipt or the monitor shows it" in words.said("limits", "en")
    assert "расписка или монитор" in words.said("limits", "ru")
    assert "қолхат немесе монитор" in words.said("limits", "kk")


@pytest.mark.parametrize("size", [12, 25, len(HONEST.leaves)])
def test_an_earlier_receipt_catches_it(size: int) -> None:
    """Whoever kept an older head, such as the checkpoint of the first round's package, asks the log to continue it."""
    log, receipt = colluded(), forge.Log(HONEST.leaves[:size]).head()
    proof = merkle.consistency_proof(log.hashes, size)
    with pytest.raises(merkle.ProofInvalid):
        merkle.verify_consistency(receipt.size, len(log.leaves), proof, receipt.root, log.head().root)


@pytest.mark.parametrize("size", [12, 25, len(HONEST.leaves)])
def test_the_monitor_catches_it_with_a_proof_for_anyone(size: int) -> None:
    log, seen = colluded(), forge.Log(HONEST.leaves[:size]).checkpoint()
    site = {"checkpoint": log.checkpoint(), tiles.path(0, 0, len(log.leaves)): b"".join(log.hashes)}
    trusted = policy.parse(forge.policy_text().encode())
    with pytest.raises(monitor.Misbehaviour) as caught:
        monitor.follow(site.get, trusted, seen, forge.NOW_S)
    assert caught.value.kind == monitor.Kind.FORK
    assert monitor.confirm(caught.value.encode(), trusted) == monitor.Kind.FORK


def test_passes_with_no_witnesses_asked_for() -> None:
    """The text of step 10 then says that none were asked: nobody but the operator vouches for the log."""
    story = rewritten()
    log = forge.Log(forge.chained(story.events), witnesses=())
    verified = forge.checked(forge.zipped(forge.entries(story, log)), forge.policy_text("none"))
    assert verified.witnesses == ()
