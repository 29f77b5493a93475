"""Destruction acts: proposed on a case's page, read and signed on their own, printed."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from custody.kernel.clock import from_ms
from custody.kernel.errors import Conflict
from custody.proof import canonical
from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.http.routes.disposals import by_disposal
from evidence_api.queries import cases as queries
from evidence_api.queries import retention as terms
from evidence_api.queries.facts import Disposal, Rejection
from evidence_api.queries.retention import ActView
from evidence_api.services import Services
from evidence_api.use_cases import disposing
from portal.catalog import LANGUAGES, Language
from portal.context import EMPTY_FORM, Form
from portal.lines import head, job
from portal.pages.retention import ActLine, ActPage, PackageLine, Signature, render_act
from portal.views.retention import case_page, category_name
from portal.visits import Fields, context, go, html, language_of, try_form

routes = router()
_TICKED = "exhibit-"


@routes.post("/cases/{case_id}/disposals")
def propose(
    case_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("disposal.propose", by_case)],
) -> Response:
    """Propose to destroy the ticked exhibits."""
    ticked = [name.removeprefix(_TICKED) for name in fields if name.startswith(_TICKED)]

    def act() -> Response:
        made = disposing.propose(services, access.actor, case_id, [_id(one) for one in ticked])
        return go(f"/disposals/{made.id}", "disposal_proposed")

    places = {"disposal.": "pick"}
    return try_form(request, fields, places, act, lambda form: case_page(request, services, access, form))


@routes.get("/disposals/{disposal_id}")
def show(
    disposal_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("disposal.read", by_disposal)],
) -> Response:
    """The act, and what may be done with it."""
    return html(_page(request, services, access, disposal_id, EMPTY_FORM))


@routes.get("/disposals/{disposal_id}/act.pdf")
def paper(
    disposal_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("disposal.read", by_disposal)],
    lang: str = "",
) -> Response:
    """The act on paper, signed with the office's key where it has one."""
    from evidence_api.paper.setting import render  # noqa: PLC0415  the setter's libraries, for acts only
    from portal.pages.act_paper import act_paper  # noqa: PLC0415  likewise

    language = next((one for one in LANGUAGES if one == lang), language_of(request, access.visitor))
    model = _model(services, access, terms.act_view(services, disposal_id), language, EMPTY_FORM)
    address = f"{services.settings.public_base_url}/disposals/{disposal_id}"
    pdf = render(act_paper(language, model, address))
    office = services.office()
    if office is not None:
        pdf = office.sign(pdf, f"Dälel: {model.digest}")
    name = f"dalel-{model.head.erdr}-act-{model.number}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(pdf, headers=headers, media_type="application/pdf")


@routes.post("/disposals/{disposal_id}/sign")
def sign(
    disposal_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("disposal.sign", by_disposal)],
) -> Response:
    """The first signature."""

    def act() -> Response:
        disposing.sign(services, access.actor, disposal_id, fields.get("act_sha256", ""))
        return go(f"/disposals/{disposal_id}", "disposal_signed")

    return try_form(request, fields, {}, act, lambda form: _page(request, services, access, disposal_id, form))


@routes.post("/disposals/{disposal_id}/approve")
def approve(
    disposal_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("disposal.approve", by_disposal)],
) -> Response:
    """The second signature, another person's."""

    def act() -> Response:
        disposing.approve(services, access.actor, disposal_id, fields.get("act_sha256", ""))
        return go(f"/disposals/{disposal_id}", "disposal_approved")

    return try_form(request, fields, {}, act, lambda form: _page(request, services, access, disposal_id, form))


@routes.post("/disposals/{disposal_id}/reject")
def reject(
    disposal_id: UUID,
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("disposal.reject", by_disposal)],
) -> Response:
    """A prosecutor's no."""

    def act() -> Response:
        disposing.reject(services, access.actor, disposal_id, fields.get("reason", ""))
        return go(f"/disposals/{disposal_id}", "disposal_rejected")

    places = {"disposal.bad_reason": "reason"}
    return try_form(request, fields, places, act, lambda form: _page(request, services, access, disposal_id, form))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Conflict("disposal.changed") from None


def _page(request: Request, services: Services, access: Access, disposal_id: UUID, form: Form) -> str:
    at_hand = context(request, access)
    view = terms.act_view(services, disposal_id)
    return render_act(at_hand, _model(services, access, view, at_hand.language, form))


def _model(services: Services, access: Access, view: ActView, language: Language, form: Form) -> ActPage:
    act = view.act
    working = view.job is not None and view.job.state in ("queued", "running")
    code, params = view.obstacle or (None, None)
    return ActPage(
        head=head(queries.case_view(services, access.viewer, act.case_id)),
        id=act.id,
        number=act.number,
        state=act.state.value,
        digest=act.act_sha256,
        text=act.body,
        lines=_lines(services, view, language),
        signatures=_signatures(view),
        steps=_steps(act, access, blocked=code is not None),
        reasons=[one.value for one in Rejection],
        packages=_packages(view),
        ended_code=act.reason,
        obstacle=code,
        obstacle_params=params,
        job=job(view.job) if view.job and working else None,
        form=form,
    )


def _steps(act: Disposal, access: Access, *, blocked: bool) -> tuple[str, ...]:
    offers = (
        ("sign", "disposal.sign", act.state == "proposed" and not blocked),
        ("approve", "disposal.approve", act.state == "signed" and not blocked),
        ("reject", "disposal.reject", act.state in ("proposed", "signed")),
    )
    return tuple(step for step, route, fits in offers if fits and queries.may(access.viewer, route, access.resource))


def _lines(services: Services, view: ActView, language: Language) -> tuple[ActLine, ...]:
    """As the act says it, which is what was signed; what came of it from its items."""
    told = {one["exhibit"]: one for one in canonical.decode(view.act.body.encode())["exhibits"]}
    lines = []
    for exhibit, item in zip(view.exhibits, view.act.items, strict=True):
        said = told[str(exhibit.id)]
        lines.append(
            ActLine(
                id=exhibit.id,
                number=said["number"],
                name=said["filename"],
                size_bytes=said["size_bytes"],
                digest=said["sha256"],
                basis=said["basis"],
                category=category_name(services, exhibit, language),
                retain_until=from_ms(said["retain_until_ms"]),
                objects=len(said["objects"]),
                keys_destroyed=item.keys_destroyed,
                objects_removed=item.objects_removed,
                locked=len(item.locked),
                locked_until=item.free_at,
            )
        )
    return tuple(lines)


def _packages(view: ActView) -> tuple[PackageLine, ...]:
    """As the act says it, which is what was signed; what came of it from its items."""
    outcomes = {str(one.thing_id): one for one in view.act.packages}
    lines = []
    for said in canonical.decode(view.act.body.encode()).get("packages", ()):
        item = outcomes[said["disclosure"]]
        lines.append(
            PackageLine(
                id=item.thing_id,
                round=said["round"],
                recipient=view.names.get(UUID(said["recipient"]), "—"),
                size_bytes=said["size_bytes"],
                digest=said["sha256"],
                retain_until=from_ms(said["retain_until_ms"]),
                keys_destroyed=item.keys_destroyed,
                objects_removed=item.objects_removed,
                locked=len(item.locked),
                locked_until=item.free_at,
            )
        )
    return tuple(lines)


def _signatures(view: ActView) -> tuple[Signature, ...]:
    act = view.act
    happened = [
        ("proposed", act.proposed_by, act.proposed_at),
        ("signed", act.signed_by, act.signed_at),
        ("approved", act.approved_by, act.approved_at),
        (act.state.value, act.ended_by, act.ended_at),
        ("done", None, act.done_at),
    ]
    return tuple(Signature(kind, view.names.get(by) if by else None, at) for kind, by, at in happened if at is not None)
