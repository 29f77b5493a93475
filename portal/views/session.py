"""Sign in and out, language and appearance, home, a new case, help."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from starlette.requests import Request

from evidence_api.http.guard import Access, guard
from evidence_api.http.paging import Cursor, Keyset
from evidence_api.http.parts import ServicesOf, sign_in_rules
from evidence_api.http.route import router
from evidence_api.http.visitor import address_of, clear_session_cookie, cookie_name, set_session_cookie
from evidence_api.queries import cases as queries
from evidence_api.queries import fixity
from evidence_api.queries import rounds as rounds_of
from evidence_api.services import Services
from evidence_api.use_cases import cases as case_acts
from evidence_api.use_cases import people
from portal import catalog, visits
from portal.catalog import LANGUAGES
from portal.context import Form
from portal.lines import alarm_lines
from portal.pages.session import (
    CaseCard,
    Home,
    NewCase,
    SignIn,
    Waiting,
    render_help,
    render_home,
    render_new_case,
    render_sign_in,
)
from portal.visits import Fields, context, go, html, local_path, try_form

routes = router()
KEYSET = Keyset("portal-cases", (str,))
_PAGE = 30
_YEAR_S = 365 * 86_400


@routes.get("/sign-in")
def sign_in_page(
    request: Request, services: ServicesOf, access: Annotated[Access, guard("page.public")], to: str = "/"
) -> Response:
    """The sign-in page; whoever is signed in goes on. A cookie that opens nothing any more is taken back."""
    if access.visitor.account is not None:
        return go(local_path(to))
    answer = html(render_sign_in(context(request, access), SignIn(to=local_path(to))))
    if access.visitor.by_cookie:
        clear_session_cookie(answer, services.settings)
    return answer


@routes.post("/sign-in")
def sign_in(
    request: Request, services: ServicesOf, fields: Fields, access: Annotated[Access, guard("session.create")]
) -> Response:
    """Open a session under a new token, whatever the browser brought."""
    to = local_path(fields.get("to", "/"))
    name = cookie_name(services.settings)

    def act() -> Response:
        signed_in = people.sign_in(
            services.database,
            services.passwords,
            sign_in_rules(services.settings),
            login=fields.get("login", ""),
            password=fields.get("password", ""),
            means="browser",
            address=address_of(request, services.settings.trusted_proxies),
            previous_token=request.cookies.get(name),
        )
        answer = go(to)
        set_session_cookie(answer, services.settings, signed_in.token)
        return answer

    def again(form: Form) -> str:
        return render_sign_in(context(request, access), SignIn(to=to, form=form))

    return try_form(request, fields, {}, act, again)


@routes.post("/sign-out")
def sign_out(services: ServicesOf, access: Annotated[Access, guard("session.close")]) -> Response:
    """End the session."""
    if access.visitor.session_id is not None:
        people.sign_out(services.database, access.actor, access.visitor.session_id)
    answer = go("/sign-in", "signed_out")
    clear_session_cookie(answer, services.settings)
    return answer


@routes.get("/language/{value}")
def choose_language(
    value: str, services: ServicesOf, access: Annotated[Access, guard("page.public")], to: str = "/"
) -> Response:
    """Keep a language in a cookie and come back."""
    return _choice(services, visits.LANGUAGE_COOKIE, value if value in LANGUAGES else LANGUAGES[0], to, access)


@routes.get("/theme/{value}")
def choose_theme(
    value: str, services: ServicesOf, access: Annotated[Access, guard("page.public")], to: str = "/"
) -> Response:
    """Keep light, dark or the device's own in a cookie and come back."""
    return _choice(services, visits.THEME_COOKIE, value if value in visits.THEMES else "auto", to, access)


def _choice(services: Services, cookie: str, value: str, to: str, access: Access) -> Response:
    del access
    answer = go(local_path(to))
    answer.set_cookie(
        cookie, value, max_age=_YEAR_S, path="/", secure=services.settings.https, httponly=True, samesite="strict"
    )
    return answer


@routes.get("/")
def home(
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("page.home")],
    cursor: Cursor = None,
    erdr: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The person's cases and what waits in them; for the defence what was released to it."""
    viewer = access.viewer
    if viewer.role is not None and viewer.role.value == "defence" and viewer.account_id:
        language = visits.language_of(request, access.visitor)
        cards = [
            CaseCard(
                id=case.id,
                erdr=case.erdr,
                title=catalog.text(language, "disclosure.round", number=one.round or 0) + " · " + case.title,
                role="defence",
                exhibits=len(rounds_of.manifest_of(one).exhibits),
                opened_at=one.released_at or case.opened_at,
                waiting=(Waiting("disclosure_new", 1, f"/disclosures/{one.id}"),) if not one.opened_at else (),
                href=f"/disclosures/{one.id}",
            )
            for case, rounds in queries.received(services, viewer.account_id)
            for one in rounds
        ]
        return html(render_home(context(request, access), Home(tuple(cards), can_open_case=False)))
    beginning = erdr.strip()
    page = queries.summaries(services, viewer, after=KEYSET.decode(cursor), limit=_PAGE, beginning=beginning)
    alarms = fixity.alarms_for(services, viewer)
    asked = {"erdr": beginning} if beginning else {}
    model = Home(
        cases=tuple(_card(one) for one in page.items),
        can_open_case=queries.may(viewer, "case.create", access.resource),
        alarms=alarm_lines(alarms, fixity.places(services, alarms), viewer),
        fixity_href="/fixity" if queries.may(viewer, "fixity.read", access.resource) else None,
        next_href="/?" + urlencode(asked | {"cursor": KEYSET.encode(page.after)}) if page.after else None,
        all=queries.sees_all(viewer),
        beginning=beginning,
    )
    return html(render_home(context(request, access), model))


def _card(one: queries.CaseSummary) -> CaseCard:
    here = f"/cases/{one.case.id}"
    places = {"disclosure_draft": "/disclosures", "no_prosecutor": "/people", "grant_ends": "/people"}
    return CaseCard(
        id=one.case.id,
        erdr=one.case.erdr,
        title=one.case.title,
        role=one.role,
        exhibits=one.exhibits,
        opened_at=one.case.opened_at,
        waiting=tuple(Waiting(kind, count, here + places.get(kind, "")) for kind, count in one.waiting.items()),
        href=f"{here}/people" if one.people is not None else None,
        people=one.people,
    )


@routes.get("/cases/new")
def new_case(request: Request, services: ServicesOf, access: Annotated[Access, guard("case.create")]) -> Response:
    """The form that opens a case."""
    return html(render_new_case(context(request, access), NewCase()))


@routes.post("/cases")
def open_case(
    request: Request, services: ServicesOf, fields: Fields, access: Annotated[Access, guard("case.create")]
) -> Response:
    """Open a case."""

    def act() -> Response:
        case = case_acts.open_case(
            services.database,
            access.actor,
            erdr=fields.get("erdr", "").strip(),
            title=fields.get("title", ""),
            pattern=services.settings.erdr_pattern,
        )
        return go(f"/cases/{case.id}", "case_opened")

    return try_form(
        request,
        fields,
        {"case.": "erdr", "text.": "title"},
        act,
        lambda form: render_new_case(context(request, access), NewCase(form=form)),
    )


@routes.get("/help")
def show_help(request: Request, access: Annotated[Access, guard("page.public")]) -> Response:
    """Keys and words."""
    return html(render_help(context(request, access)))
