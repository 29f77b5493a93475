"""Rules and destruction acts as rows. Writes take the unit of work first; they neither commit nor record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, Denied, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.registry.tables import ExhibitRow
from evidence_api.retention.model import OPEN, RuleSet, State, decode
from evidence_api.retention.tables import DisposalItemRow, DisposalPackageRow, DisposalRow, RuleSetRow

_DUE_PACKAGES = """
    SELECT disclosures.case_id, disclosures.id FROM disclosures JOIN blobs ON blobs.id = package_blob_id
    WHERE disclosures.state = 'ready' AND disclosures.destroyed_at IS NULL AND blobs.retain_until <= :now
        AND NOT EXISTS (SELECT FROM disposal_packages WHERE disclosure_id = disclosures.id AND open)
        AND NOT EXISTS (
            SELECT FROM disposal_packages JOIN disposals ON disposals.id = disposal_id
            WHERE disclosure_id = disclosures.id AND disposals.state = 'rejected' AND ended_at > :since
                AND reason IN ('still_needed', 'term_wrong')
        )
        AND NOT EXISTS (
            SELECT FROM holds WHERE holds.case_id = disclosures.case_id AND lifted_at IS NULL AND (
                exhibit_id IS NULL
                OR CAST(manifest AS jsonb) -> 'files' @> jsonb_build_array(jsonb_build_object('exhibit', exhibit_id))
            )
        )
    ORDER BY disclosures.case_id, disclosures.released_at
"""


@dataclass(frozen=True)
class KeptRules:
    """A version of the rules with who made it; None for the system itself."""

    rules: RuleSet
    sha256: str
    made_by: UUID | None
    made_at: datetime


@dataclass(frozen=True)
class Item:
    """One exhibit or package of an act and what came of it. `locked` objects go when their lock has ended."""

    thing_id: UUID
    keys_destroyed: int | None
    objects_removed: int | None
    locked: tuple[Mapping[str, Any], ...]
    free_at: datetime | None


@dataclass(frozen=True)
class Disposal:
    """A destruction act. `body` are the canonical bytes that `act_sha256` speaks of."""

    id: UUID
    case_id: UUID
    number: int
    state: State
    ground: str
    body: str
    act_sha256: str
    proposed_by: UUID | None
    proposed_at: datetime
    signed_by: UUID | None
    signed_at: datetime | None
    approved_by: UUID | None
    approved_at: datetime | None
    ended_by: UUID | None
    ended_at: datetime | None
    reason: str | None
    done_at: datetime | None
    items: tuple[Item, ...]
    packages: tuple[Item, ...] = ()

    @property
    def exhibits(self) -> tuple[UUID, ...]:
        """Exhibits that it destroys."""
        return tuple(item.thing_id for item in self.items)

    @property
    def rounds(self) -> tuple[UUID, ...]:
        """Rounds whose packages it destroys."""
        return tuple(item.thing_id for item in self.packages)


# rules


def current_rules(session: Session) -> RuleSet:
    """The rules in force. Raises Conflict `rules.none` before any were set; `dalel migrate` sets the delivered ones."""
    row = session.scalar(select(RuleSetRow).order_by(RuleSetRow.version.desc()).limit(1))
    if row is None:
        raise Conflict("rules.none")
    return decode(row.body.encode())


def rules(session: Session, version: int) -> KeptRules:
    """One version. Raises NotFound `rules.not_found`."""
    row = session.get(RuleSetRow, version)
    if row is None:
        raise NotFound("rules.not_found")
    return _kept(row)


def all_rules(session: Session) -> tuple[KeptRules, ...]:
    """Every version, newest first."""
    return tuple(_kept(row) for row in session.scalars(select(RuleSetRow).order_by(RuleSetRow.version.desc())))


def next_version(work: UnitOfWork) -> int:
    """The number of the next version; two writers cannot both take it, the second's insert is refused."""
    return (work.session.scalar(select(func.max(RuleSetRow.version))) or 0) + 1


def keep_rules(work: UnitOfWork, rules: RuleSet, event_id: UUID) -> None:
    """Add a version, under the event `config.changed`."""
    work.session.add(
        RuleSetRow(
            version=rules.version,
            body=rules.encode().decode(),
            sha256=rules.sha256,
            made_by=work.actor.id,
            made_at=work.clock.now(),
            event_id=event_id,
        )
    )
    work.session.flush()


# acts


def next_number(session: Session, case_id: UUID) -> int:
    """The number of a case's next act, right while the case is locked."""
    return (session.scalar(select(func.max(DisposalRow.number)).where(DisposalRow.case_id == case_id)) or 0) + 1


def propose(
    work: UnitOfWork,
    disposal_id: UUID,
    *,
    case_id: UUID,
    number: int,
    ground: str,
    body: str,
    act_sha256: str,
    exhibits: Mapping[UUID, UUID],
    packages: Mapping[UUID, UUID],
) -> None:
    """Add an act over exhibits, and packages of rounds: the ids of `disposal.proposed` by their ids."""
    row = DisposalRow(
        id=disposal_id,
        case_id=case_id,
        number=number,
        state=State.PROPOSED,
        ground=ground,
        body=body,
        act_sha256=act_sha256,
        proposed_by=work.actor.id,
        proposed_at=work.clock.now(),
        event_id=next(iter([*exhibits.values(), *packages.values()])),
    )
    work.session.add(row)
    work.session.flush()
    more = {"disposal_id": disposal_id, "open": True, "locked": []}
    for exhibit_id, event_id in exhibits.items():
        work.session.add(DisposalItemRow(exhibit_id=exhibit_id, event_id=event_id, **more))
    for disclosure_id, event_id in packages.items():
        work.session.add(DisposalPackageRow(disclosure_id=disclosure_id, event_id=event_id, **more))
    work.session.flush()


def locked(work: UnitOfWork, disposal_id: UUID) -> Disposal:
    """The act, locked until the unit of work ends. Raises NotFound `disposal.not_found`."""
    _row(work, disposal_id)
    return get(work.session, disposal_id)


def sign(work: UnitOfWork, disposal_id: UUID, event_id: UUID) -> None:
    """The first signature. Raises Conflict `disposal.wrong_state`."""
    row = _in_state(_row(work, disposal_id), State.PROPOSED)
    row.state, row.signed_by, row.signed_at, row.event_id = State.SIGNED, work.actor.id, work.clock.now(), event_id


def approve(work: UnitOfWork, disposal_id: UUID, event_id: UUID) -> None:
    """The second signature, another's. Raises Denied `disposal.self_approval`, Conflict `disposal.wrong_state`."""
    row = _in_state(_row(work, disposal_id), State.SIGNED)
    if row.signed_by == work.actor.id:
        raise Denied("disposal.self_approval")
    row.state, row.approved_by, row.approved_at = State.APPROVED, work.actor.id, work.clock.now()
    row.event_id = event_id


def end(work: UnitOfWork, disposal_id: UUID, *, state: State, reason: str, event_id: UUID) -> None:
    """The act is rejected or stopped; all of it may be proposed again. Raises Conflict `disposal.wrong_state`."""
    row = _in_state(_row(work, disposal_id), *OPEN)
    row.state, row.reason, row.ended_by, row.ended_at = state, reason, work.actor.id, work.clock.now()
    row.event_id = event_id
    items = work.session.scalars(select(DisposalItemRow).where(DisposalItemRow.disposal_id == disposal_id))
    packages = work.session.scalars(select(DisposalPackageRow).where(DisposalPackageRow.disposal_id == disposal_id))
    for item in (*items, *packages):
        item.open, item.event_id = False, event_id


def record_outcome(work: UnitOfWork, disposal_id: UUID, item: Item, event_id: UUID) -> None:
    """What the store let go of one exhibit or package; the first outcome makes the act done."""
    key = (disposal_id, item.thing_id)
    row = work.session.get(DisposalItemRow, key) or work.session.get(DisposalPackageRow, key)
    if row is None:
        raise NotFound("disposal.not_found")
    row.keys_destroyed, row.objects_removed = item.keys_destroyed, item.objects_removed
    row.locked, row.free_at, row.event_id = [dict(one) for one in item.locked], item.free_at, event_id
    act = _row(work, disposal_id)
    if act.state != State.DONE:
        act.state, act.done_at, act.event_id = State.DONE, work.clock.now(), event_id


def get(session: Session, disposal_id: UUID) -> Disposal:
    """Raises NotFound `disposal.not_found`."""
    row = session.get(DisposalRow, disposal_id)
    if row is None:
        raise NotFound("disposal.not_found")
    return _disposal(session, row)


def of_case(session: Session, case_id: UUID) -> tuple[Disposal, ...]:
    """Every act of a case, newest first."""
    rows = session.scalars(
        select(DisposalRow).where(DisposalRow.case_id == case_id).order_by(DisposalRow.number.desc())
    )
    return tuple(_disposal(session, row) for row in rows)


def open_act(session: Session, exhibit_id: UUID) -> Disposal | None:
    """The act in which the exhibit stands now, also one that was carried out; None when there is none."""
    query = select(DisposalItemRow.disposal_id).where(
        DisposalItemRow.exhibit_id == exhibit_id, DisposalItemRow.open.is_(True)
    )
    disposal_id = session.scalar(query)
    return get(session, disposal_id) if disposal_id else None


def open_package_act(session: Session, disclosure_id: UUID) -> Disposal | None:
    """As `open_act`, of the package of a round."""
    query = select(DisposalPackageRow.disposal_id).where(
        DisposalPackageRow.disclosure_id == disclosure_id, DisposalPackageRow.open.is_(True)
    )
    disposal_id = session.scalar(query)
    return get(session, disposal_id) if disposal_id else None


def due_packages(session: Session, now: datetime, patience_since: datetime, most: int) -> dict[UUID, list[UUID]]:
    """As `due`: rounds by case whose package's term is over and against which nothing speaks."""
    values = {"now": now, "since": patience_since}
    found: dict[UUID, list[UUID]] = {}
    for case_id, disclosure_id in session.execute(text(_DUE_PACKAGES), values):
        if len(found.setdefault(case_id, [])) < most:
            found[case_id].append(disclosure_id)
    return found


def due(session: Session, now: datetime, patience_since: datetime, most: int) -> dict[UUID, list[UUID]]:
    """Exhibits by case whose term is over and nothing speaks against proposing an act: no hold, no act that stands,
    none rejected since `patience_since` (one found out of date does not count). At most `most` of one case.
    """
    item, act = DisposalItemRow, DisposalRow
    rejected = (
        exists()
        .where(item.exhibit_id == ExhibitRow.id, item.disposal_id == act.id, act.state == State.REJECTED)
        .where(act.ended_at > patience_since, act.reason.in_(("still_needed", "term_wrong")))
    )
    standing = exists().where(item.exhibit_id == ExhibitRow.id, item.open.is_(True))
    query = select(ExhibitRow.case_id, ExhibitRow.id).where(
        ExhibitRow.state == "sealed",
        ExhibitRow.destroyed_at.is_(None),
        ExhibitRow.retain_until <= now,
        ~ExhibitRow.held,
        ~standing,
        ~rejected,
    )
    found: dict[UUID, list[UUID]] = {}
    for case_id, exhibit_id in session.execute(query.order_by(ExhibitRow.case_id, ExhibitRow.number)):
        if len(found.setdefault(case_id, [])) < most:
            found[case_id].append(exhibit_id)
    return found


def unfinished(session: Session, now: datetime) -> list[UUID]:
    """Acts that were approved and not carried out, or left objects behind whose lock has ended by now."""
    free = exists().where(DisposalItemRow.disposal_id == DisposalRow.id, DisposalItemRow.free_at <= now)
    freed = exists().where(DisposalPackageRow.disposal_id == DisposalRow.id, DisposalPackageRow.free_at <= now)
    query = select(DisposalRow.id).where(
        (DisposalRow.state == State.APPROVED) | ((DisposalRow.state == State.DONE) & (free | freed))
    )
    return list(session.scalars(query.order_by(DisposalRow.id)))


def _row(work: UnitOfWork, disposal_id: UUID) -> DisposalRow:
    row = work.session.get(DisposalRow, disposal_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("disposal.not_found")
    return row


def _in_state(row: DisposalRow, *states: State) -> DisposalRow:
    if row.state not in states:
        raise Conflict("disposal.wrong_state", state=row.state)
    return row


def _kept(row: RuleSetRow) -> KeptRules:
    return KeptRules(decode(row.body.encode()), row.sha256, row.made_by, row.made_at.astimezone(UTC))


def _disposal(session: Session, row: DisposalRow) -> Disposal:
    items = (
        select(DisposalItemRow)
        .join(ExhibitRow, ExhibitRow.id == DisposalItemRow.exhibit_id)
        .where(DisposalItemRow.disposal_id == row.id)
        .order_by(ExhibitRow.number)
    )
    packages = select(DisposalPackageRow).where(DisposalPackageRow.disposal_id == row.id)
    return Disposal(
        id=row.id,
        case_id=row.case_id,
        number=row.number,
        state=State(row.state),
        ground=row.ground,
        body=row.body,
        act_sha256=row.act_sha256,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        reason=row.reason,
        done_at=row.done_at,
        items=tuple(
            Item(one.exhibit_id, one.keys_destroyed, one.objects_removed, tuple(one.locked), one.free_at)
            for one in session.scalars(items)
        ),
        packages=tuple(
            Item(one.disclosure_id, one.keys_destroyed, one.objects_removed, tuple(one.locked), one.free_at)
            for one in session.scalars(packages.order_by(DisposalPackageRow.disclosure_id))
        ),
    )
