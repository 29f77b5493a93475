"""A case: exhibits, people."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from custody.kernel.errors import Invalid
from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.paging import Cursor, Keyset
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries.facts import GRANTABLE, Grant
from evidence_api.services import Services
from evidence_api.use_cases import cases as acts
from evidence_api.use_cases import intake
from portal.context import EMPTY_FORM, OFFSET_HOURS, Form
from portal.formats import day_span
from portal.lines import exhibit_row, head
from portal.pages.cases import CaseExhibits, CasePeople, GrantRow, render_case_exhibits, render_case_people
from portal.visits import Fields, context, go, html, try_form

routes = router()
KEYSET = Keyset("portal-exhibits", (int,))
_PAGE = 100


@routes.get("/cases/{case_id}")
def show(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("exhibit.list", by_case)],
    cursor: Cursor = None,
) -> Response:
    """The exhibits of a case by number."""
    page = intake.exhibits(services, case_id, after=KEYSET.decode(cursor), limit=_PAGE)
    model = CaseExhibits(
        head=head(queries.case_view(services, access.viewer, case_id)),
        rows=tuple(exhibit_row(exhibit) for exhibit in page.items),
        total=queries.count_exhibits(services, case_id),
        can_upload=queries.may(access.viewer, "upload.create", access.resource),
        next_href=f"/cases/{case_id}?cursor={KEYSET.encode(page.after)}" if page.after else None,
    )
    return html(render_case_exhibits(context(request, access), model))


@routes.get("/cases/{case_id}/people")
def people(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("case.grants", by_case)]
) -> Response:
    """Who stands on the case."""
    return html(_people(request, services, access, EMPTY_FORM))


@routes.post("/cases/{case_id}/grants")
def grant(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("case.grant", by_case)],
) -> Response:
    """Put a person on the case."""

    def act() -> Response:
        acts.grant(
            services.database,
            access.actor,
            case_id,
            login=fields.get("login", "").strip(),
            role=fields.get("role", ""),
            until=_until(fields.get("until", "")),
        )
        return go(f"/cases/{case_id}/people", "granted")

    places = {
        "account.": "login",
        "role.": "role",
        "grant.role": "role",
        "grant.until": "until",
        "grant.exists": "login",
    }
    return try_form(request, fields, places, act, lambda form: _people(request, services, access, form))


@routes.post("/cases/{case_id}/grants/{grant_id}/revoke")
def revoke(
    case_id: UUID, grant_id: UUID, services: ServicesOf, access: Annotated[Access, guard("case.revoke", by_case)]
) -> Response:
    """Take a person off the case."""
    acts.revoke(services.database, access.actor, case_id, grant_id)
    return go(f"/cases/{case_id}/people", "revoked")


def _people(request: Request, services: Services, access: Access, form: Form) -> str:
    case_id = access.case_id
    may_grant = queries.may(access.viewer, "case.grant", access.resource)
    may_revoke = queries.may(access.viewer, "case.revoke", access.resource)
    roles = sorted({role.value for group in GRANTABLE.values() for role in group}) if may_grant else []
    model = CasePeople(
        head=head(queries.case_view(services, access.viewer, case_id)),
        grants=tuple(_grant_row(one, may_revoke) for one in acts.list_grants(services.database, case_id)),
        roles=tuple(roles),
        form=form,
    )
    return render_case_people(context(request, access), model)


def _grant_row(one: Grant, may_revoke: bool) -> GrantRow:
    return GrantRow(
        name=one.display_name,
        login=one.login,
        role=one.role.value,
        since=one.granted_at,
        until=one.until,
        revoke_href=f"/cases/{one.case_id}/grants/{one.id}/revoke" if may_revoke else None,
    )


def _until(text: str) -> datetime | None:
    """The end of the given day; nothing for an empty field. Raises Invalid `grant.until_past` for no date."""
    if not text:
        return None
    span = day_span(text, OFFSET_HOURS)
    if span is None:
        raise Invalid("grant.until_past")
    return span[1] - timedelta(milliseconds=1)
