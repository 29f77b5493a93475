"""The redaction desk: decide, add, submit; the approver's preview; what was burned and its leak check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal import catalog
from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.cases import CaseHead
from portal.pages.exhibits import ExhibitRef, Job, Rendition
from portal.pages.transcript import Turn
from portal.rendering import page

ISLAND_WORDS = ("redaction.picked", "redaction.pick_none", "redaction.decided_live", "transcript.saved")


@dataclass(frozen=True)
class ReasonChoice:
    """A ground in law: its code and its label in the reader's language."""

    code: str
    label: str


@dataclass(frozen=True)
class SuggestionRow:
    """One place to decide. `before` and `after` are its context; `state` is open, accepted or rejected.

    `source` is machine or person; `language` that of the quoted words; `page_number` for documents, from 1.
    """

    id: UUID
    text: str
    before: str
    after: str
    state: str
    source: str = "machine"
    language: str = "ru"
    reason: str | None = None
    replacement: str | None = None
    start_ms: int | None = None
    page_number: int | None = None


@dataclass(frozen=True)
class SuggestionGroup:
    """Suggestions of one kind and one person or number. `entity` is one of redaction's ENTITIES."""

    entity: str
    label: str
    rows: tuple[SuggestionRow, ...]


@dataclass(frozen=True)
class RedactionDesk:
    """The desk. `state` is drafted or returned. `turns` let one pick words by number, from 1 over the whole transcript.

    They are empty for documents, where passages are added by their text (`document_text`).
    """

    head: CaseHead
    exhibit: ExhibitRef
    state: str
    groups: tuple[SuggestionGroup, ...]
    reasons: tuple[ReasonChoice, ...]
    audio_href: str | None = None
    duration_ms: int = 0
    turns: tuple[Turn, ...] = ()
    document_text: str | None = None
    returned_by: str | None = None
    returned_reason: str | None = None
    can_decide: bool = True
    version: int = 1
    form: Form = EMPTY_FORM
    unseen: str | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many suggestions are in each state."""
        rows = [row for group in self.groups for row in group.rows]
        return {state: sum(row.state == state for row in rows) for state in ("open", "accepted", "rejected")}


@dataclass(frozen=True)
class Run:
    """A stretch of the released text. A hidden one shows its pseudonym, or solid fill when `shown` is empty."""

    shown: str
    hidden: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class PreviewLine:
    """A turn or paragraph exactly as it will be released."""

    runs: tuple[Run, ...]
    language: str
    speaker: str | None = None
    start_ms: int | None = None


@dataclass(frozen=True)
class PlanReview:
    """The approver's view. `state` is submitted, approved or returned.

    `another_approves`: it waits for somebody else than this person. `reasons` are labels by code.
    """

    head: CaseHead
    exhibit: ExhibitRef
    state: str
    plan_digest: str
    submitted_by: str
    submitted_at: datetime
    lines: tuple[PreviewLine, ...]
    reasons: Mapping[str, str]
    hidden: int
    muted_ms: int = 0
    rejected: int = 0
    can_approve: bool = False
    another_approves: bool = False
    approved_by: str | None = None
    approved_at: datetime | None = None
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class LeakCheck:
    """One attack on a rendition. `name` is redaction's code of the attack; `state` is passed, failed or not_run.

    `detail` is the report's own plain English sentence.
    """

    name: str
    state: str
    detail: str


@dataclass(frozen=True)
class CheckedRendition:
    """A rendition with its leak report; `checks` are empty until the report is there."""

    rendition: Rendition
    checks: tuple[LeakCheck, ...] = ()
    checked_at: datetime | None = None


@dataclass(frozen=True)
class Renditions:
    """What was burned from an approved plan."""

    head: CaseHead
    exhibit: ExhibitRef
    renditions: tuple[CheckedRendition, ...]
    job: Job | None = None
    failed_code: str | None = None


def render_redaction(context: RequestContext, model: RedactionDesk) -> str:
    words = {key: catalog.text(context.language, key) for key in ISLAND_WORDS}
    return page("redaction.html", context, model, words=words, keys_of="redaction")


def render_plan_review(context: RequestContext, model: PlanReview) -> str:
    return page("plan_review.html", context, model)


def render_renditions(context: RequestContext, model: Renditions) -> str:
    return page("renditions.html", context, model)
