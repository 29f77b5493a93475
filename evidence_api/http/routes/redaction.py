"""Plans and renditions: suggestions, decisions, approval, what was burned."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.requests import Request

from custody.kernel.errors import NotFound
from evidence_api import jobs
from evidence_api.access.policy import Resource
from evidence_api.http.content import Content, respond, wanted
from evidence_api.http.guard import Access, by_exhibit, guard, path_id
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import planning
from evidence_api.registry import reads
from evidence_api.use_cases import reading, redacting
from redaction import queries as plans
from redaction.model import Suggestion, region_from_json, region_to_json
from redaction.plan import Addition, Decision
from redaction.queries import PlanView, RenditionView

routes = router("", "redaction")
MEDIA_TYPES = {
    "transcript": "application/json",
    "text": "text/plain",
    "sound": "audio/flac",
    "pdf": "application/pdf",
    "picture": "image/png",
}


class SuggestionOut(BaseModel):
    """Something that may have to be hidden, and what was decided. `text` is personal."""

    id: UUID
    entity: str
    regions: list[dict[str, Any]]
    text: str
    score_ppm: int
    recognizer: str
    state: str
    reason: str | None
    replacement: str | None


class PlanOut(BaseModel):
    """A plan. `state`: requested, failed, drafted, submitted, returned, approved; `version` is what a change names."""

    id: UUID
    exhibit: UUID
    state: str
    failure: str | None = None
    version: int | None = None
    sha256: str | None = None
    rules: str | None = None
    unread_pages: list[int] = []
    submitted_by: UUID | None = None
    approved_by: UUID | None = None
    return_reason: str | None = None
    suggestions: list[SuggestionOut] = []


class DecisionIn(BaseModel):
    """One decision. An acceptance names its ground."""

    suggestion: UUID
    accept: bool
    reason: str | None = Field(default=None, max_length=40)
    replacement: str | None = Field(default=None, max_length=80)


class AdditionIn(BaseModel):
    """Something the machine did not see."""

    regions: list[dict[str, Any]] = Field(min_length=1, max_length=200)
    reason: str = Field(max_length=40)
    entity: str = Field(default="OTHER", max_length=20)
    text: str = Field(default="", max_length=2_000)
    replacement: str | None = Field(default=None, max_length=80)


class DecisionsIn(BaseModel):
    """Decisions on one version of a plan, all or none."""

    version: int = Field(ge=1)
    decisions: list[DecisionIn] = Field(default=[], max_length=10_000)
    additions: list[AdditionIn] = Field(default=[], max_length=1_000)


class VersionIn(BaseModel):
    """The version of the plan that was seen."""

    version: int = Field(ge=1)


class ReturnIn(VersionIn):
    """Why the plan goes back to its author."""

    reason: str = Field(min_length=1, max_length=2_000)


class RenditionOut(BaseModel):
    """A burned file and its leak check."""

    id: UUID
    plan: UUID
    exhibit: UUID
    kind: str
    sha256: str
    size_bytes: int
    burned_at: datetime
    leak_result: str | None
    leak_report: dict[str, Any] | None


class RenditionsOut(BaseModel):
    """Every rendition of an exhibit."""

    items: list[RenditionOut]


def by_plan(session: Session, request: Request) -> Resource:
    """The plan `{plan_id}`, or the request for it, as a thing of its exhibit's case."""
    plan_id = path_id(request, "plan_id")
    try:
        plan = plans.get_plan(session, plan_id)
    except NotFound:
        job = jobs.latest(session, f"plan:{plan_id}")
        if job is None:
            raise
        return Resource(case_id=reads.get_exhibit(session, job.facts.uuid("exhibit")).case_id)
    return Resource(case_id=plan.case_id, submitted_by=plan.submitted_by)


def by_exhibits_plan(session: Session, request: Request) -> Resource:
    """The exhibit `{exhibit_id}` with who submitted its newest plan: the second person must be another."""
    resource = by_exhibit(session, request)
    found = plans.plans_of_exhibit(session, path_id(request, "exhibit_id"))
    return replace(resource, submitted_by=found[0].submitted_by) if found else resource


def by_rendition(session: Session, request: Request) -> Resource:
    """The rendition `{rendition_id}`, as a thing of its exhibit's case."""
    rendition = plans.get_rendition(session, path_id(request, "rendition_id"))
    return Resource(case_id=reads.get_exhibit(session, rendition.exhibit_id).case_id)


@routes.post("/exhibits/{exhibit_id}/plan", status_code=202)
def request_plan(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("plan.suggest", by_exhibit)]
) -> PlanOut:
    """Ask the machine what may have to be hidden."""
    return PlanOut(id=redacting.request(services, access.actor, exhibit_id), exhibit=exhibit_id, state="requested")


@routes.get("/plans/{plan_id}")
def read_plan(plan_id: UUID, services: ServicesOf, access: Annotated[Access, guard("plan.read", by_plan)]) -> PlanOut:
    """A plan with its suggestions."""
    del access
    found = planning.plan_or_request(services, plan_id)
    if found.view is None:
        return PlanOut(id=plan_id, exhibit=found.exhibit_id, state=found.state, failure=found.failure)
    return plan_out(found.view, found.suggestions)


@routes.post("/plans/{plan_id}/decisions")
def decide(
    plan_id: UUID, form: DecisionsIn, services: ServicesOf, access: Annotated[Access, guard("plan.decide", by_plan)]
) -> PlanOut:
    """Decide suggestions and add what the machine did not see."""
    decisions = [Decision(one.suggestion, one.accept, one.reason, one.replacement) for one in form.decisions]
    additions = [
        Addition(
            tuple(region_from_json(region) for region in one.regions),
            one.reason,
            one.entity,
            one.text,
            one.replacement,
        )
        for one in form.additions
    ]
    view = redacting.decide(
        services, access.actor, plan_id, version=form.version, decisions=decisions, additions=additions
    )
    return plan_out(view)


@routes.post("/plans/{plan_id}/submit")
def submit(
    plan_id: UUID, form: VersionIn, services: ServicesOf, access: Annotated[Access, guard("plan.submit", by_plan)]
) -> PlanOut:
    """Put a decided plan before a second person."""
    return plan_out(redacting.submit(services, access.actor, plan_id, version=form.version))


@routes.post("/plans/{plan_id}/approve")
def approve(
    plan_id: UUID, form: VersionIn, services: ServicesOf, access: Annotated[Access, guard("plan.approve", by_plan)]
) -> PlanOut:
    """The second person's yes; burning begins."""
    return plan_out(redacting.approve(services, access.actor, plan_id, version=form.version))


@routes.post("/plans/{plan_id}/return")
def send_back(
    plan_id: UUID, form: ReturnIn, services: ServicesOf, access: Annotated[Access, guard("plan.return", by_plan)]
) -> PlanOut:
    """Send a submitted plan back with words."""
    view = redacting.send_back(services, access.actor, plan_id, version=form.version, reason=form.reason)
    return plan_out(view)


@routes.get("/exhibits/{exhibit_id}/renditions")
def list_renditions(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("rendition.read", by_exhibit)]
) -> RenditionsOut:
    """What was burned from an exhibit."""
    del access
    return RenditionsOut(items=[rendition_out(one) for one in redacting.renditions_of(services, exhibit_id)])


@routes.api_route("/renditions/{rendition_id}/content", methods=["GET", "HEAD"])
def read_rendition(
    rendition_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("rendition.content", by_rendition)],
    view: bool = False,
) -> Response:
    """A rendition's bytes: exactly what would be released."""
    rendition = redacting.rendition(services, rendition_id)
    if rendition.blob_id is None:
        raise NotFound("rendition.not_found")
    reader = reading.blob(services, rendition.blob_id)
    name = planning.file_name(services, rendition)
    content = Content(reader.sha256, reader.size_bytes, MEDIA_TYPES[rendition.kind], name, reader.read)
    part = wanted(request, content)
    if request.method == "GET":
        reading.record(
            services,
            access.actor,
            reading.VIEWED if view else reading.DOWNLOADED,
            item=f"exhibit:{rendition.exhibit_id}",
            case_id=access.case_id,
            subject=rendition_id,
            sha256=reader.sha256,
            span=part.text,
        )
    return respond(request, content, part, attachment=not view)


def plan_out(view: PlanView, suggestions: list[Suggestion] | None = None) -> PlanOut:
    """A plan as the API shows it; without its suggestions after a change."""
    return PlanOut(
        id=view.id,
        exhibit=view.exhibit_id,
        state=view.state,
        version=view.version,
        sha256=view.plan_sha256,
        rules=view.rules_version,
        unread_pages=list(view.unread_pages),
        submitted_by=view.submitted_by,
        approved_by=view.approved_by,
        return_reason=view.return_reason,
        suggestions=[_suggestion_out(one) for one in suggestions or []],
    )


def _suggestion_out(one: Suggestion) -> SuggestionOut:
    return SuggestionOut(
        id=one.id,
        entity=one.entity,
        regions=[region_to_json(region) for region in one.regions],
        text=one.text,
        score_ppm=one.score_ppm,
        recognizer=one.recognizer,
        state=one.state,
        reason=one.reason,
        replacement=one.replacement,
    )


def rendition_out(view: RenditionView) -> RenditionOut:
    """A rendition as the API shows it."""
    return RenditionOut(
        id=view.id,
        plan=view.plan_id,
        exhibit=view.exhibit_id,
        kind=view.kind,
        sha256=view.sha256,
        size_bytes=view.size_bytes,
        burned_at=view.burned_at,
        leak_result=view.leak_result,
        leak_report=json.loads(view.leak_report) if view.leak_report else None,
    )
