"""Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519, version 1).

A witness says: at this time the largest consistent tree I have seen of this log has this root. The time is in seconds
since 1970 and is the witness's own claim.
"""

from dataclasses import dataclass

from custody.proof.ed25519 import SignatureInvalid
from custody.proof.note import COSIGNATURE_V1, Note, Signature, SigningKey, Verifier, check_name, key_id
from custody.proof.strict import MAX_NUMBER, Malformed

_TIME_BYTES = 8
_PAYLOAD_BYTES = _TIME_BYTES + 64


@dataclass(frozen=True)
class Cosignature:
    """A verified cosignature: by which witness, at which time it claims (`time_s`, seconds since 1970)."""

    verifier: Verifier
    time_s: int


def message(text: str, time_s: int) -> bytes:
    """The bytes a witness signs for a checkpoint's note text (C2SP tlog-cosignature, «Ed25519 signed message»)."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def sign(text: str, name: str, key: SigningKey, time_s: int) -> Signature:
    """The witness's signature line for a checkpoint's note text. Raises Malformed for a bad name or time."""
    if not 0 <= time_s <= MAX_NUMBER:
        raise Malformed("a cosignature's time is not 0..2^63-1")
    identity = key_id(check_name(name), COSIGNATURE_V1, key.public_key().public_bytes_raw())
    return Signature(name, identity, time_s.to_bytes(_TIME_BYTES, "big") + key.sign(message(text, time_s)))


def verify(text: str, signature: Signature, verifier: Verifier) -> Cosignature:
    """The cosignature in a line that claims to be by this witness's key.

    Raises SignatureInvalid if the key is no witness key (type 0x04), the line is another's, or it does not fit.
    """
    if verifier.key_type != COSIGNATURE_V1 or not verifier.signed(signature):
        raise SignatureInvalid("a line is not a cosignature of this witness", verifier.name)
    time_s = int.from_bytes(signature.payload[:_TIME_BYTES], "big")
    if len(signature.payload) != _PAYLOAD_BYTES or time_s > MAX_NUMBER:
        raise SignatureInvalid("a cosignature has not the form of one", verifier.name)
    verifier.verify_bytes(message(text, time_s), signature.payload[_TIME_BYTES:])
    return Cosignature(verifier, time_s)


def verify_all(note: Note, verifier: Verifier) -> tuple[Cosignature, ...]:
    """Every cosignature of this witness in the note, in order; none if it has not signed.

    Raises SignatureInvalid if a line of this witness does not fit: a forged line spoils the note.
    """
    return tuple(verify(note.text, line, verifier) for line in note.signatures if verifier.signed(line))
