"""Uploads by tus 1.0: creation, creation-with-upload, checksum, expiration, termination. https://tus.io/protocols/resumable-upload"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from custody.kernel.errors import DalelError, Invalid, NotFound
from evidence_api.access.policy import Resource
from evidence_api.http.guard import Access, guard, path_id
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import router
from evidence_api.registry import reads
from evidence_api.registry.model import ExhibitForm
from evidence_api.services import Services
from evidence_api.use_cases import intake, small_files
from storage import whole
from storage.intake import Appender
from storage.service import Upload
from storage.upload import CHECKSUM_ALGORITHMS, Checksum, parse_length, parse_metadata, parse_sha256

routes = router("/uploads", "uploads")
VERSION = "1.0.0"
BODY_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
_TUS = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
_HOP_BYTES = 1 << 20
"""Small network reads are gathered to this before they go to the thread that encrypts."""


def by_metadata(session: Session, request: Request) -> Resource:
    """The case that `Upload-Metadata` names."""
    text = parse_metadata(request.headers.get("upload-metadata", "")).get("case", "")
    try:
        case_id = UUID(text)
    except ValueError:
        raise NotFound("access.not_found") from None
    return Resource(case_id=reads.get_case(session, case_id).id)


def by_upload(session: Session, request: Request) -> Resource:
    """The upload `{upload_id}`, as a thing of its exhibit's case and of who registered it."""
    upload_id = path_id(request, "upload_id")
    exhibit = reads.find_by_upload(session, upload_id)
    return Resource(case_id=exhibit.case_id, owner=exhibit.registered_by, upload_id=upload_id)


@routes.options("", status_code=204)
def announce(services: ServicesOf, access: Annotated[Access, guard("openapi.read")]) -> Response:
    """What this server can do and how large an upload may be, before the first byte."""
    del access
    headers = _TUS | {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Checksum-Algorithm": ",".join(CHECKSUM_ALGORITHMS),
        "Tus-Max-Size": str(intake.limits(services).max_bytes),
    }
    return Response(status_code=204, headers=headers)


@routes.post("", status_code=201)
async def create(
    request: Request, services: ServicesOf, access: Annotated[Access, guard("upload.create", by_metadata)]
) -> Response:
    """Register an exhibit and its upload. `Upload-Metadata` carries filename, sha256, case, basis, purpose,
    retain_days (not needed with a category), and optionally category, folder and recorded_at. `Upload-Token` opens
    this upload alone and outlives the session's idle time. A body is taken as by PATCH; a small file that comes whole
    needs no token any more.
    """
    _speaks_tus(request)
    form = _form(request)
    declared = _declared(request)
    if declared == 0:
        upload, token = await run_in_threadpool(intake.begin, services, access.actor, access.case_id, form)
        return _created(upload, token)
    _check_body_type(request)
    checksum = _checksum(request)
    if declared == form.size_bytes <= whole.MOST_BYTES:
        data = await request.body()
        if checksum is not None:
            checksum.check(data)
        return _created(
            await run_in_threadpool(small_files.take_whole, services, access.actor, access.case_id, form, data), None
        )
    upload, token = await run_in_threadpool(intake.begin, services, access.actor, access.case_id, form)
    if upload.offset_bytes:
        # Half sent before, with bytes that these would only repeat: the answer says where to go on.
        return _created(upload, token)
    appender = await run_in_threadpool(_appender, services, access, upload.id, 0, declared, checksum)
    return _created(await _pump(request, appender), token)


@routes.head("/{upload_id}")
def read(upload_id: UUID, services: ServicesOf, access: Annotated[Access, guard("upload.read", by_upload)]) -> Response:
    """How far the upload durably is."""
    del access
    return Response(status_code=200, headers=_state(intake.progress(services, upload_id)))


@routes.patch("/{upload_id}", status_code=204)
async def append(
    upload_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("upload.append", by_upload)],
) -> Response:
    """Append the body at `Upload-Offset`. What came before a broken connection is kept, to the byte."""
    _speaks_tus(request)
    _check_body_type(request)
    offset = parse_length(request.headers.get("upload-offset", ""))
    declared, checksum = _declared(request), _checksum(request)
    appender = await run_in_threadpool(_appender, services, access, upload_id, offset, declared, checksum)
    upload = await _pump(request, appender)
    return Response(status_code=204, headers=_state(upload))


@routes.delete("/{upload_id}", status_code=204)
def terminate(
    upload_id: UUID, services: ServicesOf, access: Annotated[Access, guard("upload.terminate", by_upload)]
) -> Response:
    """Give an upload up. Its exhibit is discarded; the number stays taken."""
    intake.terminate(services, access.actor, upload_id)
    return Response(status_code=204, headers=_TUS)


def _created(upload: Upload, token: str | None) -> Response:
    headers = _state(upload) | {"Location": f"/api/v1/uploads/{upload.id}"}
    return Response(status_code=201, headers=headers | ({"Upload-Token": token} if token else {}))


def _appender(
    services: Services, access: Access, upload_id: UUID, offset: int, declared: int | None, checksum: Checksum | None
) -> Appender:
    return intake.receive(
        services, access.actor, upload_id, offset_bytes=offset, declared_bytes=declared, checksum=checksum
    )


def _declared(request: Request) -> int | None:
    """The body's length as the request says it; None when it comes in chunks."""
    if "transfer-encoding" in request.headers:
        return None
    return parse_length(request.headers.get("content-length", "0"))


def _checksum(request: Request) -> Checksum | None:
    said = request.headers.get("upload-checksum")
    return None if said is None else Checksum.parse(said)


def _check_body_type(request: Request) -> None:
    if request.headers.get("content-type") != BODY_TYPE:
        raise Invalid("upload.wrong_content_type", type=BODY_TYPE)


async def _pump(request: Request, appender: Appender) -> Upload:
    try:
        async for piece in _gathered(request):
            await run_in_threadpool(appender.write, piece)
    except ClientDisconnect:
        return await run_in_threadpool(appender.finish, interrupted=True)
    except DalelError:
        await run_in_threadpool(appender.finish, interrupted=True)
        raise
    return await run_in_threadpool(appender.finish)


async def _gathered(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces of about a MiB. When the line breaks, what was gathered is given before the error."""
    gathered = bytearray()
    try:
        async for piece in request.stream():
            gathered += piece
            if len(gathered) >= _HOP_BYTES:
                yield bytes(gathered)
                gathered.clear()
    except ClientDisconnect:
        if gathered:
            yield bytes(gathered)
        raise
    if gathered:
        yield bytes(gathered)


def _form(request: Request) -> ExhibitForm:
    said = parse_metadata(request.headers.get("upload-metadata", ""))
    days = said.get("retain_days", "")
    return ExhibitForm(
        filename=said.get("filename", ""),
        folder=said.get("folder", ""),
        sha256=parse_sha256(said.get("sha256", "")),
        size_bytes=parse_length(request.headers.get("upload-length", "")),
        basis=said.get("basis", ""),
        purpose=said.get("purpose", ""),
        retain_days=int(days) if days.isascii() and days.isdigit() and len(days) < 7 else 0,
        recorded_at=said.get("recorded_at", ""),
        category=said.get("category", ""),
    )


def _speaks_tus(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise Invalid("upload.wrong_tus_version", version=VERSION)


def _state(upload: Upload) -> dict[str, str]:
    expires: datetime = upload.expires_at.astimezone(UTC)
    return _TUS | {
        "Dalel-Exhibit": str(upload.exhibit_id),
        "Upload-Offset": str(upload.offset_bytes),
        "Upload-Length": str(upload.size_bytes),
        "Upload-Expires": format_datetime(expires, usegmt=True),
    }
