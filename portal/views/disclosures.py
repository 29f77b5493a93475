"""Disclosure: rounds of a case, drafting, the last look, release; and the recipient's side."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from starlette.requests import Request

from custody.audit import EntryView
from custody.kernel.clock import from_ms
from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.http.routes.disclosures import by_disclosure
from evidence_api.queries import cases as queries
from evidence_api.queries import rounds
from evidence_api.queries.facts import Disclosure
from evidence_api.services import Services
from evidence_api.use_cases import disclosing
from portal.context import EMPTY_FORM, Form
from portal.lines import head
from portal.pages import disclosures as pages
from portal.pages.cases import CaseDisclosures, CaseHead, DisclosureRow, render_case_disclosures
from portal.visits import Fields, context, go, html, try_form

routes = router()


async def _chosen(request: Request) -> list[str]:
    sent = await request.form()
    return [value for name, value in sent.multi_items() if name == "file" and isinstance(value, str)]


@routes.get("/cases/{case_id}/disclosures")
def list_rounds(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("disclosure.list", by_case)]
) -> Response:
    """Every round of a case."""
    found = disclosing.of_case(services, case_id)
    names = queries.names_of(services, [one.recipient_id for one in found])
    model = CaseDisclosures(
        head=head(queries.case_view(services, access.viewer, case_id)),
        rows=tuple(_row(one, names) for one in found),
        can_draft=queries.may(access.viewer, "disclosure.draft", access.resource),
    )
    return html(render_case_disclosures(context(request, access), model))


@routes.get("/cases/{case_id}/disclosures/new")
def new(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("disclosure.draft", by_case)]
) -> Response:
    """The form of a round."""
    del case_id
    return html(_draft(request, services, access, EMPTY_FORM, frozenset()))


@routes.post("/cases/{case_id}/disclosures")
def draft(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    chosen: Annotated[list[str], Depends(_chosen)],
    access: Annotated[Access, guard("disclosure.draft", by_case)],
) -> Response:
    """Draft the round and show the last look before its release."""

    def act() -> Response:
        recipient = fields.get("recipient", "")
        return go(
            f"/disclosures/{rounds.draft_from_form(services, access.actor, case_id, recipient, chosen, fields).id}"
        )

    def again(form: Form) -> str:
        return _draft(request, services, access, form, frozenset(chosen))

    return try_form(request, fields, {"account.": "recipient", "disclosure.not_a": "recipient"}, act, again)


@routes.get("/disclosures/{disclosure_id}")
def show(
    disclosure_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.read", by_disclosure)],
) -> Response:
    """A round: for its recipient the contents, for the prosecution the last look or how it stands."""
    viewer = access.viewer
    mine = viewer.account_id in access.resource.released_to
    found = disclosing.get(services, disclosure_id)
    if mine:
        found = disclosing.open_contents(services, access.actor, disclosure_id)
    if found.state == "draft":
        return html(_confirm(request, services, access, found, EMPTY_FORM))
    return html(_contents(request, services, access, found, mine=mine))


@routes.post("/disclosures/{disclosure_id}/release")
def release(
    disclosure_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.release", by_disclosure)],
) -> Response:
    """Let the round out."""

    def act() -> Response:
        disclosing.release(services, access.actor, disclosure_id)
        return go(f"/disclosures/{disclosure_id}", "released")

    if disclosing.get(services, disclosure_id).state != "draft":
        return act()
    return try_form(
        request,
        {},
        {},
        act,
        lambda form: _confirm(request, services, access, disclosing.get(services, disclosure_id), form),
    )


@routes.post("/disclosures/{disclosure_id}/receipt")
def receive(
    disclosure_id: UUID,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.receipt", by_disclosure)],
) -> Response:
    """Sign for the package whose digest stands on the page."""
    found = disclosing.get(services, disclosure_id)
    disclosing.receive(services, access.actor, disclosure_id, found.package_sha256 or "")
    return go(f"/disclosures/{disclosure_id}", "received")


def _row(one: Disclosure, names: dict[UUID, str]) -> DisclosureRow:
    return DisclosureRow(
        id=one.id,
        round=one.round or 0,
        recipient=names.get(one.recipient_id, "—"),
        state=one.state,
        disclosed=len(one.renditions),
        withheld=len(one.withheld),
        released_at=one.released_at,
        opened_at=one.opened_at,
        received_at=one.received_at,
    )


def _draft(request: Request, services: Services, access: Access, form: Form, chosen: frozenset[str]) -> str:
    choices = rounds.choices(services, access.case_id)
    model = pages.DisclosureDraft(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        recipients=tuple(pages.Recipient(one.account_id, one.display_name) for one in choices.recipients),
        items=tuple(
            pages.DraftItem(
                exhibit_id=item.exhibit.id,
                number=item.exhibit.number,
                name=item.exhibit.filename,
                files=tuple(
                    pages.FileChoice(
                        one.id, one.kind, one.size_bytes, why_not, str(one.id) in chosen or not form.values
                    )
                    for one, why_not in item.renditions
                ),
                ground=form.values.get(f"ground.{item.exhibit.id}") or (None if item.renditions else "under_review"),
            )
            for item in choices.items
        ),
        round=choices.next_round,
        form=form,
    )
    return pages.render_disclosure_draft(context(request, access), model)


def _confirm(request: Request, services: Services, access: Access, found: Disclosure, form: Form) -> str:
    names = queries.names_of(services, [found.recipient_id])
    files = rounds.files_of_draft(services, found)
    model = pages.ReleaseConfirm(
        head=head(queries.case_view(services, access.viewer, found.case_id)),
        id=found.id,
        round=rounds.choices(services, found.case_id).next_round,
        recipient=names.get(found.recipient_id, "—"),
        files=tuple(
            pages.DisclosedFile(
                file.path,
                file.number,
                file.kind,
                file.size_bytes,
                file.sha256,
                f"/api/v1/renditions/{file.rendition}/content?view=true",
            )
            for file in files
        ),
        withheld=_withheld(found),
        exhibits_total=queries.count_exhibits(services, found.case_id),
        form=form,
    )
    return pages.render_release(context(request, access), model)


def _contents(request: Request, services: Services, access: Access, found: Disclosure, *, mine: bool) -> str:
    names = queries.names_of(services, [found.recipient_id, found.released_by])
    manifest = rounds.manifest_of(found)
    downloads = rounds.downloads(services, found.id)
    ready = mine and found.state == "ready" and found.destroyed_at is None
    model = pages.Disclosure(
        head=_head(services, access, found, mine),
        id=found.id,
        round=found.round or 0,
        recipient=names.get(found.recipient_id, "—"),
        state="destroyed" if found.destroyed_at else found.state,
        released_at=found.released_at or found.drafted_at,
        files=tuple(
            pages.DisclosedFile(file.path, file.number, file.kind, file.size_bytes, file.sha256)
            for file in manifest.files
        ),
        withheld=_withheld(found),
        exhibits_total=manifest.exhibits_total,
        mine=mine,
        released_by=names.get(found.released_by, "") if found.released_by else "",
        package_href=f"/api/v1/disclosures/{found.id}/package" if ready else None,
        package_name=rounds.package_name(found),
        package_size_bytes=found.package_bytes or 0,
        package_digest=found.package_sha256,
        checkpoint_size=found.checkpoint_size,
        previous_round=(found.round or 1) - 1 or None,
        opened_at=found.opened_at,
        downloaded_at=_first(downloads),
        received_at=found.received_at,
        destroyed_at=found.destroyed_at,
        act_number=found.disposal_number,
    )
    return pages.render_disclosure(context(request, access), model)


def _head(services: Services, access: Access, found: Disclosure, mine: bool) -> CaseHead:
    view = queries.case_view(services, access.viewer, found.case_id)
    whole = head(view)
    return CaseHead(whole.id, whole.erdr, whole.title, whole.role, ()) if mine else whole


def _first(entries: list[EntryView]) -> datetime | None:
    return from_ms(entries[0].time_ms) if entries else None


def _withheld(found: Disclosure) -> tuple[pages.WithheldExhibit, ...]:
    return tuple(pages.WithheldExhibit(item.number, item.ground) for item in found.withheld)
