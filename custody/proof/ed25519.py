"""Ed25519 (RFC 8032 §5.1), in the one reading that leaves no two verifiers room to differ.

Implementations agree on honest signatures and differ on crafted ones («Taming the many EdDSAs», Chalkias, Garillot,
Nikolaenko, 2020). Here both points must have their canonical encoding, neither may be of small order, S must be below
the group's order, and the equation is checked without the cofactor: what libsodium and dalek's `verify_strict` accept.
So no key verifies a signature that its holder did not make, a signature fits one message, and it has one spelling.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from custody.proof.strict import ProofError

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y coordinates of the eight points whose order divides 8."""


class SignatureInvalid(ProofError):
    """A signature by a known key does not fit, or none by a known key is there."""


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raises SignatureInvalid unless `signature` (64 bytes) is this key's (32 bytes) over `message`."""
    try:
        if not (is_sound(public_key) and is_sound(signature[:KEY_BYTES])):
            raise ValueError
        # The library checks S < L and the equation [S]B = R + [k]A, without the cofactor.
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalid("a signature does not fit the text") from error


def is_sound(point: bytes) -> bool:
    """Whether 32 bytes are the canonical encoding of a y coordinate that no point of small order has.

    Says nothing of whether there is a point with it.
    """
    y = int.from_bytes(point, "little") & (2**255 - 1)
    return len(point) == KEY_BYTES and y < _P and y not in _SMALL_ORDER
