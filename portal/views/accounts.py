"""Devices that send by themselves, what each did, and everybody's page of the own account."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Response
from starlette.requests import Request

from custody.kernel.errors import Invalid
from evidence_api.http.guard import Access, by_account, by_self, guard
from evidence_api.http.paging import Cursor, Keyset
from evidence_api.http.parts import ServicesOf, session_terms
from evidence_api.http.route import router
from evidence_api.queries import cases as queries
from evidence_api.queries import trails
from evidence_api.queries.facts import Account
from evidence_api.services import Services
from evidence_api.use_cases import devices, people
from portal.context import EMPTY_FORM, Form
from portal.lines import event_line, readable
from portal.pages.accounts import (
    DeviceRow,
    Devices,
    DeviceTrail,
    IssuedDevice,
    OwnAccount,
    SessionRow,
    render_account,
    render_device,
    render_devices,
    render_issued_device,
)
from portal.visits import Fields, context, go, html, try_form

routes = router()
KEYSET = Keyset("portal-devices", (str,))
TRAIL = Keyset("portal-device", (int,))
_PAGE = 50
_USUAL_DAYS = 90


@routes.get("/devices")
def show_devices(
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("account.manage")],
    cursor: Cursor = None,
) -> Response:
    """Every device, and the form for another."""
    return html(_devices(request, services, access, EMPTY_FORM, cursor))


@routes.post("/devices")
def issue(
    request: Request, services: ServicesOf, fields: Fields, access: Annotated[Access, guard("account.manage")]
) -> Response:
    """Issue a credential. The answer itself shows it, and nothing ever again: there is no page to be sent on to."""
    at_hand = context(request, access)

    def act() -> Response:
        issued = devices.issue(
            services.database,
            services.passwords,
            access.actor,
            name=fields.get("name", ""),
            days=_days(fields.get("days", "")),
            erdrs=fields.get("cases", "").split(),
            language=at_hand.language,
        )
        model = IssuedDevice(_row(services, issued.account, fields.get("cases", "").split()), issued.credential)
        return html(render_issued_device(at_hand, model), 201)

    places = {"account.name": "name", "device.": "days", "case.": "cases"}
    return try_form(request, fields, places, act, lambda form: _devices(request, services, access, form))


@routes.get("/devices/{account_id}")
def show_device(
    account_id: UUID,
    request: Request,
    services: ServicesOf,
    access: Annotated[Access, guard("device.trail", by_account)],
    cursor: Cursor = None,
) -> Response:
    """What a device did, newest first."""
    account, at_hand = devices.find(services.database, account_id), context(request, access)
    after = TRAIL.decode(cursor)
    page = trails.of_actor(services, account_id, before=int(after[0]) if after else None, limit=_PAGE)
    told = readable(at_hand.language, page.names, page.things)
    told |= {str(case_id): erdr for case_id, erdr in page.erdrs.items()}
    model = DeviceTrail(
        device=_row(services, account, devices.cases_of(services.database, account_id)),
        events=tuple(event_line(entry, told, page.personal.get(entry.id, ())) for entry in page.entries),
        next_href=f"/devices/{account_id}?cursor={TRAIL.encode((page.next_seq,))}" if page.next_seq else None,
        can_revoke=not account.disabled and queries.may(access.viewer, "account.manage", access.resource),
    )
    return html(render_device(at_hand, model))


@routes.post("/devices/{account_id}/revoke")
def revoke(
    account_id: UUID, services: ServicesOf, access: Annotated[Access, guard("account.manage", by_account)]
) -> Response:
    """End a device's credential."""
    devices.revoke(services.database, access.actor, account_id)
    return go("/devices", "device_revoked")


@routes.get("/account")
def show_account(
    request: Request, services: ServicesOf, access: Annotated[Access, guard("account.password", by_self)]
) -> Response:
    """Who one is, and where one is signed in."""
    return html(_account(request, services, access, EMPTY_FORM))


@routes.post("/account/password")
def change_password(
    request: Request,
    services: ServicesOf,
    fields: Fields,
    access: Annotated[Access, guard("account.password", by_self)],
) -> Response:
    """One's own password; every other session ends."""

    def act() -> Response:
        if fields.get("new_password", "") != fields.get("again_password", ""):
            raise Invalid("password.not_the_same")
        people.change_password(
            services.database,
            services.passwords,
            access.actor,
            session_id=access.visitor.session_id,
            old=fields.get("old_password", ""),
            new=fields.get("new_password", ""),
        )
        return go("/account", "password_changed")

    places = {"password.": "new_password", "password.wrong": "old_password", "password.not": "again_password"}
    return try_form(request, fields, places, act, lambda form: _account(request, services, access, form))


@routes.post("/account/sessions")
def end_sessions(services: ServicesOf, access: Annotated[Access, guard("account.password", by_self)]) -> Response:
    """End one's other sessions."""
    people.close_others(services.database, access.actor, access.visitor.session_id)
    return go("/account", "sessions_ended")


def _devices(request: Request, services: Services, access: Access, form: Form, cursor: str | None = None) -> str:
    page, cases = devices.list_devices(services.database, after=KEYSET.decode(cursor), limit=_PAGE)
    model = Devices(
        rows=tuple(_row(services, one, cases[one.id]) for one in page.items),
        days=_USUAL_DAYS,
        next_href=f"/devices?cursor={KEYSET.encode(page.after)}" if page.after else None,
        form=form,
    )
    return render_devices(context(request, access), model)


def _row(services: Services, account: Account, erdrs: Sequence[str]) -> DeviceRow:
    usable = account.usable(services.database.clock.now())
    return DeviceRow(
        id=account.id,
        name=account.display_name,
        login=account.login,
        since=account.created_at,
        until=account.ends_at,
        state="revoked" if account.disabled else "open" if usable else "over",
        cases=tuple(erdrs),
    )


def _days(text: str) -> int:
    """0, which no term is, for what is no number."""
    typed = text.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0


def _account(request: Request, services: Services, access: Access, form: Form) -> str:
    terms = session_terms(services.settings)
    account, opened = people.own(services.database, access.actor, terms)
    model = OwnAccount(
        login=account.login,
        since=account.created_at,
        sessions=tuple(
            SessionRow(
                one.means,
                one.opened_at,
                one.seen_at,
                min(one.expires_at, one.seen_at + terms.idle),
                here=one.id == access.visitor.session_id,
            )
            for one in opened
        ),
        form=form,
    )
    return render_account(context(request, access), model)
