"""Sessions: who is here. A random token is handed out once; only its SHA-256 is kept.

Life of a session: `open_session` at sign in (always a new token) → `resolve` at every request (idle and absolute end)
→ `close_session` at sign out, at a new password, when the account is disabled. The CSRF token is derived from the
session token, so it needs no storage, belongs to one session and changes with it.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from custody.kernel.errors import Unauthenticated
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.access.tables import SessionRow
from evidence_api.registry.facts import Account
from evidence_api.registry.reads import account_of
from evidence_api.registry.tables import AccountRow

TOKEN_BYTES = 32
TOUCH_AFTER = timedelta(seconds=30)
_TOKEN_DOMAIN = b"dalel session v1\n"
_CSRF_DOMAIN = b"dalel csrf v1"


@dataclass(frozen=True)
class SessionTerms:
    """How long a session lasts: without a request, and at all."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True)
class OpenSession:
    """A session as the edge sees it. `due` says that `touch` should note that it was used."""

    id: UUID
    account: Account
    means: str
    expires_at: datetime
    due: bool


def open_session(work: UnitOfWork, account_id: UUID, *, means: str, terms: SessionTerms) -> tuple[str, UUID]:
    """A new session; returns its token, which is shown to its owner once, and its id."""
    now = work.clock.now()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = SessionRow(
        id=work.ids.new(),
        token_digest=token_digest(token),
        account_id=account_id,
        means=means,
        opened_at=now,
        seen_at=now,
        expires_at=now + terms.absolute,
    )
    work.session.add(row)
    return token, row.id


def resolve(session: Session, token: str, now: datetime, terms: SessionTerms) -> OpenSession:
    """The session of a token. Raises Unauthenticated `session.expired` for an unknown or ended one, and for one whose
    account is disabled or over.
    """
    both = select(SessionRow, AccountRow).join(AccountRow, AccountRow.id == SessionRow.account_id)
    found = session.execute(both.where(SessionRow.token_digest == token_digest(token))).one_or_none()
    if found is None:
        raise Unauthenticated("session.expired")
    row, account = found[0], account_of(found[1])
    ended = row.closed_at is not None or now >= min(row.expires_at, row.seen_at + terms.idle)
    if ended or not account.usable(now):
        raise Unauthenticated("session.expired")
    return OpenSession(row.id, account, row.means, row.expires_at, due=now - row.seen_at >= TOUCH_AFTER)


@dataclass(frozen=True)
class KeptSession:
    """A session as its owner sees it among the others."""

    id: UUID
    means: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime


def of_account(session: Session, account_id: UUID, now: datetime, terms: SessionTerms) -> tuple[KeptSession, ...]:
    """The standing sessions of an account, the last used first."""
    query = select(SessionRow).where(
        SessionRow.account_id == account_id,
        SessionRow.closed_at.is_(None),
        SessionRow.expires_at > now,
        SessionRow.seen_at > now - terms.idle,
    )
    return tuple(
        KeptSession(row.id, row.means, row.opened_at, row.seen_at, row.expires_at)
        for row in session.scalars(query.order_by(SessionRow.seen_at.desc()))
    )


def touch(work: UnitOfWork, session_id: UUID) -> None:
    """Note that the session was used now; called at most every half a minute, so the idle end is that exact."""
    change = update(SessionRow).where(SessionRow.id == session_id, SessionRow.closed_at.is_(None))
    work.session.execute(change.values(seen_at=work.clock.now()))


def close_session(work: UnitOfWork, session_id: UUID, reason: str) -> bool:
    """End a session; False when it had ended already."""
    return _close(work, reason, SessionRow.id == session_id) == 1


def close_by_token(work: UnitOfWork, token: str, reason: str) -> UUID | None:
    """End the session of a token; returns its account, or None when there is no standing session of it."""
    row = work.session.scalar(
        select(SessionRow).where(SessionRow.token_digest == token_digest(token)).with_for_update()
    )
    if row is None or row.closed_at is not None:
        return None
    row.closed_at, row.closed_reason = work.clock.now(), reason
    return row.account_id


def close_all(work: UnitOfWork, account_id: UUID, reason: str, *, but: UUID | None = None) -> int:
    """End every session of an account, `but` one; returns how many."""
    conditions = [SessionRow.account_id == account_id]
    return _close(work, reason, *conditions, *([SessionRow.id != but] if but else []))


def expire(work: UnitOfWork, terms: SessionTerms, *, at_most: int = 500) -> list[UUID]:
    """Close sessions whose idle or absolute end is past; returns their accounts, one per session."""
    now = work.clock.now()
    ended = (
        select(SessionRow)
        .where(
            SessionRow.closed_at.is_(None),
            or_(SessionRow.expires_at <= now, SessionRow.seen_at <= now - terms.idle),
        )
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    rows = work.session.scalars(ended).all()
    for row in rows:
        row.closed_at, row.closed_reason = now, "expired"
    return [row.account_id for row in rows]


def forget_ended(work: UnitOfWork, before: datetime) -> int:
    """Delete sessions whose absolute end is past; returns how many. Their events stay in the ledger."""
    gone = work.session.scalars(delete(SessionRow).where(SessionRow.expires_at < before).returning(SessionRow.id))
    return len(gone.all())


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(_TOKEN_DOMAIN + token.encode("utf-8", "surrogatepass")).digest()


def csrf_token(token: str) -> str:
    """The token a form of this session carries."""
    return hmac.new(token.encode(), _CSRF_DOMAIN, hashlib.sha256).hexdigest()


def csrf_matches(token: str, given: str) -> bool:
    """Whether a form's token belongs to the session, compared in constant time."""
    return hmac.compare_digest(csrf_token(token).encode(), given.encode("utf-8", "surrogatepass"))


def _close(work: UnitOfWork, reason: str, *conditions: ColumnElement[bool]) -> int:
    change = update(SessionRow).where(*conditions, SessionRow.closed_at.is_(None))
    closed = work.session.scalars(
        change.values(closed_at=work.clock.now(), closed_reason=reason).returning(SessionRow.id)
    )
    return len(closed.all())
