"""Destruction acts: proposed, signed, approved, rejected."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.requests import Request

from evidence_api.access.policy import Resource
from evidence_api.http.guard import Access, by_case, guard, path_id
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import retention as queries
from evidence_api.retention import service as retention
from evidence_api.retention.service import Disposal, Item
from evidence_api.use_cases import disposing

routes = router("", "disposals")


class ExhibitsIn(BaseModel):
    """What to destroy: exhibits, and packages by their rounds."""

    exhibits: list[UUID] = Field(default=[], max_length=2000)
    packages: list[UUID] = Field(default=[], max_length=2000)


class ActIn(BaseModel):
    """The digest of the act that was read."""

    act_sha256: str = Field(max_length=80)


class ReasonIn(BaseModel):
    """Why not."""

    reason: str = Field(max_length=40)


class OutcomeOut(BaseModel):
    """What came of one exhibit, or of the package of one round. `locked` objects are removed when the store lets go."""

    exhibit: UUID | None = None
    disclosure: UUID | None = None
    keys_destroyed: int | None
    objects_removed: int | None
    locked: list[dict[str, Any]]


class DisposalOut(BaseModel):
    """A destruction act. `act` is the exact text that `act_sha256` is of."""

    id: UUID
    case: UUID
    number: int
    state: str
    ground: str
    act: str
    act_sha256: str
    proposed_by: UUID | None
    proposed_at: datetime
    signed_by: UUID | None
    signed_at: datetime | None
    approved_by: UUID | None
    approved_at: datetime | None
    ended_by: UUID | None
    ended_at: datetime | None
    reason: str | None
    done_at: datetime | None
    exhibits: list[OutcomeOut]
    packages: list[OutcomeOut]


class DisposalsOut(BaseModel):
    """Every act of a case, newest first."""

    items: list[DisposalOut]


def by_disposal(session: Session, request: Request) -> Resource:
    """The act `{disposal_id}`, as a thing of its case; who signed it first has submitted it."""
    act = retention.get(session, path_id(request, "disposal_id"))
    return Resource(case_id=act.case_id, submitted_by=act.signed_by)


@routes.get("/cases/{case_id}/disposals")
def list_disposals(
    case_id: UUID, services: ServicesOf, access: Annotated[Access, guard("disposal.read", by_case)]
) -> DisposalsOut:
    """The destruction acts of a case."""
    del access
    return DisposalsOut(items=[disposal_out(one) for one in queries.acts(services, case_id)])


@routes.post("/cases/{case_id}/disposals", status_code=201)
def propose(
    case_id: UUID,
    form: ExhibitsIn,
    services: ServicesOf,
    access: Annotated[Access, guard("disposal.propose", by_case)],
) -> DisposalOut:
    """Propose to destroy exhibits and packages whose term is over."""
    return disposal_out(disposing.propose(services, access.actor, case_id, form.exhibits, form.packages))


@routes.get("/disposals/{disposal_id}")
def read_disposal(
    disposal_id: UUID, services: ServicesOf, access: Annotated[Access, guard("disposal.read", by_disposal)]
) -> DisposalOut:
    """One act."""
    del access
    return disposal_out(queries.act(services, disposal_id))


@routes.post("/disposals/{disposal_id}/sign")
def sign(
    disposal_id: UUID,
    form: ActIn,
    services: ServicesOf,
    access: Annotated[Access, guard("disposal.sign", by_disposal)],
) -> DisposalOut:
    """The first signature."""
    return disposal_out(disposing.sign(services, access.actor, disposal_id, form.act_sha256))


@routes.post("/disposals/{disposal_id}/approve")
def approve(
    disposal_id: UUID,
    form: ActIn,
    services: ServicesOf,
    access: Annotated[Access, guard("disposal.approve", by_disposal)],
) -> DisposalOut:
    """The second signature, another person's: the destruction begins."""
    return disposal_out(disposing.approve(services, access.actor, disposal_id, form.act_sha256))


@routes.post("/disposals/{disposal_id}/reject")
def reject(
    disposal_id: UUID,
    form: ReasonIn,
    services: ServicesOf,
    access: Annotated[Access, guard("disposal.reject", by_disposal)],
) -> DisposalOut:
    """A prosecutor's no."""
    return disposal_out(disposing.reject(services, access.actor, disposal_id, form.reason))


def disposal_out(act: Disposal) -> DisposalOut:
    """An act as the API shows it."""
    return DisposalOut(
        **vars(act)
        | {
            "case": act.case_id,
            "act": act.body,
            "exhibits": [OutcomeOut(exhibit=one.thing_id, **_outcome(one)) for one in act.items],
            "packages": [OutcomeOut(disclosure=one.thing_id, **_outcome(one)) for one in act.packages],
        }
    )


def _outcome(one: Item) -> dict[str, Any]:
    return {
        "keys_destroyed": one.keys_destroyed,
        "objects_removed": one.objects_removed,
        "locked": [dict(locked) for locked in one.locked],
    }
