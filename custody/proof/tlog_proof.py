"""Stand-alone proofs (C2SP tlog-proof): an index, an inclusion proof and a checkpoint in one text."""

from dataclasses import dataclass

from custody.proof.merkle import HASH_BYTES
from custody.proof.note import MAX_BYTES, Note
from custody.proof.note import parse as parse_note
from custody.proof.strict import Malformed, base64_bytes, base64_text, decimal

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63  # a tree of 2^63 leaves needs no more


@dataclass(frozen=True)
class TlogProof:
    """A parsed proof. `extra` is not authenticated by anything. Nothing has been verified."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None

    def encode(self) -> bytes:
        """The proof's bytes."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64_text(self.extra)}")
        lines += [f"index {self.index}", *map(base64_text, self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint.encode()


def parse(data: bytes) -> TlogProof:
    """A proof from its bytes; only the spelling that `TlogProof.encode` writes. Raises Malformed."""
    if len(data) > 2 * MAX_BYTES:
        raise Malformed("a proof is larger than 2 MB")
    head, separator, signed = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("a proof's head is not ASCII") from error
    if first != HEADER or not separator:
        raise Malformed("not a proof: no header, or no checkpoint after an empty line")
    extra = base64_bytes(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise Malformed("a proof has no index line")
    index = decimal(lines[0][6:])
    if len(lines) - 1 > MAX_HASHES:
        raise Malformed("a proof has more hashes than any tree needs")
    hashes = tuple(base64_bytes(line, HASH_BYTES) for line in lines[1:])
    return TlogProof(index, hashes, parse_note(signed), extra)
