"""Dates, durations, sizes and digests read as UX.md says."""

from datetime import UTC, datetime

import pytest

from portal import formats

AT = datetime(2026, 3, 14, 13, 5, 22, tzinfo=UTC)


def test_moment_names_its_zone() -> None:
    assert formats.moment(AT, 5) == "14.03.2026 18:05:22 (UTC+5)"
    assert formats.moment(AT, -3) == "14.03.2026 10:05:22 (UTC-3)"


def test_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        formats.moment(AT.replace(tzinfo=None), 5)


def test_day_and_clock() -> None:
    assert formats.day(AT, 5) == "14.03.2026"
    assert formats.clock(AT, 5) == "18:05:22"


@pytest.mark.parametrize(
    ("ms", "said"), [(0, "0:00"), (59_999, "0:59"), (62_000, "1:02"), (3_723_000, "1:02:03"), (-5, "0:00")]
)
def test_duration(ms: int, said: str) -> None:
    assert formats.duration(ms) == said


@pytest.mark.parametrize(
    ("size", "language", "said"),
    [
        (0, "en", "0 B"),
        (1023, "ru", "1 023 Б"),
        (1024, "en", "1.0 KiB"),
        (1536, "kk", "1,5 КиБ"),
        (3 * 2**40, "en", "3.0 TiB"),
        (5 * 2**50, "en", "5120.0 TiB"),
    ],
)
def test_size(size: int, language: str, said: str) -> None:
    assert formats.size(size, language).replace("\u00a0", " ").replace("\u202f", " ") == said


def test_short_digest() -> None:
    assert formats.short_digest("sha256:" + "ab" * 32) == "abababababab"


def test_from_ms() -> None:
    assert formats.from_ms(1_773_493_522_000) == AT


def test_a_day_is_the_readers() -> None:
    span = formats.day_span("2026-03-14", 5)
    assert span == (datetime(2026, 3, 13, 19, tzinfo=UTC), datetime(2026, 3, 14, 19, tzinfo=UTC))
    assert formats.moment(span[0], 5).startswith("14.03.2026 00:00:00")


@pytest.mark.parametrize("text", ["", "14.03.2026", "2026-02-30", "2026-03-14T00:00"])
def test_what_is_no_day_has_no_span(text: str) -> None:
    assert formats.day_span(text, 5) is None
