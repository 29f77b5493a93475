"""Checkpoints (C2SP tlog-checkpoint): the text a log signs about its own state."""

from dataclasses import dataclass

from custody.proof.merkle import HASH_BYTES
from custody.proof.strict import MAX_NUMBER, Malformed, base64_bytes, base64_text, decimal

MAX_ORIGIN_BYTES = 255


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: who speaks, how many leaves there are, the RFC 9162 root over them.

    `extensions` are further lines, which C2SP allows and Dälel's log never writes. Raises Malformed for values that
    have no text form, and for origins above 255 bytes, which other cosignatures than ours cannot name.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_NUMBER:
            raise Malformed("a tree size is not 0..2^63-1")
        if len(self.root) != HASH_BYTES:
            raise Malformed("a root hash is not 32 bytes")
        for line in (self.origin, *self.extensions):
            if not line or any(character < " " or "\ud800" <= character <= "\udfff" for character in line):
                raise Malformed("an origin or extension line is empty or has a control character")
        if len(self.origin.encode()) > MAX_ORIGIN_BYTES:
            raise Malformed("an origin is longer than 255 bytes")

    def text(self) -> str:
        """The note text, ready to be signed."""
        return "\n".join([self.origin, str(self.size), base64_text(self.root), *self.extensions, ""])


def parse(text: str) -> Checkpoint:
    """A checkpoint from a note's text; only the spelling that `Checkpoint.text` writes. Raises Malformed."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise Malformed("a checkpoint is not at least three lines, each ended by a newline")
    origin, size, root, *extensions = lines[:-1]
    return Checkpoint(origin, decimal(size), base64_bytes(root, HASH_BYTES), tuple(extensions))
