"""Inclusion proofs: wrong index, index outside the tree, other spellings, hashes missing, extra or of another tree."""

from collections.abc import Callable

import pytest

from custody.proof import bundle, merkle
from custody.proof.refusal import Step
from custody.proof.strict import base64_text
from tests.attacks import forge

STORY = forge.tell()
LOG = forge.Log(forge.chained(STORY.events))
HONEST = forge.entries(STORY, LOG)
LAST = HONEST[bundle.PROOFS].split(b"\n")[-2].decode()
INDEX, *HASHES = LAST.split(" ")
SIZE = len(LOG.leaves)


def smaller_tree() -> str:
    index = int(INDEX)
    return bundle.proof_line(index, merkle.inclusion_proof(LOG.hashes[: SIZE - 1], index))[:-1]


def larger_tree() -> str:
    larger = [*LOG.hashes, *LOG.hashes[:3]]
    return bundle.proof_line(int(INDEX), merkle.inclusion_proof(larger, int(INDEX)))[:-1]


ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
CHANGES: dict[str, Callable[[], str]] = {
    "wrong index": lambda: " ".join([str(int(INDEX) + 1), *HASHES]),
    "index is the size": lambda: " ".join([str(SIZE), *HASHES]),
    "index above the size": lambda: " ".join([str(int(INDEX) + 32), *HASHES]),
    "index above 2^63": lambda: " ".join([str(2**63), *HASHES]),
    "negative index": lambda: " ".join(["-1", *HASHES]),
    "plus sign": lambda: " ".join(["+" + INDEX, *HASHES]),
    "leading zero": lambda: " ".join(["0" + INDEX, *HASHES]),
    "Arabic digits": lambda: " ".join([INDEX.translate(ARABIC), *HASHES]),
    "full-width digits": lambda: " ".join([INDEX.translate(FULL_WIDTH), *HASHES]),
    "underscore": lambda: " ".join(["1_0", *HASHES]),
    "hash missing": lambda: " ".join([INDEX, *HASHES[:-1]]),
    "hash missing at the leaf": lambda: " ".join([INDEX, *HASHES[1:]]),
    "no hashes": lambda: INDEX,
    "hash extra": lambda: " ".join([INDEX, *HASHES, HASHES[0]]),
    "hashes beyond any tree": lambda: " ".join([INDEX, *HASHES[:1] * 64]),
    "hashes swapped": lambda: " ".join([INDEX, HASHES[1], HASHES[0], *HASHES[2:]]),
    "hash of another length": lambda: " ".join([INDEX, base64_text(b"x" * 31), *HASHES[1:]]),
    "base64 with other pad bits": lambda: " ".join([INDEX, base64_text(b"\0" * 32)[:-2] + "B=", *HASHES[1:]]),
    "base64 without padding": lambda: LAST.replace("=", "", 1),
    "base64 of URLs": lambda: " ".join([INDEX, "_" * 42 + "8=", *HASHES[1:]]),
    "two spaces": lambda: LAST.replace(" ", "  ", 1),
    "tab": lambda: LAST.replace(" ", "\t", 1),
    "carriage return": lambda: LAST + "\r",
    "trailing space": lambda: LAST + " ",
    "proof of a smaller tree": smaller_tree,
    "proof of a larger tree": larger_tree,
    "end of the proof before without its first letters": lambda: " ".join([INDEX, *HASHES, HASHES[-1][20:]]),
    "end of the proof before alone": lambda: " ".join([INDEX, *HASHES[2:]]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(name: str) -> None:
    changed = CHANGES[name]()
    assert changed != LAST
    package = forge.replaced(HONEST, bundle.PROOFS, lambda data: data.replace(LAST.encode(), changed.encode()))
    refusal = forge.refused(package, Step.INCLUSION, "proofs.invalid")
    assert refusal.values["line"] == HONEST[bundle.PROOFS].count(b"\n")


def test_proof_missing_and_extra() -> None:
    short = forge.replaced(HONEST, bundle.PROOFS, lambda data: data.replace(LAST.encode() + b"\n", b""))
    long = forge.replaced(HONEST, bundle.PROOFS, lambda data: data + LAST.encode() + b"\n")
    for package in (short, long):
        forge.refused(package, Step.INCLUSION, "proofs.count")


def test_no_final_newline_and_no_text() -> None:
    forge.refused(forge.replaced(HONEST, bundle.PROOFS, lambda data: data[:-1]), Step.INCLUSION, "form")
    forge.refused(forge.replaced(HONEST, bundle.PROOFS, lambda _: b"\xff\n"), Step.INCLUSION, "form")


def test_leaf_that_is_an_interior_node() -> None:
    """The domain of leaves (0x00) and nodes (0x01) differ: no leaf hashes to a node."""
    left, right = LOG.hashes[0], LOG.hashes[1]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    with pytest.raises(merkle.ProofInvalid):
        merkle.verify_inclusion(
            merkle.leaf_hash(left + right), 0, SIZE // 2, merkle.inclusion_proof(LOG.hashes, 0)[1:], LOG.head().root
        )
