"""Transcripts: a draft is asked for, people correct it, one person confirms it (R16, R20, R21)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from custody import event
from custody.kernel.errors import Conflict
from custody.kernel.outbox import Actor, EventDraft
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from transcription import service as transcripts
from transcription.edits import Edit
from transcription.service import Reading, RevisionFacts, TranscriptFacts

DRAFT = "transcript.draft"
SPOKEN = ("audio/", "video/")


def request(services: Services, actor: Actor, exhibit_id: UUID) -> UUID:
    """Ask for the machine's draft; returns the transcript's id.

    Raises NotFound `exhibit.not_found`, Conflict `exhibit.not_sealed`, `transcript.no_sound` for what cannot speak,
    `transcript.exists`, Gone `exhibit.destroyed`.
    """
    with services.database.begin(actor) as work:
        exhibit = reads.get_exhibit(work.session, exhibit_id)
        exhibit.check_content()
        if not (exhibit.media_type or "").startswith(SPOKEN):
            raise Conflict("transcript.no_sound")
        transcript_id = work.ids.new()
        event_id = work.record(draft("transcript.requested", exhibit, transcript=transcript_id))
        transcripts.start(work, transcript_id, exhibit_id, event_id)
        work.enqueue(DRAFT, subject=f"transcript:{transcript_id}", transcript=transcript_id, exhibit=exhibit_id)
        work.commit()
    return transcript_id


def correct(
    services: Services, actor: Actor, transcript_id: UUID, *, parent: int, edits: Sequence[Edit]
) -> RevisionFacts:
    """Write a new revision on top of `parent`.

    Raises NotFound `transcript.not_found`, Conflict `transcript.stale` (somebody was faster), Invalid
    `transcript.unchanged` and what `transcription.edits.apply` raises.
    """
    with services.database.begin(actor) as work:
        exhibit = _exhibit_of(work.session, transcript_id)
        correction = transcripts.reserve_correction(work, transcript_id, parent, edits, actor.id)
        corrected = draft(
            "transcript.corrected",
            exhibit,
            transcript=transcript_id,
            revision=correction.number,
            parent=correction.parent,
            sha256=correction.sha256,
        )
        revision = transcripts.write_correction(work, transcript_id, correction, work.record(corrected))
        work.commit()
    return revision


def confirm(services: Services, actor: Actor, transcript_id: UUID, *, revision: int, sha256: str) -> RevisionFacts:
    """A named person stands behind exactly these bytes.

    Raises NotFound `transcript.not_found`, Conflict `transcript.stale`, `transcript.already_confirmed`.
    """
    with services.database.begin(actor) as work:
        exhibit = _exhibit_of(work.session, transcript_id)
        confirmed = draft("transcript.confirmed", exhibit, transcript=transcript_id, revision=revision, sha256=sha256)
        facts = transcripts.confirm(work, transcript_id, revision, sha256, actor.id, work.record(confirmed))
        work.commit()
    return facts


def current(services: Services, exhibit_id: UUID) -> tuple[TranscriptFacts | None, Reading | None]:
    """The exhibit's transcript and its latest revision; None and None when nobody asked for one."""
    with services.database.read() as session:
        facts = transcripts.current(session, exhibit_id)
        drafted = facts is not None and facts.latest_revision > 0
        return facts, transcripts.read(session, facts.id) if facts and drafted else None


def read(services: Services, transcript_id: UUID, number: int | None = None) -> Reading:
    """One revision with its text, the latest by default."""
    with services.database.read() as session:
        return transcripts.read(session, transcript_id, number)


def history(services: Services, transcript_id: UUID) -> tuple[RevisionFacts, ...]:
    """All revisions without their text, oldest first."""
    with services.database.read() as session:
        return transcripts.history(session, transcript_id)


def draft(type: str, exhibit: Exhibit, **data: object) -> EventDraft:
    """An event on an exhibit's chain."""
    return event.draft(
        type, item=f"exhibit:{exhibit.id}", case_id=exhibit.case_id, personal=None, **{"exhibit": exhibit.id, **data}
    )


def _exhibit_of(session: Session, transcript_id: UUID) -> Exhibit:
    return reads.get_exhibit(session, transcripts.get(session, transcript_id).exhibit_id)
