"""One exhibit: facts, custody state, content, what can be done now, its chain of custody."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.cases import CaseHead
from portal.pages.events import EventLine, sentence
from portal.pages.examined import Findings, more
from portal.pages.fixity import AlarmLine
from portal.rendering import page

ACTIONS = (
    "request_transcript",
    "open_transcript",
    "suggest_plan",
    "open_plan",
    "review_plan",
    "open_renditions",
    "see_plan",
    "download",
    "discard",
)
"""What may be offered on an exhibit. The first that applies is shown as the next step."""


@dataclass(frozen=True)
class ExhibitRef:
    """An exhibit as a page about something of it names it."""

    id: UUID
    number: int
    name: str
    held: bool = False
    destroyed_at: datetime | None = None
    act_number: int | None = None
    act_href: str | None = None


@dataclass(frozen=True)
class ExhibitFacts:
    """Everything known of an exhibit. `recorded_at` is a claim of the file or the person, kept as text."""

    id: UUID
    number: int
    name: str
    folder: str
    state: str
    media_type: str | None
    size_bytes: int
    digest: str
    basis: str
    purpose: str
    retain_days: int
    registered_at: datetime
    registered_by: str
    ciphertext_digest: str | None = None
    sealed_at: datetime | None = None
    retain_until: datetime | None = None
    recorded_at: str | None = None
    checked_at: datetime | None = None
    check_passed: bool = True
    deep_checked_at: datetime | None = None
    refused_code: str | None = None
    category: str | None = None
    held: bool = False
    destroyed_at: datetime | None = None
    act_number: int | None = None
    act_href: str | None = None
    retention_href: str | None = None


@dataclass(frozen=True)
class Content:
    """A light view. `kind` is audio, video, image, pdf, text or other; addresses are under this site."""

    kind: str
    href: str
    download_href: str


@dataclass(frozen=True)
class Rendition:
    """A derived file. `state` is burned, passed or leaks; `kind` as in the manifest (sound, transcript, pdf)."""

    id: UUID
    kind: str
    size_bytes: int
    digest: str
    made_at: datetime
    state: str
    href: str | None = None


@dataclass(frozen=True)
class Job:
    """Work in progress. `kind` as in the catalog (`job.…`); `done_ms` of `total_ms` of sound are done."""

    kind: str
    started_at: datetime
    done_ms: int | None = None
    total_ms: int | None = None


@dataclass(frozen=True)
class CopyForm:
    """The form «record a copy»: what may be chosen, and the form as it came back."""

    media: tuple[str, ...]
    purposes: tuple[str, ...]
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class SameBytes:
    """Another exhibit of the case with the same digest; `destroyed_at` and the act where it was destroyed."""

    id: UUID
    number: int
    destroyed_at: datetime | None = None
    act_number: int | None = None


@dataclass(frozen=True)
class ChainPart:
    """Some events of the chain of custody, newest first: `total` = `newer` + those here + `older`, always.

    `older_href` leads to those before, on the record's page or on this one; None when there are none.
    """

    events: tuple[EventLine, ...]
    total: int
    older: int = 0
    newer: int = 0
    older_href: str | None = None
    newest_href: str | None = None


@dataclass(frozen=True)
class ExhibitPage:
    """The exhibit page. `transcript_state` and `plan_state` are None while there is none; `record_href` is for those
    who may read the trail. `findings` are None for who may not see what is in the file.
    """

    head: CaseHead
    exhibit: ExhibitFacts
    chain: ChainPart
    actions: tuple[str, ...] = ()
    content: Content | None = None
    renditions: tuple[Rendition, ...] = ()
    jobs: tuple[Job, ...] = ()
    transcript_state: str | None = None
    plan_state: str | None = None
    checkpoint_size: int | None = None
    checkpoint_at: datetime | None = None
    findings: Findings | None = None
    record_href: str | None = None
    copies: CopyForm | None = None
    alarms: tuple[AlarmLine, ...] = ()
    may_check: bool = False
    checking_since: datetime | None = None
    same_bytes: tuple[SameBytes, ...] = ()


def render_exhibit(context: RequestContext, model: ExhibitPage) -> str:
    sentences = [sentence(context.language, context.offset_hours, event) for event in model.chain.events]
    found = more(model.findings, context.language) if model.findings else {}
    return page("exhibit.html", context, model, sentences=sentences, **found)
