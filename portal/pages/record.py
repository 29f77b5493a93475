"""An exhibit's record: three sentences first, then the steps, then everybody in it, then its events."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.context import RequestContext
from portal.pages.cases import CaseHead
from portal.pages.events import EventLine, sentence
from portal.pages.exhibits import ExhibitRef
from portal.rendering import page


@dataclass(frozen=True)
class Answer:
    """One of the three sentences. `tone` is good, wait or bad; `kind` names the question: same, people, complete."""

    kind: str
    tone: str
    sentence: str


@dataclass(frozen=True)
class RecordStep:
    """A step in words. `state` is holds, fails, waits or skipped; `verifier` its number for `python -m custody verify`.

    `does_not_prove` is there when it fails.
    """

    number: int
    name: str
    state: str
    expected: str
    found: str
    does_not_prove: str | None = None
    verifier: int | None = None


@dataclass(frozen=True)
class Person:
    """Somebody in the chain; the system itself has no name."""

    account: UUID | None
    name: str
    roles: tuple[str, ...]
    events: int
    reads: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class ExhibitRecord:
    """The page. `events` are those of this page of the chain, `total` all; exports are by format.

    `proved` of `covered` events were followed to the log's head one by one, when fewer.
    """

    head: CaseHead
    exhibit: ExhibitRef
    answers: tuple[Answer, ...]
    steps: tuple[RecordStep, ...]
    limits: str
    people: tuple[Person, ...]
    events: tuple[EventLine, ...]
    total: int
    covered: int
    proved: int
    checked_at: datetime
    exports: tuple[tuple[str, str], ...] = ()
    next_href: str | None = None
    first_href: str | None = None


def render_record(context: RequestContext, model: ExhibitRecord) -> str:
    sentences = [sentence(context.language, context.offset_hours, event) for event in model.events]
    return page("record.html", context, model, sentences=sentences)
