"""Disclosure: draft a round, release it, and what the defence sees."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.cases import CaseHead
from portal.rendering import page

GROUNDS = ("under_review", "witness_safety", "personal_data", "minor", "state_secret", "not_material")
"""Why an exhibit is withheld in this round: the list of evidence_api.disclosure."""


@dataclass(frozen=True)
class Recipient:
    """Someone the round may be handed to."""

    id: UUID
    name: str


@dataclass(frozen=True)
class FileChoice:
    """A rendition that may be handed over; `why_not` is the error code that keeps it back, None if it may go."""

    id: UUID
    kind: str
    size_bytes: int
    why_not: str | None = None
    chosen: bool = False


@dataclass(frozen=True)
class DraftItem:
    """A sealed exhibit of the case: its renditions, or the ground for withholding it."""

    exhibit_id: UUID
    number: int
    name: str
    files: tuple[FileChoice, ...]
    ground: str | None = None


@dataclass(frozen=True)
class DisclosureDraft:
    """The form of a round. Field names: `recipient`, `file` (repeated), `ground.<exhibit id>`."""

    head: CaseHead
    recipients: tuple[Recipient, ...]
    items: tuple[DraftItem, ...]
    round: int
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class DisclosedFile:
    """A file of a package, as listed. `href` opens it in the browser."""

    path: str
    number: int
    kind: str
    size_bytes: int
    digest: str
    href: str | None = None
    is_new: bool = False


@dataclass(frozen=True)
class WithheldExhibit:
    """An exhibit that was not handed over, and why."""

    number: int
    ground: str


@dataclass(frozen=True)
class ReleaseConfirm:
    """The last look before a release that cannot be taken back."""

    head: CaseHead
    id: UUID
    round: int
    recipient: str
    files: tuple[DisclosedFile, ...]
    withheld: tuple[WithheldExhibit, ...]
    exhibits_total: int
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class Disclosure:
    """A round as both sides see it. `state` is releasing, ready, failed or destroyed (its package, under an act).

    `mine` when the reader is the recipient.

    `checkpoint_size` and `origin` name the log head that covers the package; policy is handed over another way.
    """

    head: CaseHead
    id: UUID
    round: int
    recipient: str
    state: str
    released_at: datetime
    files: tuple[DisclosedFile, ...]
    withheld: tuple[WithheldExhibit, ...]
    exhibits_total: int
    mine: bool = False
    released_by: str = ""
    package_href: str | None = None
    package_name: str = ""
    package_size_bytes: int = 0
    package_digest: str | None = None
    checkpoint_size: int | None = None
    previous_round: int | None = None
    opened_at: datetime | None = None
    downloaded_at: datetime | None = None
    received_at: datetime | None = None
    failed_code: str | None = None
    destroyed_at: datetime | None = None
    act_number: int | None = None

    @property
    def files_bytes(self) -> int:
        """The sizes of the files together."""
        return sum(file.size_bytes for file in self.files)


def render_disclosure_draft(context: RequestContext, model: DisclosureDraft) -> str:
    return page("disclosure_draft.html", context, model, grounds=GROUNDS)


def render_release(context: RequestContext, model: ReleaseConfirm) -> str:
    return page("release.html", context, model)


def render_disclosure(context: RequestContext, model: Disclosure) -> str:
    return page("disclosure.html", context, model)
