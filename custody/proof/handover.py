"""From one log to the next: what shows that a closed log ended where it says, and that the next one goes on from there.

The last leaf of a closed log is `log.closed`, which names the next log's key; the first leaf of the next is
`log.opened`, which carries the closed log's final head and its key, and names `log.closed` as its predecessor. So
nobody can leave out the end of a log by opening another: the final head, which the witnesses cosigned, has `log.closed`
as its last leaf. Whose key the next log has is not believed from here: that is for the reader's policy to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custody.proof import bundle, canonical, checkpoint, grammar, merkle, note
from custody.proof.checkpoint import Checkpoint
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.grammar import Event, Rule, equals, fields, is_text
from custody.proof.note import Note, Verifier
from custody.proof.strict import Malformed, base64_bytes, base64_text

CLOSED, OPENED = "log.closed", "log.opened"
SYSTEM = "system"
TYPE = "dalel-handover"


@dataclass(frozen=True)
class Handover:
    """A closed log's final head, the two leaves around the boundary, and the proof of the first in that head.

    Parsed and consistent; nothing is verified against a tree or a key yet.
    """

    signed: Note
    head: Checkpoint
    closed: Event
    opened: Event
    closed_proof: tuple[bytes, ...]

    @property
    def key(self) -> Verifier:
        """The closed log's key, as the next log's first leaf gives it."""
        return note.parse_vkey(self.opened.data["closed"])

    @property
    def next_key(self) -> Verifier:
        """The next log's key, as the closed log's last leaf gives it."""
        return note.parse_vkey(self.closed.data["next_key"])


def parse(signed: bytes, closed: bytes, opened: bytes, closed_proof: Sequence[bytes]) -> Handover:
    """A handover from its parts. Raises Malformed when they do not speak of each other."""
    final = note.parse(signed)
    head = checkpoint.parse(final.text)
    last, first = grammar.parse(closed), grammar.parse(opened)
    if (
        head.size < 1
        or head.extensions
        or (last.type, first.type, last.item, first.item) != (CLOSED, OPENED, SYSTEM, SYSTEM)
    ):
        raise Malformed("a handover is not a final head, log.closed and log.opened")
    told = (first.data["checkpoint"], first.data["closed"], last.data["next"], last.data["next_key"])
    if not all(map(is_text, told)):
        raise Malformed("a handover is not a final head, log.closed and log.opened")
    found = Handover(final, head, last, first, tuple(closed_proof))
    follows = (last.item_seq + 1, "sha256:" + merkle.leaf_hash(closed).hex())
    if (first.item_seq, first.prev) != follows or note.parse(told[0].encode()).text != final.text:
        raise Malformed("log.opened does not follow log.closed and its final head")
    named = [(one.name, one.key_type) for one in (found.key, found.next_key)]
    if named != [(head.origin, note.ED25519), (last.data["next"], note.ED25519)]:
        raise Malformed("a handover names a log otherwise than its key")
    return found


def verify_last(handover: Handover) -> None:
    """That `log.closed` is the last leaf under the final head. Raises ProofInvalid."""
    head = handover.head
    leaf = merkle.leaf_hash(handover.closed.leaf)
    merkle.verify_inclusion(leaf, head.size - 1, head.size, handover.closed_proof, head.root)


def verify_signature(handover: Handover) -> None:
    """That the key which the next log gives for the closed one signed its final head. Raises SignatureInvalid."""
    note.verify(handover.signed, [handover.key])


def verify_begin(handover: Handover, proof: Sequence[bytes], following: Checkpoint) -> None:
    """That `log.opened` is the first leaf of the next log, the one that was named. Raises ProofInvalid."""
    if following.origin != handover.next_key.name:
        raise merkle.ProofInvalid("the closed log names another log as the next")
    merkle.verify_inclusion(merkle.leaf_hash(handover.opened.leaf), 0, following.size, proof, following.root)


def check_successor(handover: Handover, key: Verifier) -> None:
    """That the next log's head was signed by the key which the closed log named. Raises SignatureInvalid."""
    if handover.next_key != key:
        raise SignatureInvalid("the closed log names another key for the next", key.name)


def encode(handover: Handover, address: str) -> bytes:
    """A handover as the public log shows it; `address` is where the next log lies, relative to this one."""
    return canonical.encode(
        {
            "v": 1,
            "type": TYPE,
            "checkpoint": handover.signed.encode().decode(),
            "closed": handover.closed.leaf.decode(),
            "closed_proof": [base64_text(part) for part in handover.closed_proof],
            "opened": handover.opened.leaf.decode(),
            "address": address,
        }
    )


def decode(data: bytes) -> tuple[Handover, str]:
    """What `encode` wrote, and the address. Raises Malformed or NotCanonical."""
    value: Any = canonical.decode(data)
    fields(value, _HANDOVER)
    proof = [base64_bytes(part, merkle.HASH_BYTES) for part in value["closed_proof"]]
    signed, closed, opened = (value[name].encode() for name in ("checkpoint", "closed", "opened"))
    return parse(signed, closed, opened, proof), value["address"]


def of_package(signed: bytes, leaves: bytes, proofs: bytes) -> tuple[Handover, tuple[bytes, ...]]:
    """A handover as a package carries it, and the proof of `log.opened` in the next log's head. Raises Malformed."""
    lines = [bundle.ProofLines().parse(line) for line in bundle.proof_lines(proofs)]
    both = bundle.event_lines(leaves)
    if len(both) != 2 or len(lines) != 2:
        raise Malformed("a handover has not two events and two proofs")
    (index, closed_proof), (first, opened_proof) = lines
    found = parse(signed, both[0], both[1], closed_proof)
    if (index, first) != (found.head.size - 1, 0):
        raise Malformed("log.closed is not the last leaf of its log, or log.opened not the first of the next")
    return found, opened_proof


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


_HANDOVER: Mapping[str, Rule] = {
    "v": equals(1),
    "type": equals(TYPE),
    "checkpoint": is_text,
    "closed": is_text,
    "closed_proof": _is_texts,
    "opened": is_text,
    "address": is_text,
}
