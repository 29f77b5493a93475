"""One encrypted message: C2SP chunked-encryption v1 with HKDF-SHA-512 and AES-256-GCM («Cobblestone-256»).

Source: https://c2sp.org/chunked-encryption, sections «Key derivation», «Message chunking», «AEAD usage». A message is
`salt (24) || commitment (32) || chunks`, every chunk 16 KiB of plaintext and a 16-byte tag, the last one shorter
(empty if need be), the nonce being the base nonce XOR the chunk's number. The key, the base nonce and the commitment
come from the input key, the salt and a context, so many messages may share an input key as long as salts differ.
"""

import hmac
import secrets
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from custody.kernel.errors import Corrupt
from storage.ports import Bytes

KEY_BYTES: Final = 32
CHUNK_BYTES: Final = 16 * 1024
TAG_BYTES: Final = 16
SALT_BYTES: Final = 24
HEADER_BYTES: Final = SALT_BYTES + 32
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
MAX_CHUNKS: Final = 2**38

_NONCE_BYTES: Final = 12
_LABEL: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


def new_key() -> bytes:
    """32 random bytes: the input key of one blob."""
    return secrets.token_bytes(KEY_BYTES)


def chunk_count(size_bytes: int) -> int:
    """Chunks in a message of this plaintext size; the last is always shorter than 16 KiB, so there is at least one."""
    return size_bytes // CHUNK_BYTES + 1


def sealed_bytes(size_bytes: int) -> int:
    """Bytes of the encrypted message for a plaintext of this size."""
    return HEADER_BYTES + size_bytes + TAG_BYTES * chunk_count(size_bytes)


class Chunks:
    """The keyed chunk cipher of one message: made new for writing, or from a header for reading."""

    def __init__(self, key: bytes, context: bytes, salt: bytes) -> None:
        derived = HKDFExpand(SHA512(), KEY_BYTES + _NONCE_BYTES + 32, _LABEL + salt + context).derive(key)
        self._aead = AESGCM(derived[:KEY_BYTES])
        self._base_nonce = int.from_bytes(derived[KEY_BYTES : KEY_BYTES + _NONCE_BYTES])
        self.header = salt + derived[KEY_BYTES + _NONCE_BYTES :]

    @classmethod
    def fresh(cls, key: bytes, context: bytes) -> "Chunks":
        """For one new message. The salt is random every time, so no (key, nonce) pair can meet two plaintexts."""
        return cls(key, context, secrets.token_bytes(SALT_BYTES))

    @classmethod
    def from_header(cls, key: bytes, context: bytes, header: bytes) -> "Chunks":
        """For reading. Raises Corrupt `store.corrupt` when the commitment is not that of this key and context."""
        if len(header) != HEADER_BYTES:
            raise Corrupt("store.corrupt", what="header")
        chunks = cls(key, context, header[:SALT_BYTES])
        if not hmac.compare_digest(chunks.header, header):
            raise Corrupt("store.corrupt", what="commitment")
        return chunks

    def seal(self, number: int, plaintext: Bytes) -> bytes:
        """One chunk encrypted. A number must be used once; callers go through `encrypt` or `Encryptor`."""
        return self._aead.encrypt(self._nonce(number), plaintext, None)

    def open(self, number: int, sealed: Bytes) -> bytes:
        """One chunk decrypted. Raises Corrupt `store.corrupt` when a byte of it is not what was written."""
        try:
            return self._aead.decrypt(self._nonce(number), sealed, None)
        except InvalidTag as fault:
            raise Corrupt("store.corrupt", what="chunk", chunk=number) from fault

    def seal_into(self, number: int, plaintext: memoryview, out: memoryview) -> None:
        """As `seal`, into `out`, which has the plaintext's length and a tag's more."""
        self._aead.encrypt_into(self._nonce(number), plaintext, None, out)

    def open_into(self, number: int, sealed: memoryview, out: memoryview) -> None:
        """As `open`, into `out`, which has the plaintext's length. Nothing of it may be given out when this raises."""
        try:
            self._aead.decrypt_into(self._nonce(number), sealed, None, out)
        except InvalidTag as fault:
            raise Corrupt("store.corrupt", what="chunk", chunk=number) from fault

    def _nonce(self, number: int) -> bytes:
        if number >= MAX_CHUNKS:
            raise Corrupt("store.corrupt", what="length")
        return (self._base_nonce ^ number).to_bytes(_NONCE_BYTES)


def encrypt(key: bytes, context: bytes, plaintext: Bytes) -> bytearray:
    """A whole message held in memory, under a fresh salt."""
    out = bytearray(sealed_bytes(len(plaintext)))
    encrypt_into(key, context, plaintext, memoryview(out))
    return out


def encrypt_into(key: bytes, context: bytes, plaintext: Bytes, out: memoryview) -> None:
    """As `encrypt`, into `out`, which has `sealed_bytes` of the plaintext's length."""
    chunks = Chunks.fresh(key, context)
    out[:HEADER_BYTES] = chunks.header
    plain, body = memoryview(plaintext), out[HEADER_BYTES:]
    for number in range(chunk_count(len(plaintext))):
        chunk = plain[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
        start = number * SEALED_CHUNK_BYTES
        chunks.seal_into(number, chunk, body[start : start + len(chunk) + TAG_BYTES])


def decrypt(key: bytes, context: bytes, message: bytes) -> bytes:
    """The plaintext of a whole message. Raises Corrupt `store.corrupt`: changed, truncated, another key or context."""
    decryptor = Decryptor(key, context)
    return decryptor.update(message) + decryptor.finalize()


class Encryptor:
    """Encrypts one message piece by piece, holding at most one chunk back."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._chunks = Chunks.fresh(key, context)
        self._pending = bytearray()
        self._number = 0
        self._header = self._chunks.header

    def update(self, data: bytes) -> bytes:
        """The ciphertext that this piece completes (the header first)."""
        self._pending += data
        out = [self._header]
        self._header = b""
        whole = len(self._pending) // CHUNK_BYTES
        for index in range(whole):
            piece = self._pending[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
            out.append(self._chunks.seal(self._number, piece))
            self._number += 1
        del self._pending[: whole * CHUNK_BYTES]
        return b"".join(out)

    def finalize(self) -> bytes:
        """The short last chunk. The encryptor is used up."""
        return self._header + self._chunks.seal(self._number, self._pending)


class Decryptor:
    """Decrypts one message piece by piece. What it returns is authentic; that it is all is known after `finalize`."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._key = key
        self._context = context
        self._chunks: Chunks | None = None
        self._pending = bytearray()
        self._number = 0

    def update(self, data: bytes) -> bytes:
        """The plaintext of the chunks that are now whole. Raises Corrupt `store.corrupt`."""
        self._pending += data
        if self._chunks is None:
            if len(self._pending) < HEADER_BYTES:
                return b""
            self._chunks = Chunks.from_header(self._key, self._context, bytes(self._pending[:HEADER_BYTES]))
            del self._pending[:HEADER_BYTES]
        out = []
        whole = len(self._pending) // SEALED_CHUNK_BYTES
        for index in range(whole):
            piece = self._pending[index * SEALED_CHUNK_BYTES : (index + 1) * SEALED_CHUNK_BYTES]
            out.append(self._chunks.open(self._number, piece))
            self._number += 1
        del self._pending[: whole * SEALED_CHUNK_BYTES]
        return b"".join(out)

    def finalize(self) -> bytes:
        """The plaintext of the last chunk. Raises Corrupt `store.corrupt` when the message was truncated."""
        if self._chunks is None or len(self._pending) < TAG_BYTES:
            raise Corrupt("store.corrupt", what="truncated")
        return self._chunks.open(self._number, self._pending)


def decrypt_range(
    key: bytes, context: bytes, read: Callable[[int, int], bytes], size: int, start: int, end: int
) -> bytes:
    """Plaintext bytes `start` to `end` (excluded) of a message of `size` plaintext bytes.

    `read(offset, length)` returns ciphertext bytes; only the header and the chunks touched are asked for. The size
    must come from a trusted record: a range says nothing of what lies outside it. Raises Corrupt `store.corrupt`.
    """
    if not 0 <= start <= end <= size:
        raise ValueError("a range lies within its message")
    chunks = Chunks.from_header(key, context, read(0, HEADER_BYTES))
    if start == end:
        return b""
    first, last = start // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
    stop = min((last + 1) * SEALED_CHUNK_BYTES, size + TAG_BYTES * chunk_count(size))
    sealed = memoryview(read(HEADER_BYTES + first * SEALED_CHUNK_BYTES, stop - first * SEALED_CHUNK_BYTES))
    plain = b"".join(
        chunks.open(first + index, sealed[index * SEALED_CHUNK_BYTES : (index + 1) * SEALED_CHUNK_BYTES])
        for index in range(last - first + 1)
    )
    return plain[start - first * CHUNK_BYTES : end - first * CHUNK_BYTES]
