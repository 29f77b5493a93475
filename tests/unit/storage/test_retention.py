"""Terms of storage."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from custody.kernel.errors import Invalid
from storage.retention import MAX_RETAIN_DAYS, Basis, Purpose, Term, retain_until

START = datetime(2026, 11, 21, 9, 0, 0, 1, UTC)


def test_a_term_is_counted_in_whole_seconds_up() -> None:
    term = Term.parse("search", "trial", "30")
    assert term == Term(Basis.SEARCH, Purpose.TRIAL, 30)
    assert retain_until(START, term) == datetime(2026, 12, 21, 9, 0, 1, tzinfo=UTC)
    assert retain_until(START.replace(microsecond=0), term) == datetime(2026, 12, 21, 9, 0, tzinfo=UTC)


def test_a_term_ends_in_utc() -> None:
    almaty = timezone(timedelta(hours=5))
    until = retain_until(datetime(2026, 11, 21, 2, 0, tzinfo=almaty), Term(Basis.SEIZURE, Purpose.PRETRIAL, 1))
    assert until.tzinfo is UTC
    assert until == datetime(2026, 11, 21, 21, 0, tzinfo=UTC)


def test_a_naive_time_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="naive"):
        retain_until(datetime(2026, 1, 1), Term(Basis.SEARCH, Purpose.TRIAL, 1))  # noqa: DTZ001 - the mistake itself


@pytest.mark.parametrize("days", [1, MAX_RETAIN_DAYS])
def test_the_shortest_and_the_longest_term(days: int) -> None:
    assert Term.parse("search", "trial", days).retain_days == days


@pytest.mark.parametrize(
    ("basis", "purpose", "days", "code"),
    [
        ("", "trial", "1", "retention.bad_basis"),
        ("whim", "trial", "1", "retention.bad_basis"),
        ("search", "", "1", "retention.bad_purpose"),
        ("search", "trial", "0", "retention.bad_days"),
        ("search", "trial", "-1", "retention.bad_days"),
        ("search", "trial", "+5", "retention.bad_days"),
        ("search", "trial", "٣", "retention.bad_days"),
        ("search", "trial", "1.5", "retention.bad_days"),
        ("search", "trial", "", "retention.bad_days"),
        ("search", "trial", MAX_RETAIN_DAYS + 1, "retention.bad_days"),
    ],
)
def test_an_unfit_term_is_refused(basis: str, purpose: str, days: str | int, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Term.parse(basis, purpose, days)
    assert refusal.value.code == code
