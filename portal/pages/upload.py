"""The investigator's upload desk and the receipt at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from custody.kernel.clock import from_ms
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
    "upload.claim_of",
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
    """The desk. `refused` and `stored` are the result of the last plain form; `limit_bytes` per file.

    `categories` are the rules in force: code, name, the term in days.
    """

    head: CaseHead
    limit_bytes: int
    form: Form = EMPTY_FORM
    stored: tuple[ExhibitRow, ...] = ()
    refused: tuple[Refusal, ...] = ()
    receipts: tuple["ReceiptRow", ...] = ()
    categories: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True)
class ReceiptRow:
    """A receipt in a list."""

    id: UUID
    at: datetime
    files: int
    size_bytes: int


@dataclass(frozen=True)
class Delivered:
    """What an officer delivered in the last day, before a receipt is issued for it."""

    head: CaseHead
    rows: tuple[ExhibitRow, ...]
    form: Form = EMPTY_FORM

    @property
    def sealed(self) -> tuple[ExhibitRow, ...]:
        """Those a receipt can be issued for."""
        return tuple(row for row in self.rows if row.state == "sealed")


@dataclass(frozen=True)
class IssuedReceipt:
    """A signed receipt: printable, and the PDF to download. `body` is what it says, `digest` the PDF's."""

    head: CaseHead
    id: UUID
    at: datetime
    digest: str
    body: Mapping[str, Any]

    @property
    def chosen(self) -> int:
        """How many files were chosen: each is stored, was there already, or has its reason."""
        return sum(len(self.body[name]) for name in ("files", "already", "failed"))

    def at_ms(self, time_ms: int) -> datetime:
        """A time of the body as pages show times."""
        return from_ms(time_ms)


def render_upload(context: RequestContext, model: UploadDesk) -> str:
    entries = catalog.entries(context.language)
    words = {key: entries[key] for key in ISLAND_WORDS}
    errors = {
        code: text
        for code, text in sentences(context.language).items()
        if code.startswith(
            (
                "upload.",
                "exhibit.",
                "case.",
                "retention.",
                "unknown",
                "blob.",
                "session.",
                "access.",
                "receipt.",
                "hashlist.",
                "request.",
                "store.",
                "rate.",
                "text.",
            )
        )
    }
    return page("upload.html", context, model, words=words, errors=errors, bases=BASES, purposes=PURPOSES)


def render_delivered(context: RequestContext, model: Delivered) -> str:
    return page("delivered.html", context, model)


def render_receipt(context: RequestContext, model: IssuedReceipt) -> str:
    return page("receipt.html", context, model)
