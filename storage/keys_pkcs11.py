"""The key-encryption key in a PKCS#11 token (an HSM; SoftHSM2 in tests): AES-256 keys that never leave it.

Versions are secret keys of one label, told apart by CKA_ID, the version's number. CKM_AES_GCM with a random nonce, the
blob's id as additional data. Source: PKCS #11 v3.0 Current Mechanisms, section 2.12.3.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass, SecretKey, Session
from pkcs11.exceptions import NoSuchKey, PKCS11Error

from custody.kernel.errors import Conflict, Corrupt, DalelError, Denied, Unavailable
from custody.pkcs11 import TokenKeys, TokenPlace
from storage.keys import WrappedKey

_AAD: Final = b"dalel wrapped key v1\x00"
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
T = TypeVar("T")


class TokenKeyWrapper:
    """`KeyWrapper` over a PKCS#11 token, opened at the first use. `label` is that of our keys.

    Not guaranteed: that the token refuses to give its keys away. They are asked to be sensitive and not extractable; a
    token that ignores that is not seen through.
    """

    def __init__(self, place: TokenPlace, label: str = "dalel-kek") -> None:
        self._token = TokenKeys(place, writing=True)
        self._label = label

    @property
    def key_id(self) -> str:
        """Names the newest version."""
        return self._named(max(self._calling(self._found)))

    def wrap(self, key: bytes, blob_id: UUID) -> WrappedKey:
        """The data key encrypted by the token."""
        return self._calling(lambda session: self._wrap(self._found(session), key, blob_id))

    def unwrap(self, wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        """The data key, decrypted by the token."""
        return self._calling(lambda session: self._unwrap(self._found(session), wrapped, key_id, blob_id))

    def rewrap(self, wrapped: Sequence[tuple[WrappedKey, UUID]]) -> list[WrappedKey]:
        """Under the newest version. PKCS#11 has no rewrap: each data key passes through this process."""

        def act(session: Session) -> list[WrappedKey]:
            found = self._found(session)
            return [
                self._wrap(found, self._unwrap(found, one.data, one.key_id, blob_id), blob_id)
                for one, blob_id in wrapped
            ]

        return self._calling(act)

    def ensure(self) -> None:
        """Make the first key if there is none, and try it out."""
        self._calling(self._first)
        probe = self.wrap(bytes(32), UUID(int=0))
        self.unwrap(probe.data, probe.key_id, UUID(int=0))

    def rotate(self) -> str:
        """A new key in the token."""

        def act(session: Session) -> str:
            number = max(self._found(session)) + 1
            self._make(session, number)
            return self._named(number)

        return self._calling(act)

    def versions(self) -> list[str]:
        """Every key of our label, oldest first."""
        return [self._named(number) for number in sorted(self._calling(self._found))]

    def retire(self, key_id: str) -> None:
        """Destroy a key in the token. Raises Conflict `keys.in_use` for the newest."""

        def act(session: Session) -> None:
            found = self._found(session)
            number = self._number(key_id)
            if number == max(found):
                raise Conflict("keys.in_use", key=key_id)
            if number in found:
                found[number].destroy()

        self._calling(act)

    def _calling(self, act: Callable[[Session], T]) -> T:
        """`act` on a session that is logged in; the token's errors become the port's."""
        try:
            return self._token.use(act)
        except Denied as refusal:
            raise Unavailable("keys.refused") from refusal
        except DalelError as fault:
            if not fault.code.startswith("hsm."):
                raise
            raise Unavailable("keys.unavailable") from fault

    def close(self) -> None:
        """End the session."""
        self._token.close()

    def _any(self, session: Session) -> dict[int, Any]:
        """Our keys by version. Asked each time: another process may have made a newer one."""
        wanted = {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.LABEL: self._label,
        }
        return {int.from_bytes(key.id): key for key in session.get_objects(wanted) if isinstance(key, SecretKey)}

    def _first(self, session: Session) -> None:
        if not self._any(session):
            self._make(session, 1)

    def _found(self, session: Session) -> dict[int, Any]:
        found = self._any(session)
        if not found:
            raise NoSuchKey  # a token put back shows its keys to a new session only, which `TokenKeys` then opens
        return found

    def _make(self, session: Session, number: int) -> None:
        session.generate_key(
            KeyType.AES,
            256,
            id=number.to_bytes(4),
            label=self._label,
            store=True,
            template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )

    def _wrap(self, found: dict[int, Any], key: bytes, blob_id: UUID) -> WrappedKey:
        number = max(found)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = found[number].encrypt(
            key, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, _AAD + blob_id.bytes)
        )
        return WrappedKey(self._named(number), _VERSION + nonce + sealed)

    def _unwrap(self, found: dict[int, Any], wrapped: bytes, key_id: str, blob_id: UUID) -> bytes:
        ours = found.get(self._number(key_id))
        if ours is None:
            raise Unavailable("keys.unknown", key=key_id)
        if wrapped[:1] != _VERSION or len(wrapped) <= 1 + _NONCE_BYTES:
            raise Corrupt("keys.corrupt")
        params = GCMParams(wrapped[1 : 1 + _NONCE_BYTES], _AAD + blob_id.bytes)
        try:
            return bytes(ours.decrypt(wrapped[1 + _NONCE_BYTES :], mechanism=Mechanism.AES_GCM, mechanism_param=params))
        except PKCS11Error as fault:
            # Tokens name a wrong tag in many ways (SoftHSM: CKR_GENERAL_ERROR). One that still encrypts and decrypts
            # is not away: then it is the wrap that is wrong.
            self._try(ours)
            raise Corrupt("keys.corrupt") from fault

    @staticmethod
    def _try(ours: Any) -> None:
        params = GCMParams(secrets.token_bytes(_NONCE_BYTES), _AAD)
        sealed = ours.encrypt(bytes(32), mechanism=Mechanism.AES_GCM, mechanism_param=params)
        ours.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=params)

    def _named(self, number: int) -> str:
        return f"pkcs11:{self._label}:{number}"

    def _number(self, key_id: str) -> int:
        prefix = f"pkcs11:{self._label}:"
        number = key_id.removeprefix(prefix)
        if not key_id.startswith(prefix) or not (number.isascii() and number.isdigit()):
            raise Unavailable("keys.unknown", key=key_id)
        return int(number)
