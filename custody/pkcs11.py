"""Keys in hardware: a PKCS #11 token (an HSM, a smart card, SoftHSM2), opened and kept open. What is done with the keys
is the business of whoever asks: the log's signer, the storage's key-encryption key.

`python-pkcs11` is loaded when a token is first used, never before. The PIN comes from a private file, is handed to the
token and kept nowhere: no error, log line or event carries it.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from custody.kernel.errors import Conflict, DalelError, Denied, NotFound, Unavailable
from custody.kernel.private_file import read_private

if TYPE_CHECKING:
    from pkcs11 import Session

T = TypeVar("T")

_MODULES = threading.RLock()
"""A module is one state machine per process, and opening it anew ends every session: one call at a time, of all."""


@dataclass(frozen=True)
class TokenPlace:
    """Where a token is: the vendor's library, the token's label, and a file (mode 0600) with the user's PIN."""

    module: Path
    token: str
    pin_file: Path


class TokenKeys:
    """The keys of one token, logged in. Safe between threads, which wait for each other; not across a fork: make one
    in the child.

    A token that was unplugged and put back, or whose session ended, is opened again by the next use. A wrong PIN is
    tried once in the life of a process, and the last try that a token grants is never used up: a program that starts
    again and again would lock the token for good.
    """

    def __init__(self, place: TokenPlace, *, writing: bool = False) -> None:
        self._place = place
        self._writing = writing
        self._session: Session | None = None
        self._pin_refused = False

    def use(self, act: Callable[["Session"], T]) -> T:
        """What `act` returns for a session that is logged in; it may be called again after an error of the token.

        Raises NotFound `hsm.module_missing` (no such library, or it is none), `hsm.key_missing`; Conflict
        `hsm.key_ambiguous` (two of one label); Denied `hsm.pin_wrong`, `hsm.pin_locked`, `key.exposed`; Unavailable
        `hsm.token_missing`, `hsm.unavailable` (unplugged, out of order): trying later may help.
        """
        from pkcs11 import exceptions  # noqa: PLC0415  loaded only where there is a token

        with _MODULES:
            try:
                for renewal in (self._kept, self._reopened):
                    with suppress(exceptions.PKCS11Error):
                        return act(renewal())
                return act(self._reloaded())
            except exceptions.PKCS11Error as error:
                self.close()
                raise self._refusal(error) from error

    def close(self) -> None:
        """End the session, and with the last one of the process the login. `use` opens it again."""
        from pkcs11 import exceptions  # noqa: PLC0415  as above

        with _MODULES:
            session, self._session = self._session, None
            if session is not None:
                with suppress(exceptions.PKCS11Error):
                    session.close()

    def _kept(self) -> "Session":
        return self._session or self._reopened()

    def _reopened(self) -> "Session":
        self.close()
        self._session = self._logged_in(self._module())
        return self._session

    def _reloaded(self) -> "Session":
        """A module lists its tokens when it begins: one that was put back is seen only by beginning again."""
        self.close()
        module = self._module()
        module.reinitialize()
        self._session = self._logged_in(module)
        return self._session

    def _module(self) -> Any:
        import pkcs11  # noqa: PLC0415  as above

        try:
            return pkcs11.lib(str(self._place.module))
        except pkcs11.PKCS11Error as error:
            raise NotFound("hsm.module_missing", module=self._place.module.name) from error

    def _logged_in(self, module: Any) -> "Session":
        from pkcs11 import TokenFlag, exceptions  # noqa: PLC0415  as above

        token = module.get_token(token_label=self._place.token)
        if self._pin_refused:
            raise self._denied_pin()
        if token.flags & (TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED):
            raise Denied("hsm.pin_locked", token=self._place.token)
        pin = read_private(self._place.pin_file).decode("utf-8", "replace").strip()
        try:
            opened: Session = token.open(rw=self._writing, user_pin=pin)
        except exceptions.UserAlreadyLoggedIn:  # another part of this process; the login is the process's
            opened = token.open(rw=self._writing)
        except (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange) as error:
            self._pin_refused = True
            raise self._denied_pin() from error
        return opened

    def _denied_pin(self) -> Denied:
        return Denied("hsm.pin_wrong", token=self._place.token)

    def _refusal(self, error: Exception) -> DalelError:
        from pkcs11 import exceptions  # noqa: PLC0415  as above

        match error:
            case exceptions.NoSuchToken() | exceptions.TokenNotPresent():
                return Unavailable("hsm.token_missing", token=self._place.token)
            case exceptions.MultipleTokensReturned():
                return Conflict("hsm.key_ambiguous", token=self._place.token)
            case exceptions.NoSuchKey():
                return NotFound("hsm.key_missing", token=self._place.token)
            case exceptions.MultipleObjectsReturned():
                return Conflict("hsm.key_ambiguous", token=self._place.token)
            case exceptions.PinLocked() | exceptions.PinExpired() | exceptions.UserPinNotInitialized():
                return Denied("hsm.pin_locked", token=self._place.token)
            case _:
                return Unavailable("hsm.unavailable", token=self._place.token, error=type(error).__name__)
