"""Writes of the registry. Each takes the unit of work first and the id of the event that the use case has recorded.

None of them commits or records. Those that need a fact for the event first (the next number) are named `reserve_…` and
hold their lock until the unit of work ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from custody.kernel.errors import Conflict, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.registry.facts import Account, Case, Exhibit, Sealed
from evidence_api.registry.model import CaseNumber, ExhibitForm, ExhibitState, Role, check_grant, check_step
from evidence_api.registry.reads import account_of, case_of, exhibit_of
from evidence_api.registry.tables import AccountRow, CaseRow, ExhibitRow, GrantRow

ENDED = (ExhibitState.REFUSED, ExhibitState.DISCARDED)


def create_account(
    work: UnitOfWork,
    account_id: UUID,
    *,
    login: str,
    display_name: str,
    role: Role,
    language: str,
    password_hash: str,
    event_id: UUID,
    ends_at: datetime | None = None,
) -> Account:
    """Add a person or a device; the texts are already in their stored form. Raises Conflict `account.login_taken`."""
    now = work.clock.now()
    row = AccountRow(
        id=account_id,
        login=login,
        display_name=display_name,
        role=role.value,
        language=language,
        password_hash=password_hash,
        created_at=now,
        password_changed_at=now,
        ends_at=ends_at,
        event_id=event_id,
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        raise Conflict("account.login_taken") from None
    return account_of(row)


def set_password(work: UnitOfWork, account_id: UUID, password_hash: str, event_id: UUID) -> None:
    """Replace the password hash. Raises NotFound `account.not_found`."""
    row = _account(work, account_id)
    row.password_hash, row.password_changed_at, row.event_id = password_hash, work.clock.now(), event_id


def set_language(work: UnitOfWork, account_id: UUID, language: str, event_id: UUID) -> None:
    """The language the person is answered in. Raises NotFound `account.not_found`."""
    row = _account(work, account_id)
    row.language, row.event_id = language, event_id


def disable_account(work: UnitOfWork, account_id: UUID, event_id: UUID) -> None:
    """Nobody signs in as this account any more. Raises Conflict `account.disabled` when that is already so."""
    row = _account(work, account_id)
    if row.disabled_at is not None:
        raise Conflict("account.disabled")
    row.disabled_at, row.event_id = work.clock.now(), event_id


def open_case(work: UnitOfWork, case_id: UUID, *, number: CaseNumber, title: str, event_id: UUID) -> Case:
    """Open a case by its ЕРДР number. Raises Conflict `case.exists` when the number has one."""
    if work.actor.id is None:
        raise ValueError("a case is opened by a person")
    row = CaseRow(
        id=case_id,
        erdr=number.digits,
        title=title,
        opened_by=work.actor.id,
        opened_at=work.clock.now(),
        event_id=event_id,
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        raise Conflict("case.exists") from None
    return case_of(row)


def grant(
    work: UnitOfWork,
    grant_id: UUID,
    *,
    account_id: UUID,
    case_id: UUID,
    role: Role,
    until: datetime | None,
    event_id: UUID,
) -> None:
    """Put an account on a case.

    Raises NotFound (`account.not_found`, `case.not_found`), Conflict (`account.disabled`, `grant.exists`) and Invalid
    `grant.role_not_allowed`. A grant of the same role whose term has ended is closed and replaced.
    """
    account = _account(work, account_id)
    if account.disabled_at is not None:
        raise Conflict("account.disabled")
    check_grant(Role(account.role), role)
    if work.session.get(CaseRow, case_id) is None:
        raise NotFound("case.not_found")
    now = work.clock.now()
    old = work.session.scalar(
        select(GrantRow)
        .where(
            GrantRow.account_id == account_id,
            GrantRow.case_id == case_id,
            GrantRow.role == role.value,
            GrantRow.revoked_at.is_(None),
        )
        .with_for_update()
    )
    if old is not None:
        if old.until is None or old.until > now:
            raise Conflict("grant.exists")
        old.revoked_at, old.event_id = now, event_id
        work.session.flush()
    row = GrantRow(
        id=grant_id,
        account_id=account_id,
        case_id=case_id,
        role=role.value,
        granted_by=work.actor.id,
        granted_at=now,
        until=until,
        event_id=event_id,
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        raise Conflict("grant.exists") from None


def revoke(work: UnitOfWork, grant_id: UUID, event_id: UUID) -> None:
    """End a grant. Raises NotFound `grant.not_found` and Conflict `grant.revoked`."""
    row = work.session.get(GrantRow, grant_id, with_for_update=True)
    if row is None:
        raise NotFound("grant.not_found")
    if row.revoked_at is not None:
        raise Conflict("grant.revoked")
    row.revoked_at, row.event_id = work.clock.now(), event_id


def reserve_number(work: UnitOfWork, case_id: UUID, sha256: str) -> int:
    """The number of the case's next exhibit, gapless from 1; the case stays locked until the unit of work ends.

    Raises NotFound `case.not_found`, and Conflict `exhibit.duplicate` naming the number under which the same bytes
    already lie in this case. A refused or discarded exhibit does not count, nor does a destroyed one: its bytes may
    come again, as a new exhibit beside the tombstone (`reads.same_bytes`).
    """
    number, twins = reserve_numbers(work, case_id, [sha256])
    if sha256 in twins:
        raise Conflict("exhibit.duplicate", number=twins[sha256])
    return number


def reserve_numbers(work: UnitOfWork, case_id: UUID, digests: Sequence[str]) -> tuple[int, dict[str, int]]:
    """As `reserve_number` for many: the first free number, and which of these digests the case has, with their numbers.

    Raises NotFound `case.not_found`.
    """
    if work.session.get(CaseRow, case_id, with_for_update=True) is None:
        raise NotFound("case.not_found")
    same = select(ExhibitRow.sha256, ExhibitRow.number).where(
        ExhibitRow.case_id == case_id,
        ExhibitRow.sha256.in_(digests),
        ExhibitRow.state.not_in(ENDED),
        ExhibitRow.destroyed_at.is_(None),
    )
    twins: dict[str, int] = {row.sha256: row.number for row in work.session.execute(same)}
    last = work.session.scalar(select(func.max(ExhibitRow.number)).where(ExhibitRow.case_id == case_id))
    return (last or 0) + 1, twins


@dataclass(frozen=True)
class NewExhibit:
    """An exhibit to add: its number from `reserve_numbers`, its checked form, the event that registers it.

    `received` is the upload whose bytes are all here already: the exhibit is then being checked from the first.
    """

    id: UUID
    number: int
    form: ExhibitForm
    event_id: UUID
    received: UUID | None = None


def register_exhibits(work: UnitOfWork, case_id: UUID, new: Sequence[NewExhibit]) -> list[Exhibit]:
    """Add exhibits under numbers reserved in the same unit of work; those not received yet are drafts."""
    if work.actor.id is None:
        raise ValueError("an exhibit is registered by a person")
    now = work.clock.now()
    rows = [
        ExhibitRow(
            id=one.id,
            case_id=case_id,
            number=one.number,
            filename=one.form.filename,
            folder=one.form.folder,
            state=(ExhibitState.CHECKING if one.received else ExhibitState.DRAFT).value,
            upload_id=one.received,
            sha256=one.form.sha256,
            size_bytes=one.form.size_bytes,
            basis=one.form.basis,
            purpose=one.form.purpose,
            retain_days=one.form.retain_days,
            registered_by=work.actor.id,
            registered_at=now,
            recorded_at_claim=one.form.recorded_at,
            claims={},
            category=one.form.category or None,
            rule_version=one.form.rule_version,
            event_id=one.event_id,
        )
        for one in new
    ]
    work.session.add_all(rows)
    work.session.flush()
    # Whether a hold stands is asked of the database: here once, and not by each row for itself.
    work.session.scalars(select(ExhibitRow).where(ExhibitRow.id.in_([one.id for one in new]))).all()
    return [exhibit_of(row) for row in rows]


def lock_exhibit(work: UnitOfWork, exhibit_id: UUID) -> Exhibit:
    """The exhibit, locked until the unit of work ends. Raises NotFound `exhibit.not_found`."""
    return exhibit_of(_exhibit(work, exhibit_id))


def start_receiving(work: UnitOfWork, exhibit_id: UUID, upload_id: UUID, event_id: UUID) -> Exhibit:
    """An upload has begun. Raises Conflict `exhibit.wrong_state`."""
    row = _step(work, exhibit_id, ExhibitState.RECEIVING, event_id)
    row.upload_id, row.reason = upload_id, None
    return exhibit_of(row)


def back_to_draft(work: UnitOfWork, exhibit_id: UUID, event_id: UUID) -> Exhibit:
    """The upload expired or was ended; the exhibit may be sent again. Raises Conflict `exhibit.wrong_state`."""
    row = _step(work, exhibit_id, ExhibitState.DRAFT, event_id)
    row.upload_id = None
    return exhibit_of(row)


def start_checking(work: UnitOfWork, exhibit_id: UUID, event_id: UUID) -> Exhibit:
    """All bytes are here; the seal is being made. Raises Conflict `exhibit.wrong_state`."""
    return exhibit_of(_step(work, exhibit_id, ExhibitState.CHECKING, event_id))


def seal_exhibit(
    work: UnitOfWork, exhibit_id: UUID, *, blob_id: UUID, media_type: str, retain_until: datetime, event_id: UUID
) -> Exhibit:
    """The store's bytes were read back and locked until `retain_until`. Raises `exhibit.wrong_state`. Final."""
    (exhibit,) = seal_exhibits(work, [Sealed(exhibit_id, blob_id, media_type, retain_until, event_id)])
    return exhibit


def seal_exhibits(work: UnitOfWork, sealed: Sequence[Sealed]) -> list[Exhibit]:
    """As `seal_exhibit`, of many. Raises NotFound `exhibit.not_found`."""
    wanted = select(ExhibitRow).where(ExhibitRow.id.in_([one.exhibit_id for one in sealed])).order_by(ExhibitRow.id)
    locked = work.session.scalars(wanted.with_for_update().execution_options(populate_existing=True))
    rows, now = {row.id: row for row in locked}, work.clock.now()
    for one in sealed:
        row = rows.get(one.exhibit_id)
        if row is None:
            raise NotFound("exhibit.not_found")
        check_step(ExhibitState(row.state), ExhibitState.SEALED)
        row.state, row.event_id = ExhibitState.SEALED.value, one.event_id
        row.blob_id, row.media_type, row.sealed_at = one.blob_id, one.media_type, now
        row.retain_until = one.retain_until
    return [exhibit_of(rows[one.exhibit_id]) for one in sealed]


def refuse_exhibit(work: UnitOfWork, exhibit_id: UUID, reason: str, event_id: UUID) -> Exhibit:
    """What came is not what was announced, or could not be kept; `reason` is an error code."""
    row = _step(work, exhibit_id, ExhibitState.REFUSED, event_id)
    row.reason = reason
    return exhibit_of(row)


def discard_exhibit(work: UnitOfWork, exhibit_id: UUID, reason: str, event_id: UUID) -> Exhibit:
    """A draft is thrown away; its number stays taken. Raises Conflict `exhibit.wrong_state` once it is sealed."""
    row = _step(work, exhibit_id, ExhibitState.DISCARDED, event_id)
    row.reason = reason
    return exhibit_of(row)


def describe_exhibit(work: UnitOfWork, exhibit_id: UUID, metadata: Mapping[str, Any], event_id: UUID) -> Exhibit:
    """Keep what the file says about itself, as extracted (R2)."""
    row = _exhibit(work, exhibit_id)
    row.claims, row.event_id = dict(metadata), event_id
    return exhibit_of(row)


def retain_exhibit(
    work: UnitOfWork,
    exhibit_id: UUID,
    *,
    category: str | None,
    rule_version: int | None,
    until: datetime,
    event_id: UUID,
) -> Exhibit:
    """Set the end of the term. Raises Conflict `retention.shorter`: a term is never shortened."""
    row = _exhibit(work, exhibit_id)
    if row.retain_until is None or until < row.retain_until:
        raise Conflict("retention.shorter")
    row.category, row.rule_version, row.retain_until, row.event_id = category, rule_version, until, event_id
    return exhibit_of(row)


def destroy_exhibit(work: UnitOfWork, exhibit_id: UUID, *, disposal_id: UUID, number: int, event_id: UUID) -> None:
    """Its bytes can no longer be read. The row stays for ever, with its digests, and names the act; what the file
    said about itself goes with it.
    """
    row = _exhibit(work, exhibit_id)
    row.disposal_id, row.disposal_number, row.destroyed_at = disposal_id, number, work.clock.now()
    row.claims, row.event_id = {}, event_id


def lock_case(work: UnitOfWork, case_id: UUID) -> Case:
    """The case, locked until the unit of work ends: holds and destructions of a case come one after the other.

    Raises NotFound `case.not_found`.
    """
    row = work.session.get(CaseRow, case_id, with_for_update=True)
    if row is None:
        raise NotFound("case.not_found")
    return case_of(row)


def _account(work: UnitOfWork, account_id: UUID) -> AccountRow:
    row = work.session.get(AccountRow, account_id, with_for_update=True)
    if row is None:
        raise NotFound("account.not_found")
    return row


def _exhibit(work: UnitOfWork, exhibit_id: UUID) -> ExhibitRow:
    row = work.session.get(ExhibitRow, exhibit_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("exhibit.not_found")
    return row


def _step(work: UnitOfWork, exhibit_id: UUID, to: ExhibitState, event_id: UUID) -> ExhibitRow:
    row = _exhibit(work, exhibit_id)
    check_step(ExhibitState(row.state), to)
    row.state, row.event_id = to.value, event_id
    return row
