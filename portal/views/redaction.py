"""The redaction desk, the approver's view, and what was burned."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from custody.kernel.errors import Conflict
from evidence_api.http.guard import Access, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.http.routes.redaction import by_exhibits_plan
from evidence_api.queries import cases as queries
from evidence_api.queries import desks
from evidence_api.queries.desks import PlanDesk
from evidence_api.queries.examined import examined
from evidence_api.queries.facts import (
    BLOCK,
    REASONS,
    Decision,
    PageBox,
    Passage,
    RenditionView,
    Suggestion,
    WordSpan,
)
from evidence_api.services import Services
from evidence_api.use_cases import redacting
from portal.catalog import Language
from portal.context import EMPTY_FORM, Form
from portal.lines import exhibit_ref, head, job, rendition
from portal.pages.redaction import (
    CheckedRendition,
    LeakCheck,
    PlanReview,
    PreviewLine,
    ReasonChoice,
    RedactionDesk,
    Renditions,
    Run,
    SuggestionGroup,
    SuggestionRow,
    render_plan_review,
    render_redaction,
    render_renditions,
)
from portal.views.transcripts import turns
from portal.visits import Fields, context, go, html, language_of, try_form

routes = router()
_AROUND = 6
_OPEN = ("drafted", "returned")


@routes.get("/exhibits/{exhibit_id}/redaction")
def desk(
    exhibit_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("plan.read", by_exhibit)]
) -> Response:
    """The desk of an open plan; a submitted one is looked at in the approver's view."""
    found = desks.newest_plan(services, exhibit_id)
    if found.view.state not in _OPEN:
        return go(f"/exhibits/{exhibit_id}/redaction/review")
    return html(_desk(request, services, access, found, EMPTY_FORM))


@routes.post("/exhibits/{exhibit_id}/redaction/decisions")
def decide(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("plan.decide", by_exhibit)],
) -> Response:
    """Take the page's decisions, all or none; then stay, or put the plan before a second person."""
    found = desks.newest_plan(services, exhibit_id)

    def act() -> Response:
        version = _version(fields)
        decisions = _decisions(found.suggestions, fields)
        if decisions:
            view = redacting.decide(services, access.actor, found.view.id, version=version, decisions=decisions)
            version = view.version
        if fields.get("then") == "submit":
            redacting.submit(services, access.actor, found.view.id, version=version)
            return go(f"/exhibits/{exhibit_id}/redaction/review", "submitted")
        return go(f"/exhibits/{exhibit_id}/redaction", "decided")

    def again(form: Form) -> str:
        return _desk(request, services, access, desks.newest_plan(services, exhibit_id), form)

    return try_form(request, fields, {}, act, again)


@routes.post("/exhibits/{exhibit_id}/redaction/additions")
def add(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("plan.decide", by_exhibit)],
) -> Response:
    """Hide words that the machine did not see."""
    found = desks.newest_plan(services, exhibit_id)

    def act() -> Response:
        if found.said is None:
            raise Conflict("plan.bad_region")
        addition = desks.addition_of_words(
            found.said, fields.get("first", "").strip(), fields.get("last", "").strip(), fields.get("reason", "")
        )
        redacting.decide(
            services, access.actor, found.view.id, version=_version(fields), decisions=(), additions=[addition]
        )
        return go(f"/exhibits/{exhibit_id}/redaction", "decided")

    places = {"plan.bad_region": "first"}
    return try_form(request, fields, places, act, lambda form: _desk(request, services, access, found, form))


@routes.get("/exhibits/{exhibit_id}/redaction/review")
def review(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("plan.read", by_exhibits_plan)],
) -> Response:
    """What would be released, for the second person."""
    return html(_review(request, services, access, exhibit_id, EMPTY_FORM))


@routes.post("/exhibits/{exhibit_id}/redaction/approve")
def approve(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("plan.approve", by_exhibits_plan)],
) -> Response:
    """The second person's yes to exactly the plan that was on the page."""

    def act() -> Response:
        found = desks.newest_plan(services, exhibit_id)
        version = desks.version_of(services, found.view.id, fields.get("plan_sha256", ""))
        redacting.approve(services, access.actor, found.view.id, version=version)
        return go(f"/exhibits/{exhibit_id}/renditions", "approved")

    return try_form(request, fields, {}, act, lambda form: _review(request, services, access, exhibit_id, form))


@routes.post("/exhibits/{exhibit_id}/redaction/return")
def send_back(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("plan.return", by_exhibits_plan)],
) -> Response:
    """Send a plan back with words."""

    def act() -> Response:
        found = desks.newest_plan(services, exhibit_id).view
        redacting.send_back(services, access.actor, found.id, version=found.version, reason=fields.get("reason", ""))
        return go(f"/exhibits/{exhibit_id}", "returned")

    places = {"plan.no_words": "reason"}
    return try_form(request, fields, places, act, lambda form: _review(request, services, access, exhibit_id, form))


@routes.get("/exhibits/{exhibit_id}/renditions")
def renditions(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("rendition.read", by_exhibit)],
) -> Response:
    """What was burned, and how it stood the leak check."""
    view = queries.exhibit_view(services, exhibit_id)
    running = next((one for one in view.jobs if one.facts.task == redacting.BURN), None)
    failed = view.burn_failed
    readable = queries.may(access.viewer, "rendition.content", access.resource)
    model = Renditions(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        exhibit=exhibit_ref(view.exhibit),
        renditions=tuple(_checked(one, readable) for one in view.renditions),
        job=job(running) if running else None,
        failed_code=str(failed.data["reason"]) if failed and not view.renditions else None,
    )
    return html(render_renditions(context(request, access), model))


def _checked(one: RenditionView, readable: bool) -> CheckedRendition:
    report = json.loads(one.leak_report) if one.leak_report else {"checks": []}
    checks = tuple(LeakCheck(check["name"], check["state"], check["detail"]) for check in report["checks"])
    return CheckedRendition(rendition(one, readable=readable), checks, one.burned_at if checks else None)


def _version(fields: dict[str, str]) -> int:
    text = fields.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Conflict("plan.stale")
    return int(text)


def _decisions(suggestions: Sequence[Suggestion], fields: dict[str, str]) -> list[Decision]:
    """What the page says that is not so already."""
    decisions = []
    for one in suggestions:
        word = fields.get(f"decision.{one.id}")
        reason = fields.get(f"reason.{one.id}") or None
        if word == "accept" and (one.state, one.reason) != ("accepted", reason):
            decisions.append(Decision(one.id, True, reason, one.replacement))
        if word == "reject" and one.state != "rejected":
            decisions.append(Decision(one.id, False))
    return decisions


def _desk(request: Request, services: Services, access: Access, found: PlanDesk, form: Form) -> str:
    view = queries.exhibit_view(services, found.view.exhibit_id)
    language = language_of(request, access.visitor)
    names = queries.names_of(services, [found.view.returned_by])
    model = RedactionDesk(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        exhibit=exhibit_ref(view.exhibit),
        state=found.view.state,
        groups=_groups(found),
        reasons=tuple(ReasonChoice(reason.code, reason.label[language]) for reason in REASONS.all()),
        audio_href=f"/api/v1/exhibits/{view.exhibit.id}/content?view=true" if found.said else None,
        unseen=examined(services, view.exhibit.id).unseen,
        duration_ms=found.said.said.duration_ms if found.said else 0,
        turns=turns(found.said) if found.said else (),
        returned_by=names.get(found.view.returned_by) if found.view.returned_by else None,
        returned_reason=found.view.return_reason,
        can_decide=queries.may(access.viewer, "plan.decide", access.resource),
        version=found.view.version,
        form=form,
    )
    return render_redaction(context(request, access), model)


def _groups(found: PlanDesk) -> tuple[SuggestionGroup, ...]:
    """By kind, then by the text itself: every place of one name stands together."""

    def key(one: Suggestion) -> tuple[str, str]:
        return one.entity, one.text.casefold().strip(" .,;:!?…")

    ordered = sorted(found.suggestions, key=key)
    return tuple(
        SuggestionGroup(entity, rows[0].text, tuple(_row(found, one) for one in rows))
        for (entity, _), rows in ((name, list(group)) for name, group in groupby(ordered, key))
    )


def _row(found: PlanDesk, one: Suggestion) -> SuggestionRow:
    region = one.regions[0]
    before, after, language, start_ms = "", "", "ru", None
    if found.said and isinstance(region, WordSpan):
        words = [(word.text, turn.language) for turn in found.said.said.turns for word in turn.words]
        before = " ".join(text for text, _ in words[max(0, region.first - _AROUND) : region.first])
        after = " ".join(text for text, _ in words[region.last + 1 : region.last + 1 + _AROUND])
        language, start_ms = words[region.first][1], region.start_ms
    return SuggestionRow(
        id=one.id,
        text=one.text,
        before=before,
        after=after,
        state=one.state,
        source="person" if one.recognizer == "person" else "machine",
        language=language,
        reason=one.reason,
        replacement=one.replacement,
        start_ms=start_ms,
        page_number=region.page + 1 if isinstance(region, PageBox) else None,
    )


def _review(request: Request, services: Services, access: Access, exhibit_id: UUID, form: Form) -> str:
    found = desks.newest_plan(services, exhibit_id)
    plan = found.view
    view = queries.exhibit_view(services, exhibit_id)
    names = queries.names_of(services, [plan.submitted_by, plan.approved_by])
    language = language_of(request, access.visitor)
    may_approve = queries.may(access.viewer, "plan.approve", access.resource)
    states = [one.state for one in found.suggestions]
    model = PlanReview(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        exhibit=exhibit_ref(view.exhibit),
        state=plan.state,
        plan_digest=plan.plan_sha256 or "",
        submitted_by=names.get(plan.submitted_by, "—") if plan.submitted_by else "—",
        submitted_at=plan.submitted_at or plan.created_at,
        lines=_preview(found, language),
        reasons={reason.code: reason.label[language] for reason in REASONS.all()},
        hidden=states.count("accepted"),
        muted_ms=desks.hidden_ms(found.suggestions),
        rejected=states.count("rejected"),
        can_approve=plan.state == "submitted" and may_approve,
        another_approves=plan.state == "submitted" and not may_approve,
        approved_by=names.get(plan.approved_by) if plan.approved_by else None,
        approved_at=plan.approved_at,
        form=form,
    )
    return render_plan_review(context(request, access), model)


def _preview(found: PlanDesk, language: Language) -> tuple[PreviewLine, ...]:
    if found.said is None:
        return tuple(
            PreviewLine((Run(f"{region.page + 1}: "), Run("", True, one.reason), Run(f" {one.text}")), language)
            for one in found.suggestions
            if one.state == "accepted"
            for region in one.regions[:1]
            if isinstance(region, PageBox)
        )
    spoken = found.said.said.turns
    # As burning does it: who speaks leaves as a number by first appearance.
    numbers = {name: str(place) for place, name in enumerate(found.said.said.speakers, 1)}
    return tuple(
        PreviewLine(
            runs=tuple(_run(passage) for passage in passages),
            language=spoken[number].language,
            speaker=numbers[spoken[number].speaker],
            start_ms=spoken[number].start_ms,
        )
        for number, passages in groupby(found.passages, lambda passage: passage.turn)
    )


def _run(passage: Passage) -> Run:
    """A word as said, a pseudonym, or solid fill."""
    return Run("" if BLOCK in passage.text else f"{passage.text} ", passage.withheld is not None, passage.withheld)
