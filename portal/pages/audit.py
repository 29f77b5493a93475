"""The auditor's pages: a trail with filters, and the state of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.context import RequestContext
from portal.pages.cases import CaseHead
from portal.pages.events import EventLine, sentence
from portal.rendering import page

AREAS = ("case", "exhibit", "content", "transcript", "plan", "rendition", "disclosure", "access")
"""Filter by area: the part of an event's type before the dot; `access` is access, session and account."""


FORMATS = ("pdf", "csv", "json", "jsonld")
"""In which forms a trail can be taken away."""


@dataclass(frozen=True)
class Ledger:
    """The state of the log. `pending` events wait for the sequencer; `checkpoint_note` is the signed note's text.

    `witnesses` cosigned the head, each at its time; `witnessed_size` is the largest head behind which the quorum
    stands. While it is behind `checkpoint_size` the page says so. `halted`: the code of why nothing may be written.
    """

    origin: str
    size: int
    pending: int
    root: str
    checkpoint_at: datetime | None
    checkpoint_note: str
    checkpoint_size: int = 0
    witnesses: tuple[tuple[str, datetime], ...] = ()
    witnessed_size: int = 0
    anchored_at: datetime | None = None
    anchored_by: str = ""
    checks: "Checks | None" = None
    halted: str = ""


@dataclass(frozen=True)
class Check:
    """A check of the whole ledger: its sentences, the answer first, and where its exact report and its act lie."""

    at: datetime
    same: bool
    sentences: tuple[str, ...]
    sha256: str
    href: str
    paper_href: str


@dataclass(frozen=True)
class Checks:
    """The last checks, newest first. `done` of `total` entries while one is under way; `failed`: why none was made."""

    last: tuple[Check, ...]
    since: datetime | None = None
    done: int = 0
    total: int = 0
    failed: str | None = None


@dataclass(frozen=True)
class Trail:
    """A page of events, newest first. Filters live in the address: area, actor, exhibit (number), since, until.

    `head` is None for the trail of the whole system. `next_href` and `exports` (by format) keep the filters.
    """

    head: CaseHead | None
    events: tuple[EventLine, ...]
    ledger: Ledger
    filters: Mapping[str, str] = field(default_factory=dict)
    next_href: str | None = None
    exports: tuple[tuple[str, str], ...] = ()
    print_href: str | None = None


def render_trail(context: RequestContext, model: Trail) -> str:
    sentences = [sentence(context.language, context.offset_hours, event) for event in model.events]
    return page("trail.html", context, model, tab="trail", sentences=sentences, areas=AREAS)


def render_ledger(context: RequestContext, model: Ledger) -> str:
    return page("ledger.html", context, model)
