"""How the stored files stand, as people read it: one exhibit's, the whole store's, and what must not be overlooked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from evidence_api import jobs
from evidence_api.access.policy import NOTHING, Viewer, refusal
from evidence_api.disclosure import service as disclosures
from evidence_api.jobs import JobView
from evidence_api.registry import reads
from evidence_api.registry.model import Role
from evidence_api.services import Services
from evidence_api.use_cases import fixity
from storage import fixity_records as records
from storage.fixity_records import Alarm, Round, Totals

__all__ = ["Alarm", "ExhibitFixity", "Overview", "Place", "Round", "Totals"]
_OPEN = ("queued", "running")


@dataclass(frozen=True)
class ExhibitFixity:
    """The last checks of an exhibit's files taken together: the oldest counts. None: not since they were stored."""

    files: int
    checked_at: datetime | None
    deep_at: datetime | None
    alarms: tuple[Alarm, ...]
    running: JobView | None


@dataclass(frozen=True)
class Overview:
    """The whole store: what there is, the round under way, the last rounds, when the next begins, alarms."""

    totals: Totals
    running: Round | None
    rounds: tuple[Round, ...]
    next_light: datetime | None
    next_deep: datetime | None
    alarms: tuple[Alarm, ...]
    rate: int
    """Bytes a second."""


@dataclass(frozen=True)
class Place:
    """What a difference is about: an `exhibit` or a `disclosure` by its number, and the ЕРДР number of its case."""

    kind: str
    number: int
    erdr: str


def of_exhibit(services: Services, exhibit_id: UUID) -> ExhibitFixity:
    """One exhibit."""
    blob_ids = [one.facts.blob_id for one in fixity.files_of(services, exhibit_id)]
    with services.database.read() as session:
        found = records.last(session, blob_ids)
        alarms = [one for blob_id in blob_ids for one in records.standing(session, blob_id)]
        job = jobs.latest(session, fixity.subject(exhibit_id))
    seen = [found[blob_id] for blob_id in blob_ids if blob_id in found]
    deep = [one.deep_at for one in seen if one.deep_at]
    complete = len(seen) == len(blob_ids) > 0
    return ExhibitFixity(
        len(blob_ids),
        min(one.at for one in seen) if complete else None,
        min(deep) if complete and len(deep) == len(blob_ids) else None,
        tuple(alarms),
        job if job is not None and job.state in _OPEN else None,
    )


def overview(services: Services) -> Overview:
    """The whole store."""
    settings = services.settings
    with services.database.read() as session:
        rounds = records.rounds(session, 20)
        first = records.first_made(session)
        deep = next((one.began_at for one in rounds if one.deep), first)
        light = rounds[0].began_at if rounds else first
        return Overview(
            records.totals(session),
            records.open_round(session),
            tuple(one for one in rounds if one.ended_at),
            light + timedelta(days=settings.fixity_light_days) if light else None,
            deep + timedelta(days=settings.fixity_deep_days) if deep else None,
            tuple(records.alarms(session)),
            settings.fixity_bytes_per_second,
        )


def alarms_for(services: Services, viewer: Viewer) -> tuple[Alarm, ...]:
    """What stands and concerns this viewer: everything for auditors and administrators, a prosecutor's own cases."""
    cases = None
    if refusal(viewer, "fixity.read", NOTHING) is not None:
        if viewer.role not in (Role.PROSECUTOR, Role.SUPERVISING_PROSECUTOR):
            return ()
        cases = list(viewer.cases())
    with services.database.read() as session:
        return tuple(records.alarms(session, cases=cases, standing=True))


def places(services: Services, alarms: Iterable[Alarm]) -> dict[str, Place]:
    """What these are about, by item; the store as a whole is left out."""
    with services.database.read() as session:
        return {item: found for item in {one.item for one in alarms} if (found := _place(session, item))}


def _place(session: Session, item: str) -> Place | None:
    kind, _, thing = item.partition(":")
    if kind == "exhibit":
        exhibit = reads.get_exhibit(session, UUID(thing))
        return Place(kind, exhibit.number, reads.get_case(session, exhibit.case_id).erdr)
    if kind == "disclosure":
        handed = disclosures.get(session, UUID(thing))
        return Place(kind, handed.round or 0, reads.get_case(session, handed.case_id).erdr)
    return None
