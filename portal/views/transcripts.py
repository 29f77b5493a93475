"""The transcript desk."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request
from starlette.responses import JSONResponse

from custody.kernel.errors import Invalid, NotFound
from evidence_api.http.guard import Access, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries.examined import examined
from evidence_api.queries.facts import (
    UNKNOWN_SPEAKER,
    Edit,
    Reading,
    RenameSpeaker,
    RevisionFacts,
    SetSpeaker,
    SetText,
    TranscriptFacts,
)
from evidence_api.services import Services
from evidence_api.use_cases import transcribing
from portal.context import EMPTY_FORM, Form
from portal.lines import exhibit_ref, head, job
from portal.pages.transcript import RevisionRow, Speaker, TranscriptDesk, Turn, Word, render_transcript
from portal.visits import Fields, context, go, html, try_form

routes = router()
_KINDS = {"draft": "draft", "corrected": "correction", "confirmed": "confirmation"}


@routes.get("/exhibits/{exhibit_id}/transcript")
def desk(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("transcript.read", by_exhibit)],
) -> Response:
    """The desk, or how far the machine is."""
    return html(_desk(request, services, access, exhibit_id, EMPTY_FORM))


@routes.post("/exhibits/{exhibit_id}/transcript/turns/{turn}")
def correct(
    exhibit_id: UUID,
    turn: int,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("transcript.correct", by_exhibit)],
) -> Response:
    """Save one turn's text as a new revision; for modules as JSON, else by going back to the turn."""
    wants_json = request.headers.get("accept", "").startswith("application/json")
    edits: list[Edit] = [SetSpeaker(turn, fields["speaker"])] if fields.get("speaker", "").strip() else []

    def act() -> Response:
        revision = _write(services, access, exhibit_id, fields, [*edits, SetText(turn, fields.get("text", ""))])
        if wants_json:
            saved_at = revision.created_at.isoformat().replace("+00:00", "Z")
            return JSONResponse({"revision": revision.number, "sha256": revision.sha256, "saved_at": saved_at})
        return go(f"/exhibits/{exhibit_id}/transcript", f"corrected#turn-{turn}")

    def again(form: Form) -> str:
        return _desk(request, services, access, exhibit_id, form)

    return act() if wants_json else try_form(request, fields | {"turn": str(turn)}, {}, act, again)


@routes.post("/exhibits/{exhibit_id}/transcript/speakers")
def name_speaker(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("transcript.correct", by_exhibit)],
) -> Response:
    """Name a speaker everywhere, as a new revision."""

    def act() -> Response:
        edit = RenameSpeaker(fields.get("speaker", ""), fields.get("name", ""))
        _write(services, access, exhibit_id, fields, [edit])
        return go(f"/exhibits/{exhibit_id}/transcript", "corrected")

    return try_form(request, fields, {}, act, lambda form: _desk(request, services, access, exhibit_id, form))


@routes.post("/exhibits/{exhibit_id}/transcript/confirm")
def confirm(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("transcript.confirm", by_exhibit)],
) -> Response:
    """Stand behind the revision that was on the page."""

    def act() -> Response:
        facts = _facts(services, exhibit_id)
        number = _number(fields.get("revision", ""))
        transcribing.confirm(services, access.actor, facts.id, revision=number, sha256=fields.get("sha256", ""))
        return go(f"/exhibits/{exhibit_id}/transcript", "confirmed")

    return try_form(request, fields, {}, act, lambda form: _desk(request, services, access, exhibit_id, form))


def _write(
    services: Services, access: Access, exhibit_id: UUID, fields: dict[str, str], edits: Sequence[Edit]
) -> RevisionFacts:
    facts = _facts(services, exhibit_id)
    parent = _number(fields.get("revision", ""))
    return transcribing.correct(services, access.actor, facts.id, parent=parent, edits=edits)


def _facts(services: Services, exhibit_id: UUID) -> TranscriptFacts:
    facts, _ = transcribing.current(services, exhibit_id)
    if facts is None:
        raise NotFound("transcript.not_found")
    return facts


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Invalid("request.invalid", field="revision")
    return int(text)


def _desk(request: Request, services: Services, access: Access, exhibit_id: UUID, form: Form) -> str:
    facts = _facts(services, exhibit_id)
    _, reading = transcribing.current(services, exhibit_id)
    view = queries.exhibit_view(services, exhibit_id)
    revisions = transcribing.history(services, facts.id)
    names = queries.names_of(services, [one for r in revisions for one in (r.author_id, r.confirmed_by)])
    state = reading.revision.state.value if reading else facts.state
    confirmed = reading.revision if reading and state == "confirmed" else None
    running = next((one for one in view.jobs if one.facts.task == transcribing.DRAFT), None)
    model = TranscriptDesk(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        exhibit=exhibit_ref(view.exhibit),
        state="draft" if state == "corrected" else state,
        audio_href=f"/api/v1/exhibits/{exhibit_id}/content?view=true",
        unseen=examined(services, exhibit_id).unseen,
        duration_ms=facts.duration_ms or 0,
        revision=reading.revision.number if reading else 0,
        sha256=reading.revision.sha256 if reading else "",
        turns=turns(reading) if reading else (),
        speakers=tuple(Speaker(one, "" if one == UNKNOWN_SPEAKER else one) for one in reading.said.speakers)
        if reading
        else (),
        revisions=tuple(_revision_row(one, names) for one in revisions),
        engine=f"{facts.engine} {facts.engine_version}" if facts.engine else "",
        model=facts.model or "",
        machine_ms=facts.machine_ms,
        confirmed_by=names.get(confirmed.confirmed_by) if confirmed and confirmed.confirmed_by else None,
        confirmed_at=confirmed.confirmed_at if confirmed else None,
        failed_code=facts.failure_code,
        can_correct=reading is not None and queries.may(access.viewer, "transcript.correct", access.resource),
        can_confirm=reading is not None
        and confirmed is None
        and queries.may(access.viewer, "transcript.confirm", access.resource),
        job=job(running) if running else None,
        form=form,
    )
    return render_transcript(context(request, access), model)


def turns(reading: Reading) -> tuple[Turn, ...]:
    """The turns of a revision as pages show them."""
    return tuple(
        Turn(
            index=index,
            start_ms=turn.start_ms,
            end_ms=turn.end_ms,
            speaker="" if turn.speaker == UNKNOWN_SPEAKER else turn.speaker,
            language=turn.language,
            words=tuple(Word(word.text, word.start_ms, word.end_ms, word.probability_ppm) for word in turn.words),
        )
        for index, turn in enumerate(reading.said.turns)
    )


def _revision_row(one: RevisionFacts, names: dict[UUID, str]) -> RevisionRow:
    who = one.confirmed_by or one.author_id
    return RevisionRow(
        number=one.number,
        kind=_KINDS[one.state.value],
        author=names.get(who, "—") if who else "—",
        at=one.confirmed_at or one.created_at,
    )
