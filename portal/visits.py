"""Between a request and a page: the context pages read, answers they give, forms they take."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from custody.kernel.errors import Conflict, DalelError, Invalid, NotFound, TooLarge, TooMany, Unauthenticated
from evidence_api.http.guard import Access
from evidence_api.http.language import negotiate
from evidence_api.http.route import note_refusal
from evidence_api.http.visitor import Visitor
from portal.catalog import LANGUAGES, Language
from portal.context import Form, Notice, Person, RequestContext, Theme
from portal.headers import PAGE_HEADERS

LANGUAGE_COOKIE, THEME_COOKIE = "language", "theme"
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
_CORRECTABLE = (Invalid, Conflict, NotFound, TooLarge, TooMany, Unauthenticated)
"""Refusals that a person may mend on the form they came from; it comes back with what was typed."""


def context(request: Request, access: Access | None = None, *, notice: Notice | None = None) -> RequestContext:
    """What the page needs to know of the request."""
    visitor = access.visitor if access else getattr(request.state, "visitor", None)
    return RequestContext(
        language=language_of(request, visitor),
        path=request.url.path,
        query=request.url.query,
        csrf_token=(visitor.csrf_token or "") if visitor else "",
        now=request.app.state.parts.database.clock.now(),
        theme=_theme(request),
        person=_person(visitor),
        notice=notice or told(request),
    )


def language_of(request: Request, visitor: Visitor | None = None) -> Language:
    """The language that was chosen, else the account's, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen not in LANGUAGES and visitor is not None and visitor.account is not None:
        chosen = visitor.account.language
    if chosen not in LANGUAGES:
        chosen = negotiate(request.headers.get("accept-language"), LANGUAGES)
    return next(language for language in LANGUAGES if language == chosen)


def html(page: str, status: int = 200) -> Response:
    """A page."""
    return HTMLResponse(page, status, headers=dict(PAGE_HEADERS))


def go(path: str, done: str | None = None) -> Response:
    """Post, then redirect, then get; `done` names the notice that the next page shows."""
    return RedirectResponse(path + (f"?done={done}" if done else ""), 303)


def local_path(target: str) -> str:
    """A path on this site, whatever was asked for: nobody is sent elsewhere from here."""
    parts = urlsplit(target)
    safe = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if safe and target.isprintable() else "/"


async def form_fields(request: Request) -> dict[str, str]:
    """The text fields of a form; of a repeated one the last."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Fields = Annotated[dict[str, str], Depends(form_fields)]


def _returned(fields: Mapping[str, str], error: DalelError, places: Mapping[str, str]) -> Form:
    """The form as it was typed, with the refusal at its field (by the code's longest known beginning) or on top."""
    fitting = [begin for begin in places if error.code.startswith(begin)]
    place = places[max(fitting, key=len)] if fitting else ""
    kept = {name: value for name, value in fields.items() if "password" not in name and name != "csrf_token"}
    return Form(kept, {place: error.code}, error.params)


def try_form(
    request: Request,
    fields: Mapping[str, str],
    places: Mapping[str, str],
    act: Callable[[], Response],
    again: Callable[[Form], str],
) -> Response:
    """Do `act`; a refusal that can be mended is recorded and gives the page `again` with the form as it was.

    The one way for a view to answer a refusal with a page of its own: a view that caught it itself would hide it from
    the record.
    """
    try:
        return act()
    except _CORRECTABLE as refusal:
        page = again(_returned(fields, refusal, places))
        note_refusal(request, refusal)
        return html(page, 422)


def _person(visitor: Visitor | None) -> Person | None:
    if visitor is None or visitor.account is None:
        return None
    return Person(visitor.account.id, visitor.account.display_name, visitor.account.role.value)


def _theme(request: Request) -> Theme:
    chosen: Any = request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else "auto"


def told(request: Request) -> Notice | None:
    """What was just done, as the address says that a redirect after an act leads to."""
    done = request.query_params.get("done", "")
    return Notice(f"notice.{done}", "bad" if done in _ALARMING else "good") if done in NOTICES else None


_ALARMING = frozenset({"lock_broken"})
NOTICES = frozenset(
    {
        "case_opened",
        "granted",
        "revoked",
        "transcript_requested",
        "corrected",
        "confirmed",
        "plan_requested",
        "decided",
        "submitted",
        "approved",
        "returned",
        "drafted",
        "released",
        "received",
        "signed_out",
        "check_requested",
        "fixity_requested",
        "round_begun",
        "examine_requested",
        "lock_held",
        "lock_broken",
        "retained",
        "held",
        "hold_lifted",
        "disposal_proposed",
        "disposal_signed",
        "disposal_approved",
        "disposal_rejected",
        "rules_changed",
        "copy_recorded",
        "device_revoked",
        "password_changed",
        "sessions_ended",
    }
)
"""What `?done=` may say; anything else shows nothing."""
