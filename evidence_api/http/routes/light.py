"""What a file says about itself, and its light copies: for the people of the case, never for the other side."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.requests import Request

from custody.kernel.errors import NotFound
from evidence_api.access.policy import Resource
from evidence_api.http.content import Content, Read, respond, wanted
from evidence_api.http.guard import Access, by_exhibit, guard, path_id
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.queries import examined
from evidence_api.registry import reads
from evidence_api.services import Services
from evidence_api.use_cases import examining, reading
from storage import findings
from storage.light.recipes import MEDIA_TYPES, PAGE_TYPE

routes = router("", "light")
_EXTENSIONS = {
    "video/mp4": "mp4",
    "audio/mp4": "m4a",
    "image/jpeg": "jpg",
    "application/zip": "zip",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "application/json": "json",
}


class LightCopyOut(BaseModel):
    """A light copy, or (`reason` set) why there is none. `pages` are how many its file holds, where it holds pages."""

    id: UUID
    kind: str
    media_type: str | None
    sha256: str | None
    size_bytes: int | None
    source_sha256: str
    tool: str | None
    tool_version: str | None
    parameters: dict[str, Any]
    pages: int | None
    reason: str | None
    made_at: datetime


class FactsOut(BaseModel):
    """Claims of the file (see docs/media.md), the scanner's word, light copies. None: not yet, or not asked for."""

    claims: dict[str, Any] | None
    claims_sha256: str | None
    not_read: str | None
    scanning: bool
    scan: str | None
    scan_signature: str | None
    scanned_at: datetime | None
    light_copies: list[LightCopyOut]


def by_light_copy(session: Session, request: Request) -> Resource:
    """The light copy `{copy_id}`, as a thing of its exhibit's case."""
    copy = findings.light_copy(session, path_id(request, "copy_id"))
    return Resource(case_id=reads.get_exhibit(session, copy.exhibit_id).case_id)


@routes.get("/exhibits/{exhibit_id}/facts")
def read_facts(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("exhibit.facts", by_exhibit)]
) -> FactsOut:
    """What was found out about an exhibit."""
    del access
    found = examined.examined(services, exhibit_id)
    return FactsOut(
        claims=dict(found.examination.claims) if found.examination and found.examination.claims else None,
        claims_sha256=found.examination.sha256 if found.examination else None,
        not_read=found.examination.reason if found.examination else None,
        scanning=found.scanning,
        scan=found.scan.facts.result if found.scan else None,
        scan_signature=found.scan.facts.signature if found.scan else None,
        scanned_at=found.scan.made_at if found.scan else None,
        light_copies=[
            LightCopyOut(
                id=copy.id,
                kind=copy.kind,
                media_type=MEDIA_TYPES.get(copy.kind),
                sha256=copy.sha256,
                size_bytes=copy.size_bytes,
                source_sha256=copy.source_sha256,
                tool=copy.tool,
                tool_version=copy.tool_version,
                parameters=dict(copy.parameters),
                pages=len(copy.details["pages"]) if "pages" in copy.details else None,
                reason=copy.reason,
                made_at=copy.made_at,
            )
            for copy in found.copies
        ],
    )


@routes.post("/exhibits/{exhibit_id}/examine", status_code=202)
def examine(
    exhibit_id: UUID, services: ServicesOf, access: Annotated[Access, guard("exhibit.examine", by_exhibit)]
) -> None:
    """Read the file once more and make its light copies again."""
    examining.again(services, access.actor, exhibit_id)


@dataclass(frozen=True)
class _Part:
    """What is read of a copy: all of its file, or one page in it."""

    sha256: str
    size_bytes: int
    media_type: str
    start: int = 0


@routes.api_route("/light-copies/{copy_id}/content", methods=["GET", "HEAD"])
def read_light_copy(
    copy_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("light.content", by_light_copy)],
    view: bool = False,
) -> Response:
    """A light copy's bytes. The read is recorded on its exhibit's chain."""
    copy = examined.light_copy(services, copy_id)
    part = _Part(copy.sha256 or "", copy.size_bytes or 0, MEDIA_TYPES.get(copy.kind, ""))
    return _answer(request, services, access, copy, part, "", view=view)


@routes.api_route("/light-copies/{copy_id}/pages/{page}", methods=["GET", "HEAD"])
def read_light_page(
    copy_id: UUID,
    page: int,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("light.content", by_light_copy)],
) -> Response:
    """One page, from 1, as a picture; its bytes are a stretch of the copy's file and have a digest of their own."""
    copy = examined.light_copy(services, copy_id)
    pages = copy.details.get("pages", [])
    if not 1 <= page <= len(pages):
        raise NotFound("light.not_found")
    one = pages[page - 1]
    part = _Part(str(one["sha256"]), int(one["size_bytes"]), PAGE_TYPE, int(one["start"]))
    return _answer(request, services, access, copy, part, f"-{page}", view=True)


def _answer(
    request: Request,
    services: Services,
    access: Access,
    copy: findings.LightCopy,
    part: _Part,
    suffix: str,
    *,
    view: bool,
) -> Response:
    """Raises NotFound `light.not_found` where no copy was made; Conflict `exhibit.infected`, Unavailable
    `exhibit.not_scanned`: a light copy is a view of its original, downloaded or not.
    """
    if copy.blob_id is None:
        raise NotFound("light.not_found")
    examining.refuse_unseen(services, copy.exhibit_id)
    exhibit = examining.sealed(services, copy.exhibit_id)
    reader = reading.blob(services, copy.blob_id)
    name = f"{exhibit.number:04}-{copy.kind.replace('_', '-')}{suffix}.{_EXTENSIONS[part.media_type]}"
    content = Content(part.sha256, part.size_bytes, part.media_type, name, _shifted(reader.read, part.start))
    asked = wanted(request, content)
    if request.method == "GET":
        reading.record(
            services,
            access.actor,
            reading.VIEWED if view else reading.DOWNLOADED,
            item=f"exhibit:{copy.exhibit_id}",
            case_id=exhibit.case_id,
            subject=copy.id,
            sha256=part.sha256,
            span=asked.text,
        )
    return respond(request, content, asked, attachment=not view)


def _shifted(read: Read, by: int) -> Read:
    return lambda start, end: read(by + start, by + end)
