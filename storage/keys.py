"""Key-encryption keys: what wraps a blob's data key. A file in development; a KMS or an HSM behind the same port."""

import os
import secrets
import stat
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custody.kernel.errors import Corrupt, Unavailable

_NONCE_BYTES: Final = 12
_AAD: Final = b"dalel wrapped key v1\x00"
_VERSION: Final = b"\x01"


class KeyWrapper(Protocol):
    """Wraps data keys under one key-encryption key.

    Trust: whoever holds the key-encryption key and the store's bytes can read the evidence; losing it loses the
    evidence. It is never in the database and never in the store.
    """

    @property
    def key_id(self) -> str:
        """Names the key-encryption key without giving it away; stored beside each wrapped key."""
        ...

    def wrap(self, key: bytes, blob_id: UUID) -> bytes:
        """The data key encrypted and bound to its blob. Raises Unavailable `keys.unavailable`."""
        ...

    def unwrap(self, wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        """The data key. Raises Corrupt `keys.corrupt` (changed, or another blob's), Unavailable `keys.unavailable`."""
        ...


class FileKeyWrapper:
    """A 32-byte key in a file of mode 0600. AES-256-GCM with a random nonce; the blob's id is bound as extra data.

    Random 96-bit nonces allow 2^32 wraps under one key (NIST SP 800-38D, section 8.3): far above the count of blobs.
    """

    def __init__(self, path: Path) -> None:
        key = _read_private(path)
        self._aead = AESGCM(key)
        self.key_id = "file:" + sha256(b"dalel key id v1\x00" + key).hexdigest()[:16]

    @classmethod
    def create(cls, path: Path) -> "FileKeyWrapper":
        """Make the key file if there is none. Two processes may race: the first one's key is everyone's."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            # A hard link appears whole or not at all and never replaces a key that is there already.
            if not path.exists():
                _link(draft, path)
        finally:
            draft.unlink()
        return cls(path)

    def wrap(self, key: bytes, blob_id: UUID) -> bytes:
        """The data key encrypted and bound to its blob."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, key, _AAD + blob_id.bytes)

    def unwrap(self, wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        """The data key. Raises Corrupt `keys.corrupt`, Unavailable `keys.unknown` when another key wrapped it."""
        if key_id != self.key_id:
            raise Unavailable("keys.unknown", key=key_id)
        if wrapped[:1] != _VERSION:
            raise Corrupt("keys.corrupt")
        nonce, sealed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, sealed, _AAD + blob_id.bytes)
        except (InvalidTag, ValueError) as fault:
            raise Corrupt("keys.corrupt") from fault


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return


def _read_private(path: Path) -> bytes:
    """The key's 32 bytes. Raises Unavailable: `keys.unavailable` no such file, `keys.exposed` others may read it."""
    try:
        mode = path.stat().st_mode
        key = path.read_bytes()
    except OSError as fault:
        raise Unavailable("keys.unavailable") from fault
    if stat.S_IMODE(mode) & 0o077:
        raise Unavailable("keys.exposed")
    if len(key) != 32:
        raise Unavailable("keys.unavailable")
    return key
