"""Cosignatures of witnesses (C2SP tlog-cosignature): Ed25519 (type 0x04) and ML-DSA-44 (type 0x06).

A witness says: at this time the largest consistent tree I have seen of this log has this root. The time is in seconds
since 1970 and is the witness's own claim. Both kinds of line are a key id, 8 bytes of time, a signature; what is signed
differs: Ed25519 signs the checkpoint's text, ML-DSA-44 its origin, size and root together with the witness's name.
"""

from dataclasses import dataclass

from custody.proof import checkpoint, ed25519, mldsa
from custody.proof.checkpoint import Checkpoint
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.note import (
    COSIGNATURE_ML_DSA,
    COSIGNATURE_V1,
    COSIGNATURES,
    Note,
    Signature,
    SigningKey,
    Verifier,
    parse_vkey,
    vkey,
)
from custody.proof.strict import MAX_NUMBER, Malformed

_TIME_BYTES = 8
_SIGNATURE_BYTES = {COSIGNATURE_V1: ed25519.SIGNATURE_BYTES, COSIGNATURE_ML_DSA: mldsa.SIGNATURE_BYTES}
_LABEL = b"subtree/v1\n\0"


@dataclass(frozen=True)
class Cosignature:
    """A verified cosignature: by which witness, at which time it claims (`time_s`, seconds since 1970)."""

    verifier: Verifier
    time_s: int


def message(text: str, time_s: int) -> bytes:
    """The bytes a witness signs for a checkpoint's note text (C2SP tlog-cosignature, «Ed25519 signed message»)."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def subtree_message(head: Checkpoint, name: str, time_s: int) -> bytes:
    """The bytes the witness `name` signs for a whole tree (C2SP tlog-cosignature, «ML-DSA-44 signed message»): label,
    its name, the time, the log's origin, the tree's start (0) and end, its root.

    Raises Malformed for a head with extension lines: this kind of signature would not cover them.
    """
    if head.extensions:
        raise Malformed("extension lines that the cosignature does not cover")
    numbers = (0).to_bytes(8, "big") + head.size.to_bytes(8, "big")
    return _LABEL + _opaque(name) + time_s.to_bytes(_TIME_BYTES, "big") + _opaque(head.origin) + numbers + head.root


def _opaque(text: str) -> bytes:
    """A text of 1 to 255 bytes with its length before it (RFC 8446 §3.4)."""
    data = text.encode()
    return len(data).to_bytes(1, "big") + data


def witness_key(name: str, key: SigningKey) -> Verifier:
    """The public half of a witness's key, whose length says which kind it is. Raises Malformed for a bad name."""
    public_key = key.public_key().public_bytes_raw()
    kind = COSIGNATURE_ML_DSA if len(public_key) == mldsa.KEY_BYTES else COSIGNATURE_V1
    return parse_vkey(vkey(name, public_key, kind))


def sign(text: str, name: str, key: SigningKey, time_s: int) -> Signature:
    """The witness's signature line for a checkpoint's note text. Raises Malformed for a bad name, time or text."""
    if not 0 <= time_s <= MAX_NUMBER:
        raise Malformed("a cosignature's time is not 0..2^63-1")
    verifier = witness_key(name, key)
    signed = key.sign(_signed(text, verifier, time_s))
    return Signature(name, verifier.key_id, time_s.to_bytes(_TIME_BYTES, "big") + signed)


def verify(text: str, signature: Signature, verifier: Verifier) -> Cosignature:
    """The cosignature in a line that claims to be by this witness's key.

    Raises SignatureInvalid if the key is no witness key (type 0x04 or 0x06), the line is another's, or it does not fit.
    """
    if verifier.key_type not in COSIGNATURES or not verifier.signed(signature):
        raise SignatureInvalid("a line is not a cosignature of this witness", verifier.name)
    time_s = int.from_bytes(signature.payload[:_TIME_BYTES], "big")
    if len(signature.payload) != _TIME_BYTES + _SIGNATURE_BYTES[verifier.key_type] or time_s > MAX_NUMBER:
        raise SignatureInvalid("a cosignature has not the form of one", verifier.name)
    try:
        signed = _signed(text, verifier, time_s)
    except Malformed as error:
        raise SignatureInvalid("a signature does not fit the text", verifier.name) from error
    verifier.verify_bytes(signed, signature.payload[_TIME_BYTES:])
    return Cosignature(verifier, time_s)


def _signed(text: str, verifier: Verifier, time_s: int) -> bytes:
    if verifier.key_type == COSIGNATURE_ML_DSA:
        return subtree_message(checkpoint.parse(text), verifier.name, time_s)
    return message(text, time_s)


def verify_all(note: Note, verifier: Verifier) -> tuple[Cosignature, ...]:
    """Every cosignature of this witness in the note, in order; none if it has not signed.

    Raises SignatureInvalid if a line of this witness does not fit: a forged line spoils the note.
    """
    return tuple(verify(note.text, line, verifier) for line in note.signatures if verifier.signed(line))
