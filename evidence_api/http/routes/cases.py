"""Cases and who stands on them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, Field

from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.paging import USUAL, Cursor, Keyset, Limit, PageOut
from evidence_api.http.parts import PartsOf
from evidence_api.http.route import router
from evidence_api.registry.facts import Case, Grant
from evidence_api.use_cases import cases

routes = router("/cases", "cases")
KEYSET = Keyset("cases", (str,))


class NewCase(BaseModel):
    """A case to open: its ЕРДР number and a working title."""

    erdr: str = Field(max_length=64)
    title: str = Field(max_length=1000)


class CaseOut(BaseModel):
    """A case's header."""

    id: UUID
    erdr: str
    title: str
    opened_by: UUID
    opened_at: datetime


class NewGrant(BaseModel):
    """Whom to put on the case, in which role, until when (for good when left out)."""

    login: str = Field(max_length=64)
    role: str = Field(max_length=40)
    until: AwareDatetime | None = None


class GrantOut(BaseModel):
    """A person on a case."""

    id: UUID
    account: UUID
    login: str
    display_name: str
    role: str
    granted_at: datetime
    until: datetime | None


class GrantsOut(BaseModel):
    """Everyone on a case."""

    items: list[GrantOut]


@routes.post("", status_code=201)
def open_case(
    form: NewCase, response: Response, parts: PartsOf, access: Annotated[Access, guard("case.create")]
) -> CaseOut:
    """Open a case; whoever opens it stands on it."""
    case = cases.open_case(
        parts.database, access.actor, erdr=form.erdr, title=form.title, pattern=parts.settings.erdr_pattern
    )
    response.headers["Location"] = f"/api/v1/cases/{case.id}"
    return case_out(case)


@routes.get("", response_model=PageOut[CaseOut])
def list_cases(
    parts: PartsOf,
    access: Annotated[Access, guard("case.list")],
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> dict[str, object]:
    """The cases one stands on, by number."""
    page = cases.list_cases(parts.database, access.viewer, after=KEYSET.decode(cursor), limit=limit)
    return KEYSET.out(page, case_out)


@routes.get("/{case_id}")
def read_case(case_id: UUID, parts: PartsOf, access: Annotated[Access, guard("case.read", by_case)]) -> CaseOut:
    """One case."""
    del access
    return case_out(cases.read_case(parts.database, case_id))


@routes.get("/{case_id}/grants")
def list_grants(case_id: UUID, parts: PartsOf, access: Annotated[Access, guard("case.grants", by_case)]) -> GrantsOut:
    """Who stands on the case."""
    del access
    return GrantsOut(items=[grant_out(grant) for grant in cases.list_grants(parts.database, case_id)])


@routes.post("/{case_id}/grants", status_code=201)
def grant(
    case_id: UUID, form: NewGrant, parts: PartsOf, access: Annotated[Access, guard("case.grant", by_case)]
) -> GrantOut:
    """Put a person on the case."""
    given = cases.grant(parts.database, access.actor, case_id, login=form.login, role=form.role, until=form.until)
    return grant_out(given)


@routes.delete("/{case_id}/grants/{grant_id}", status_code=204)
def revoke(
    case_id: UUID, grant_id: UUID, parts: PartsOf, access: Annotated[Access, guard("case.revoke", by_case)]
) -> Response:
    """Take a person off the case."""
    cases.revoke(parts.database, access.actor, case_id, grant_id)
    return Response(status_code=204)


def case_out(case: Case) -> CaseOut:
    """The case as the API shows it."""
    return CaseOut(id=case.id, erdr=case.erdr, title=case.title, opened_by=case.opened_by, opened_at=case.opened_at)


def grant_out(given: Grant) -> GrantOut:
    """The grant as the API shows it."""
    return GrantOut(
        id=given.id,
        account=given.account_id,
        login=given.login,
        display_name=given.display_name,
        role=given.role.value,
        granted_at=given.granted_at,
        until=given.until,
    )
