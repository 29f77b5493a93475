"""A clock that stands still until told to move."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Tells `moment` for ever, or until `advance`."""

    def __init__(self, moment: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)) -> None:
        if moment.tzinfo is None:
            raise ValueError("a naive time has no place on a time line")
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta | None = None, *, seconds: float = 0.0) -> datetime:
        """Move on and tell the new time."""
        self.moment += (by or timedelta()) + timedelta(seconds=seconds)
        return self.moment
