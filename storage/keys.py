"""Key-encryption keys: what wraps a blob's data key. One port; a file, a Vault-compatible service or an HSM behind it.

Every service keeps versions of its key. What is wrapped names the version (`key_id`), new wraps take the newest, and an
old version is retired once nothing names it (`storage.rotation`).
"""

import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from custody.kernel.errors import Conflict, Corrupt, Unavailable

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_AAD: Final = b"dalel wrapped key v1\x00"
_VERSION: Final = b"\x01"
_RING: Final = b"dalel-keyring-1\n"


@dataclass(frozen=True)
class WrappedKey:
    """A data key encrypted under one version of the key-encryption key, and that version's name."""

    key_id: str
    data: bytes = field(repr=False)


class KeyWrapper(Protocol):
    """Wraps data keys under the newest version of one key-encryption key. Safe to use from several threads.

    Trust: whoever holds the key-encryption key and the store's bytes can read the evidence; losing it loses the
    evidence. It is never in the database and never in the store.

    All raise Unavailable `keys.unavailable` while the service does not answer (nothing is lost: try again) and
    Unavailable `keys.refused` when it does not let us in.
    """

    @property
    def key_id(self) -> str:
        """Names the newest version without giving it away. Another process may make a newer one at any moment: what
        a wrap was made under, the wrap says.
        """
        ...

    def wrap(self, key: bytes, blob_id: UUID) -> WrappedKey:
        """The data key encrypted under the newest version and bound to its blob."""
        ...

    def unwrap(self, wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        """The data key. Raises Corrupt `keys.corrupt` (changed, or another blob's), Unavailable `keys.unknown` for a
        version that is not there.
        """
        ...

    def rewrap(self, wrapped: Sequence[tuple[WrappedKey, UUID]]) -> list[WrappedKey]:
        """The same data keys under the newest version, in the same order. Raises as `unwrap`; then none is given."""
        ...

    def ensure(self) -> None:
        """Make the key if there is none, and try it out. Never replaces one. Raises as `wrap`."""
        ...

    def rotate(self) -> str:
        """Make a new version and return its `key_id`. Every process wraps under it from its next wrap on."""
        ...

    def versions(self) -> list[str]:
        """The `key_id` of every version that can still unwrap, oldest first."""
        ...

    def retire(self, key_id: str) -> None:
        """End an old version: what is wrapped under it, also in old backups, is closed for good. Again does nothing.

        Raises Conflict `keys.in_use` for the newest one. That nothing needs it, the caller makes sure of.
        """
        ...


class FileKeyWrapper:
    """Keys in a file of mode 0600: 32 bytes each, the newest last. AES-256-GCM, the blob's id bound as extra data.

    With a passphrase the file is encrypted (scrypt, AES-256-GCM); without one its mode is all that protects it. Taking
    the file away takes the keys away at once. Random 96-bit nonces allow 2^32 wraps under one key (NIST SP 800-38D,
    section 8.3): far above the count of blobs. For one machine: it is not carried to others.
    """

    def __init__(self, path: Path, passphrase: bytes | None = None) -> None:
        self._path = path
        self._passphrase = passphrase
        self._lock = Lock()
        self._seen: tuple[int, int] | None = None
        self._ring: dict[str, bytes] = {}
        self._keys()

    @classmethod
    def create(cls, path: Path, passphrase: bytes | None = None) -> "FileKeyWrapper":
        """Make the key file if there is none. Two processes may race: the first one's key is everyone's."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _draft(path, _sealed([secrets.token_bytes(_KEY_BYTES)], passphrase))
        try:
            # A hard link appears whole or not at all and never replaces a key that is there already.
            if not path.exists():
                _link(draft, path)
        finally:
            draft.unlink()
        return cls(path, passphrase)

    @property
    def key_id(self) -> str:
        """Names the newest key."""
        return list(self._keys())[-1]

    def wrap(self, key: bytes, blob_id: UUID) -> WrappedKey:
        """The data key encrypted and bound to its blob."""
        key_id, ours = list(self._keys().items())[-1]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return WrappedKey(key_id, _VERSION + nonce + AESGCM(ours).encrypt(nonce, key, _AAD + blob_id.bytes))

    def unwrap(self, wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        """The data key. Raises as the port says."""
        ours = self._keys().get(key_id)
        if ours is None:
            raise Unavailable("keys.unknown", key=key_id)
        if wrapped[:1] != _VERSION:
            raise Corrupt("keys.corrupt")
        nonce, sealed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        try:
            return AESGCM(ours).decrypt(nonce, sealed, _AAD + blob_id.bytes)
        except (InvalidTag, ValueError) as fault:
            raise Corrupt("keys.corrupt") from fault

    def rewrap(self, wrapped: Sequence[tuple[WrappedKey, UUID]]) -> list[WrappedKey]:
        """The same data keys under the newest key."""
        return [self.wrap(self.unwrap(one.data, one.key_id, blob_id), blob_id) for one, blob_id in wrapped]

    def ensure(self) -> None:
        """The file is made by `create`; here it is read."""
        self._keys()

    def rotate(self) -> str:
        """Add a key. An unencrypted file becomes an encrypted one if there is a passphrase now."""
        ring = [*self._keys().values(), secrets.token_bytes(_KEY_BYTES)]
        self._replace(ring)
        return _name(ring[-1])

    def versions(self) -> list[str]:
        """Every key of the file, oldest first."""
        return list(self._keys())

    def retire(self, key_id: str) -> None:
        """Take a key out of the file. Raises Conflict `keys.in_use` for the newest."""
        ring = self._keys()
        if key_id == list(ring)[-1]:
            raise Conflict("keys.in_use", key=key_id)
        if key_id in ring:
            self._replace([key for name, key in ring.items() if name != key_id])

    def _replace(self, ring: Sequence[bytes]) -> None:
        draft = _draft(self._path, _sealed(ring, self._passphrase))
        draft.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _keys(self) -> dict[str, bytes]:
        """The keys by name, read again when the file was replaced. Raises Unavailable when it is not there."""
        with self._lock:
            seen = _identity(self._path)
            if seen != self._seen:
                self._ring = {_name(key): key for key in _opened(_read_private(self._path), self._passphrase)}
                self._seen = seen
            return self._ring


def _name(key: bytes) -> str:
    return "file:" + sha256(b"dalel key id v1\x00" + key).hexdigest()[:16]


def _draft(path: Path, content: bytes) -> Path:
    """A new private file beside `path`, durable."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return


def _sealed(ring: Sequence[bytes], passphrase: bytes | None) -> bytes:
    """The file's bytes: the keys one after the other, or a header, salt, nonce and these encrypted."""
    plain = b"".join(ring)
    if passphrase is None:
        return plain
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    return _RING + salt + nonce + AESGCM(_stretched(passphrase, salt)).encrypt(nonce, plain, _RING)


def _opened(content: bytes, passphrase: bytes | None) -> list[bytes]:
    """The keys of a file. Raises Unavailable `keys.unavailable`: not a key file; `keys.refused`: another passphrase."""
    if content.startswith(_RING):
        if passphrase is None:
            raise Unavailable("keys.refused")
        body = content[len(_RING) :]
        salt, nonce, sealed = body[:_SALT_BYTES], body[_SALT_BYTES:][:_NONCE_BYTES], body[_SALT_BYTES + _NONCE_BYTES :]
        try:
            content = AESGCM(_stretched(passphrase, salt)).decrypt(nonce, sealed, _RING)
        except (InvalidTag, ValueError) as fault:
            raise Unavailable("keys.refused") from fault
    if not content or len(content) % _KEY_BYTES:
        raise Unavailable("keys.unavailable")
    return [content[at : at + _KEY_BYTES] for at in range(0, len(content), _KEY_BYTES)]


def _stretched(passphrase: bytes, salt: bytes) -> bytes:
    """A key from a passphrase (RFC 7914): 32 MiB and some 50 ms for each guess."""
    return Scrypt(salt=salt, length=_KEY_BYTES, n=2**15, r=8, p=1).derive(passphrase)


def _identity(path: Path) -> tuple[int, int]:
    """Differs when the file was replaced. Raises Unavailable: `keys.unavailable` none, `keys.exposed` to others."""
    try:
        found = path.stat()
    except OSError as fault:
        raise Unavailable("keys.unavailable") from fault
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Unavailable("keys.exposed")
    return found.st_ino, found.st_mtime_ns


def _read_private(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Unavailable("keys.unavailable") from fault
