"""Many small files in one request: what tus costs a file, paid once for a folder."""

from typing import Annotated
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from custody.kernel.errors import DalelError, Invalid
from evidence_api.http.guard import Access, by_case, guard
from evidence_api.http.parts import ServicesOf
from evidence_api.http.route import note_refusal, router
from evidence_api.registry.model import ExhibitForm, ExhibitState
from evidence_api.use_cases import small_files
from evidence_api.use_cases.small_files import SmallFile
from storage import whole
from storage.service import Upload

routes = router("", "uploads")
MOST_FILES = 500
BODY_TYPE = "application/vnd.dalel.small-files"


class ListedFile(BaseModel):
    """One file: how it is called, where it lay, how many bytes of the request are its own, and their digest."""

    filename: str = Field(max_length=1000)
    folder: str = Field(default="", max_length=5000)
    size_bytes: int = Field(ge=0, le=whole.MOST_BYTES)
    sha256: str = Field(max_length=80)
    recorded_at: str = Field(default="", max_length=100)


class Listing(BaseModel):
    """The request's first line: what is said of all, and the files in the order in which their bytes follow."""

    basis: str = Field(max_length=100)
    purpose: str = Field(max_length=1000)
    retain_days: int = 0
    category: str = Field(default="", max_length=100)
    files: list[ListedFile] = Field(min_length=1, max_length=MOST_FILES)


class TakenOut(BaseModel):
    """What became of a file: `checking` with its exhibit, or `refused` with a code."""

    state: str
    exhibit: UUID | None = None
    upload: UUID | None = None
    code: str | None = None
    params: dict[str, str | int | None] = {}


class TakenAllOut(BaseModel):
    """In the order of the listing."""

    items: list[TakenOut]


@routes.post("/cases/{case_id}/small-files")
async def take(
    case_id: UUID, request: Request, services: ServicesOf, access: Annotated[Access, guard("upload.create", by_case)]
) -> TakenAllOut:
    """Register many small files with all of their bytes; each is then re-read, compared and sealed like any other.

    The body: a listing (`Listing`) as JSON on one line, a newline, then the bytes of the files one after another. The
    whole request is bounded like every other (`request.too_large`). One file that is refused stops no other. Send an
    `Idempotency-Key`: repeated under it, the same answer comes back and nothing is registered twice.
    """
    if request.headers.get("content-type") != BODY_TYPE:
        raise Invalid("upload.wrong_content_type", type=BODY_TYPE)
    files = _files(await request.body())
    taken = await run_in_threadpool(small_files.take_all, services, access.actor, case_id, files)
    for one in taken:
        if isinstance(one, DalelError):
            note_refusal(request, one)
    return TakenAllOut(items=[_out(one) for one in taken])


def _files(body: bytes) -> list[SmallFile]:
    line, _, contents = body.partition(b"\n")
    try:
        listing = Listing.model_validate_json(line)
    except ValidationError as fault:
        raise RequestValidationError(fault.errors(include_input=False, include_url=False)) from None
    if sum(one.size_bytes for one in listing.files) != len(contents):
        raise Invalid("upload.listing_mismatch")
    files, start = [], 0
    for one in listing.files:
        form = ExhibitForm(
            filename=one.filename,
            folder=one.folder,
            sha256="sha256:" + one.sha256.lower().removeprefix("sha256:"),  # as a tus creation may say it too
            size_bytes=one.size_bytes,
            basis=listing.basis,
            purpose=listing.purpose,
            retain_days=listing.retain_days,
            recorded_at=one.recorded_at,
            category=listing.category,
        )
        files.append(SmallFile(form, contents[start : start + one.size_bytes]))
        start += one.size_bytes
    return files


def _out(taken: Upload | DalelError) -> TakenOut:
    if isinstance(taken, DalelError):
        return TakenOut(state=ExhibitState.REFUSED.value, code=taken.code, params=dict(taken.params))
    return TakenOut(state=ExhibitState.CHECKING.value, exhibit=taken.exhibit_id, upload=taken.id)
