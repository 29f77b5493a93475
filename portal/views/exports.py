"""A trail to take away: PDF for court, CSV, JSON, CASE/UCO; of a case with the page's filters, or of one exhibit."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request
from starlette.responses import StreamingResponse

from custody.kernel.errors import NotFound
from evidence_api.http.guard import Access, by_case, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import case_uco, exports, records
from evidence_api.queries.exports import Export, ExportPage
from evidence_api.queries.trails import Wanted
from evidence_api.services import Services
from portal import filters
from portal.catalog import Language
from portal.context import OFFSET_HOURS
from portal.lines import event_line, readable
from portal.pages.audit import FORMATS
from portal.pages.events import sentence
from portal.trail_paper import MOST_EVENTS, trail_paper
from portal.views.record import answers
from portal.visits import language_of

routes = router()
_COLUMNS = (
    *("number", "of", "seq", "time_ms", "type", "item", "item_seq", "actor", "name", "role", "means", "sentence"),
    *("leaf_hash", "canonical"),
)
_MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "jsonld": "application/ld+json"}


@routes.get("/cases/{case_id}/trail.{format}")
def of_case(
    case_id: UUID,
    format: str,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("trail.export", by_case)],
) -> Response:
    """The trail of a case as its page's filters show it; the export is itself an event."""
    asked = filters.given(request, filters.TRAIL)

    def begin(limit: int | None) -> Export:
        wanted = filters.of_trail(asked)
        return exports.begin(services, access.actor, case_id, wanted, filters=asked, format=format, limit=limit)

    return _answer(services, begin, format, language_of(request, access.visitor), None)


@routes.get("/exhibits/{exhibit_id}/record.{format}")
def of_exhibit(
    exhibit_id: UUID,
    format: str,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("trail.export", by_exhibit)],
) -> Response:
    """The whole chain of an exhibit; the export is itself an event of that chain."""

    def begin(limit: int | None) -> Export:
        return exports.begin(
            services,
            access.actor,
            access.case_id,
            Wanted(),
            filters={},
            format=format,
            exhibit_id=exhibit_id,
            limit=limit,
        )

    return _answer(services, begin, format, language_of(request, access.visitor), exhibit_id)


def _answer(
    services: Services,
    begin: Callable[[int | None], Export],
    format: str,
    language: Language,
    exhibit_id: UUID | None,
) -> Response:
    if format not in FORMATS:
        raise NotFound("access.not_found")
    # what the act says of the exhibit is as it was before the act, which is itself the chain's next event
    found = records.of_exhibit(services, exhibit_id) if exhibit_id and format == "pdf" else None
    export = begin(MOST_EVENTS if format == "pdf" else None)
    exhibit = f"-{export.exhibit.number}" if export.exhibit else ""
    name = f"{export.case.erdr}{exhibit}-{export.total}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    if format == "pdf":
        said = [one.sentence for one in answers(found, language)] if found else []
        return Response(trail_paper(services, export, language, said), media_type="application/pdf", headers=headers)
    written = {"csv": _csv(export, language), "json": _json(export), "jsonld": case_uco.document(export)}
    return StreamingResponse(written[format], media_type=_MEDIA[format], headers=headers)


def _csv(export: Export, language: Language) -> Iterator[str]:
    """One event a line, each saying its number of how many: a file that was cut off shows it."""
    yield _line(_COLUMNS)
    number = 0
    for page in export.pages():
        for entry, told in zip(page.entries, _sentences(page, language), strict=True):
            number += 1
            name = page.names.get(entry.actor_id, "") if entry.actor_id else ""
            place = (entry.seq, entry.time_ms, entry.type, entry.item, entry.item_seq, entry.actor_id or "")
            leaf = (entry.leaf_hash.hex(), entry.canonical.decode())
            yield _line((number, export.total, *place, _inert(name), entry.role, entry.means, _inert(told), *leaf))


def _line(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _inert(text: str) -> str:
    """A text that a spreadsheet will not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _json(export: Export) -> Iterator[str]:
    """What was asked for, how much there is, and each event's place and exact bytes as text."""
    head = {
        "v": 1,
        "type": "dalel-trail",
        "case": str(export.case.id),
        "erdr": export.case.erdr,
        "exhibit": str(export.exhibit.id) if export.exhibit else None,
        "filters": dict(export.filters),
        "exported_at": export.at.isoformat().replace("+00:00", "Z"),
        "ledger_size": export.size,
        "checkpoint": export.checkpoint,
        "events_total": export.total,
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "events": ['
    first = True
    for entry in export.entries():
        told = json.dumps({"seq": entry.seq, "canonical": entry.canonical.decode()}, ensure_ascii=False)
        yield ("\n" if first else ",\n") + told
        first = False
    yield "\n]}\n"


def _sentences(page: ExportPage, language: Language) -> list[str]:
    names = readable(language, page.names, page.things)
    return [sentence(language, OFFSET_HOURS, event_line(entry, names)) for entry in page.entries]
