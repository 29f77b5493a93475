"""ML-DSA-44 (FIPS 204), pure and with the empty context, as witnesses sign with it (C2SP tlog-cosignature).

No two verifiers have room to differ here as with Ed25519 (see `ed25519`): FIPS 204 decodes a key and a signature in one
way, and what has another length is none (§3.6.2).
"""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from custody.proof.ed25519 import SignatureInvalid

KEY_BYTES = 1312
SIGNATURE_BYTES = 2420


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raises SignatureInvalid unless `signature` (2420 bytes) is this key's (1312 bytes) over `message`."""
    try:
        if len(signature) != SIGNATURE_BYTES:
            raise ValueError
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalid("a signature does not fit the text") from error


def is_sound(public_key: bytes) -> bool:
    """Whether these bytes are a key that this machine can verify by; no for every key where its library is too old."""
    try:
        MLDSA44PublicKey.from_public_bytes(public_key)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return len(public_key) == KEY_BYTES
