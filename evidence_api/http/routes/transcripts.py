"""Transcripts: asking for a draft, correcting, confirming."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.requests import Request

from evidence_api.access.policy import Resource
from evidence_api.http.guard import Access, by_exhibit, guard, path_id
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.registry import reads
from evidence_api.use_cases import transcribing
from transcription import service as transcripts
from transcription.edits import Edit, SetSpeaker, SetText
from transcription.model import Transcript
from transcription.service import Reading, RevisionFacts, TranscriptFacts

routes = router("", "transcripts")
NONE, REQUESTED, FAILED = "none", "requested", "failed"


class WordOut(BaseModel):
    """One word: its text, start and end in ms, and the machine's confidence in millionths (none: a person wrote it)."""

    text: str
    start_ms: int
    end_ms: int
    probability_ppm: int | None


class TurnOut(BaseModel):
    """What one speaker says without a break."""

    speaker: str
    language: str
    start_ms: int
    end_ms: int
    words: list[WordOut]


class TranscriptOut(BaseModel):
    """A transcript at its latest revision. `state`: none, requested, failed, draft, corrected, confirmed."""

    id: UUID | None
    state: str
    failure: str | None = None
    revision: int | None = None
    sha256: str | None = None
    author: UUID | None = None
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None
    machine_ms: int | None = None
    duration_ms: int | None = None
    engine: str | None = None
    model: str | None = None
    turns: list[TurnOut] = []


class RevisionOut(BaseModel):
    """One revision without its text."""

    revision: int
    parent: int | None
    state: str
    sha256: str
    author: UUID | None
    created_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None


class TurnEdit(BaseModel):
    """A change of one turn, by its index in the parent revision. What is left out stays."""

    turn: int = Field(ge=0)
    text: str | None = Field(default=None, max_length=20_000)
    speaker: str | None = Field(default=None, max_length=120)


class Corrections(BaseModel):
    """Edits on top of revision `parent`."""

    parent: int = Field(ge=1)
    edits: list[TurnEdit] = Field(min_length=1, max_length=5_000)


class Confirmation(BaseModel):
    """The revision one stands behind, and the digest of what one has seen."""

    revision: int = Field(ge=1)
    sha256: str = Field(max_length=80)


def by_transcript(session: Session, request: Request) -> Resource:
    """The transcript `{transcript_id}`, as a thing of its exhibit's case."""
    facts = transcripts.get(session, path_id(request, "transcript_id"))
    return Resource(case_id=reads.get_exhibit(session, facts.exhibit_id).case_id)


@routes.post("/exhibits/{exhibit_id}/transcript", status_code=202)
def request_transcript(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("transcript.request", by_exhibit)]
) -> TranscriptOut:
    """Ask for the machine's draft of a recording."""
    return TranscriptOut(id=transcribing.request(services, access.actor, exhibit_id), state=REQUESTED)


@routes.get("/exhibits/{exhibit_id}/transcript")
def read_transcript(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("transcript.read", by_exhibit)]
) -> TranscriptOut:
    """The exhibit's transcript at its latest revision."""
    del access
    return transcript_out(*transcribing.current(services, exhibit_id))


@routes.get("/transcripts/{transcript_id}/revisions")
def list_revisions(
    transcript_id: UUID, services: ServicesOf, access: Annotated[Access, guard("transcript.read", by_transcript)]
) -> list[RevisionOut]:
    """Every revision, oldest first."""
    del access
    return [revision_out(revision) for revision in transcribing.history(services, transcript_id)]


@routes.post("/transcripts/{transcript_id}/revisions", status_code=201)
def correct(
    transcript_id: UUID,
    form: Corrections,
    services: ServicesOf,
    access: Annotated[Access, guard("transcript.correct", by_transcript)],
) -> RevisionOut:
    """Write a new revision. A change made on an outdated one is refused, with nothing lost on either side."""
    edits = edits_of(form.edits)
    return revision_out(transcribing.correct(services, access.actor, transcript_id, parent=form.parent, edits=edits))


@routes.post("/transcripts/{transcript_id}/confirm")
def confirm(
    transcript_id: UUID,
    form: Confirmation,
    services: ServicesOf,
    access: Annotated[Access, guard("transcript.confirm", by_transcript)],
) -> RevisionOut:
    """Stand behind a revision by name. It never changes again."""
    facts = transcribing.confirm(services, access.actor, transcript_id, revision=form.revision, sha256=form.sha256)
    return revision_out(facts)


def edits_of(changes: list[TurnEdit]) -> list[Edit]:
    """The room's edits of a form. Removing a turn moves those behind it, so the last turns are edited first."""
    edits: list[Edit] = []
    for change in sorted(changes, key=lambda one: -one.turn):
        if change.speaker is not None:
            edits.append(SetSpeaker(change.turn, change.speaker))
        if change.text is not None:
            edits.append(SetText(change.turn, change.text))
    return edits


def transcript_out(facts: TranscriptFacts | None, reading: Reading | None) -> TranscriptOut:
    """A transcript as the API shows it."""
    if facts is None:
        return TranscriptOut(id=None, state=NONE)
    if reading is None:
        return TranscriptOut(id=facts.id, state=facts.state, failure=facts.failure_code)
    revision = reading.revision
    return TranscriptOut(
        id=facts.id,
        state=revision.state.value,
        revision=revision.number,
        sha256=revision.sha256,
        author=revision.author_id,
        confirmed_by=revision.confirmed_by,
        confirmed_at=revision.confirmed_at,
        machine_ms=facts.machine_ms,
        duration_ms=facts.duration_ms,
        engine=facts.engine,
        model=facts.model,
        turns=_turns(reading.said),
    )


def _turns(said: Transcript) -> list[TurnOut]:
    return [
        TurnOut(
            speaker=turn.speaker,
            language=turn.language,
            start_ms=turn.start_ms,
            end_ms=turn.end_ms,
            words=[
                WordOut(
                    text=word.text, start_ms=word.start_ms, end_ms=word.end_ms, probability_ppm=word.probability_ppm
                )
                for word in turn.words
            ],
        )
        for turn in said.turns
    ]


def revision_out(facts: RevisionFacts) -> RevisionOut:
    """A revision as the API shows it."""
    return RevisionOut(
        revision=facts.number,
        parent=facts.parent,
        state=facts.state.value,
        sha256=facts.sha256,
        author=facts.author_id,
        created_at=facts.created_at,
        confirmed_by=facts.confirmed_by,
        confirmed_at=facts.confirmed_at,
    )
