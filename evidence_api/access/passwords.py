"""Passwords: argon2id (RFC 9106), honest rules for new ones, the same work for a login that does not exist."""

import threading
import unicodedata
from functools import cached_property

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from custody.kernel.errors import Invalid, TooMany

SHORTEST = 12
LONGEST_BYTES = 1024
_AT_ONCE = 4
_WAIT_SECONDS = 10.0
_COMMON = (
    "password",
    "qwerty",
    "йцукен",
    "құпиясөз",
    "пароль",
    "1234567890",
    "123456789",
    "iloveyou",
    "dragon",
    "monkey",
    "administrator",
    "dalel",
)


class Passwords:
    """Hashes and checks passwords. Made once by the composition root; safe to share between threads.

    The defaults are RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes). At most four hashes run at once, so
    that a flood of sign-ins cannot take the memory. It is no protection for a password that was guessed or stolen.
    """

    def __init__(self, *, passes: int = 3, memory_kib: int = 64 * 1024, lanes: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    @cached_property
    def _nobody(self) -> str:
        """What an unknown login is compared with. Made at the first comparison, whoever asks: most processes make none,
        and a quarter of a second in each of them is felt when all of them start.
        """
        return self._hasher.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """The PHC string to keep. Raises TooMany `session.busy` when the machine is at its limit."""
        with self._slot():
            return self._hasher.hash(_bytes(_normal(password)))

    def verify(self, password: str, kept: str | None) -> bool:
        """Whether the password is the kept one. None (no such login) takes the same time and is never right."""
        if len(_bytes(password)) > LONGEST_BYTES:
            return False
        with self._slot():
            try:
                self._hasher.verify(kept or self._nobody, _bytes(_normal(password)))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's and should be made anew."""
        return self._hasher.check_needs_rehash(kept)

    def _slot(self) -> "_Slot":
        return _Slot(self._slots)


class _Slot:
    """One of the few places to hash in; waits a moment for a free one, then gives up."""

    def __init__(self, slots: threading.BoundedSemaphore) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        if not self._slots.acquire(timeout=_WAIT_SECONDS):
            raise TooMany("session.busy", retry_after_seconds=int(_WAIT_SECONDS))

    def __exit__(self, *_: object) -> None:
        self._slots.release()


def check_new(password: str, login: str) -> str:
    """The password, when it may be a new one (NIST SP 800-63B, section 3.1.1.2: length, not composition).

    Raises Invalid `password.too_short`, `password.too_long` or `password.too_common`: fewer than 12 characters, more
    than 1024 bytes, holding the login, made of few different characters, or built on one of the first guesses.
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise Invalid("password.too_short", shortest=SHORTEST)
    if len(_bytes(normal)) > LONGEST_BYTES:
        raise Invalid("password.too_long", longest_bytes=LONGEST_BYTES)
    folded = normal.casefold()
    rest = min((folded.replace(word, "") for word in (*_COMMON, login.casefold())), key=len)
    if len(set(folded)) < 5 or len(rest) < SHORTEST // 2:
        raise Invalid("password.too_common")
    return password


def _normal(password: str) -> str:
    """One form for the same letters typed on different keyboards."""
    return unicodedata.normalize("NFKC", password)


def _bytes(text: str) -> bytes:
    """JSON may carry lone surrogates: they are bytes like any other here."""
    return text.encode("utf-8", "surrogatepass")
