"""How dates, durations, sizes and digests read on a page: the same in all three languages but for the units."""

from datetime import UTC, datetime, timedelta, timezone

from portal.catalog import Language, grouped

_STEP = 1024
_UNITS = {
    "kk": ("Б", "КиБ", "МиБ", "ГиБ", "ТиБ"),
    "ru": ("Б", "КиБ", "МиБ", "ГиБ", "ТиБ"),
    "en": ("B", "KiB", "MiB", "GiB", "TiB"),
}
_DECIMAL = {"kk": ",", "ru": ",", "en": "."}


def moment(at: datetime, offset_hours: int) -> str:
    """`14.03.2026 18:05:22 (UTC+5)`. `at` must be aware; raises ValueError if it is not."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    local = at.astimezone(timezone(timedelta(hours=offset_hours)))
    return f"{local:%d.%m.%Y %H:%M:%S} (UTC{offset_hours:+d})"


def day(at: datetime, offset_hours: int) -> str:
    """`14.03.2026` in the reader's zone."""
    return f"{at.astimezone(timezone(timedelta(hours=offset_hours))):%d.%m.%Y}"


def day_span(text: str, offset_hours: int) -> tuple[datetime, datetime] | None:
    """Start and end (exclusive) of a day written `2026-03-14`, as the reader's zone has it; None for no such day."""
    try:
        start = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone(timedelta(hours=offset_hours)))
    except ValueError:
        return None
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


def clock(at: datetime, offset_hours: int) -> str:
    """`18:05:22` in the reader's zone."""
    return f"{at.astimezone(timezone(timedelta(hours=offset_hours))):%H:%M:%S}"


def from_ms(value_ms: int) -> datetime:
    """An aware UTC time from integer milliseconds since 1970."""
    return datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=value_ms)


def duration(value_ms: int) -> str:
    """`1:02:03` or `2:03` from milliseconds, cut down to whole seconds."""
    seconds = max(value_ms, 0) // 1000
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size(size_bytes: int, language: Language) -> str:
    """`1.4 MiB`: binary units, one decimal, the exact number below 1 KiB."""
    if size_bytes < _STEP:
        return f"{grouped(size_bytes)}\u00a0{_UNITS[language][0]}"
    value = float(size_bytes)
    for unit in _UNITS[language]:
        if value < _STEP or unit == _UNITS[language][-1]:
            break
        value /= _STEP
    return f"{value:.1f}".replace(".", _DECIMAL[language]) + f"\u00a0{unit}"


def short_digest(digest: str) -> str:
    """The first twelve hexadecimal digits of `sha256:…`, for recognising; never for proving."""
    return digest.rpartition(":")[2][:12]
