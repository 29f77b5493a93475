"""Retention: rules, terms, holds."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session
from starlette.requests import Request

from evidence_api.access.policy import Resource
from evidence_api.http.guard import Access, by_case, by_exhibit, guard, path_id
from evidence_api.http.paging import USUAL, Cursor, Keyset, Limit, PageOut
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import retention as queries
from evidence_api.registry import holds
from evidence_api.registry.facts import Exhibit, Hold
from evidence_api.retention.model import parse_rules
from evidence_api.retention.service import KeptRules
from evidence_api.use_cases import retaining

routes = router("", "retention")
KEYSET = Keyset("terms", (int, int))


class RuleModel(BaseModel):
    """A category's rule. `names` are in kk, ru and en; days are counted from registration."""

    code: str = Field(max_length=40)
    names: dict[str, str]
    term_days: int
    min_days: int
    extendable: bool


class RulesIn(BaseModel):
    """The rules that shall be in force, all of them."""

    rules: list[RuleModel] = Field(max_length=200)


class RulesOut(BaseModel):
    """One version of the rules."""

    version: int
    sha256: str
    made_by: UUID | None
    made_at: datetime
    rules: list[RuleModel]


class VersionsOut(BaseModel):
    """Every version, newest first."""

    items: list[RulesOut]


class CategoryIn(BaseModel):
    """The category to put an exhibit or a case under."""

    category: str = Field(max_length=40)


class TermIn(BaseModel):
    """A category, or a later end of the term."""

    category: str | None = Field(default=None, max_length=40)
    until: AwareDatetime | None = None


class HoldIn(BaseModel):
    """The ground in law, and words about it that stay out of the ledger."""

    ground: str = Field(max_length=40)
    note: str = Field(default="", max_length=1000)


class LiftIn(BaseModel):
    """Why the hold ends."""

    ground: str = Field(max_length=40)


class HoldOut(BaseModel):
    """A hold. `exhibit` is null for one on the whole case."""

    id: UUID
    case: UUID
    exhibit: UUID | None
    ground: str
    note: str
    placed_by: UUID
    placed_at: datetime
    lifted_by: UUID | None
    lifted_at: datetime | None
    lift_ground: str | None


class SameBytesOut(BaseModel):
    """Another exhibit of the case with the same digest."""

    exhibit: UUID
    number: int
    destroyed_at: datetime | None


class TermOut(BaseModel):
    """How long an exhibit is kept. `store_holds` of `objects` stored objects are under the store's own hold.

    `same_bytes`: what was destroyed may be sent again into its case, and is then another exhibit.
    """

    exhibit: UUID
    number: int
    basis: str
    purpose: str
    category: str | None
    rule_version: int | None
    retain_until: datetime | None
    locked_until: datetime | None
    held: bool
    objects: int
    store_holds: int
    destroyed_at: datetime | None
    disposal: UUID | None
    holds: list[HoldOut]
    same_bytes: list[SameBytesOut]


class TermRowOut(BaseModel):
    """An exhibit among those of its case, by the end of its term."""

    exhibit: UUID
    number: int
    filename: str
    category: str | None
    retain_until: datetime | None
    held: bool
    destroyed_at: datetime | None
    disposal: UUID | None


class HeldCaseOut(BaseModel):
    """How many exhibits were put under a category."""

    exhibits: int


def by_hold(session: Session, request: Request) -> Resource:
    """The hold `{hold_id}`, as a thing of its case."""
    return Resource(case_id=holds.get(session, path_id(request, "hold_id")).case_id)


@routes.get("/retention-rules")
def list_rules(services: ServicesOf, access: Annotated[Access, guard("rules.read")]) -> VersionsOut:
    """Every version of the rules, the one in force first."""
    del access
    return VersionsOut(items=[rules_out(one) for one in queries.versions(services)])


@routes.get("/retention-rules/{version}")
def read_rules(version: int, services: ServicesOf, access: Annotated[Access, guard("rules.read")]) -> RulesOut:
    """One version."""
    del access
    return rules_out(queries.version(services, version))


@routes.post("/retention-rules", status_code=201)
def change_rules(form: RulesIn, services: ServicesOf, access: Annotated[Access, guard("rules.change")]) -> RulesOut:
    """Put new rules in force, as a new version. What was kept under an older one stays under it."""
    rules = parse_rules([one.model_dump() for one in form.rules])
    made = retaining.set_rules(services, access.actor, rules)
    return rules_out(queries.version(services, made.version))


@routes.get("/exhibits/{exhibit_id}/retention")
def read_term(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("retention.read", by_exhibit)]
) -> TermOut:
    """How long an exhibit is kept, and what holds it."""
    del access
    view = queries.term(services, exhibit_id)
    one = view.exhibit
    return TermOut(
        exhibit=one.id,
        number=one.number,
        basis=one.basis,
        purpose=one.purpose,
        category=one.category,
        rule_version=one.rule_version,
        retain_until=one.retain_until,
        locked_until=view.locked_until,
        held=one.held,
        objects=view.objects,
        store_holds=view.store_holds,
        destroyed_at=one.destroyed_at,
        disposal=one.disposal_id,
        holds=[hold_out(hold) for hold in view.holds],
        same_bytes=[
            SameBytesOut(exhibit=twin.id, number=twin.number, destroyed_at=twin.destroyed_at)
            for twin in view.same_bytes
        ],
    )


@routes.post("/exhibits/{exhibit_id}/retention")
def change_term(
    exhibit_id: UUID,
    form: TermIn,
    services: ServicesOf,
    access: Annotated[Access, guard("retention.extend", by_exhibit)],
) -> TermOut:
    """Put an exhibit under a category, keep it for longer, or both. A term is never shortened."""
    if form.category is not None:
        retaining.categorize(services, access.actor, exhibit_id, form.category)
    if form.until is not None:
        retaining.extend(services, access.actor, exhibit_id, form.until)
    return read_term(exhibit_id, services, access)


@routes.post("/cases/{case_id}/retention")
def change_terms(
    case_id: UUID, form: CategoryIn, services: ServicesOf, access: Annotated[Access, guard("retention.extend", by_case)]
) -> HeldCaseOut:
    """Put every sealed exhibit of a case under a category."""
    return HeldCaseOut(exhibits=retaining.categorize_case(services, access.actor, case_id, form.category))


@routes.get("/cases/{case_id}/retention", response_model=PageOut[TermRowOut])
def list_terms(
    case_id: UUID,
    services: ServicesOf,
    access: Annotated[Access, guard("retention.read", by_case)],
    state: str = "all",
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> dict[str, object]:
    """The exhibits of a case by the end of their terms; `state`: all, over, year, held, destroyed."""
    del access
    page = queries.terms(services, case_id, state=state, after=KEYSET.decode(cursor), limit=limit)
    return KEYSET.out(page, term_row_out)


@routes.post("/exhibits/{exhibit_id}/holds", status_code=201)
def hold_exhibit(
    exhibit_id: UUID, form: HoldIn, services: ServicesOf, access: Annotated[Access, guard("hold.place", by_exhibit)]
) -> HoldOut:
    """Let nothing of an exhibit be destroyed."""
    return hold_out(retaining.hold_exhibit(services, access.actor, exhibit_id, ground=form.ground, note=form.note))


@routes.post("/cases/{case_id}/holds", status_code=201)
def hold_case(
    case_id: UUID, form: HoldIn, services: ServicesOf, access: Annotated[Access, guard("hold.place", by_case)]
) -> HoldOut:
    """Let nothing of a case be destroyed."""
    return hold_out(retaining.hold_case(services, access.actor, case_id, ground=form.ground, note=form.note))


@routes.post("/holds/{hold_id}/lift")
def lift_hold(
    hold_id: UUID, form: LiftIn, services: ServicesOf, access: Annotated[Access, guard("hold.lift", by_hold)]
) -> HoldOut:
    """End one hold; others on the same exhibit or case go on."""
    return hold_out(retaining.lift(services, access.actor, hold_id, ground=form.ground))


def rules_out(kept: KeptRules) -> RulesOut:
    """A version as the API shows it."""
    return RulesOut(
        version=kept.rules.version,
        sha256=kept.sha256,
        made_by=kept.made_by,
        made_at=kept.made_at,
        rules=[RuleModel(**vars(one) | {"names": dict(one.names)}) for one in kept.rules.rules],
    )


def hold_out(hold: Hold) -> HoldOut:
    """A hold as the API shows it."""
    return HoldOut(**vars(hold) | {"case": hold.case_id, "exhibit": hold.exhibit_id})


def term_row_out(one: Exhibit) -> TermRowOut:
    """An exhibit's term as the API shows it in a list."""
    return TermRowOut(
        exhibit=one.id,
        number=one.number,
        filename=one.filename,
        category=one.category,
        retain_until=one.retain_until,
        held=one.held,
        destroyed_at=one.destroyed_at,
        disposal=one.disposal_id,
    )
