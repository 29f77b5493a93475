"""Why something is kept, for what, and until when: required, typed, and counted from a clock (rules only)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from custody.kernel.errors import Invalid

MAX_RETAIN_DAYS: Final = 36_500
"""A hundred years: above it a term is a typing mistake that Object Lock would make permanent."""


class Basis(StrEnum):
    """The legal ground on which an exhibit is held."""

    INSPECTION = "inspection"
    SEARCH = "search"
    SEIZURE = "seizure"
    PROVIDED = "provided"
    COURT_ORDER = "court_order"
    COVERT_ACTION = "covert_action"
    INTERROGATION = "interrogation"
    EXPERT_OPINION = "expert_opinion"
    FOREIGN_REQUEST = "foreign_request"
    ADMINISTRATIVE_RECORD = "administrative_record"


class Purpose(StrEnum):
    """What an exhibit is held for."""

    PRETRIAL = "pretrial"
    TRIAL = "trial"
    EXECUTION = "execution"
    CASSATION = "cassation"
    ARCHIVE = "archive"
    TRAINING = "training"


@dataclass(frozen=True)
class Term:
    """Basis, purpose and how many days an exhibit is kept; it does not leave draft without all three.

    Raises Invalid `retention.bad_days` outside 1 to 36,500.
    """

    basis: Basis
    purpose: Purpose
    retain_days: int

    def __post_init__(self) -> None:
        if not 0 < self.retain_days <= MAX_RETAIN_DAYS:
            raise Invalid("retention.bad_days", most=MAX_RETAIN_DAYS)

    @classmethod
    def parse(cls, basis: str, purpose: str, retain_days: str | int) -> "Term":
        """From a form's or an API's text. Raises Invalid `retention.bad_basis`, `.bad_purpose`, `.bad_days`."""
        if basis not in set(Basis):
            raise Invalid("retention.bad_basis")
        if purpose not in set(Purpose):
            raise Invalid("retention.bad_purpose")
        if not re.fullmatch(r"[0-9]{1,6}", str(retain_days), re.ASCII):
            raise Invalid("retention.bad_days", most=MAX_RETAIN_DAYS)
        return cls(Basis(basis), Purpose(purpose), int(retain_days))


def retain_until(start: datetime, term: Term) -> datetime:
    """The moment before which the object cannot be deleted: whole seconds, rounded up, because S3 keeps seconds.

    `start` is aware; the result is UTC.
    """
    if start.tzinfo is None:
        raise ValueError("a naive time has no place on a time line")
    moment = start.astimezone(UTC) + timedelta(days=term.retain_days)
    return whole_seconds(moment)


def whole_seconds(moment: datetime) -> datetime:
    """The moment rounded up to a whole second."""
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)
