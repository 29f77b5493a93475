"""Fixed identities and keys of the forge: the same in every run, secret to nobody."""

from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from custody.proof import cosignature, note


def identity(name: str) -> str:
    """A fixed UUID for a name."""
    return str(uuid5(NAMESPACE_URL, name))


def digest(data: bytes) -> str:
    return "sha256:" + sha256(data).hexdigest()


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def public(name: str) -> bytes:
    return key(name).public_key().public_bytes_raw()


def ml_dsa_key(name: str) -> MLDSA44PrivateKey:
    return MLDSA44PrivateKey.from_seed_bytes(sha256(name.encode()).digest())


def witness_vkey(name: str, *, ml_dsa: bool = False) -> str:
    """What a policy says of the witness."""
    known = cosignature.witness_key(f"{name}.example", ml_dsa_key(name) if ml_dsa else key(name))
    return note.vkey(known.name, known.public_key, known.key_type)
