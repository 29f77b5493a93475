"""Devices: dock stations and servers that send. An account of its own kind, with a secret that nobody chose.

Life of a credential: `issue` (shown once; only its hash is kept) → the device signs in with it as people do, each time
under an event, with the same limits → its cases' people put it on their cases or take it off → its term ends, or
`revoke`. It sends, asks after what it sent, gets its receipts; the policy opens nothing else to it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Invalid, NotFound
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from evidence_api.access.passwords import Passwords
from evidence_api.registry import reads, service
from evidence_api.registry.facts import Account, Page
from evidence_api.registry.model import Role, parse_person_name
from evidence_api.use_cases import people

MOST_DAYS = 366
SECRET_BYTES = 32


@dataclass(frozen=True)
class Issued:
    """A new device. `credential` is `login:secret` on one line and is told once."""

    account: Account
    credential: str


def issue(
    database: Database,
    passwords: Passwords,
    actor: Actor,
    *,
    name: str,
    days: int,
    erdrs: Sequence[str] = (),
    language: str = "kk",
) -> Issued:
    """A credential that ends after `days`, for the cases of these ЕРДР numbers; a case's people may add theirs later.

    Raises Invalid (`account.name_invalid`, `device.bad_term`, `language.unknown`), NotFound `case.not_found`.
    """
    called = parse_person_name(name)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("device.bad_term", most_days=MOST_DAYS)
    login, secret = f"device-{secrets.token_hex(4)}", secrets.token_urlsafe(SECRET_BYTES)
    password_hash = passwords.hash(secret)
    with database.begin(actor) as work:
        account_id, ends_at = work.ids.new(), work.clock.now() + timedelta(days=days)
        cases = [reads.find_case(work.session, erdr) for erdr in dict.fromkeys(erdrs)]
        created = event.draft(
            "account.created",
            item=f"account:{account_id}",
            personal={"login": login, "name": called},
            account=account_id,
            role=Role.DEVICE.value,
            until_ms=to_ms(ends_at),
        )
        account = service.create_account(
            work,
            account_id,
            login=login,
            display_name=called,
            role=Role.DEVICE,
            language=people.parse_language(language),
            password_hash=password_hash,
            ends_at=ends_at,
            event_id=work.record(created),
        )
        for case in cases:
            granted = event.draft(
                "access.granted", item=f"case:{case.id}", case_id=case.id, account=account_id, role=Role.DEVICE.value
            )
            service.grant(
                work,
                work.ids.new(),
                account_id=account_id,
                case_id=case.id,
                role=Role.DEVICE,
                until=None,
                event_id=work.record(granted),
            )
        work.commit()
    return Issued(account, f"{login}:{secret}")


def revoke(database: Database, actor: Actor, account_id: UUID) -> None:
    """End it at once, and what it is sending. Raises NotFound `account.not_found`, Conflict `account.disabled`."""
    find(database, account_id)
    people.disable_account(database, actor, account_id)


def find(database: Database, account_id: UUID) -> Account:
    """Raises NotFound `account.not_found`, for a person too."""
    account = people.read_account(database, account_id)
    if account.role is not Role.DEVICE:
        raise NotFound("account.not_found")
    return account


def list_devices(
    database: Database, *, after: tuple[str | int, ...] | None, limit: int
) -> tuple[Page[Account], Mapping[UUID, tuple[str, ...]]]:
    """Devices by login, ended ones too, and the ЕРДР numbers of the cases on which each stands now."""
    now = database.clock.now()
    with database.read() as session:
        page = reads.list_accounts(session, role=Role.DEVICE, after=after, limit=limit)
        return page, {one.id: _erdrs(session, one.id, now) for one in page.items}


def cases_of(database: Database, account_id: UUID) -> tuple[str, ...]:
    """The ЕРДР numbers of the cases on which a device stands now."""
    with database.read() as session:
        return _erdrs(session, account_id, database.clock.now())


def _erdrs(session: Session, account_id: UUID, now: datetime) -> tuple[str, ...]:
    standing = reads.cases_of(session, account_id, now)
    return tuple(sorted(reads.get_case(session, case_id).erdr for case_id, _ in standing))
