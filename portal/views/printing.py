"""Printing, as an act: the print view of a transcript or a trail is made after the event that says it was printed.

What a browser prints of other pages by its own menu is not seen here; whoever opens a print view and prints nothing is
recorded all the same.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from custody.kernel.errors import Conflict, NotFound, TooLarge
from evidence_api.http.guard import Access, by_case, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries import trails
from evidence_api.use_cases import reading, transcribing
from portal import filters
from portal.lines import event_line, exhibit_ref, head, readable
from portal.pages.printing import TrailPrint, TranscriptPrint, render_trail_print, render_transcript_print
from portal.views.transcripts import turns
from portal.visits import context, html

routes = router()
_MOST_EVENTS = 500


@routes.get("/exhibits/{exhibit_id}/transcript/print")
def transcript(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("transcript.read", by_exhibit)],
) -> Response:
    """The revision that is in force, for paper."""
    facts, said = transcribing.current(services, exhibit_id)
    if facts is None or said is None:
        raise NotFound("transcript.not_found")
    revision = said.revision
    item = f"exhibit:{exhibit_id}"
    reading.record(
        services,
        access.actor,
        reading.PRINTED,
        item=item,
        case_id=access.case_id,
        subject=facts.id,
        sha256=revision.sha256,
    )
    view = queries.exhibit_view(services, exhibit_id)
    names = queries.names_of(services, [revision.confirmed_by])
    at_hand = context(request, access)
    model = TranscriptPrint(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        exhibit=exhibit_ref(view.exhibit),
        source_sha256=view.exhibit.sha256,
        turns=turns(said),
        revision=revision.number,
        sha256=revision.sha256,
        confirmed_by=names.get(revision.confirmed_by) if revision.confirmed_by else None,
        confirmed_at=revision.confirmed_at,
        engine=f"{facts.engine} {facts.engine_version}, {facts.model}" if facts.engine else "",
        printed_by=at_hand.person.name if at_hand.person else "",
        printed_at=at_hand.now,
    )
    return html(render_transcript_print(at_hand, model))


@routes.get("/cases/{case_id}/trail/print")
def trail(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("trail.read", by_case)]
) -> Response:
    """The events that the page's filters ask for, for paper. More than 500 are refused: there is the PDF."""
    asked = filters.given(request, filters.TRAIL)
    page = trails.filtered(services, case_id, filters.of_trail(asked), before=None, limit=_MOST_EVENTS)
    if page.next_seq is not None:
        raise TooLarge("trail.too_long", events=f"> {_MOST_EVENTS}", limit=_MOST_EVENTS)
    if not page.entries:
        raise Conflict("trail.nothing_to_print")
    reading.record(
        services,
        access.actor,
        reading.PRINTED,
        item=f"case:{case_id}",
        case_id=case_id,
        subject=case_id,
        sha256=trails.digest(page.entries),
    )
    at_hand = context(request, access)
    names = readable(at_hand.language, page.names, page.things)
    model = TrailPrint(
        head=head(queries.case_view(services, access.viewer, case_id)),
        events=tuple(event_line(entry, names) for entry in reversed(page.entries)),
        filters=asked,
        sha256=trails.digest(page.entries),
        printed_by=at_hand.person.name if at_hand.person else "",
        printed_at=at_hand.now,
    )
    return html(render_trail_print(at_hand, model))
