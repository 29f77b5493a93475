"""The log's signing key: a port, and the key kept in an encrypted file.

The file holds PKCS #8, encrypted with a passphrase that lives in another file (a mounted secret). It defends a backup
that lost only one of the two, not a machine that was taken over: for that there are keys in hardware, behind the same
port.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from custody.kernel.errors import Conflict, Corrupt, Denied
from custody.proof import note


class Signer(note.SigningKey, Protocol):
    """Signs checkpoints as the log `name` (its origin). Ed25519, RFC 8032."""

    @property
    def name(self) -> str:
        """The log's origin, as readers' policies name it."""
        ...


class EncryptedFileSigner:
    """A signer over the Ed25519 key in `key_file`, opened with the passphrase in `passphrase_file`.

    Raises Denied `key.exposed` when anybody but the owner may read either file, Corrupt `key.unreadable` when the file
    is not such a key or the passphrase is another.
    """

    def __init__(self, name: str, key_file: Path, passphrase_file: Path) -> None:
        self.name = note.check_name(name)
        self._key = _load(_private_bytes(key_file), _private_bytes(passphrase_file).strip())

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes over `data`."""
        return self._key.sign(data)

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        return self._key.public_key()


def verifier(signer: Signer) -> note.Verifier:
    """What verifies this signer's notes."""
    return note.parse_vkey(vkey(signer))


def vkey(signer: Signer) -> str:
    """The verifier key as policies write it (C2SP signed-note)."""
    return note.vkey(signer.name, signer.public_key().public_bytes_raw())


def create_key(key_file: Path, passphrase_file: Path) -> None:
    """Make a new key in `key_file` (mode 0600), encrypted with the passphrase in `passphrase_file`.

    Raises Conflict `key.exists` rather than overwrite a key: what it signed could never be explained again.
    """
    passphrase = _private_bytes(passphrase_file).strip()
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("key.exists") from error
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, opened exclusively
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def _private_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Denied("key.exposed", file=path.name)
        return file.read()


def _load(pem: bytes, passphrase: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError) as error:
        raise Corrupt("key.unreadable") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Corrupt("key.unreadable")
    return key
