"""The stored files: rounds, alarms, the store's lock; one exhibit checked now."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from evidence_api.http.guard import Access, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries import fixity as stored
from evidence_api.queries import scanning
from evidence_api.use_cases import fixity
from portal.lines import alarm_lines
from portal.pages.fixity import FixityPage, RoundLine, ScanLine, render_fixity
from portal.visits import Fields, context, go, html

routes = router()


@routes.get("/fixity")
def overview(request: Request, services: ServicesOf, access: Annotated[Access, guard("fixity.read")]) -> Response:
    """How the stored files stand."""
    found = stored.overview(services)
    model = FixityPage(
        objects=found.totals.objects,
        size_bytes=found.totals.size_bytes,
        checked=found.totals.checked,
        damaged=found.totals.damaged,
        oldest=found.totals.oldest,
        rate=found.rate,
        running=_line(found.running) if found.running else None,
        rounds=tuple(_line(one) for one in found.rounds),
        next_light=found.next_light,
        next_deep=found.next_deep,
        alarms=alarm_lines(found.alarms, stored.places(services, found.alarms), access.viewer),
        scan=ScanLine(**vars(scanned)) if (scanned := scanning.scanning(services)) else None,
        may_run=queries.may(access.viewer, "fixity.run", access.resource),
    )
    return html(render_fixity(context(request, access), model))


@routes.post("/fixity/rounds")
def begin(services: ServicesOf, fields: Fields, access: Annotated[Access, guard("fixity.run")]) -> Response:
    """Begin a round now."""
    fixity.begin(services, access.actor, deep=fields.get("deep") == "yes")
    return go("/fixity", "round_begun")


@routes.post("/fixity/lock")
def lock(services: ServicesOf, access: Annotated[Access, guard("fixity.run")]) -> Response:
    """Attack the store's lock now."""
    del access
    return go("/fixity", "lock_held" if fixity.try_lock(services) else "lock_broken")


@routes.post("/exhibits/{exhibit_id}/check-fixity")
def check(
    exhibit_id: UUID,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("exhibit.check", by_exhibit)],
) -> Response:
    """Check one exhibit's files now."""
    fixity.request(services, access.actor, exhibit_id, deep=fields.get("deep") == "yes")
    return go(f"/exhibits/{exhibit_id}", "fixity_requested")


def _line(one: stored.Round) -> RoundLine:
    return RoundLine(one.deep, one.began_at, one.ended_at, one.checked, one.size_bytes, one.differences)
