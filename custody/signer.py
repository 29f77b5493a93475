"""The log's signing key: a port, the key kept in an encrypted file, and the key kept in a PKCS #11 token.

The file holds PKCS #8, encrypted with a passphrase that lives in another file (a mounted secret). It defends a backup
that lost only one of the two, not a machine that was taken over. A token does not give its key away: who takes over
the machine can have signed what he likes while he is there, and can take nothing with him.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from custody.kernel.errors import Conflict, Corrupt, Invalid, Unavailable
from custody.kernel.private_file import read_private
from custody.pkcs11 import TokenKeys
from custody.proof import note

if TYPE_CHECKING:
    from pkcs11 import Session

_ED25519 = frozenset({bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519"})
"""CKA_EC_PARAMS of Ed25519: the object identifier (RFC 8410) or the curve's name (PKCS #11 v3, section 6.3.3)."""
_POINT = b"\x04\x20"
"""CKA_EC_POINT is the 32 bytes as a DER octet string; some tokens leave out its two bytes."""


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
        self._key = _load(read_private(key_file), read_private(passphrase_file).strip())

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes over `data`."""
        return self._key.sign(data)

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        return self._key.public_key()


class TokenSigner:
    """A signer over the Ed25519 key pair with a label in a token (CKM_EDDSA, RFC 8032). The key never leaves it.

    Every signature is verified before it is given away. Raises Invalid `hsm.key_unsuitable` for a key of another kind,
    and what `TokenKeys.use` raises; signing too, for a token can be taken out at any time.
    """

    def __init__(self, name: str, token: TokenKeys, label: str) -> None:
        self.name = note.check_name(name)
        self._token = token
        self._label = label
        self._public = token.use(lambda session: _public(session, label))
        self.sign(secrets.token_bytes(32))  # that both halves are one pair is found out now, not at the first head

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes over `data`. Raises Unavailable `hsm.signature_false` when the token's answer is none of its key."""
        from pkcs11 import Mechanism  # noqa: PLC0415  loaded only where there is a token

        def act(session: "Session") -> bytes:
            signed: bytes = _private(session, self._label).sign(data, mechanism=Mechanism.EDDSA)
            return signed

        signature = self._token.use(act)
        try:
            self._public.verify(signature, data)
        except InvalidSignature as error:
            raise Unavailable("hsm.signature_false", key=self._label) from error
        return signature

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        return self._public


class LateSigner:
    """The signer of a log whose key is known, opened when it is first needed: a token that is away keeps nobody from
    ordering events, and nothing but signing waits for it.

    Signing raises what `open_signer` raises, and Conflict `ledger.other_key` when that opens another key than the
    log's.
    """

    def __init__(self, vkey: str, open_signer: Callable[[], Signer]) -> None:
        self._verifier = note.parse_vkey(vkey)
        self.name = self._verifier.name
        self._open = open_signer
        self._signer: Signer | None = None

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes over `data`."""
        if self._signer is None:
            opened = self._open()
            if verifier(opened) != self._verifier:
                raise Conflict("ledger.other_key", origin=self.name)
            self._signer = opened
        return self._signer.sign(data)

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        return Ed25519PublicKey.from_public_bytes(self._verifier.public_key)


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
    passphrase = read_private(passphrase_file).strip()
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


def _load(pem: bytes, passphrase: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError) as error:
        raise Corrupt("key.unreadable") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Corrupt("key.unreadable")
    return key


def create_token_key(token: TokenKeys, label: str) -> None:
    """Make an Ed25519 key pair in the token, which must be opened for writing; not extractable, never seen outside.

    Raises Conflict `key.exists` when the token has a key of this label.
    """
    from pkcs11 import Attribute, KeyType, Mechanism, exceptions  # noqa: PLC0415  as above

    def act(session: "Session") -> None:
        if list(session.get_objects({Attribute.LABEL: label})):
            raise Conflict("key.exists")
        curve = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: min(_ED25519)}, local=True)
        template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True}
        try:
            curve.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                label=label,
                id=secrets.token_bytes(8),
                store=True,
                private_template=template,
            )
        except (exceptions.MechanismInvalid, exceptions.FunctionNotSupported) as error:
            raise Invalid("hsm.key_unsuitable", key=label) from error

    token.use(act)


def _public(session: "Session", label: str) -> Ed25519PublicKey:
    """Raises Invalid `hsm.key_unsuitable`, and what the token raises."""
    from pkcs11 import Attribute, ObjectClass  # noqa: PLC0415  as above

    key = session.get_key(label=label, object_class=ObjectClass.PUBLIC_KEY)
    if not _is_ed25519(key):
        raise Invalid("hsm.key_unsuitable", key=label)
    point = bytes(key[Attribute.EC_POINT])
    return Ed25519PublicKey.from_public_bytes(point.removeprefix(_POINT) if len(point) > 32 else point)


def _private(session: "Session", label: str) -> Any:
    from pkcs11 import ObjectClass  # noqa: PLC0415  as above

    key = session.get_key(label=label, object_class=ObjectClass.PRIVATE_KEY)
    if not _is_ed25519(key):
        raise Invalid("hsm.key_unsuitable", key=label)
    return key


def _is_ed25519(key: Any) -> bool:
    from pkcs11 import Attribute, KeyType  # noqa: PLC0415  as above

    return key.key_type == KeyType.EC_EDWARDS and bytes(key[Attribute.EC_PARAMS]) in _ED25519
