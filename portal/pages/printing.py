"""Pages made for paper: a transcript, a trail. Each says who printed it, when, and the digest of what is on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.context import RequestContext
from portal.pages.cases import CaseHead
from portal.pages.events import EventLine, sentence
from portal.pages.exhibits import ExhibitRef
from portal.pages.transcript import Turn
from portal.rendering import page


@dataclass(frozen=True)
class TranscriptPrint:
    """A revision of a transcript. `confirmed_by` None: a machine's draft or a correction nobody stands behind."""

    head: CaseHead
    exhibit: ExhibitRef
    source_sha256: str
    turns: tuple[Turn, ...]
    revision: int
    sha256: str
    printed_by: str
    printed_at: datetime
    engine: str = ""
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None


@dataclass(frozen=True)
class TrailPrint:
    """Events, oldest first. `sha256` is over their canonical bytes, a line each."""

    head: CaseHead
    events: tuple[EventLine, ...]
    sha256: str
    printed_by: str
    printed_at: datetime
    filters: Mapping[str, str] = field(default_factory=dict)


def render_transcript_print(context: RequestContext, model: TranscriptPrint) -> str:
    return page("transcript_print.html", context, model)


def render_trail_print(context: RequestContext, model: TrailPrint) -> str:
    sentences = [sentence(context.language, context.offset_hours, event) for event in model.events]
    return page("trail_print.html", context, model, sentences=sentences)
