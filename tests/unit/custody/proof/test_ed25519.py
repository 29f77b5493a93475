"""Ed25519: honest signatures, and the crafted ones over which implementations differ."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from custody.proof import ed25519, note
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.strict import Malformed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ORDER = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
IDENTITY = b"\x01" + bytes(31)
SMALL = [0, 1, P - 1, ed25519._ORDER_8, P - ed25519._ORDER_8]


@given(st.binary(max_size=200))
def test_honest_signatures(message: bytes) -> None:
    signature = KEY.sign(message)
    ed25519.verify(PUBLIC, message, signature)
    for wrong in (message + b"x", message[:-1] if message else b"y"):
        with pytest.raises(SignatureInvalid):
            ed25519.verify(PUBLIC, wrong, signature)


def test_s_has_one_spelling() -> None:
    """RFC 8032 §8.4: S plus the order is the same number to a verifier that does not look."""
    signature = KEY.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little")
    for times in range(1, 8):
        other = (scalar + times * ORDER).to_bytes(32, "little")
        with pytest.raises(SignatureInvalid):
            ed25519.verify(PUBLIC, b"m", signature[:32] + other)


@pytest.mark.parametrize("length", [0, 31, 32, 63, 65])
def test_length(length: int) -> None:
    with pytest.raises(SignatureInvalid):
        ed25519.verify(PUBLIC, b"m", (KEY.sign(b"m") + b"x")[:length])


@pytest.mark.parametrize("y", [*SMALL, *(P + y for y in (0, 1)), P + 2, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 2**255])
def test_points_that_nobody_holds_the_key_of(y: int, sign: int) -> None:
    """Small order, or a second encoding: as a key or as R they verify nothing, and no policy may name them."""
    point = (y + sign).to_bytes(32, "little")
    assert not ed25519.is_sound(point)
    with pytest.raises(SignatureInvalid):
        ed25519.verify(PUBLIC, b"m", point + KEY.sign(b"m")[32:])
    for number in range(16):
        with pytest.raises(SignatureInvalid):
            ed25519.verify(point, b"%d" % number, IDENTITY + bytes(32))
    with pytest.raises(Malformed, match="anybody can sign"):
        note.vkey("dalel.example/log", point)


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=80))
def test_raises_nothing_else(key: bytes, message: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        ed25519.verify(key, message, signature)
