"""The record as auditors and prosecutors read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, event, heads
from custody.audit import EntryView, LedgerHealth, TrailFilter, TrailPage
from custody.heads import CheckpointView, TimestampView
from evidence_api.queries.cases import Thing, names_in, things_in
from evidence_api.queries.personal import Shown, shown
from evidence_api.registry import reads
from evidence_api.services import Services


@dataclass(frozen=True)
class Wanted:
    """What of a case's trail is asked for. `areas` are first parts of event types; an empty value asks for all."""

    areas: Sequence[str] = ()
    actor_name: str = ""
    exhibit_number: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class NamedPage:
    """A page of events with the names of everyone in them, and what other ids in them stand for."""

    entries: tuple[EntryView, ...]
    names: Mapping[UUID, str]
    things: Mapping[UUID, Thing]
    personal: Mapping[UUID, tuple[Shown, ...]]
    next_seq: int | None


@dataclass(frozen=True)
class ActorPage(NamedPage):
    """A page of what somebody did, in whatever case: with the ЕРДР numbers of the cases."""

    erdrs: Mapping[UUID, str]


@dataclass(frozen=True)
class LedgerState:
    """How the ledger stands, its last published head, the size up to which the witnesses stand behind it, and the last
    time stamp.
    """

    health: LedgerHealth
    head: CheckpointView | None
    witnessed_size: int
    stamped: TimestampView | None


def of_case(
    services: Services, case_id: UUID, *, types: Sequence[str] = (), before: int | None = None, limit: int = 50
) -> TrailPage:
    """A page of a case's events, newest first."""
    with services.database.read() as session:
        return audit.trail(session, TrailFilter(case_id=case_id, types=types), before_seq=before, limit=limit)


def filtered(
    services: Services, case_id: UUID, wanted: Wanted, *, before: int | None, limit: int, may_see: bool = False
) -> NamedPage:
    """A page of a case's events as a person asks for them, newest first; personal values for who `may_see` them."""
    with services.database.read() as session:
        asked = criteria(session, case_id, wanted)
        if asked is None:
            return NamedPage((), {}, {}, {}, None)
        page = audit.trail(session, asked, before_seq=before, limit=limit)
        names, things = names_in(session, page.entries), things_in(session, case_id, page.entries)
        values = shown(session, page.entries, may_see=may_see)
        return NamedPage(page.entries, names, things, values, page.next_seq)


def of_actor(services: Services, account_id: UUID, *, before: int | None, limit: int) -> ActorPage:
    """A page of what an account did, newest first, without anybody's personal values."""
    with services.database.read() as session:
        page = audit.trail(session, TrailFilter(actor_id=account_id), before_seq=before, limit=limit)
        things: dict[UUID, Thing] = {}
        erdrs: dict[UUID, str] = {}
        for case_id in {entry.case_id for entry in page.entries if entry.case_id}:
            erdrs[case_id] = reads.get_case(session, case_id).erdr
            things |= things_in(session, case_id, [entry for entry in page.entries if entry.case_id == case_id])
        values = shown(session, page.entries, may_see=False)
        return ActorPage(page.entries, names_in(session, page.entries), things, values, page.next_seq, erdrs)


def digest(entries: Sequence[EntryView]) -> str:
    """`sha256:<hex>` over the canonical bytes of events, oldest first, a line each."""
    ordered = sorted(entries, key=lambda entry: entry.seq)
    return "sha256:" + sha256(b"".join(entry.canonical + b"\n" for entry in ordered)).hexdigest()


def of_exhibit(services: Services, exhibit_id: UUID) -> list[EntryView]:
    """An exhibit's whole chain, oldest first. Raises Corrupt `ledger.…` when it is not what it was."""
    with services.database.read() as session:
        audit.check_chain(session, f"exhibit:{exhibit_id}")
        return audit.chain(session, f"exhibit:{exhibit_id}")


def health(services: Services) -> LedgerHealth:
    """How the ledger stands."""
    with services.database.read() as session:
        return audit.health(session)


def state(services: Services) -> LedgerState:
    """How the ledger stands, with its last head."""
    with services.database.read() as session:
        witnessed = heads.latest_witnessed(session)
        size = witnessed.size if witnessed else 0
        stamped = heads.latest_timestamp(session)
        return LedgerState(audit.health(session), heads.latest_checkpoint(session), size, stamped)


def criteria(session: Session, case_id: UUID, wanted: Wanted, exhibit_id: UUID | None = None) -> TrailFilter | None:
    """The filter in the ledger's words; None when nothing can match (nobody of that name, no such exhibit)."""
    item, actor_id = f"exhibit:{exhibit_id}" if exhibit_id else None, None
    if wanted.exhibit_number is not None and exhibit_id is None:
        exhibit = reads.find_exhibit(session, case_id, wanted.exhibit_number)
        if exhibit is None:
            return None
        item = f"exhibit:{exhibit.id}"
    if wanted.actor_name:
        actor_id = reads.find_account_by_name(session, wanted.actor_name)
        if actor_id is None:
            return None
    types = [name for name in event.WHO if name.partition(".")[0] in wanted.areas]
    return TrailFilter(None if exhibit_id else case_id, item, types, actor_id, wanted.since, wanted.until)
