"""One exhibit: what it is, what can be done, its chain."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from starlette.requests import Request

from evidence_api.http.guard import Access, by_exhibit, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries import fixity
from evidence_api.queries.cases import ExhibitView
from evidence_api.queries.examined import examined
from evidence_api.queries.fixity import ExhibitFixity
from evidence_api.services import Services
from evidence_api.use_cases import copying, examining, redacting, transcribing
from portal.context import EMPTY_FORM, Form
from portal.findings import findings
from portal.lines import act_href, alarm_line, event_line, head, job, readable, rendition
from portal.pages.exhibits import (
    ChainPart,
    Content,
    CopyForm,
    ExhibitFacts,
    ExhibitPage,
    SameBytes,
    render_exhibit,
)
from portal.views.retention import category_name
from portal.visits import Fields, context, go, html, try_form

routes = router()
_KINDS = {"application/pdf": "pdf", "text/plain": "text"}
_OPEN_PLANS = ("drafted", "returned")


@routes.get("/exhibits/{exhibit_id}")
def show(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("exhibit.read", by_exhibit)],
    page: int = 1,
    before: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> Response:
    """The exhibit's page; `page` is which of a document's it shows, `before` the first event already seen."""
    return html(_page(request, services, access, exhibit_id, EMPTY_FORM, page, before))


@routes.post("/exhibits/{exhibit_id}/copies")
def record_copy(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("content.copy", by_exhibit)],
) -> Response:
    """State that a copy of the original was made outside the program."""

    def act() -> Response:
        said = {name: fields.get(name, "") for name in ("medium", "recipient", "purpose")}
        copying.record_copy(services, access.actor, exhibit_id, **said)
        return go(f"/exhibits/{exhibit_id}", "copy_recorded")

    places = {f"copy.{name}": name for name in ("medium", "recipient", "purpose")}
    return try_form(request, fields, places, act, lambda form: _page(request, services, access, exhibit_id, form))


def _page(
    request: Request,
    services: Services,
    access: Access,
    exhibit_id: UUID,
    form: Form,
    page: int = 1,
    before: int | None = None,
) -> str:
    view = queries.exhibit_view(services, exhibit_id, before=before)
    may_look = queries.may(access.viewer, "exhibit.content", access.resource)
    may_read = queries.may(access.viewer, "rendition.content", access.resource)
    found = examined(services, exhibit_id) if queries.may(access.viewer, "exhibit.facts", access.resource) else None
    stored = fixity.of_exhibit(services, exhibit_id)
    at_hand = context(request, access)
    names = readable(at_hand.language, view.names, view.things)
    may_read_record = queries.may(access.viewer, "trail.read", access.resource)
    may_copy = view.exhibit.blob_id is not None and queries.may(access.viewer, "content.copy", access.resource)
    model = ExhibitPage(
        head=head(queries.case_view(services, access.viewer, view.exhibit.case_id)),
        exhibit=_facts(view, category_name(services, view.exhibit, at_hand.language), stored),
        same_bytes=tuple(
            SameBytes(one.id, one.number, one.destroyed_at, one.disposal_number) for one in view.same_bytes
        ),
        chain=_chain(view, names, f"/exhibits/{exhibit_id}", may_read_record),
        actions=_actions(view, access),
        content=_content(view) if may_look and view.exhibit.blob_id and not view.exhibit.destroyed_at else None,
        renditions=tuple(rendition(one, readable=may_read) for one in view.renditions),
        jobs=tuple(job(one) for one in (*view.jobs, *(found.jobs if found else ()))),
        transcript_state=_transcript_state(view),
        plan_state=view.plan.state if view.plan else None,
        checkpoint_size=view.checkpoint.size if view.checkpoint else None,
        checkpoint_at=view.checkpoint.published_at if view.checkpoint else None,
        findings=findings(found, access, page) if found and view.exhibit.blob_id else None,
        alarms=tuple(alarm_line(one) for one in stored.alarms),
        may_check=stored.files > 0 and queries.may(access.viewer, "exhibit.check", access.resource),
        checking_since=stored.running.created_at if stored.running else None,
        copies=CopyForm(tuple(copying.Medium), tuple(copying.CopyPurpose), form) if may_copy else None,
        record_href=f"/exhibits/{exhibit_id}/record" if may_read_record else None,
    )
    return render_exhibit(at_hand, model)


@routes.post("/exhibits/{exhibit_id}/request-transcript")
def request_transcript(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("transcript.request", by_exhibit)]
) -> Response:
    """Ask for the machine's draft."""
    transcribing.request(services, access.actor, exhibit_id)
    return go(f"/exhibits/{exhibit_id}", "transcript_requested")


@routes.post("/exhibits/{exhibit_id}/suggest-plan")
def suggest_plan(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("plan.suggest", by_exhibit)]
) -> Response:
    """Ask what may have to be hidden."""
    redacting.request(services, access.actor, exhibit_id)
    return go(f"/exhibits/{exhibit_id}", "plan_requested")


@routes.post("/exhibits/{exhibit_id}/examine")
def examine(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("exhibit.examine", by_exhibit)]
) -> Response:
    """Read the file and make its light copies once more."""
    examining.again(services, access.actor, exhibit_id)
    return go(f"/exhibits/{exhibit_id}", "examine_requested")


def _chain(view: ExhibitView, names: Mapping[str, str], here: str, may_read_record: bool) -> ChainPart:
    """The newest events; the older ones stand on the record's page or, for whom that is closed, on this one's next."""
    events = tuple(event_line(entry, names) for entry in view.chain)
    older = view.chain[-1].item_seq if view.chain else 0
    newer = view.events - older - len(events)
    return ChainPart(
        events=events,
        total=view.events,
        older=older,
        newer=newer,
        older_href=(f"{here}/record#events-title" if may_read_record else f"{here}?before={older}#chain-title")
        if older
        else None,
        newest_href=f"{here}#chain-title" if newer else None,
    )


def _facts(view: ExhibitView, category: str | None, stored: ExhibitFixity) -> ExhibitFacts:
    exhibit = view.exhibit
    return ExhibitFacts(
        id=exhibit.id,
        number=exhibit.number,
        name=exhibit.filename,
        folder=exhibit.folder,
        state="destroyed" if exhibit.destroyed_at else exhibit.state.value,
        media_type=exhibit.media_type,
        size_bytes=exhibit.size_bytes,
        digest=exhibit.sha256,
        basis=exhibit.basis,
        purpose=exhibit.purpose,
        retain_days=exhibit.retain_days,
        registered_at=exhibit.registered_at,
        registered_by=view.names.get(exhibit.registered_by, "—"),
        ciphertext_digest=view.ciphertext,
        sealed_at=exhibit.sealed_at,
        retain_until=exhibit.retain_until,
        recorded_at=exhibit.recorded_at or None,
        checked_at=stored.checked_at or exhibit.sealed_at,
        check_passed=not stored.alarms,
        deep_checked_at=stored.deep_at,
        refused_code=exhibit.reason,
        category=category,
        held=exhibit.held,
        destroyed_at=exhibit.destroyed_at,
        act_number=exhibit.disposal_number,
        act_href=act_href(exhibit),
        retention_href=f"/exhibits/{exhibit.id}/retention" if exhibit.sealed_at else None,
    )


def _content(view: ExhibitView) -> Content:
    media_type = view.exhibit.media_type or ""
    family = media_type.partition("/")[0]
    kind = _KINDS.get(media_type, family if family in ("audio", "video", "image") else "other")
    address = f"/api/v1/exhibits/{view.exhibit.id}/content"
    return Content(kind, f"{address}?view=true", address)


def _transcript_state(view: ExhibitView) -> str | None:
    if view.transcript is None:
        return None
    if view.transcript_confirmed:
        return "confirmed"
    return "draft" if view.transcript.state == "drafted" else view.transcript.state


def _actions(view: ExhibitView, access: Access) -> tuple[str, ...]:
    """What may be done next, the most fitting first; each is asked of the policy, as its guard will."""
    if view.exhibit.blob_id is None or view.exhibit.destroyed_at is not None:
        return ()
    media_type = view.exhibit.media_type or ""
    spoken = media_type.startswith(transcribing.SPOKEN)
    silent = media_type == "application/pdf" or media_type.startswith("image/")
    transcript = _transcript_state(view)
    asked = view.plan_request is not None and view.plan_request.state in ("queued", "running")
    ready = (transcript == "confirmed" or silent) and not asked
    plan = view.plan.state if view.plan else None
    offers = (
        ("review_plan", "plan.read", plan == "submitted"),
        ("open_plan", "plan.read", plan in _OPEN_PLANS),
        ("suggest_plan", "plan.suggest", ready and plan in (None, "approved")),
        ("request_transcript", "transcript.request", spoken and transcript in (None, "failed")),
        ("open_transcript", "transcript.read", transcript not in (None, "failed")),
        ("open_renditions", "rendition.read", bool(view.renditions)),
        ("see_plan", "plan.read", plan == "approved"),
        ("download", "exhibit.content", True),
    )
    return tuple(
        action for action, route, fits in offers if fits and queries.may(access.viewer, route, access.resource)
    )
