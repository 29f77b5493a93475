"""The auditor's pages: a case's trail with filters, the state of the ledger and its outside anchors."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query, Response
from starlette.requests import Request

from custody.checking import words
from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries import checks, trails
from evidence_api.services import Services
from evidence_api.use_cases import check_paper, checking
from portal import filters
from portal.lines import event_line, head, readable
from portal.pages.audit import FORMATS, Check, Checks, Ledger, Trail, render_ledger, render_trail
from portal.visits import Fields, context, go, html, language_of

routes = router()
_PAGE = 50


@routes.get("/cases/{case_id}/trail")
def trail(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("trail.read", by_case)],
    before: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """The events of a case, newest first; the filters live in the address."""
    asked = filters.given(request, filters.TRAIL)
    may_see = queries.may(access.viewer, "trail.personal", access.resource)
    page = trails.filtered(services, case_id, filters.of_trail(asked), before=before, limit=_PAGE, may_see=may_see)
    may_export = queries.may(access.viewer, "trail.export", access.resource)
    here = f"/cases/{case_id}/trail"
    at_hand = context(request, access)
    names = readable(at_hand.language, page.names, page.things)
    model = Trail(
        head=head(queries.case_view(services, access.viewer, case_id)),
        events=tuple(event_line(entry, names, page.personal.get(entry.id, ())) for entry in page.entries),
        ledger=_ledger(services),
        filters=asked,
        next_href=f"{here}?{urlencode(asked | {'before': page.next_seq})}" if page.next_seq is not None else None,
        exports=tuple((name, f"{here}.{name}?{urlencode(asked)}") for name in FORMATS) if may_export else (),
        print_href=f"{here}/print?{urlencode(asked)}" if page.entries else None,
    )
    return html(render_trail(at_hand, model))


@routes.get("/ledger")
def ledger(request: Request, services: ServicesOf, access: Annotated[Access, guard("ledger.page")]) -> Response:
    """The state of the log, for everyone who is signed in: its head is public anyway."""
    model = replace(_ledger(services), checks=_checks(request, services, access))
    return html(render_ledger(context(request, access), model))


@routes.post("/ledger/checks")
def check(
    request: Request, services: ServicesOf, fields: Fields, access: Annotated[Access, guard("ledger.check")]
) -> Response:
    """Ask for a check of the whole ledger."""
    del request
    checking.request(services, access.actor, deep=fields.get("deep") == "yes")
    return go("/ledger", "check_requested")


@routes.get("/ledger/checks/{check_id}.json")
def report(check_id: UUID, services: ServicesOf, access: Annotated[Access, guard("ledger.check")]) -> Response:
    """The exact bytes of a report: their SHA-256 is in the event `ledger.checked`."""
    del access
    return _file(checks.report(services, check_id).text, "application/json", "ledger-check.json")


@routes.get("/ledger/checks/{check_id}.pdf")
def signed_report(
    check_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("ledger.check")]
) -> Response:
    """The same as an act on paper, signed by the office where it has a key."""
    kept = checks.report(services, check_id)
    pdf = check_paper.signed(services, kept.report, language_of(request, access.visitor))
    return _file(pdf, "application/pdf", "ledger-check.pdf")


def _checks(request: Request, services: Services, access: Access) -> Checks | None:
    found = checks.state(services, access.viewer)
    if not found.may_check:
        return None
    language = language_of(request, access.visitor)
    running = found.running
    return Checks(
        last=tuple(
            Check(
                at=kept.checked_at,
                same=kept.report.difference is None,
                sentences=tuple(words.report(kept.report, language)),
                sha256=kept.sha256,
                href=f"/ledger/checks/{kept.id}.json",
                paper_href=f"/ledger/checks/{kept.id}.pdf",
            )
            for kept in found.reports
        ),
        since=running.created_at if running else None,
        done=running.done_units if running else 0,
        total=running.total_units if running else 0,
        failed=found.failed,
    )


def _ledger(services: Services) -> Ledger:
    state = trails.state(services)
    return Ledger(
        origin=services.settings.log_origin,
        size=state.health.size,
        pending=state.health.waiting,
        root=state.head.root.hex() if state.head else "",
        checkpoint_at=state.head.published_at if state.head else None,
        checkpoint_note=state.head.note if state.head else "",
        checkpoint_size=state.head.size if state.head else 0,
        witnesses=tuple((one.name, one.at) for one in state.head.witnesses) if state.head else (),
        witnessed_size=state.witnessed_size,
        anchored_at=state.stamped.at if state.stamped else None,
        anchored_by=state.stamped.authority if state.stamped else "",
        halted=state.health.halted or "",
    )


def _file(content: str | bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
