"""Signed notes (C2SP signed-note): a text, an empty line, signature lines.

Spoken are Ed25519, key type 0x01 for logs and 0x04 for witnesses, and ML-DSA-44, 0x06 for witnesses (see
`cosignature`). A text means nothing until a signature by a key the reader already trusts has verified.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from custody.proof import ed25519, mldsa
from custody.proof.ed25519 import SignatureInvalid
from custody.proof.strict import Malformed, base64_bytes, base64_text

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
COSIGNATURE_ML_DSA = 0x06
COSIGNATURES = (COSIGNATURE_V1, COSIGNATURE_ML_DSA)
MAX_BYTES = 1_000_000
MAX_SIGNATURES = 100
KEY_ID_BYTES = 4
MAX_COSIGNER_BYTES = 255
_DASH = "\N{EM DASH} "


class PublicKey(Protocol):
    """The public half of a signing key."""

    def public_bytes_raw(self) -> bytes: ...


class SigningKey(Protocol):
    """What signs: an `Ed25519PrivateKey` (a witness's may be an `MLDSA44PrivateKey`), or anything that behaves like one
    in front of a token or a service.
    """

    def sign(self, data: bytes, /) -> bytes: ...

    def public_key(self) -> PublicKey: ...


@dataclass(frozen=True)
class Signature:
    """One signature line: `payload` is what follows the 4-byte key id."""

    name: str
    key_id: bytes
    payload: bytes

    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_DASH}{self.name} {base64_text(self.key_id + self.payload)}\n"


@dataclass(frozen=True)
class Note:
    """A parsed note: its text with the final newline, its signatures in order. Nothing has been verified."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()


@dataclass(frozen=True)
class Verifier:
    """A public key under its name, as a vkey says it (C2SP signed-note, «Verifier keys»)."""

    name: str
    key_type: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name this key in signature lines."""
        return key_id(self.name, self.key_type, self.public_key)

    @property
    def label(self) -> str:
        """How it is told to people: its name, and the kind of key if that is not the usual one. No name has a space."""
        return f"{self.name} (ML-DSA-44)" if self.key_type == COSIGNATURE_ML_DSA else self.name

    def signed(self, signature: Signature) -> bool:
        """Whether the line claims to be by this key: name and key id both fit. Says nothing of its truth."""
        return signature.name == self.name and signature.key_id == self.key_id

    def verify_bytes(self, message: bytes, signature: bytes) -> None:
        """Raises SignatureInvalid unless `signature` is this key's over `message`: see `ed25519` and `mldsa`."""
        scheme = mldsa if self.key_type == COSIGNATURE_ML_DSA else ed25519
        try:
            scheme.verify(self.public_key, message, signature)
        except SignatureInvalid as error:
            raise SignatureInvalid("a signature does not fit the text", self.name) from error


def key_id(name: str, key_type: int, public_key: bytes) -> bytes:
    """The first 4 bytes of SHA-256 over name, newline, type byte, key (C2SP signed-note, «Signatures»)."""
    return sha256(name.encode() + b"\n" + bytes([key_type]) + public_key).digest()[:KEY_ID_BYTES]


def vkey(name: str, public_key: bytes, key_type: int = ED25519) -> str:
    """The text form of a verifier key: `name+<8 hex>+<base64>`. Raises Malformed for a bad name, type or key."""
    verifier = _verifier(name, key_type, public_key)
    return f"{name}+{verifier.key_id.hex()}+{base64_text(bytes([key_type]) + public_key)}"


def parse_vkey(text: str) -> Verifier:
    """The key a vkey says. Raises Malformed, also for a key id that is not the one of this name and key."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Malformed("a verifier key has not three parts")
    name, id_text, key_text = parts
    key = base64_bytes(key_text)
    verifier = _verifier(name, key[0] if key else 0, key[1:])
    if id_text != verifier.key_id.hex():
        raise Malformed("a verifier key's id is not the one of its name and key")
    return verifier


def parse(data: bytes) -> Note:
    """A note from its bytes. Raises Malformed; verifies nothing."""
    if len(data) > MAX_BYTES:
        raise Malformed("a note is larger than 1 MB")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a note is not UTF-8") from error
    _only_printable(whole)
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise Malformed("a note has no empty line followed by signature lines")
    signatures = [_parse_line(line) for line in lines[:-1].split("\n")]
    if len(signatures) > MAX_SIGNATURES:
        raise Malformed("a note has more than 100 signatures")
    return Note(text + "\n", tuple(signatures))


def sign(text: str, name: str, key: SigningKey) -> bytes:
    """The note's bytes: `text` signed once by `key` under `name`. Raises Malformed for a bad text or name."""
    return Note(text, (signature(text, name, key),)).encode()


def signature(text: str, name: str, key: SigningKey) -> Signature:
    """An Ed25519 signature (type 0x01) over a note's text. Raises Malformed for a bad text or name."""
    if not text.endswith("\n"):
        raise Malformed("a note's text does not end in a newline")
    _only_printable(text)
    public_key = key.public_key().public_bytes_raw()
    return Signature(name, _verifier(name, ED25519, public_key).key_id, key.sign(_utf8(text)))


def verify(note: Note, verifiers: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """Those of the Ed25519 `verifiers` that signed the note, each once, in the verifiers' order.

    Lines of unknown keys are passed over. Raises SignatureInvalid if a line of a known key does not fit, or if no known
    key has signed.
    """
    found = []
    for verifier in dict.fromkeys(verifiers):
        lines = [line for line in note.signatures if verifier.signed(line)]
        for line in lines:
            verifier.verify_bytes(note.text.encode(), line.payload)
        if lines:
            found.append(verifier)
    if not found:
        raise SignatureInvalid("no known key has signed the note")
    return tuple(found)


def check_name(name: str) -> str:
    """`name` if it can name a key: not empty, no white space, no plus, no control character. Raises Malformed."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise Malformed("a key name is empty or has a space, a plus or a control character")
    _utf8(name)
    return name


def _verifier(name: str, key_type: int, public_key: bytes) -> Verifier:
    if key_type == COSIGNATURE_ML_DSA:
        if len(name.encode(errors="replace")) > MAX_COSIGNER_BYTES:
            raise Malformed("a witness's name is longer than 255 bytes")
        if not mldsa.is_sound(public_key):
            raise Malformed("a verifier key is not one of ML-DSA-44, or the library here is too old for it")
        return Verifier(check_name(name), key_type, public_key)
    if key_type not in (ED25519, COSIGNATURE_V1) or len(public_key) != ed25519.KEY_BYTES:
        raise Malformed("a verifier key is not Ed25519 of type 1 or 4, or ML-DSA-44 of type 6")
    if not ed25519.is_sound(public_key):
        raise Malformed("a verifier key is one under which anybody can sign")
    return Verifier(check_name(name), key_type, public_key)


def _parse_line(line: str) -> Signature:
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not separator:
        raise Malformed("a signature line is not a dash, a name and a signature")
    data = base64_bytes(encoded)
    if len(data) <= KEY_ID_BYTES:
        raise Malformed("a signature is too short")
    return Signature(check_name(name), data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _only_printable(text: str) -> None:
    if any(character < " " and character != "\n" for character in text):
        raise Malformed("a note has a control character")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("a text has a lone surrogate") from error
