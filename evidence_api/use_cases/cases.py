"""Cases and who stands on them. Every act is one unit of work with its event."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Invalid, NotFound
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import Database
from evidence_api.access.policy import Viewer
from evidence_api.registry import reads, service
from evidence_api.registry.facts import Case, Grant, Page
from evidence_api.registry.model import CaseNumber, Role, parse_login, parse_role, parse_text

_ERDR_DOMAIN = b"dalel erdr v1\n"


def erdr_digest(case_id: UUID, erdr: str) -> str:
    """`sha256:<hex>` that binds a case's id to its number: whoever knows both can check it."""
    return "sha256:" + hashlib.sha256(_ERDR_DOMAIN + case_id.bytes + erdr.encode()).hexdigest()


def open_case(database: Database, actor: Actor, *, erdr: str, title: str, pattern: str) -> Case:
    """Open a case and put its opener on it, in the role they act in.

    `pattern` is the form of an ЕРДР number here. Raises Invalid (`case.number_invalid`, `text.invalid`), Conflict
    `case.exists`.
    """
    number, line = CaseNumber.parse(erdr, pattern), parse_text(title, "title")
    with database.begin(actor) as work:
        case_id = work.ids.new()
        opened = event.draft(
            "case.opened",
            item=f"case:{case_id}",
            case_id=case_id,
            personal={"erdr": number.digits},
            erdr_digest=erdr_digest(case_id, number.digits),
        )
        case = service.open_case(work, case_id, number=number, title=line, event_id=work.record(opened))
        granted = event.draft(
            "access.granted", item=f"case:{case_id}", case_id=case_id, account=case.opened_by, role=actor.role
        )
        service.grant(
            work,
            work.ids.new(),
            account_id=case.opened_by,
            case_id=case_id,
            role=Role(actor.role),
            until=None,
            event_id=work.record(granted),
        )
        work.commit()
    return case


def grant(
    database: Database, actor: Actor, case_id: UUID, *, login: str, role: str, until: datetime | None = None
) -> Grant:
    """Put a person on a case in a role, for good or until a moment.

    Raises NotFound (`account.not_found`, `case.not_found`), Conflict (`account.disabled`, `grant.exists`), Invalid
    (`role.unknown`, `grant.role_not_allowed`, `grant.until_past`).
    """
    kind = parse_role(role)
    with database.begin(actor) as work:
        if until is not None and (until.tzinfo is None or until <= work.clock.now()):
            raise Invalid("grant.until_past")
        found = reads.find_credentials(work.session, parse_login(login))
        if found is None:
            raise NotFound("account.not_found")
        term: dict[str, Any] = {} if until is None else {"until_ms": to_ms(until)}
        granted = event.draft(
            "access.granted",
            item=f"case:{case_id}",
            case_id=case_id,
            account=found.account.id,
            role=kind.value,
            **term,
        )
        grant_id = work.ids.new()
        service.grant(
            work,
            grant_id,
            account_id=found.account.id,
            case_id=case_id,
            role=kind,
            until=until,
            event_id=work.record(granted),
        )
        given = reads.get_grant(work.session, grant_id)
        work.commit()
    return given


def revoke(database: Database, actor: Actor, case_id: UUID, grant_id: UUID) -> None:
    """Take a person off a case.

    Raises NotFound `grant.not_found`, also for a grant of another case, and Conflict `grant.revoked`.
    """
    with database.begin(actor) as work:
        standing = reads.get_grant(work.session, grant_id)
        if standing.case_id != case_id:
            raise NotFound("grant.not_found")
        revoked = event.draft(
            "access.revoked",
            item=f"case:{case_id}",
            case_id=case_id,
            account=standing.account_id,
            role=standing.role.value,
        )
        service.revoke(work, grant_id, work.record(revoked))
        work.commit()


def read_case(database: Database, case_id: UUID) -> Case:
    """Raises NotFound `case.not_found`."""
    with database.read() as session:
        return reads.get_case(session, case_id)


def list_cases(database: Database, viewer: Viewer, *, after: tuple[str | int, ...] | None, limit: int) -> Page[Case]:
    """The cases the viewer stands on; for an auditor, all."""
    case_ids = None if viewer.role is Role.AUDITOR else viewer.cases()
    with database.read() as session:
        return reads.list_cases(session, case_ids=case_ids, after=after, limit=limit)


def list_grants(database: Database, case_id: UUID) -> tuple[Grant, ...]:
    """Who stands on a case now."""
    with database.read() as session:
        return reads.grants_in(session, case_id, database.clock.now())
