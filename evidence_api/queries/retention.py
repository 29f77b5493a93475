"""Terms, holds, acts and rules as pages and the API show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from evidence_api import jobs
from evidence_api.disclosure import service as disclosures
from evidence_api.jobs import JobView
from evidence_api.registry import holds, reads
from evidence_api.registry.facts import Exhibit, Hold, Page
from evidence_api.retention import blobs
from evidence_api.retention import service as retention
from evidence_api.retention.model import Rule
from evidence_api.retention.service import Disposal, KeptRules
from evidence_api.services import Services
from evidence_api.use_cases import disposing
from storage import disposal as storage
from storage import service as stored

STATES = ("all", "over", "year", "held", "destroyed")
"""What a list of terms may be asked for; `year`: over within a year."""


@dataclass(frozen=True)
class TermView:
    """How long an exhibit is kept. `locked_until` is the earliest lock that the store was seen to hold, None before it
    is sealed; `store_holds` of `objects` stored objects are under the store's own hold. `same_bytes`: the case's other
    exhibits with the same digest.
    """

    exhibit: Exhibit
    same_bytes: tuple[Exhibit, ...]
    rules: KeptRules | None
    holds: tuple[Hold, ...]
    act: Disposal | None
    locked_until: datetime | None
    objects: int
    store_holds: int
    names: Mapping[UUID, str]


@dataclass(frozen=True)
class CaseTerms:
    """A case's holds and acts, and how many exhibits are kept and destroyed."""

    holds: tuple[Hold, ...]
    acts: tuple[Disposal, ...]
    names: Mapping[UUID, str]


@dataclass(frozen=True)
class ActView:
    """An act with its exhibits as they are now, who had a hand in it or got a package that stands in it, the last job,
    and why it cannot go on now.
    """

    act: Disposal
    exhibits: tuple[Exhibit, ...]
    names: Mapping[UUID, str]
    job: JobView | None
    obstacle: tuple[str, Mapping[str, str | int | None]] | None


def versions(services: Services) -> tuple[KeptRules, ...]:
    """Every version of the rules, newest first."""
    with services.database.read() as session:
        return retention.all_rules(session)


def rules_in_force(services: Services) -> tuple[Rule, ...]:
    """The rules of today; none before any were set."""
    current = versions(services)
    return current[0].rules.rules if current else ()


def version(services: Services, number: int) -> KeptRules:
    """One version. Raises NotFound `rules.not_found`."""
    with services.database.read() as session:
        return retention.rules(session, number)


def term(services: Services, exhibit_id: UUID) -> TermView:
    """Raises NotFound `exhibit.not_found`."""
    with services.database.read() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
        blob_ids = blobs.of_exhibit(session, exhibit_id)
        locks = [stored.blob_facts(session, one).retain_until for one in blob_ids]
        found = holds.of_exhibit(session, exhibit_id)
        act = retention.get(session, exhibit.disposal_id) if exhibit.disposal_id else None
        return TermView(
            exhibit=exhibit,
            same_bytes=reads.same_bytes(session, exhibit),
            rules=retention.rules(session, exhibit.rule_version) if exhibit.rule_version else None,
            holds=found,
            act=act or retention.open_act(session, exhibit_id),
            locked_until=min(locks) if locks else None,
            objects=len(blob_ids),
            store_holds=len(storage.held_objects(session, blob_ids)),
            names=reads.names_of(session, [one for hold in found for one in (hold.placed_by, hold.lifted_by) if one]),
        )


def terms(
    services: Services, case_id: UUID, *, state: str, after: tuple[str | int, ...] | None, limit: int
) -> Page[Exhibit]:
    """The sealed exhibits of a case by the end of their terms; the key of a page is that end in ms and the number."""
    now = services.database.clock.now()
    with services.database.read() as session:
        return reads.list_terms(session, case_id, state=state, now=now, after=after, limit=limit)


def of_case(services: Services, case_id: UUID) -> CaseTerms:
    """The holds and the acts of a case."""
    with services.database.read() as session:
        found, acts_ = holds.of_case(session, case_id), retention.of_case(session, case_id)
        people = [one for hold in found for one in (hold.placed_by, hold.lifted_by) if one]
        people += [one for act in acts_ for one in _people(act)]
        return CaseTerms(found, acts_, reads.names_of(session, people))


def acts(services: Services, case_id: UUID) -> tuple[Disposal, ...]:
    """The acts of a case, newest first."""
    with services.database.read() as session:
        return retention.of_case(session, case_id)


def act(services: Services, disposal_id: UUID) -> Disposal:
    """Raises NotFound `disposal.not_found`."""
    with services.database.read() as session:
        return retention.get(session, disposal_id)


def act_view(services: Services, disposal_id: UUID) -> ActView:
    """Raises NotFound `disposal.not_found`."""
    with services.database.read() as session:
        found = retention.get(session, disposal_id)
        return ActView(
            act=found,
            exhibits=tuple(reads.get_exhibit(session, one) for one in found.exhibits),
            names=reads.names_of(session, _people(found) + _recipients(session, found)),
            job=jobs.latest(session, f"disposal:{disposal_id}"),
            obstacle=disposing.obstacle(session, found, services.database.clock.now()),
        )


def _recipients(session: Session, act: Disposal) -> list[UUID]:
    return [disclosures.get(session, one).recipient_id for one in act.rounds]


def _people(act: Disposal) -> list[UUID]:
    return [one for one in (act.proposed_by, act.signed_by, act.approved_by, act.ended_by) if one]
