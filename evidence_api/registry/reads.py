"""Reads of the registry: frozen facts from a session, keyset pages for lists. Nothing here decides who may read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from custody.kernel.clock import from_ms, to_ms
from custody.kernel.errors import NotFound
from evidence_api.registry.facts import Account, Case, Credentials, Exhibit, Grant, Page
from evidence_api.registry.model import ExhibitState, Role
from evidence_api.registry.tables import AccountRow, CaseRow, ExhibitRow, GrantRow

R = TypeVar("R")
_YEAR = timedelta(days=366)


def account_of(row: AccountRow) -> Account:
    """The fact of a row."""
    return Account(
        row.id,
        row.login,
        row.display_name,
        Role(row.role),
        row.language,
        row.created_at,
        row.disabled_at is not None,
        row.ends_at,
    )


def case_of(row: CaseRow) -> Case:
    """The fact of a row."""
    return Case(row.id, row.erdr, row.title, row.opened_by, row.opened_at)


def exhibit_of(row: ExhibitRow) -> Exhibit:
    """The fact of a row."""
    return Exhibit(
        id=row.id,
        case_id=row.case_id,
        number=row.number,
        filename=row.filename,
        folder=row.folder,
        state=ExhibitState(row.state),
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        basis=row.basis,
        purpose=row.purpose,
        retain_days=row.retain_days,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        sealed_at=row.sealed_at,
        retain_until=row.retain_until,
        blob_id=row.blob_id,
        upload_id=row.upload_id,
        reason=row.reason,
        recorded_at=row.recorded_at_claim,
        metadata=dict(row.claims),
        category=row.category,
        rule_version=row.rule_version,
        held=row.held,
        disposal_id=row.disposal_id,
        disposal_number=row.disposal_number,
        destroyed_at=row.destroyed_at,
    )


def get_account(session: Session, account_id: UUID) -> Account:
    """Raises NotFound `account.not_found`."""
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFound("account.not_found")
    return account_of(row)


def find_credentials(session: Session, login: str) -> Credentials | None:
    """The account and password hash of a login in its stored form, None when there is no such login."""
    row = session.scalar(select(AccountRow).where(AccountRow.login == login))
    return Credentials(account_of(row), row.password_hash) if row else None


def get_credentials(session: Session, account_id: UUID) -> Credentials:
    """Raises NotFound `account.not_found`."""
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFound("account.not_found")
    return Credentials(account_of(row), row.password_hash)


def names_of(session: Session, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Display names by account, for screens; unknown ids are left out."""
    rows = session.execute(select(AccountRow.id, AccountRow.display_name).where(AccountRow.id.in_(account_ids)))
    return dict(rows.all())


def list_accounts(
    session: Session, *, role: Role | None = None, after: tuple[str | int, ...] | None = None, limit: int = 50
) -> Page[Account]:
    """Accounts (of a role) by login; the key of a page is the login."""
    query = select(AccountRow).order_by(AccountRow.login)
    if role is not None:
        query = query.where(AccountRow.role == role)
    if after is not None:
        query = query.where(AccountRow.login > after[0])
    rows = _rows(session, query, limit)
    return Page(tuple(account_of(row) for row in rows[:limit]), (rows[limit - 1].login,) if rows[limit:] else None)


def get_case(session: Session, case_id: UUID) -> Case:
    """Raises NotFound `case.not_found`."""
    row = session.get(CaseRow, case_id)
    if row is None:
        raise NotFound("case.not_found")
    return case_of(row)


def find_case(session: Session, erdr: str) -> Case:
    """The case of an ЕРДР number. Raises NotFound `case.not_found`."""
    row = session.scalar(select(CaseRow).where(CaseRow.erdr == erdr))
    if row is None:
        raise NotFound("case.not_found")
    return case_of(row)


def list_cases(
    session: Session,
    *,
    case_ids: frozenset[UUID] | None,
    after: tuple[str | int, ...] | None = None,
    limit: int = 50,
    beginning: str = "",
) -> Page[Case]:
    """Cases by ЕРДР number: those in `case_ids`, or all for None (an auditor), whose number has this beginning. The key
    of a page is the number.
    """
    query = select(CaseRow).order_by(CaseRow.erdr)
    if case_ids is not None:
        query = query.where(CaseRow.id.in_(case_ids))
    if beginning:
        query = query.where(CaseRow.erdr.startswith(beginning, autoescape=True))
    if after is not None:
        query = query.where(CaseRow.erdr > after[0])
    rows = _rows(session, query, limit)
    return Page(tuple(case_of(row) for row in rows[:limit]), (rows[limit - 1].erdr,) if rows[limit:] else None)


def cases_of(session: Session, account_id: UUID, now: datetime) -> frozenset[tuple[UUID, Role]]:
    """The standing grants of an account at a moment: case and role in it."""
    query = select(GrantRow.case_id, GrantRow.role).where(GrantRow.account_id == account_id, *_standing(now))
    return frozenset((case_id, Role(role)) for case_id, role in session.execute(query))


def get_grant(session: Session, grant_id: UUID) -> Grant:
    """A grant, standing or not. Raises NotFound `grant.not_found`."""
    found = session.execute(_grants().where(GrantRow.id == grant_id)).one_or_none()
    if found is None:
        raise NotFound("grant.not_found")
    return _grant_of(*found)


def grants_in(session: Session, case_id: UUID, now: datetime) -> tuple[Grant, ...]:
    """Who stands on a case at a moment, by login."""
    query = _grants().where(GrantRow.case_id == case_id, *_standing(now)).order_by(AccountRow.login, GrantRow.role)
    return tuple(_grant_of(*found) for found in session.execute(query))


def get_exhibit(session: Session, exhibit_id: UUID) -> Exhibit:
    """Raises NotFound `exhibit.not_found`."""
    row = session.get(ExhibitRow, exhibit_id)
    if row is None:
        raise NotFound("exhibit.not_found")
    return exhibit_of(row)


def find_by_upload(session: Session, upload_id: UUID) -> Exhibit:
    """The exhibit an upload belongs to. Raises NotFound `upload.not_found`."""
    row = session.scalar(select(ExhibitRow).where(ExhibitRow.upload_id == upload_id))
    if row is None:
        raise NotFound("upload.not_found")
    return exhibit_of(row)


def find_duplicates(session: Session, case_id: UUID, digests: Sequence[str]) -> dict[str, Exhibit]:
    """Which of these digests the case holds or is being sent, by digest: asked before anything is sent."""
    rows = session.scalars(
        select(ExhibitRow).where(
            ExhibitRow.case_id == case_id,
            ExhibitRow.sha256.in_(digests),
            ExhibitRow.state.not_in((ExhibitState.REFUSED, ExhibitState.DISCARDED)),
            ExhibitRow.destroyed_at.is_(None),
        )
    )
    return {row.sha256: exhibit_of(row) for row in rows}


def find_destroyed(session: Session, case_id: UUID, digests: Sequence[str]) -> dict[str, Exhibit]:
    """Which of these digests the case held until they were destroyed, by digest: the last of each."""
    query = select(ExhibitRow).where(
        ExhibitRow.case_id == case_id, ExhibitRow.sha256.in_(digests), ExhibitRow.destroyed_at.is_not(None)
    )
    return {row.sha256: exhibit_of(row) for row in session.scalars(query.order_by(ExhibitRow.number))}


def same_bytes(session: Session, exhibit: Exhibit) -> tuple[Exhibit, ...]:
    """The other exhibits of its case with the same digest, by number: at most one that stands, and those destroyed."""
    query = select(ExhibitRow).where(
        ExhibitRow.case_id == exhibit.case_id,
        ExhibitRow.sha256 == exhibit.sha256,
        ExhibitRow.state.not_in((ExhibitState.REFUSED, ExhibitState.DISCARDED)),
        ExhibitRow.id != exhibit.id,
    )
    return tuple(exhibit_of(row) for row in session.scalars(query.order_by(ExhibitRow.number)))


def find_exhibits(session: Session, case_id: UUID, ids: Sequence[UUID]) -> tuple[Exhibit, ...]:
    """Those of these exhibits that belong to the case, by number; others are left out."""
    query = select(ExhibitRow).where(ExhibitRow.case_id == case_id, ExhibitRow.id.in_(ids)).order_by(ExhibitRow.number)
    return tuple(exhibit_of(row) for row in session.scalars(query))


def list_exhibits(
    session: Session,
    case_id: UUID,
    *,
    states: frozenset[ExhibitState] | None = None,
    after: tuple[str | int, ...] | None = None,
    limit: int = 50,
) -> Page[Exhibit]:
    """Exhibits of a case by number; the key of a page is the number."""
    query = select(ExhibitRow).where(ExhibitRow.case_id == case_id).order_by(ExhibitRow.number)
    if states is not None:
        query = query.where(ExhibitRow.state.in_([state.value for state in states]))
    if after is not None:
        query = query.where(ExhibitRow.number > after[0])
    rows = _rows(session, query, limit)
    return Page(tuple(exhibit_of(row) for row in rows[:limit]), (rows[limit - 1].number,) if rows[limit:] else None)


def find_exhibit(session: Session, case_id: UUID, number: int) -> Exhibit | None:
    """The exhibit of this number in a case, None when there is none."""
    row = session.scalar(select(ExhibitRow).where(ExhibitRow.case_id == case_id, ExhibitRow.number == number))
    return exhibit_of(row) if row else None


def find_account_by_name(session: Session, text: str) -> UUID | None:
    """The first account, by login, whose login is this or whose name contains it."""
    query = select(AccountRow.id).where(
        or_(AccountRow.login == text.lower(), AccountRow.display_name.icontains(text, autoescape=True))
    )
    return session.scalar(query.order_by(AccountRow.login).limit(1))


def sealed_exhibits(session: Session, case_id: UUID) -> tuple[Exhibit, ...]:
    """Every sealed exhibit of a case by number: what a disclosure must account for."""
    query = select(ExhibitRow).where(ExhibitRow.case_id == case_id, ExhibitRow.state == ExhibitState.SEALED)
    return tuple(exhibit_of(row) for row in session.scalars(query.order_by(ExhibitRow.number)))


def list_terms(
    session: Session,
    case_id: UUID,
    *,
    state: str,
    now: datetime,
    after: tuple[str | int, ...] | None = None,
    limit: int = 50,
) -> Page[Exhibit]:
    """Sealed exhibits of a case by the end of their term; a page's key is that end in ms since 1970 and the number.

    `state`: `over` (kept, and the term has ended), `year` (ends within a year), `held`, `destroyed`, else all.
    """
    query = select(ExhibitRow).where(ExhibitRow.case_id == case_id, ExhibitRow.retain_until.is_not(None))
    kept = ExhibitRow.destroyed_at.is_(None)
    match state:
        case "over":
            query = query.where(kept, ExhibitRow.retain_until <= now)
        case "year":
            query = query.where(kept, ExhibitRow.retain_until > now, ExhibitRow.retain_until <= now + _YEAR)
        case "held":
            query = query.where(kept, ExhibitRow.held)
        case "destroyed":
            query = query.where(~kept)
    if after is not None:
        end = from_ms(int(after[0]))
        query = query.where(tuple_(ExhibitRow.retain_until, ExhibitRow.number) > (end, int(after[1])))
    rows = _rows(session, query.order_by(ExhibitRow.retain_until, ExhibitRow.number), limit)
    items = tuple(exhibit_of(row) for row in rows[:limit])
    last = items[-1] if rows[limit:] else None
    return Page(items, (to_ms(last.retain_until), last.number) if last and last.retain_until else None)


def count_exhibits(session: Session, case_id: UUID) -> dict[ExhibitState, int]:
    """How many exhibits of a case are in each state; states nobody is in are left out."""
    rows = session.execute(
        select(ExhibitRow.state, func.count()).where(ExhibitRow.case_id == case_id).group_by(ExhibitRow.state)
    )
    return {ExhibitState(state): count for state, count in rows}


def _standing(now: datetime) -> tuple[Any, ...]:
    return GrantRow.revoked_at.is_(None), or_(GrantRow.until.is_(None), GrantRow.until > now)


def _grants() -> Select[GrantRow, AccountRow]:
    return select(GrantRow, AccountRow).join(AccountRow, AccountRow.id == GrantRow.account_id)


def _grant_of(row: GrantRow, account: AccountRow) -> Grant:
    return Grant(
        row.id,
        row.account_id,
        row.case_id,
        Role(row.role),
        account.login,
        account.display_name,
        row.granted_at,
        row.until,
    )


def _rows(session: Session, query: Select[R], limit: int) -> Sequence[R]:
    """One row more than asked, so that the end of the list is known without counting."""
    return session.scalars(query.limit(limit + 1)).all()
