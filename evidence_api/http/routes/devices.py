"""Devices that send by themselves: an administrator's work."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from evidence_api.http.guard import Access, by_account, guard
from evidence_api.http.paging import USUAL, Cursor, Keyset, Limit, PageOut
from evidence_api.http.parts import PartsOf
from evidence_api.http.route import router
from evidence_api.registry.facts import Account
from evidence_api.use_cases import devices

routes = router("/devices", "accounts")
KEYSET = Keyset("devices", (str,))


class NewDevice(BaseModel):
    """A device by name, its term, and the ЕРДР numbers of the cases it may send to."""

    name: str = Field(max_length=200)
    days: int
    cases: list[str] = Field(default=[], max_length=100)
    language: str = Field(default="kk", max_length=10)


class DeviceOut(BaseModel):
    """A device. It sends while it is neither revoked nor past its end."""

    id: UUID
    login: str
    name: str
    created_at: datetime
    ends_at: datetime | None
    revoked: bool


class ListedDevice(DeviceOut):
    """A device and the ЕРДР numbers of the cases on which it stands."""

    cases: list[str]


class IssuedOut(DeviceOut):
    """A new device and its credential, told once."""

    credential: str


@routes.post("", status_code=201)
def issue(form: NewDevice, parts: PartsOf, access: Annotated[Access, guard("account.manage")]) -> IssuedOut:
    """Issue a credential: send it to nobody, put it on the device."""
    made = devices.issue(
        parts.database,
        parts.passwords,
        access.actor,
        name=form.name,
        days=form.days,
        erdrs=form.cases,
        language=form.language,
    )
    return IssuedOut(**_device(made.account), credential=made.credential)


@routes.get("", response_model=PageOut[ListedDevice])
def list_devices(
    parts: PartsOf, access: Annotated[Access, guard("account.manage")], cursor: Cursor = None, limit: Limit = USUAL
) -> dict[str, object]:
    """Devices by login, ended ones too."""
    del access
    page, cases = devices.list_devices(parts.database, after=KEYSET.decode(cursor), limit=limit)
    return KEYSET.out(page, lambda one: ListedDevice(**_device(one), cases=list(cases[one.id])))


@routes.post("/{account_id}/revoke", status_code=204)
def revoke(
    account_id: UUID, parts: PartsOf, access: Annotated[Access, guard("account.manage", by_account)]
) -> Response:
    """End it at once, and what it is sending."""
    devices.revoke(parts.database, access.actor, account_id)
    return Response(status_code=204)


def _device(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "login": account.login,
        "name": account.display_name,
        "created_at": account.created_at,
        "ends_at": account.ends_at,
        "revoked": account.disabled,
    }
