"""Exhibits: what they are, and their originals."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel
from starlette.requests import Request

from evidence_api.http.content import Content, respond, wanted
from evidence_api.http.guard import Access, by_case, by_exhibit, guard
from evidence_api.http.paging import USUAL, Cursor, Keyset, Limit, PageOut
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.registry.facts import Exhibit
from evidence_api.use_cases import copying, examining, intake, reading

routes = router("", "exhibits")
KEYSET = Keyset("exhibits", (int,))


class ExhibitOut(BaseModel):
    """One piece of evidence. `reason` is the error code it was refused or discarded with.

    `media_type` is told by the content; `name_mismatch` when the file's name claims another.
    """

    id: UUID
    case: UUID
    number: int
    filename: str
    folder: str
    state: str
    sha256: str
    size_bytes: int
    media_type: str | None
    name_mismatch: bool
    basis: str
    purpose: str
    retain_days: int
    registered_by: UUID
    registered_at: datetime
    sealed_at: datetime | None
    retain_until: datetime | None
    upload: UUID | None
    reason: str | None


class CopyIn(BaseModel):
    """A copy as the officer who made it states it. The recipient enters the record as a salted digest only."""

    medium: str
    recipient: str
    purpose: str


class CopyOut(BaseModel):
    """The event that says so."""

    event: UUID


def exhibit_out(exhibit: Exhibit) -> ExhibitOut:
    """An exhibit as the API shows it."""
    return ExhibitOut(
        id=exhibit.id,
        case=exhibit.case_id,
        number=exhibit.number,
        filename=exhibit.filename,
        folder=exhibit.folder,
        state=exhibit.state.value,
        sha256=exhibit.sha256,
        size_bytes=exhibit.size_bytes,
        media_type=exhibit.media_type,
        name_mismatch=intake.name_mismatch(exhibit),
        basis=exhibit.basis,
        purpose=exhibit.purpose,
        retain_days=exhibit.retain_days,
        registered_by=exhibit.registered_by,
        registered_at=exhibit.registered_at,
        sealed_at=exhibit.sealed_at,
        retain_until=exhibit.retain_until,
        upload=exhibit.upload_id,
        reason=exhibit.reason,
    )


@routes.get("/cases/{case_id}/exhibits", response_model=PageOut[ExhibitOut])
def list_exhibits(
    case_id: UUID,
    services: ServicesOf,
    access: Annotated[Access, guard("exhibit.list", by_case)],
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> dict[str, object]:
    """The exhibits of a case by number."""
    del access
    page = intake.exhibits(services, case_id, after=KEYSET.decode(cursor), limit=limit)
    return KEYSET.out(page, exhibit_out)


@routes.get("/exhibits/{exhibit_id}")
def read_exhibit(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("exhibit.read", by_exhibit)]
) -> ExhibitOut:
    """One exhibit's facts."""
    del access
    return exhibit_out(intake.exhibit(services, exhibit_id))


@routes.post("/exhibits/{exhibit_id}/copies", status_code=201)
def record_copy(
    exhibit_id: UUID,
    form: CopyIn,
    services: ServicesOf,
    access: Annotated[Access, guard("content.copy", by_exhibit)],
) -> CopyOut:
    """State that a copy of the original was made outside the program."""
    event_id = copying.record_copy(
        services, access.actor, exhibit_id, medium=form.medium, recipient=form.recipient, purpose=form.purpose
    )
    return CopyOut(event=event_id)


@routes.api_route("/exhibits/{exhibit_id}/content", methods=["GET", "HEAD"])
def read_content(
    exhibit_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("exhibit.content", by_exhibit)],
    view: bool = False,
    accept_infected: bool = False,
) -> Response:
    """The original, as it was sealed. `view` shows it in the browser where that runs nothing.

    What a scanner found malware in, or has yet to look at, is never shown; infected content is given out only to who
    says `accept_infected`. As evidence it can be downloaded before it was scanned.
    """
    if view:
        examining.refuse_unseen(services, exhibit_id)
    elif not accept_infected:
        examining.refuse_infected(services, exhibit_id)
    exhibit, reader = reading.original(services, exhibit_id)
    media_type = exhibit.media_type or "application/octet-stream"
    content = Content(reader.sha256, reader.size_bytes, media_type, exhibit.filename, reader.read)
    part = wanted(request, content)
    if request.method == "GET":
        how = reading.VIEWED if view else reading.DOWNLOADED
        reading.record(
            services,
            access.actor,
            how,
            item=f"exhibit:{exhibit_id}",
            case_id=exhibit.case_id,
            subject=exhibit_id,
            sha256=reader.sha256,
            span=part.text,
        )
    return respond(request, content, part, attachment=not view)
