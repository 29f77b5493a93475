"""The auditor's pages: a case's trail with filters and export, the state of the ledger."""

import csv
import io
import json
from collections.abc import Mapping
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
from evidence_api.use_cases import checking
from portal.context import OFFSET_HOURS
from portal.formats import day_span
from portal.lines import event_line, head, readable
from portal.pages.audit import AREAS, Check, Checks, Ledger, Trail, render_ledger, render_trail
from portal.visits import Fields, context, go, html, language_of

routes = router()
_FILTERS = ("area", "actor", "exhibit", "since", "until")
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
    filters = {name: request.query_params[name] for name in _FILTERS if request.query_params.get(name)}
    page = trails.filtered(services, case_id, _wanted(filters), before=before, limit=_PAGE)
    here = f"/cases/{case_id}/trail"
    at_hand = context(request, access)
    names = readable(at_hand.language, page.names, page.things)
    model = Trail(
        head=head(queries.case_view(services, access.viewer, case_id)),
        events=tuple(event_line(entry, names) for entry in page.entries),
        ledger=_ledger(services),
        filters=filters,
        next_href=f"{here}?{urlencode(filters | {'before': page.next_seq})}" if page.next_seq is not None else None,
        csv_href=f"{here}.csv?{urlencode(filters)}",
        json_href=f"{here}.json?{urlencode(filters)}",
    )
    return html(render_trail(at_hand, model))


@routes.get("/cases/{case_id}/trail.csv")
def export_csv(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("trail.export", by_case)]
) -> Response:
    """The trail as CSV, one event a line; the export is itself an event."""
    filters = {name: request.query_params[name] for name in _FILTERS if request.query_params.get(name)}
    entries = trails.export(services, access.actor, case_id, _wanted(filters), format="csv")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("seq", "time_ms", "type", "item", "item_seq", "actor", "role", "means", "canonical"))
    for entry in entries:
        place = (entry.seq, entry.time_ms, entry.type, entry.item, entry.item_seq)
        writer.writerow((*place, entry.actor_id or "", entry.role, entry.means, entry.canonical.decode()))
    return _file(out.getvalue(), "text/csv; charset=utf-8", "trail.csv")


@routes.get("/cases/{case_id}/trail.json")
def export_json(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("trail.export", by_case)]
) -> Response:
    """The trail as JSON: each event's place and its exact bytes as text."""
    filters = {name: request.query_params[name] for name in _FILTERS if request.query_params.get(name)}
    entries = trails.export(services, access.actor, case_id, _wanted(filters), format="json")
    told = [{"seq": entry.seq, "canonical": entry.canonical.decode()} for entry in entries]
    return _file(json.dumps(told, ensure_ascii=False), "application/json", "trail.json")


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
    )


def _wanted(filters: Mapping[str, str]) -> trails.Wanted:
    area = filters.get("area", "")
    exhibit = filters.get("exhibit", "")
    since = day_span(filters.get("since", ""), OFFSET_HOURS)
    until = day_span(filters.get("until", ""), OFFSET_HOURS)
    return trails.Wanted(
        areas=_AREAS.get(area, (area,)) if area in AREAS else (),
        actor_name=filters.get("actor", ""),
        exhibit_number=int(exhibit) if exhibit.isascii() and exhibit.isdigit() and len(exhibit) < 10 else None,
        since=since[0] if since else None,
        until=until[1] if until else None,
    )


_AREAS = {
    "exhibit": ("exhibit", "upload", "fixity", "intake", "receipt", "disposal"),
    "content": ("content", "page", "trail"),
    "access": ("access", "act", "session", "account"),
}
"""First parts of event types behind an area that is wider than its own name."""


def _file(content: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
