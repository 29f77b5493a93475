"""Disclosures: rounds, their contents, the package, the receipt."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.requests import Request

from custody.proof import disclosure as manifests
from evidence_api.access.policy import Resource
from evidence_api.disclosure import service as disclosures
from evidence_api.disclosure.service import Disclosure
from evidence_api.http.content import Content, respond, wanted
from evidence_api.http.guard import Access, by_case, guard, path_id
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import rounds
from evidence_api.registry.model import Role
from evidence_api.use_cases import disclosing, reading

routes = router("", "disclosures")


class WithheldIn(BaseModel):
    """An exhibit that is not handed over, and why."""

    exhibit: UUID
    ground: str = Field(max_length=40)


class DraftIn(BaseModel):
    """A round to draft: to whom, which renditions, what is withheld."""

    recipient: str = Field(max_length=64)
    renditions: list[UUID] = Field(max_length=10_000)
    withheld: list[WithheldIn] = Field(default=[], max_length=100_000)


class FileOut(BaseModel):
    """One file of the package."""

    path: str
    number: int
    kind: str
    sha256: str
    size_bytes: int


class WithheldOut(BaseModel):
    """An exhibit that is not handed over, and why."""

    number: int
    ground: str


class DisclosureOut(BaseModel):
    """A round. `state`: draft, releasing, ready, failed. Contents stand once it is released."""

    id: UUID
    case: UUID
    round: int | None
    recipient: UUID
    state: str
    drafted_by: UUID
    drafted_at: datetime
    released_by: UUID | None
    released_at: datetime | None
    manifest_sha256: str | None
    package_sha256: str | None
    package_bytes: int | None
    opened_at: datetime | None
    received_at: datetime | None
    files: list[FileOut]
    withheld: list[WithheldOut]


class DisclosuresOut(BaseModel):
    """Rounds, newest first."""

    items: list[DisclosureOut]


class ReceiptIn(BaseModel):
    """The digest of the package the recipient holds."""

    package_sha256: str = Field(max_length=80)


def by_disclosure(session: Session, request: Request) -> Resource:
    """The round `{disclosure_id}`: released to its recipient or not yet."""
    disclosure = disclosures.get(session, path_id(request, "disclosure_id"))
    released = frozenset({disclosure.recipient_id}) if disclosure.released else frozenset[UUID]()
    return Resource(case_id=disclosure.case_id, released_to=released, released=disclosure.released)


@routes.post("/cases/{case_id}/disclosures", status_code=201)
def draft(
    case_id: UUID, form: DraftIn, services: ServicesOf, access: Annotated[Access, guard("disclosure.draft", by_case)]
) -> DisclosureOut:
    """Draft a round."""
    disclosure = disclosing.draft(
        services,
        access.actor,
        case_id,
        recipient=form.recipient,
        renditions=form.renditions,
        withheld=[(item.exhibit, item.ground) for item in form.withheld],
    )
    return disclosure_out(disclosure)


@routes.get("/cases/{case_id}/disclosures")
def list_of_case(
    case_id: UUID, services: ServicesOf, access: Annotated[Access, guard("disclosure.list", by_case)]
) -> DisclosuresOut:
    """Every round of a case."""
    del access
    return DisclosuresOut(items=[disclosure_out(one) for one in disclosing.of_case(services, case_id)])


@routes.get("/disclosures")
def list_mine(services: ServicesOf, access: Annotated[Access, guard("disclosure.list")]) -> DisclosuresOut:
    """What was released to whoever asks: all that the defence sees of a case."""
    mine = disclosing.released_to(services, access.viewer.account_id) if access.viewer.account_id else ()
    return DisclosuresOut(items=[disclosure_out(one) for one in mine])


@routes.get("/disclosures/{disclosure_id}")
def read(
    disclosure_id: UUID,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.read", by_disclosure)],
) -> DisclosureOut:
    """The contents of a round. The recipient's first look is recorded; what they look at inside is not."""
    if access.viewer.role is Role.DEFENCE:
        return disclosure_out(disclosing.open_contents(services, access.actor, disclosure_id))
    return disclosure_out(disclosing.get(services, disclosure_id))


@routes.post("/disclosures/{disclosure_id}/release")
def release(
    disclosure_id: UUID,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.release", by_disclosure)],
) -> DisclosureOut:
    """Let the round out: checked as a whole, numbered, bound into the ledger, packaged."""
    return disclosure_out(disclosing.release(services, access.actor, disclosure_id))


@routes.api_route("/disclosures/{disclosure_id}/package", methods=["GET", "HEAD"])
def download(
    disclosure_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.download", by_disclosure)],
) -> Response:
    """The whole package, resumable by ranges."""
    disclosure, reader = disclosing.package(services, disclosure_id)
    name = rounds.package_name(disclosure)
    content = Content(reader.sha256, reader.size_bytes, "application/zip", name, reader.read)
    part = wanted(request, content)
    if request.method == "GET":
        reading.record(
            services,
            access.actor,
            reading.DOWNLOADED,
            item=f"disclosure:{disclosure_id}",
            case_id=disclosure.case_id,
            subject=disclosure_id,
            sha256=reader.sha256,
            span=part.text,
        )
    return respond(request, content, part)


@routes.post("/disclosures/{disclosure_id}/receipt")
def receive(
    disclosure_id: UUID,
    form: ReceiptIn,
    services: ServicesOf,
    access: Annotated[Access, guard("disclosure.receipt", by_disclosure)],
) -> DisclosureOut:
    """Acknowledge the package by its digest."""
    return disclosure_out(disclosing.receive(services, access.actor, disclosure_id, form.package_sha256))


def disclosure_out(one: Disclosure) -> DisclosureOut:
    """A round as the API shows it."""
    manifest = manifests.parse(one.manifest.encode()) if one.manifest else None
    files = manifest.files if manifest else ()
    return DisclosureOut(
        id=one.id,
        case=one.case_id,
        round=one.round,
        recipient=one.recipient_id,
        state=one.state,
        drafted_by=one.drafted_by,
        drafted_at=one.drafted_at,
        released_by=one.released_by,
        released_at=one.released_at,
        manifest_sha256=one.manifest_sha256,
        package_sha256=one.package_sha256,
        package_bytes=one.package_bytes,
        opened_at=one.opened_at,
        received_at=one.received_at,
        files=[
            FileOut(path=file.path, number=file.number, kind=file.kind, sha256=file.sha256, size_bytes=file.size_bytes)
            for file in files
        ],
        withheld=[WithheldOut(number=item.number, ground=item.ground) for item in one.withheld],
    )
