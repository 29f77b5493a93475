"""An administrator with the database and the log's real key rewrites history and remakes everything.

Offline, only the witnesses stand against that; when enough of them help, the package passes by construction, and what
catches it is anything that remembers the older head: a receipt, the monitor.
"""

import pytest

from custody.proof import merkle
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


def test_passes_when_a_quorum_of_witnesses_colludes_and_the_older_head_tells() -> None:
    story = rewritten()
    log = forge.Log(forge.chained(story.events), witnesses=("court", "bar"))
    verified = forge.checked(forge.zipped(forge.entries(story, log)))
    assert verified.root_hex == log.head().root.hex() != HONEST.head().root.hex()
    for size in range(3, len(HONEST.leaves) + 1):  # the sealed event is among the first leaves
        old = merkle.root(HONEST.hashes[:size])
        proof = merkle.consistency_proof(log.hashes, size)
        if old == merkle.root(log.hashes[:size]):
            continue
        with pytest.raises(merkle.ProofInvalid):
            merkle.verify_consistency(size, len(log.leaves), proof, old, log.head().root)


def test_passes_with_no_witnesses_asked_for() -> None:
    """The text of step 10 then says that none were asked: nobody but the operator vouches for the log."""
    story = rewritten()
    log = forge.Log(forge.chained(story.events), witnesses=())
    verified = forge.checked(forge.zipped(forge.entries(story, log)), forge.policy_text("none"))
    assert verified.witnesses == ()
