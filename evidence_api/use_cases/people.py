"""People: sign in and out, accounts and their passwords. Every act is one unit of work with its event."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from custody import event
from custody.kernel.errors import Invalid, TooMany, Unauthenticated
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import Database
from evidence_api.access import limits, sessions, upload_tokens
from evidence_api.access.limits import Limit
from evidence_api.access.passwords import Passwords, check_new
from evidence_api.access.sessions import KeptSession, SessionTerms
from evidence_api.registry import reads, service
from evidence_api.registry.facts import Account, Credentials, Page
from evidence_api.registry.model import Role, parse_login, parse_person_name, parse_role

LANGUAGES = ("kk", "ru", "en")
KEPT = timedelta(days=7)
"""How long ended sessions and tokens stay for whoever looks into a complaint; their events stay for ever."""


@dataclass(frozen=True)
class SignInRules:
    """How long sessions last and how often one may try."""

    terms: SessionTerms
    per_login: Limit
    per_address: Limit


@dataclass(frozen=True)
class SignedIn:
    """A fresh session. The token is told once."""

    token: str
    session_id: UUID
    account: Account


def sign_in(
    database: Database,
    passwords: Passwords,
    rules: SignInRules,
    *,
    login: str,
    password: str,
    means: str,
    address: str | None,
    previous_token: str | None = None,
) -> SignedIn:
    """Open a session under a new token; a session that the request came with is closed.

    Raises TooMany `rate.limited` and Unauthenticated `session.refused`, the same for a wrong password, an unknown
    login, an account that is disabled or over and a device's in a browser, after the same work. A refusal is recorded
    first; of refusals by the rate limit, the first in each window.
    """
    stranger = Actor(None, "anonymous", means, address)
    known = _stored_login(login)
    _limit_attempts(database, rules, stranger, known or login)
    with database.read() as session:
        found = reads.find_credentials(session, known) if known else None
    wrong = _wrong(found, database.clock.now(), means)
    if not passwords.verify(password, found.password_hash if found and not wrong else None) or found is None:
        _record_failure(database, stranger, known, found, wrong or "wrong_password")
        raise Unauthenticated("session.refused")
    account = found.account
    actor = Actor(account.id, account.role.value, means, address)
    with database.begin(actor) as work:
        if previous_token is not None:
            closed = sessions.close_by_token(work, previous_token, "replaced")
            if closed is not None:
                work.record(event.draft("session.closed", item=f"account:{closed}", account=closed, reason="replaced"))
        token, session_id = sessions.open_session(work, account.id, means=means, terms=rules.terms)
        work.record(event.draft("session.opened", item=f"account:{account.id}", account=account.id))
        limits.give_back(work, limits.bucket("login", account.login))
        if passwords.outdated(found.password_hash):
            changed = work.record(_changed(account.id, "password_rehashed"))
            service.set_password(work, account.id, passwords.hash(password), changed)
        work.commit()
    return SignedIn(token, session_id, account)


def sign_out(database: Database, actor: Actor, session_id: UUID) -> None:
    """End a session; ending one that has ended is no error."""
    with database.begin(actor) as work:
        if sessions.close_session(work, session_id, "signed_out"):
            work.record(
                event.draft("session.closed", item=f"account:{actor.id}", account=actor.id, reason="signed_out")
            )
        work.commit()


def is_taken(database: Database, login: str) -> bool:
    """Whether there is an account of this login. For the operator: to anybody else it would say who has one."""
    with database.read() as session:
        return reads.find_credentials(session, parse_login(login)) is not None


def create_account(
    database: Database,
    passwords: Passwords,
    actor: Actor,
    *,
    login: str,
    display_name: str,
    role: str,
    language: str,
    password: str,
) -> Account:
    """Add a person. Raises Invalid naming what is wrong (`account.device` for a device, which is issued a credential
    instead), Conflict `account.login_taken`.
    """
    stored, name, kind = parse_login(login), parse_person_name(display_name), parse_role(role)
    if kind is Role.DEVICE:
        raise Invalid("account.device")
    password_hash = passwords.hash(check_new(password, stored))
    with database.begin(actor) as work:
        account_id = work.ids.new()
        created = event.draft(
            "account.created",
            item=f"account:{account_id}",
            personal={"login": stored, "name": name},
            account=account_id,
            role=kind.value,
        )
        account = service.create_account(
            work,
            account_id,
            login=stored,
            display_name=name,
            role=kind,
            language=parse_language(language),
            password_hash=password_hash,
            event_id=work.record(created),
        )
        work.commit()
    return account


def change_password(
    database: Database, passwords: Passwords, actor: Actor, *, session_id: UUID | None, old: str, new: str
) -> None:
    """One's own password. Every other session of the account ends. Raises Invalid `password.wrong`."""
    account_id = _person(actor)
    with database.read() as session:
        credentials = reads.get_credentials(session, account_id)
    if not passwords.verify(old, credentials.password_hash):
        raise Invalid("password.wrong")
    password_hash = passwords.hash(check_new(new, credentials.account.login))
    with database.begin(actor) as work:
        service.set_password(work, account_id, password_hash, work.record(_changed(account_id, "password")))
        sessions.close_all(work, account_id, "password_changed", but=session_id)
        work.commit()


def own(database: Database, actor: Actor, terms: SessionTerms) -> tuple[Account, tuple[KeptSession, ...]]:
    """One's own account, and where one is signed in."""
    account_id = _person(actor)
    with database.read() as session:
        standing = sessions.of_account(session, account_id, database.clock.now(), terms)
        return reads.get_account(session, account_id), standing


def close_others(database: Database, actor: Actor, session_id: UUID | None) -> None:
    """End one's other sessions; each end is recorded."""
    account_id = _person(actor)
    with database.begin(actor) as work:
        closed = sessions.close_all(work, account_id, "closed_elsewhere", but=session_id)
        said = event.draft(
            "session.closed", item=f"account:{account_id}", account=account_id, reason="closed_elsewhere"
        )
        work.record_all([said] * closed)
        work.commit()


def reset_password(database: Database, passwords: Passwords, actor: Actor, account_id: UUID, new: str) -> None:
    """An administrator's reset: every session of the account ends. Raises NotFound `account.not_found`, Invalid
    `account.device`: a device's secret is chosen by nobody.
    """
    with database.read() as session:
        account = reads.get_account(session, account_id)
    if account.role is Role.DEVICE:
        raise Invalid("account.device")
    password_hash = passwords.hash(check_new(new, account.login))
    with database.begin(actor) as work:
        service.set_password(work, account_id, password_hash, work.record(_changed(account_id, "password_reset")))
        sessions.close_all(work, account_id, "password_reset")
        work.commit()


def change_language(database: Database, actor: Actor, language: str) -> None:
    """The language one is answered in."""
    account_id = _person(actor)
    with database.begin(actor) as work:
        changed = work.record(_changed(account_id, "language"))
        service.set_language(work, account_id, parse_language(language), changed)
        work.commit()


def disable_account(database: Database, actor: Actor, account_id: UUID) -> None:
    """Shut an account and all its sessions. Raises NotFound `account.not_found`, Conflict `account.disabled`."""
    with database.begin(actor) as work:
        service.disable_account(work, account_id, work.record(_changed(account_id, "disabled")))
        sessions.close_all(work, account_id, "disabled")
        work.commit()


def sweep(database: Database, terms: SessionTerms) -> int:
    """Close and record sessions that ran out, and forget what is of no use any more. Returns how many were closed.

    To be run every minute or so by the beat; safe to run twice at once.
    """
    with database.begin(Actor(None, "system", "worker")) as work:
        closed = sessions.expire(work, terms)
        for account_id in closed:
            work.record(
                event.draft("session.closed", item=f"account:{account_id}", account=account_id, reason="expired")
            )
        before = work.clock.now() - KEPT
        sessions.forget_ended(work, before)
        upload_tokens.forget_ended(work, before)
        limits.forget_empty(work)
        work.commit()
    return len(closed)


def read_account(database: Database, account_id: UUID) -> Account:
    """Raises NotFound `account.not_found`."""
    with database.read() as session:
        return reads.get_account(session, account_id)


def list_accounts(database: Database, *, after: tuple[str | int, ...] | None, limit: int) -> Page[Account]:
    """Accounts by login."""
    with database.read() as session:
        return reads.list_accounts(session, after=after, limit=limit)


def parse_language(text: str) -> str:
    """Raises Invalid `language.unknown`."""
    if text not in LANGUAGES:
        raise Invalid("language.unknown")
    return text


def _stored_login(login: str) -> str | None:
    try:
        return parse_login(login)
    except Invalid:
        return None


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise Unauthenticated("session.required")
    return actor.id


def _changed(account_id: UUID, change: str) -> EventDraft:
    return event.draft("account.changed", item=f"account:{account_id}", account=account_id, change=change)


def _limit_attempts(database: Database, rules: SignInRules, actor: Actor, login: str) -> None:
    with database.begin(actor) as work:
        try:
            limits.take(work, limits.bucket("login", login), rules.per_login)
            limits.take(work, limits.bucket("address", actor.address or ""), rules.per_address)
        except TooMany:
            # One event per window and login says that it happened; a flood must not fill the ledger.
            noted = Limit(1, rules.per_login.window)
            try:
                limits.take(work, limits.bucket("limited", login), noted)
            except TooMany:
                pass
            else:
                work.record(event.draft("session.failed", item="system", reason="rate_limited"))
                work.commit()
            raise
        work.commit()


def _wrong(found: Credentials | None, now: datetime, means: str) -> str | None:
    """Why no password opens this, None when one may."""
    if found is None:
        return "unknown_login"
    if not found.account.usable(now):
        return "disabled" if found.account.disabled else "expired"
    return "device_in_browser" if found.account.role is Role.DEVICE and means == "browser" else None


def _record_failure(
    database: Database, actor: Actor, login: str | None, found: Credentials | None, reason: str
) -> None:
    """A login that cannot be one is not kept, not even salted: people type passwords into the wrong box."""
    item = f"account:{found.account.id}" if found else "system"
    with database.begin(actor) as work:
        work.record(event.draft("session.failed", item=item, personal={"login": login} if login else {}, reason=reason))
        work.commit()
