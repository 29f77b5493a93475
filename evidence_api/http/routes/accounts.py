"""Accounts: an administrator's work."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, SecretStr

from evidence_api.http.guard import Access, by_account, guard
from evidence_api.http.paging import USUAL, Cursor, Keyset, Limit, PageOut
from evidence_api.http.parts import PartsOf
from evidence_api.http.route import router
from evidence_api.http.routes.session import AccountOut, account_out
from evidence_api.use_cases import people

routes = router("/accounts", "accounts")
KEYSET = Keyset("accounts", (str,))


class NewAccount(BaseModel):
    """A person to add."""

    login: str = Field(max_length=64)
    display_name: str = Field(max_length=200)
    role: str = Field(max_length=40)
    language: str = Field(default="kk", max_length=10)
    password: SecretStr = Field(max_length=2000)


class ResetPassword(BaseModel):
    """The password to come."""

    new: SecretStr = Field(max_length=2000)


@routes.post("", status_code=201)
def create_account(
    form: NewAccount, response: Response, parts: PartsOf, access: Annotated[Access, guard("account.manage")]
) -> AccountOut:
    """Add a person."""
    account = people.create_account(
        parts.database,
        parts.passwords,
        access.actor,
        login=form.login,
        display_name=form.display_name,
        role=form.role,
        language=form.language,
        password=form.password.get_secret_value(),
    )
    response.headers["Location"] = f"/api/v1/accounts/{account.id}"
    return account_out(account)


@routes.get("", response_model=PageOut[AccountOut])
def list_accounts(
    parts: PartsOf,
    access: Annotated[Access, guard("account.manage")],
    cursor: Cursor = None,
    limit: Limit = USUAL,
) -> dict[str, object]:
    """Accounts by login."""
    del access
    page = people.list_accounts(parts.database, after=KEYSET.decode(cursor), limit=limit)
    return KEYSET.out(page, account_out)


@routes.get("/{account_id}")
def read_account(
    account_id: UUID, parts: PartsOf, access: Annotated[Access, guard("account.read", by_account)]
) -> AccountOut:
    """One account."""
    del access
    return account_out(people.read_account(parts.database, account_id))


@routes.post("/{account_id}/disable", status_code=204)
def disable_account(
    account_id: UUID, parts: PartsOf, access: Annotated[Access, guard("account.manage", by_account)]
) -> Response:
    """Shut an account and all its sessions."""
    people.disable_account(parts.database, access.actor, account_id)
    return Response(status_code=204)


@routes.post("/{account_id}/password", status_code=204)
def reset_password(
    account_id: UUID,
    form: ResetPassword,
    parts: PartsOf,
    access: Annotated[Access, guard("account.manage", by_account)],
) -> Response:
    """Give an account a new password; all its sessions end."""
    people.reset_password(parts.database, parts.passwords, access.actor, account_id, form.new.get_secret_value())
    return Response(status_code=204)
