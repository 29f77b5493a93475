"""The one id factory: UUID version 7 (RFC 9562, section 5.7), so that keys made later sort later."""

import secrets
from typing import Protocol
from uuid import UUID

from custody.kernel.clock import Clock, to_ms


class IdFactory(Protocol):
    """Makes identifiers and nonces."""

    def new(self) -> UUID:
        """A new identifier, unlike any before."""
        ...

    def nonce(self) -> bytes:
        """16 unpredictable bytes."""
        ...


class RandomIds:
    """UUIDv7 from the injected clock and the operating system's random source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self) -> UUID:
        """48 bits of milliseconds, then 74 random bits. Not guaranteed monotonic within a millisecond."""
        time_bits = to_ms(self._clock.now()) & ((1 << 48) - 1)
        tail = secrets.randbits(74)
        value = time_bits << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & ((1 << 62) - 1)
        return UUID(int=value)

    def nonce(self) -> bytes:
        """16 bytes from the operating system's random source."""
        return secrets.token_bytes(16)
