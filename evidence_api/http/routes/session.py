"""Signing in and out, and who one is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import Request

from evidence_api.http.guard import Access, by_self, guard
from evidence_api.http.parts import PartsOf, sign_in_rules
from evidence_api.http.route import router
from evidence_api.http.visitor import clear_session_cookie, cookie_name
from evidence_api.registry.facts import Account
from evidence_api.use_cases import people

routes = router("/session", "session")


class AccountOut(BaseModel):
    """A person's account."""

    id: UUID
    login: str
    display_name: str
    role: str
    language: str
    created_at: datetime
    disabled: bool


class SignIn(BaseModel):
    """A login and its password."""

    login: str = Field(max_length=200)
    password: SecretStr = Field(max_length=2000)


class SessionOut(BaseModel):
    """A bearer token, told once, and whose it is."""

    token: str
    account: AccountOut


class NewPassword(BaseModel):
    """The password now and the one to come."""

    old: SecretStr = Field(max_length=2000)
    new: SecretStr = Field(max_length=2000)


class NewLanguage(BaseModel):
    """kk, ru or en."""

    language: str = Field(max_length=10)


def account_out(account: Account) -> AccountOut:
    """The account as the API shows it."""
    return AccountOut(
        id=account.id,
        login=account.login,
        display_name=account.display_name,
        role=account.role.value,
        language=account.language,
        created_at=account.created_at,
        disabled=account.disabled,
    )


@routes.post("", status_code=201)
def sign_in(
    form: SignIn, request: Request, parts: PartsOf, access: Annotated[Access, guard("session.create")]
) -> SessionOut:
    """Open a session for a program. Refused ones are recorded and counted."""
    signed = people.sign_in(
        parts.database,
        parts.passwords,
        sign_in_rules(parts.settings),
        login=form.login,
        password=form.password.get_secret_value(),
        means="api",
        address=access.visitor.address,
        previous_token=request.cookies.get(cookie_name(parts.settings)),
    )
    return SessionOut(token=signed.token, account=account_out(signed.account))


@routes.get("")
def read_session(parts: PartsOf, access: Annotated[Access, guard("account.read", by_self)]) -> AccountOut:
    """Whose session this is."""
    return account_out(people.read_account(parts.database, _self(access)))


@routes.delete("", status_code=204)
def sign_out(parts: PartsOf, access: Annotated[Access, guard("session.close")]) -> Response:
    """End this session."""
    if access.visitor.session_id is not None:
        people.sign_out(parts.database, access.actor, access.visitor.session_id)
    response = Response(status_code=204)
    clear_session_cookie(response, parts.settings)
    return response


@routes.post("/password", status_code=204)
def change_password(
    form: NewPassword, parts: PartsOf, access: Annotated[Access, guard("account.password", by_self)]
) -> Response:
    """Change one's own password; every other session of the account ends."""
    people.change_password(
        parts.database,
        parts.passwords,
        access.actor,
        session_id=access.visitor.session_id,
        old=form.old.get_secret_value(),
        new=form.new.get_secret_value(),
    )
    return Response(status_code=204)


@routes.post("/language", status_code=204)
def change_language(
    form: NewLanguage, parts: PartsOf, access: Annotated[Access, guard("account.language", by_self)]
) -> Response:
    """Choose the language one is answered in."""
    people.change_language(parts.database, access.actor, form.language)
    return Response(status_code=204)


def _self(access: Access) -> UUID:
    if access.viewer.account_id is None:
        raise AssertionError("the guard let nobody through")
    return access.viewer.account_id
