"""The upload desk: with modules over tus, without them by a plain form; and the receipt."""

import hashlib
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from custody.kernel.errors import DalelError, Invalid
from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import note_refusal, router
from evidence_api.http.routes import deliveries
from evidence_api.queries import cases as queries
from evidence_api.queries import retention as terms
from evidence_api.queries.facts import Exhibit, ExhibitForm
from evidence_api.services import Services
from evidence_api.use_cases import delivering, intake
from evidence_api.use_cases.delivering import Delivery
from portal.context import EMPTY_FORM, Form
from portal.lines import exhibit_row, head
from portal.pages.cases import ExhibitRow
from portal.pages.upload import (
    Delivered,
    IssuedReceipt,
    ReceiptRow,
    Refusal,
    UploadDesk,
    render_delivered,
    render_receipt,
    render_upload,
)
from portal.visits import Fields, context, go, html, try_form

routes = router()
_DAY = timedelta(hours=24)
_PIECE = 1 << 20


@routes.get("/cases/{case_id}/upload")
def desk(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("upload.desk", by_case)]
) -> Response:
    """The desk."""
    return html(_desk(request, services, access, EMPTY_FORM))


@routes.post("/uploads/{case_id}")
async def take(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("upload.desk", by_case)]
) -> Response:
    """Files from a plain form: each is taken or refused by itself, and every one is accounted for."""
    del case_id
    async with request.form() as sent:
        return await _taken(request, services, access, sent)


async def _taken(request: Request, services: Services, access: Access, sent: FormData) -> Response:
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    files = [value for name, value in sent.multi_items() if isinstance(value, UploadFile) and value.filename]
    if not files:
        note_refusal(request, Invalid("upload.empty"))
        return html(_desk(request, services, access, Form(fields, {"files": "upload.empty"})), 422)
    stored: list[ExhibitRow] = []
    refused: list[Refusal] = []
    for file in files:
        try:
            stored.append(exhibit_row(await run_in_threadpool(_take, services, access, file, fields)))
        except DalelError as refusal:
            note_refusal(request, refusal)
            refused.append(Refusal(file.filename or "", refusal.code, refusal.params))
    form = Form(fields) if refused else EMPTY_FORM
    page = _desk(request, services, access, form, tuple(stored), tuple(refused))
    return html(page, 200 if stored else 422)


def _take(services: Services, access: Access, file: UploadFile, fields: dict[str, str]) -> Exhibit:
    """One file by the same road as tus: registered, received, and then sealed by a worker."""
    digest, size_bytes = hashlib.sha256(), 0
    while piece := file.file.read(_PIECE):
        digest.update(piece)
        size_bytes += len(piece)
    category = fields.get("category", "")
    days = "" if category else fields.get("retain_days", "").strip()
    form = ExhibitForm(
        filename=file.filename or "",
        folder="",
        sha256=f"sha256:{digest.hexdigest()}",
        size_bytes=size_bytes,
        basis=fields.get("basis", ""),
        purpose=fields.get("purpose", ""),
        retain_days=int(days) if days.isascii() and days.isdigit() and len(days) < 7 else 0,
        category=category,
    )
    if not size_bytes:
        raise Invalid("exhibit.empty")
    upload, _ = intake.begin(services, access.actor, access.case_id, form)
    appender = intake.receive(
        services, access.actor, upload.id, offset_bytes=0, declared_bytes=size_bytes, checksum=None
    )
    file.file.seek(0)
    while piece := file.file.read(_PIECE):
        appender.write(piece)
    appender.finish()
    return intake.exhibit(services, upload.exhibit_id)


@routes.get("/cases/{case_id}/upload/receipt")
def delivered(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("upload.desk", by_case)]
) -> Response:
    """What this officer has delivered to the case in the last day, to get a receipt for."""
    return html(_delivered(request, services, access, case_id, EMPTY_FORM))


@routes.post("/cases/{case_id}/upload/receipt")
def issue(
    case_id: UUID,
    request: Request,
    fields: Fields,
    services: ServicesOf,
    access: Annotated[Access, guard("receipt.issue", by_case)],
) -> Response:
    """A signed receipt for what of it is sealed."""

    def act() -> Response:
        rows = _last_day(services, access, case_id)
        sealed = tuple(one.id for one in rows if one.state == "sealed")
        language = context(request, access).language
        issued = delivering.issue(
            services, access.actor, case_id, Delivery(sealed), language, deliveries.reasons(language)
        )
        return go(f"/receipts/{issued.id}")

    return try_form(request, fields, {}, act, lambda form: _delivered(request, services, access, case_id, form))


@routes.get("/receipts/{receipt_id}")
def receipt(
    receipt_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("receipt.read", deliveries.by_receipt)],
) -> Response:
    """A signed receipt as a page, to be read and printed; the PDF is the act itself."""
    issued = delivering.receipt(services, receipt_id)
    model = IssuedReceipt(
        head=head(queries.case_view(services, access.viewer, issued.case_id)),
        id=issued.id,
        at=issued.issued_at,
        digest=issued.sha256,
        body=issued.body,
    )
    return html(render_receipt(context(request, access), model))


def _delivered(request: Request, services: Services, access: Access, case_id: UUID, form: Form) -> str:
    view = queries.case_view(services, access.viewer, case_id)
    rows = tuple(exhibit_row(one) for one in _last_day(services, access, case_id))
    return render_delivered(context(request, access), Delivered(head(view), rows, form))


def _last_day(services: Services, access: Access, case_id: UUID) -> list[Exhibit]:
    officer = access.visitor.account
    since = services.database.clock.now() - _DAY
    return queries.officer_exhibits(services, case_id, officer.id, since) if officer else []


def _desk(
    request: Request,
    services: Services,
    access: Access,
    form: Form,
    stored: tuple[ExhibitRow, ...] = (),
    refused: tuple[Refusal, ...] = (),
) -> str:
    at_hand = context(request, access)
    model = UploadDesk(
        head=head(queries.case_view(services, access.viewer, access.case_id)),
        limit_bytes=intake.limits(services).max_bytes,
        form=form,
        stored=stored,
        refused=refused,
        receipts=tuple(
            ReceiptRow(one.id, one.issued_at, one.files, one.size_bytes)
            for one in delivering.receipts_of(services, access.case_id)
        ),
        categories=tuple(
            (one.code, one.names[at_hand.language], one.term_days) for one in terms.rules_in_force(services)
        ),
    )
    return render_upload(at_hand, model)
