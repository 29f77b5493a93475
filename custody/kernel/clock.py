"""The one clock. Times are aware UTC; nothing else in the program may ask the operating system what time it is."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Order is never taken from it: order is the ledger index."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The operating system's clock. Not guaranteed to be monotonic or right."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the Unix epoch of an aware moment, rounded down."""
    if moment.tzinfo is None:
        raise ValueError("a naive time has no place on a time line")
    return int(moment.timestamp() * 1000)


def from_ms(time_ms: int) -> datetime:
    """The aware UTC moment of milliseconds since the Unix epoch."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)
