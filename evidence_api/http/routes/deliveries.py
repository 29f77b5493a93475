"""Around an upload: what is asked before the first byte, how far the seals are, and the receipt."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.requests import Request

from evidence_api.access.policy import Resource
from evidence_api.http.content import Content, respond, wanted
from evidence_api.http.guard import Access, by_case, guard, path_id
from evidence_api.http.messages import sentence
from evidence_api.http.parts import ServicesOf
from evidence_api.http.problem import language_of
from evidence_api.http.route import router
from evidence_api.registry.receipts import Receipt
from evidence_api.use_cases import delivering
from evidence_api.use_cases.delivering import Candidate, Delivery, Finding, HashList
from storage.upload import parse_sha256

routes = router("", "deliveries")
AT_ONCE = 500
PATH = Field(max_length=5000)


class CandidateIn(BaseModel):
    """A file by name, folder and size; with its digest the case is searched for it too."""

    filename: str = Field(max_length=1000)
    folder: str = Field(default="", max_length=5000)
    size_bytes: int = Field(ge=0, lt=2**53)
    sha256: str | None = Field(default=None, max_length=80)


class SurveyIn(BaseModel):
    """Files one thinks of sending."""

    files: list[CandidateIn] = Field(max_length=AT_ONCE)


class FindingOut(BaseModel):
    """What awaits a file: new, refused (with code and params), sealed, checking, begun (with the upload), elsewhere.

    `destroyed` is the number under which a new one's bytes lay in this case until they were destroyed.
    `mine`: whoever asks registered the exhibit that has these bytes.
    """

    state: str
    exhibit: UUID | None = None
    number: int | None = None
    mine: bool = False
    upload: UUID | None = None
    code: str | None = None
    params: dict[str, str | int | None] = {}
    destroyed: int | None = None


class SurveyOut(BaseModel):
    """Findings in the order asked. `free_bytes` is null where the store's room is not known."""

    items: list[FindingOut]
    limit_bytes: int
    free_bytes: int | None


class ExhibitsIn(BaseModel):
    """Exhibits of one case."""

    exhibits: list[UUID] = Field(max_length=AT_ONCE)


class StateOut(BaseModel):
    """How far an exhibit is: its state, or `destroyed`; `reason` is the code of why it was refused or is gone."""

    id: UUID
    number: int
    state: str
    sha256: str
    reason: str | None


class StatesOut(BaseModel):
    """Those of the exhibits asked for that belong to the case."""

    items: list[StateOut]


class FailedIn(BaseModel):
    """A file that was chosen and not stored, and why."""

    path: str = PATH
    code: str = Field(max_length=100)


class HashListIn(BaseModel):
    """A provider's list: `bagit`, `sha256sum` or `csv`; its paths are relative to `root`, `name` is its own file's."""

    text: str
    format: str = Field(max_length=20)
    root: str = Field(default="", max_length=5000)
    name: str = Field(default="", max_length=1000)


class DeliveryIn(BaseModel):
    """What the receipt shall tell: exhibits one delivered, those the case had already, and what could not be stored."""

    exhibits: list[UUID] = Field(default=[], max_length=delivering.MOST_FILES)
    already: list[UUID] = Field(default=[], max_length=delivering.MOST_FILES)
    failed: list[FailedIn] = Field(default=[], max_length=delivering.MOST_FILES)
    list: HashListIn | None = None


class ReceiptOut(BaseModel):
    """A receipt. `sha256` is the signed PDF's; `says` is what stands in it."""

    id: UUID
    case: UUID
    issued_by: UUID
    issued_at: datetime
    files: int
    size_bytes: int
    sha256: str
    pdf: str
    says: dict[str, Any]


class ReceiptsOut(BaseModel):
    """The last receipts of a case, newest first."""

    items: list[ReceiptOut]


def by_receipt(session: Session, request: Request) -> Resource:
    """The receipt `{receipt_id}`, as a thing of its case."""
    return delivering.receipt_resource(session, path_id(request, "receipt_id"))


@routes.post("/cases/{case_id}/survey")
def survey(
    case_id: UUID, form: SurveyIn, services: ServicesOf, access: Annotated[Access, guard("upload.create", by_case)]
) -> SurveyOut:
    """What would become of these files: refused by a rule, already here, begun before, or new. Changes nothing."""
    candidates = [
        Candidate(one.filename, one.folder, one.size_bytes, parse_sha256(one.sha256) if one.sha256 else None)
        for one in form.files
    ]
    found = delivering.survey(services, access.actor, case_id, candidates)
    return SurveyOut(
        items=[_finding(one, access.actor.id) for one in found.findings],
        limit_bytes=services.settings.upload_limit_bytes,
        free_bytes=found.free_bytes,
    )


@routes.post("/cases/{case_id}/states")
def read_states(
    case_id: UUID, form: ExhibitsIn, services: ServicesOf, access: Annotated[Access, guard("exhibit.states", by_case)]
) -> StatesOut:
    """How far many exhibits are, in one answer. Changes nothing."""
    found = delivering.states(services, access.actor, case_id, form.exhibits)
    return StatesOut(
        items=[
            StateOut(
                id=one.id,
                number=one.number,
                state="destroyed" if one.destroyed_at else one.state.value,
                sha256=one.sha256,
                reason="upload.destroyed" if one.destroyed_at else one.reason,
            )
            for one in found
        ]
    )


@routes.post("/cases/{case_id}/receipts", status_code=201)
def issue(
    case_id: UUID,
    form: DeliveryIn,
    request: Request,
    response: Response,
    services: ServicesOf,
    access: Annotated[Access, guard("receipt.issue", by_case)],
) -> ReceiptOut:
    """Issue a signed receipt. 409 `receipt.not_ready` until the log covers every seal: ask again in a second."""
    given = form.list
    delivery = Delivery(
        exhibits=tuple(form.exhibits),
        already=tuple(form.already),
        failed=tuple((one.path, one.code) for one in form.failed),
        hash_list=HashList(given.text, given.format, given.root, given.name) if given else None,
    )
    language = language_of(request)
    issued = delivering.issue(services, access.actor, case_id, delivery, language, reasons(language))
    response.headers["Location"] = f"/api/v1/receipts/{issued.id}"
    return receipt_out(issued)


@routes.get("/cases/{case_id}/receipts")
def list_receipts(
    case_id: UUID, services: ServicesOf, access: Annotated[Access, guard("receipt.read", by_case)]
) -> ReceiptsOut:
    """The last twenty receipts of a case."""
    del access
    return ReceiptsOut(items=[receipt_out(one) for one in delivering.receipts_of(services, case_id)])


@routes.get("/receipts/{receipt_id}")
def read_receipt(
    receipt_id: UUID, services: ServicesOf, access: Annotated[Access, guard("receipt.read", by_receipt)]
) -> ReceiptOut:
    """One receipt."""
    del access
    return receipt_out(delivering.receipt(services, receipt_id))


@routes.api_route("/receipts/{receipt_id}/pdf", methods=["GET", "HEAD"])
def read_pdf(
    receipt_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("receipt.read", by_receipt)],
) -> Response:
    """The signed PDF, the same bytes every time."""
    del access
    receipt, reader = delivering.receipt_pdf(services, receipt_id)
    name = f"dalel-{receipt.body['erdr']}-receipt-{receipt.id.hex[-8:]}.pdf"
    content = Content(receipt.sha256, reader.size_bytes, "application/pdf", name, reader.read)
    return respond(request, content, wanted(request, content))


def reasons(language: str) -> Callable[[str], str]:
    """Says a code in a language."""
    return partial(sentence, language=language, params={})


def receipt_out(receipt: Receipt) -> ReceiptOut:
    """The receipt as the API shows it."""
    return ReceiptOut(
        id=receipt.id,
        case=receipt.case_id,
        issued_by=receipt.issued_by,
        issued_at=receipt.issued_at,
        files=receipt.files,
        size_bytes=receipt.size_bytes,
        sha256=receipt.sha256,
        pdf=f"/api/v1/receipts/{receipt.id}/pdf",
        says=dict(receipt.body),
    )


def _finding(one: Finding, me: UUID | None) -> FindingOut:
    return FindingOut(
        state=one.state,
        exhibit=one.exhibit.id if one.exhibit else None,
        number=one.exhibit.number if one.exhibit else None,
        mine=one.exhibit is not None and one.exhibit.registered_by == me,
        upload=one.exhibit.upload_id if one.exhibit and one.state == "begun" else None,
        code=one.refusal.code if one.refusal else None,
        params=dict(one.refusal.params) if one.refusal else {},
        destroyed=one.destroyed.number if one.destroyed else None,
    )
