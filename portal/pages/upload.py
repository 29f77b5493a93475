"""The investigator's upload desk and the receipt at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from evidence_api.http.messages import sentences
from portal import catalog
from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.cases import CaseHead, ExhibitRow
from portal.rendering import page

BASES = (
    "inspection",
    "search",
    "seizure",
    "provided",
    "court_order",
    "covert_action",
    "interrogation",
    "expert_opinion",
    "foreign_request",
    "administrative_record",
)
PURPOSES = ("pretrial", "trial", "execution", "cassation", "archive", "training")
"""The closed lists of storage.retention, in the order a person is offered them."""

ISLAND_WORDS = (
    "upload.state.waiting",
    "upload.state.hashing",
    "upload.state.queued",
    "upload.state.sending",
    "upload.state.checking",
    "upload.state.sealed",
    "upload.state.duplicate",
    "upload.state.failed",
    "upload.code.upload.forgotten",
    "upload.code.upload.elsewhere",
    "upload.code.offline",
    "upload.retry_one",
    "upload.drop_one",
    "upload.no_time",
    "upload.resume_hint",
    "upload.resume_rest",
    "upload.resume_n",
    "upload.back",
    "upload.describe_first",
    "upload.all_sealed",
    "upload.some_failed",
    "upload.so_far",
    "upload.files_n",
    "upload.trouble_n",
    "upload.exhibit",
    "upload.top",
    "upload.list_taken",
    "upload.receipt_wait",
)
"""Catalog keys that the module shows; given to it as data, so that no module holds a sentence."""


@dataclass(frozen=True)
class Refusal:
    """A file that the plain form could not take, with the code of why. Selected = stored + failed, always."""

    name: str
    code: str
    params: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class UploadDesk:
    """The desk. `refused` and `stored` are the result of the last plain form; `limit_bytes` per file."""

    head: CaseHead
    limit_bytes: int
    form: Form = EMPTY_FORM
    stored: tuple[ExhibitRow, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class UploadReceipt:
    """What an officer delivered: printable. `signature` is the checkpoint note that covers it, None while pending."""

    head: CaseHead
    rows: tuple[ExhibitRow, ...]
    officer: str
    at: datetime
    checkpoint: str | None = None


def render_upload(context: RequestContext, model: UploadDesk) -> str:
    entries = catalog.entries(context.language)
    words = {key: entries[key] for key in ISLAND_WORDS}
    errors = {
        code: text
        for code, text in sentences(context.language).items()
        if code.startswith(("upload.", "exhibit.", "case.", "retention.", "unknown", "blob.", "session.", "access.", "receipt.", "hashlist.",
             "request.", "store.", "rate.", "text."))
    }
    return page("upload.html", context, model, words=words, errors=errors, bases=BASES, purposes=PURPOSES)


def render_receipt(context: RequestContext, model: UploadReceipt) -> str:
    return page("receipt.html", context, model)
