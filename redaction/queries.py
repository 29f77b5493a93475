"""What others may read of plans and renditions: frozen values, never rows. Suggestions carry personal text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from custody.kernel.errors import NotFound
from redaction.leak.forbidden import Forbidden, forbidden_of
from redaction.model import Suggestion, region_from_json
from redaction.plan import Plan, PlannedRegion, assemble
from redaction.pseudonyms import Person
from redaction.tables import PersonRow, PlanRow, RenditionRow, SuggestionRow


@dataclass(frozen=True)
class PlanView:
    """A plan as people see it. `version` is what a change must name; `unread_pages` no machine could read."""

    id: UUID
    exhibit_id: UUID
    case_id: UUID
    source_sha256: str
    text_sha256: str | None
    rules_version: str
    rules_sha256: str
    unread_pages: tuple[int, ...]
    state: str
    version: int
    created_at: datetime
    submitted_by: UUID | None
    submitted_at: datetime | None
    approved_by: UUID | None
    approved_at: datetime | None
    returned_by: UUID | None
    return_reason: str | None
    plan_sha256: str | None


@dataclass(frozen=True)
class RenditionView:
    """A burned file. It may be disclosed only when `leak_result` is `passed`."""

    id: UUID
    plan_id: UUID
    exhibit_id: UUID
    kind: str
    blob_id: UUID | None
    sha256: str
    size_bytes: int
    source_sha256: str
    plan_sha256: str
    tool: str
    tool_version: str
    parameters: dict[str, Any]
    burned_at: datetime
    leak_result: str | None
    leak_sha256: str | None
    leak_report: bytes | None


def plan_view(row: PlanRow) -> PlanView:
    """The frozen value of a row."""
    return PlanView(
        id=row.id,
        exhibit_id=row.exhibit_id,
        case_id=row.case_id,
        source_sha256=row.source_sha256,
        text_sha256=row.text_sha256,
        rules_version=row.rules_version,
        rules_sha256=row.rules_sha256,
        unread_pages=tuple(row.unread_pages),
        state=row.state,
        version=row.version,
        created_at=row.created_at,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        returned_by=row.returned_by,
        return_reason=row.return_reason,
        plan_sha256=row.plan_sha256,
    )


def rendition_view(row: RenditionRow) -> RenditionView:
    """The frozen value of a row."""
    return RenditionView(
        id=row.id,
        plan_id=row.plan_id,
        exhibit_id=row.exhibit_id,
        kind=row.kind,
        blob_id=row.blob_id,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        source_sha256=row.source_sha256,
        plan_sha256=row.plan_sha256,
        tool=row.tool,
        tool_version=row.tool_version,
        parameters=dict(row.parameters),
        burned_at=row.burned_at,
        leak_result=row.leak_result,
        leak_sha256=row.leak_sha256,
        leak_report=row.leak_report,
    )


def suggestion_of(row: SuggestionRow) -> Suggestion:
    """The frozen value of a row."""
    return Suggestion(
        id=row.id,
        entity=row.entity,
        regions=tuple(region_from_json(region) for region in row.regions),
        text=row.text,
        score_ppm=row.score_ppm,
        recognizer=row.recognizer,
        state=row.state,
        reason=row.reason,
        replacement=row.replacement,
    )


def _row(session: Session, plan_id: UUID) -> PlanRow:
    row = session.get(PlanRow, plan_id)
    if row is None:
        raise NotFound("plan.not_found")
    return row


def get_plan(session: Session, plan_id: UUID) -> PlanView:
    """One plan. Raises NotFound `plan.not_found`."""
    return plan_view(_row(session, plan_id))


def plans_of_exhibit(session: Session, exhibit_id: UUID) -> list[PlanView]:
    """Every plan of an exhibit, the newest first."""
    rows = session.scalars(select(PlanRow).where(PlanRow.exhibit_id == exhibit_id).order_by(PlanRow.id.desc()))
    return [plan_view(row) for row in rows]


def count_by_state(session: Session, case_id: UUID) -> dict[str, int]:
    """How many plans of a case are in each state; states nobody is in are left out."""
    rows = session.execute(
        select(PlanRow.state, func.count()).where(PlanRow.case_id == case_id).group_by(PlanRow.state)
    )
    return {row[0]: row[1] for row in rows}


def suggestions_of(session: Session, plan_id: UUID) -> list[Suggestion]:
    """The suggestions and additions of a plan in the order of the source, additions last."""
    rows = session.scalars(
        select(SuggestionRow).where(SuggestionRow.plan_id == plan_id).order_by(SuggestionRow.position)
    )
    return [suggestion_of(row) for row in rows]


def preview(session: Session, plan_id: UUID) -> Plan:
    """The plan as its suggestions stand now: what would be submitted, or what was. Raises what `assemble` raises."""
    row = _row(session, plan_id)
    return assemble(
        id=row.id,
        exhibit=row.exhibit_id,
        source_sha256=row.source_sha256,
        text_sha256=row.text_sha256,
        rules_sha256=row.rules_sha256,
        suggestions=suggestions_of(session, plan_id),
    )


def draft_preview(session: Session, plan_id: UUID) -> Plan:
    """What is accepted so far as a plan, for a look before everything is decided; it can not be submitted."""
    row = _row(session, plan_id)
    accepted = [one for one in suggestions_of(session, plan_id) if one.state == "accepted"]
    parts = [
        PlannedRegion(region, one.entity, one.reason or "", one.replacement)
        for one in accepted
        for region in one.regions
    ]
    return Plan(row.id, row.exhibit_id, row.source_sha256, row.text_sha256, row.rules_sha256, tuple(parts))


def forbidden_terms(session: Session, plan_id: UUID) -> Forbidden:
    """What the renditions of a plan must not contain. Personal: for the leak check alone."""
    return forbidden_of(suggestions_of(session, plan_id))


def persons_of(session: Session, case_id: UUID) -> list[Person]:
    """The persons of a case that have a pseudonym, by number."""
    rows = session.scalars(select(PersonRow).where(PersonRow.case_id == case_id).order_by(PersonRow.number))
    return [Person(row.number, tuple(row.names)) for row in rows]


def get_rendition(session: Session, rendition_id: UUID) -> RenditionView:
    """One rendition. Raises NotFound `rendition.not_found`."""
    row = session.get(RenditionRow, rendition_id)
    if row is None:
        raise NotFound("rendition.not_found")
    return rendition_view(row)


def renditions_of_plan(session: Session, plan_id: UUID) -> list[RenditionView]:
    """The renditions burned under a plan, by kind."""
    rows = session.scalars(select(RenditionRow).where(RenditionRow.plan_id == plan_id).order_by(RenditionRow.kind))
    return [rendition_view(row) for row in rows]


def renditions_of_exhibits(session: Session, exhibit_ids: Sequence[UUID]) -> list[RenditionView]:
    """The renditions of several exhibits, the oldest first."""
    rows = session.scalars(
        select(RenditionRow).where(RenditionRow.exhibit_id.in_(exhibit_ids)).order_by(RenditionRow.id)
    )
    return [rendition_view(row) for row in rows]
