"""Writes and reads of transcripts. Writes take the unit of work and the id of the event that the use case has recorded.

None of the writes commits or records. A correction needs its number and digest for its event before it is written:
`reserve_correction` computes them and holds the transcript's row until the unit of work ends.
Trust: what the database returns is checked against its digest before anyone sees it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, Corrupt, Gone, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from transcription import edits as editing
from transcription import revision as rules
from transcription.model import Transcript, digest, parse
from transcription.revision import Correction, Head, State
from transcription.tables import RevisionRow, TranscriptRow

if TYPE_CHECKING:
    # Making a draft brings numpy and FFmpeg, which readers of transcripts do not need.
    from transcription.draft import DraftFacts


@dataclass(frozen=True)
class TranscriptFacts:
    """A transcript and how its draft was made. `state` is requested, drafted or failed."""

    id: UUID
    exhibit_id: UUID
    state: str
    failure_code: str | None
    requested_at: datetime
    drafted_at: datetime | None
    audio_sha256: str | None
    duration_ms: int | None
    channels: int | None
    sound_streams: int | None
    damaged_packets: int | None
    machine_ms: int | None
    engine: str | None
    engine_version: str | None
    model: str | None
    model_sha256: str | None
    parameters: dict[str, Any] | None
    parameters_sha256: str | None
    latest_revision: int


@dataclass(frozen=True)
class RevisionFacts:
    """One revision without its text. `author_id` is None for the machine's draft."""

    transcript_id: UUID
    number: int
    parent: int | None
    state: State
    sha256: str
    author_id: UUID | None
    created_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None


@dataclass(frozen=True)
class Reading:
    """A revision with its text: `content` are the exact bytes the digest speaks about."""

    transcript: TranscriptFacts
    revision: RevisionFacts
    content: bytes
    said: Transcript


def start(work: UnitOfWork, transcript_id: UUID, exhibit_id: UUID, event_id: UUID) -> TranscriptFacts:
    """Ask for the transcript of an exhibit. Raises Conflict `transcript.exists` unless the one before failed."""
    row = TranscriptRow(
        id=transcript_id,
        exhibit_id=exhibit_id,
        state="requested",
        requested_at=work.clock.now(),
        latest_revision=0,
        event_id=event_id,
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        raise Conflict("transcript.exists") from None
    return _facts(row)


def record_draft(work: UnitOfWork, transcript_id: UUID, draft: "DraftFacts", event_id: UUID) -> TranscriptFacts:
    """Write the machine's draft as revision 1. Raises Conflict `transcript.not_requested` if there is one."""
    row = _requested(work, transcript_id)
    now = work.clock.now()
    row.state, row.drafted_at, row.latest_revision, row.event_id = "drafted", now, 1, event_id
    row.audio_sha256, row.duration_ms, row.machine_ms = draft.audio_sha256, draft.duration_ms, draft.machine_ms
    row.channels, row.sound_streams, row.damaged_packets = draft.channels, draft.sound_streams, draft.damaged_packets
    row.engine, row.engine_version = draft.engine.engine, draft.engine.version
    row.model, row.model_sha256 = draft.engine.model, draft.engine.model_sha256
    row.parameters, row.parameters_sha256 = dict(draft.engine.parameters), draft.engine.parameters_sha256
    work.session.add(
        RevisionRow(
            transcript_id=row.id,
            number=1,
            state=State.DRAFT.value,
            content=draft.content.decode(),
            sha256=draft.sha256,
            created_at=now,
            event_id=event_id,
        )
    )
    work.session.flush()
    return _facts(row)


def record_failure(work: UnitOfWork, transcript_id: UUID, code: str, event_id: UUID) -> TranscriptFacts:
    """Say that there will be no draft, and why (an error code). Raises Conflict `transcript.not_requested`."""
    row = _requested(work, transcript_id)
    row.state, row.failure_code, row.event_id = "failed", code, event_id
    work.session.flush()
    return _facts(row)


def reserve_correction(
    work: UnitOfWork, transcript_id: UUID, parent: int, edits: Iterable[editing.Edit], author: UUID | None
) -> Correction:
    """Apply edits to revision `parent` and hold the transcript until the unit of work ends; writes nothing yet.

    Raises NotFound `transcript.not_found`, Conflict `transcript.stale` (someone was faster: `latest` names the revision
    there is now), Invalid `transcript.unchanged` and whatever `edits.apply` raises.
    """
    row = _locked(work, transcript_id)
    head = _revision(work.session, row)
    # Before the edits are tried: an outdated page must hear that it is outdated, not that a turn is missing.
    rules.check_latest(_head(head), parent)
    return rules.correct(_head(head), parent, editing.apply(_said(head), edits), author)


def write_correction(work: UnitOfWork, transcript_id: UUID, correction: Correction, event_id: UUID) -> RevisionFacts:
    """Write a reserved correction, in the same unit of work. Raises Conflict `transcript.stale` in any other."""
    row = _locked(work, transcript_id)
    if row.latest_revision != correction.parent:
        raise Conflict("transcript.stale", latest=row.latest_revision)
    revision = RevisionRow(
        transcript_id=row.id,
        number=correction.number,
        parent=correction.parent,
        state=State.CORRECTED.value,
        content=correction.content.decode(),
        sha256=correction.sha256,
        author_id=correction.author,
        created_at=work.clock.now(),
        event_id=event_id,
    )
    row.latest_revision, row.event_id = correction.number, event_id
    work.session.add(revision)
    work.session.flush()
    return _revision_facts(revision)


def confirm(
    work: UnitOfWork, transcript_id: UUID, number: int, sha256: str, person: UUID | None, event_id: UUID
) -> RevisionFacts:
    """`person` stands behind revision `number`, whose bytes have this digest. It never changes again.

    Raises NotFound `transcript.not_found`, Conflict `transcript.stale` or `transcript.already_confirmed`, Invalid
    `transcript.unnamed`, Corrupt `transcript.damaged`.
    """
    row = _locked(work, transcript_id)
    revision = _revision(work.session, row)
    _said(revision)
    rules.check_confirm(_head(revision), number, sha256, person)
    revision.state, revision.confirmed_by, revision.confirmed_at = State.CONFIRMED.value, person, work.clock.now()
    revision.event_id = event_id
    work.session.flush()
    return _revision_facts(revision)


def current(session: Session, exhibit_id: UUID) -> TranscriptFacts | None:
    """The exhibit's transcript: the standing one, else the one that failed last, else None."""
    order = ((TranscriptRow.state == "failed").asc(), TranscriptRow.requested_at.desc(), TranscriptRow.id.desc())
    row = session.scalar(select(TranscriptRow).where(TranscriptRow.exhibit_id == exhibit_id).order_by(*order).limit(1))
    return _facts(row) if row else None


def get(session: Session, transcript_id: UUID) -> TranscriptFacts:
    """A transcript by its id. Raises NotFound `transcript.not_found`."""
    return _facts(_row(session, transcript_id))


def read(session: Session, transcript_id: UUID, number: int | None = None) -> Reading:
    """A revision with its text, the latest by default.

    Raises NotFound `transcript.not_found` and `transcript.no_such_revision` (also while there is no draft yet), Corrupt
    `transcript.damaged` when the stored text does not have its digest, Gone `transcript.destroyed`.
    """
    row = _row(session, transcript_id)
    revision = _revision(session, row, number)
    return Reading(_facts(row), _revision_facts(revision), revision.content.encode(), _said(revision))


def confirmed(session: Session, exhibit_id: UUID) -> Reading | None:
    """The last confirmed revision of an exhibit's transcript: what may be disclosed as a protocol (R16)."""
    revision = session.scalar(
        select(RevisionRow)
        .join(TranscriptRow, TranscriptRow.id == RevisionRow.transcript_id)
        .where(TranscriptRow.exhibit_id == exhibit_id, RevisionRow.state == State.CONFIRMED.value)
        .order_by(RevisionRow.number.desc())
        .limit(1)
    )
    return read(session, revision.transcript_id, revision.number) if revision else None


def history(session: Session, transcript_id: UUID) -> tuple[RevisionFacts, ...]:
    """All revisions without their text, oldest first."""
    rows = session.scalars(
        select(RevisionRow).where(RevisionRow.transcript_id == transcript_id).order_by(RevisionRow.number)
    )
    return tuple(_revision_facts(row) for row in rows)


def erase(work: UnitOfWork, exhibit_id: UUID, event_id: UUID) -> int:
    """The words of a destroyed exhibit go with it; who wrote and confirmed what, and every digest, stays.

    Returns how many revisions lost their text. The database refuses this for an exhibit that was not destroyed.
    """
    rows = work.session.scalars(
        select(RevisionRow)
        .join(TranscriptRow, TranscriptRow.id == RevisionRow.transcript_id)
        .where(TranscriptRow.exhibit_id == exhibit_id, RevisionRow.content != "")
    ).all()
    for row in rows:
        row.content, row.event_id = "", event_id
    return len(rows)


def _row(session: Session, transcript_id: UUID) -> TranscriptRow:
    row = session.get(TranscriptRow, transcript_id)
    if row is None:
        raise NotFound("transcript.not_found")
    return row


def _locked(work: UnitOfWork, transcript_id: UUID) -> TranscriptRow:
    row = work.session.get(TranscriptRow, transcript_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("transcript.not_found")
    return row


def _requested(work: UnitOfWork, transcript_id: UUID) -> TranscriptRow:
    row = _locked(work, transcript_id)
    if row.state != "requested":
        raise Conflict("transcript.not_requested", state=row.state)
    return row


def _revision(session: Session, row: TranscriptRow, number: int | None = None) -> RevisionRow:
    revision = session.get(RevisionRow, (row.id, number or row.latest_revision), populate_existing=True)
    if revision is None:
        raise NotFound("transcript.no_such_revision")
    return revision


def _head(row: RevisionRow) -> Head:
    return Head(row.number, State(row.state), row.sha256)


def _said(row: RevisionRow) -> Transcript:
    content = row.content.encode()
    if not content:
        raise Gone("transcript.destroyed")
    if digest(content) != row.sha256:
        raise Corrupt("transcript.damaged")
    return parse(content)


def _facts(row: TranscriptRow) -> TranscriptFacts:
    return TranscriptFacts(**{name: getattr(row, name) for name in TranscriptFacts.__dataclass_fields__})


def _revision_facts(row: RevisionRow) -> RevisionFacts:
    values = {name: getattr(row, name) for name in RevisionFacts.__dataclass_fields__}
    return RevisionFacts(**(values | {"state": State(row.state)}))
