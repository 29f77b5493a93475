"""Whether the stored files are still what was sealed: the auditor's page, and the alarms that other pages show."""

from dataclasses import dataclass
from datetime import datetime

from portal.context import RequestContext
from portal.rendering import page


@dataclass(frozen=True)
class AlarmLine:
    """A difference. `what` is a code of the catalog (`fixity.what.…`); `segment` counts from 1, None for the whole.

    `about` is an exhibit or a disclosure, with its `number` and its case's `erdr`; empty where the page is about it
    anyway, and for the store as a whole.
    """

    what: str
    segment: int | None
    expected: str
    found: str
    at: datetime
    cleared_at: datetime | None = None
    href: str | None = None
    about: str = ""
    number: int = 0
    erdr: str = ""


@dataclass(frozen=True)
class RoundLine:
    """A round. `ended_at` is None while it is under way."""

    deep: bool
    began_at: datetime
    ended_at: datetime | None
    checked: int
    size_bytes: int
    differences: int


@dataclass(frozen=True)
class ScanLine:
    """Sealed originals: all, those the malware scanner spoke of, of these the infected and those too large for it."""

    total: int
    scanned: int
    infected: int
    too_large: int


@dataclass(frozen=True)
class FixityPage:
    """The whole store. Sizes in bytes; `next_…` are None while nothing is stored, `scan` where there is no scanner."""

    objects: int
    size_bytes: int
    checked: int
    damaged: int
    oldest: datetime | None
    rate: int
    running: RoundLine | None
    rounds: tuple[RoundLine, ...]
    next_light: datetime | None
    next_deep: datetime | None
    alarms: tuple[AlarmLine, ...]
    may_run: bool = False
    scan: ScanLine | None = None


def render_fixity(context: RequestContext, model: FixityPage) -> str:
    return page("fixity.html", context, model)
