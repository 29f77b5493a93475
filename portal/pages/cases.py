"""A case: its exhibits, people and disclosures."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.context import EMPTY_FORM, Form, RequestContext
from portal.rendering import page

TABS = ("exhibits", "people", "disclosures", "retention", "trail")


@dataclass(frozen=True)
class CaseHead:
    """What every page inside a case shows: its ЕРДР number and title, and the tabs this person may open."""

    id: UUID
    erdr: str
    title: str
    role: str
    tabs: tuple[str, ...] = TABS


@dataclass(frozen=True)
class ExhibitRow:
    """An exhibit in a table. `state` is evidence_api's ExhibitState; `digest` is `sha256:…` once known.

    `checked_at` and `check_passed` are of the last fixity check or the seal itself.
    """

    id: UUID
    number: int
    name: str
    folder: str
    media_type: str | None
    size_bytes: int
    state: str
    digest: str | None = None
    checked_at: datetime | None = None
    check_passed: bool = True


@dataclass(frozen=True)
class CaseExhibits:
    """The exhibits tab. `next_href` and `total` are for long lists."""

    head: CaseHead
    rows: tuple[ExhibitRow, ...]
    total: int
    can_upload: bool
    next_href: str | None = None


@dataclass(frozen=True)
class GrantRow:
    """A person on the case. `revoke_href` is where to post to end the grant, None if this person may not."""

    name: str
    login: str
    role: str
    since: datetime
    until: datetime | None = None
    revoked_at: datetime | None = None
    revoke_href: str | None = None


@dataclass(frozen=True)
class CasePeople:
    """The people tab. `roles` are those this person may grant; empty means no form."""

    head: CaseHead
    grants: tuple[GrantRow, ...]
    roles: tuple[str, ...] = ()
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class DisclosureRow:
    """A round. `state` is draft, releasing, ready or failed; times are None until it happened."""

    id: UUID
    round: int
    recipient: str
    state: str
    disclosed: int
    withheld: int
    released_at: datetime | None = None
    opened_at: datetime | None = None
    downloaded_at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True)
class CaseDisclosures:
    """The disclosures tab."""

    head: CaseHead
    rows: tuple[DisclosureRow, ...]
    can_draft: bool


def render_case_exhibits(context: RequestContext, model: CaseExhibits) -> str:
    return page("case_exhibits.html", context, model, tab="exhibits")


def render_case_people(context: RequestContext, model: CasePeople) -> str:
    return page("case_people.html", context, model, tab="people")


def render_case_disclosures(context: RequestContext, model: CaseDisclosures) -> str:
    return page("case_disclosures.html", context, model, tab="disclosures")
