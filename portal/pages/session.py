"""Sign in, the home page (what waits for me), creating a case, help, error pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from portal.context import EMPTY_FORM, Form, RequestContext
from portal.pages.fixity import AlarmLine
from portal.rendering import KEYS, page


@dataclass(frozen=True)
class SignIn:
    """`to` is the local path to return to; `form` holds the login that was typed, never the password."""

    to: str = "/"
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class Waiting:
    """One kind of thing that waits for this person in a case, and where to do it.

    `kind` is one of WAITING_KINDS.
    """

    kind: str
    count: int
    href: str


WAITING_KINDS = (
    "exhibit_refused",
    "exhibit_draft",
    "transcript_draft",
    "transcript_wanted",
    "plan_open",
    "plan_returned",
    "plan_to_approve",
    "rendition_leaks",
    "disclosure_draft",
    "disclosure_new",
    "no_prosecutor",
    "grant_ends",
)


@dataclass(frozen=True)
class CaseCard:
    """A case as the list shows it. `role` is the person's role in it; `href` leads elsewhere than to the case.

    `people` is how many stand on it, for whom that takes the place of the exhibits.
    """

    id: UUID
    erdr: str
    title: str
    role: str
    exhibits: int
    opened_at: datetime
    waiting: tuple[Waiting, ...] = ()
    href: str | None = None
    people: int | None = None


@dataclass(frozen=True)
class Home:
    """The person's cases by number, or (`all`) everybody's. `next_href` leads to the next page of a long list.

    `beginning` is what was asked for: the first digits of the ЕРДР number.
    """

    cases: tuple[CaseCard, ...]
    can_open_case: bool
    next_href: str | None = None
    alarms: tuple[AlarmLine, ...] = ()
    fixity_href: str | None = None
    all: bool = False
    beginning: str = ""


@dataclass(frozen=True)
class NewCase:
    """The form that opens a case. `erdr_digits` is the expected number of digits, for the hint."""

    erdr_digits: int = 15
    form: Form = EMPTY_FORM


@dataclass(frozen=True)
class ErrorPage:
    """A refusal as a page. `code` is the stable code; `quote` an id of this occurrence to give to support."""

    status: int
    code: str
    quote: str | None = None
    params: Mapping[str, str | int | None] = field(default_factory=dict)
    back_href: str = "/"


def render_sign_in(context: RequestContext, model: SignIn) -> str:
    """The sign-in page; a returned form never carries the password back."""
    kept = {name: value for name, value in model.form.values.items() if name != "password"}
    return page("sign_in.html", context, replace(model, form=replace(model.form, values=kept)))


def render_home(context: RequestContext, model: Home) -> str:
    return page("home.html", context, model)


def render_new_case(context: RequestContext, model: NewCase) -> str:
    return page("new_case.html", context, model)


def render_error(context: RequestContext, model: ErrorPage) -> str:
    return page("error.html", context, model)


def render_help(context: RequestContext) -> str:
    return page("help.html", context, KEYS)
