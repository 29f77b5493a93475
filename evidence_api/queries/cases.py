"""Cases and exhibits as pages show them: names beside ids, what waits for whom, what may be done."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, heads
from custody.audit import EntryView
from custody.heads import CheckpointView
from evidence_api import jobs
from evidence_api.access import policy
from evidence_api.access.policy import Resource, Viewer
from evidence_api.disclosure import service as disclosures
from evidence_api.disclosure.service import Disclosure
from evidence_api.jobs import JobView
from evidence_api.registry import reads
from evidence_api.registry.facts import Case, Exhibit, Page
from evidence_api.registry.model import ExhibitState, Role
from evidence_api.services import Services
from redaction import queries as plans
from redaction.queries import PlanView, RenditionView
from transcription import service as transcripts
from transcription.service import TranscriptFacts


@dataclass(frozen=True)
class CaseView:
    """A case for one viewer: the role they act in, and the parts of it they may open."""

    case: Case
    role: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class CaseSummary:
    """A case in the list: how many exhibits, how many people for whom only that matters, what waits of each kind."""

    case: Case
    role: str
    exhibits: int
    waiting: Mapping[str, int]
    people: int | None = None


@dataclass(frozen=True)
class Thing:
    """What an id in an event stands for: an exhibit by its number, a version of it (`kind`), or a round (ROUND)."""

    number: int
    kind: str | None = None


ROUND = "round"


@dataclass(frozen=True)
class ExhibitView:
    """Everything an exhibit's page needs. `names` are by account id, `things` what other ids stand for.

    `chain` are the newest of the `events` of its chain of custody, newest first; `ciphertext` the digest of the stored
    file, None until it is sealed; `burn_failed` the last failure to make a redacted version. `same_bytes`: the
    case's other exhibits with the same digest, for what was destroyed may be sent again.
    """

    exhibit: Exhibit
    same_bytes: tuple[Exhibit, ...]
    chain: tuple[EntryView, ...]
    events: int
    ciphertext: str | None
    burn_failed: EntryView | None
    names: Mapping[UUID, str]
    things: Mapping[UUID, Thing]
    transcript: TranscriptFacts | None
    transcript_confirmed: bool
    plan: PlanView | None
    plan_request: JobView | None
    renditions: tuple[RenditionView, ...]
    jobs: tuple[JobView, ...]
    checkpoint: CheckpointView | None


ENDS_SOON = timedelta(days=7)
CHAIN_PAGE = 50
_TOLD = ("exhibit.sealed", "plan.requested", "plan.suggested", "rendition.failed")
"""Events of an exhibit whose last is asked for by itself, wherever in the chain it stands."""

_PARTS = (
    ("exhibits", "exhibit.list"),
    ("people", "case.grants"),
    ("disclosures", "disclosure.list"),
    ("retention", "retention.read"),
    ("trail", "trail.read"),
)


def may(viewer: Viewer, route: str, resource: Resource) -> bool:
    """Whether the policy would let the viewer through; for offering what can be done, never instead of a guard."""
    return policy.refusal(viewer, route, resource) is None


def case_view(services: Services, viewer: Viewer, case_id: UUID) -> CaseView:
    """A case and what of it this viewer may open. Raises NotFound `case.not_found`."""
    with services.database.read() as session:
        case = reads.get_case(session, case_id)
    resource = Resource(case_id=case_id)
    role = viewer.acting_role(resource)
    parts = tuple(name for name, route in _PARTS if may(viewer, route, resource))
    return CaseView(case, role.value if role else "", parts)


def summaries(
    services: Services, viewer: Viewer, *, after: tuple[str | int, ...] | None, limit: int, beginning: str = ""
) -> Page[CaseSummary]:
    """The viewer's cases with what waits in them, those whose ЕРДР number begins so.

    An auditor sees all, without what waits; an administrator all, with what waits for whoever grants access.
    """
    case_ids = None if sees_all(viewer) else viewer.cases()
    now = services.database.clock.now()
    with services.database.read() as session:
        page = reads.list_cases(session, case_ids=case_ids, after=after, limit=limit, beginning=beginning)
        return Page(tuple(_summary(session, viewer, case, now) for case in page.items), page.after)


def sees_all(viewer: Viewer) -> bool:
    """Whether the list of cases shows every case, not only those the viewer stands on."""
    return viewer.role in (Role.AUDITOR, Role.ADMINISTRATOR)


def _summary(session: Session, viewer: Viewer, case: Case, now: datetime) -> CaseSummary:
    if viewer.role is Role.ADMINISTRATOR:
        return _staffing(session, case, now)
    resource = Resource(case_id=case.id)
    role = viewer.acting_role(resource)
    states = reads.count_exhibits(session, case.id)
    waiting = {"exhibit_refused": states.get(ExhibitState.REFUSED, 0)}
    if may(viewer, "plan.read", resource):
        planned = plans.count_by_state(session, case.id)
        waiting |= {
            "plan_open": planned.get("drafted", 0),
            "plan_returned": planned.get("returned", 0),
            "plan_to_approve": planned.get("submitted", 0),
        }
    if may(viewer, "disclosure.draft", resource):
        drafted = [one for one in disclosures.of_case(session, case.id) if one.state == "draft"]
        waiting["disclosure_draft"] = len(drafted)
    return CaseSummary(case, role.value if role else "", sum(states.values()), _some(waiting))


def _staffing(session: Session, case: Case, now: datetime) -> CaseSummary:
    """A case as whoever grants access sees it: who is missing, and whose access ends soon."""
    grants = reads.grants_in(session, case.id, now)
    prosecuted = any(one.role in (Role.PROSECUTOR, Role.SUPERVISING_PROSECUTOR) for one in grants)
    ending = [one for one in grants if one.until is not None and one.until < now + ENDS_SOON]
    waiting = {"no_prosecutor": 0 if prosecuted else 1, "grant_ends": len(ending)}
    return CaseSummary(case, Role.ADMINISTRATOR.value, 0, _some(waiting), len({one.login for one in grants}))


def _some(waiting: Mapping[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in waiting.items() if count}


def received(services: Services, account_id: UUID) -> tuple[tuple[Case, tuple[Disclosure, ...]], ...]:
    """What was released to a person, by case: all that the defence has."""
    with services.database.read() as session:
        rounds = disclosures.released_to(session, account_id)
        case_ids = dict.fromkeys(one.case_id for one in rounds)
        return tuple(
            (reads.get_case(session, case_id), tuple(one for one in rounds if one.case_id == case_id))
            for case_id in case_ids
        )


def exhibit_view(services: Services, exhibit_id: UUID, *, before: int | None = None) -> ExhibitView:
    """The newest CHAIN_PAGE events of its chain, or those before the `item_seq` of `before`.

    Raises NotFound `exhibit.not_found`.
    """
    item = f"exhibit:{exhibit_id}"
    with services.database.read() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
        chain = tuple(audit.newest(session, item, before=before, limit=CHAIN_PAGE))
        last = {name: audit.positions(session, name, [item]).get(item) for name in _TOLD}
        sealed = last["exhibit.sealed"]
        transcript = transcripts.current(session, exhibit_id)
        planned = plans.plans_of_exhibit(session, exhibit_id)
        request = _plan_request(session, last["plan.requested"], last["plan.suggested"])
        subjects = [f"exhibit:{exhibit_id}"]
        subjects += [f"transcript:{transcript.id}"] if transcript else []
        subjects += [f"plan:{planned[0].id}"] if planned else []
        found = [jobs.latest(session, subject) for subject in subjects] + [request]
        return ExhibitView(
            exhibit=exhibit,
            same_bytes=reads.same_bytes(session, exhibit),
            chain=chain,
            events=audit.length(session, item),
            ciphertext=str(sealed.data["ciphertext_sha256"]) if sealed else None,
            burn_failed=last["rendition.failed"],
            names=names_in(session, chain, [exhibit.registered_by]),
            things=things_in(session, exhibit.case_id, chain),
            transcript=transcript,
            transcript_confirmed=exhibit.destroyed_at is None
            and transcripts.confirmed(session, exhibit_id) is not None,
            plan=planned[0] if planned else None,
            plan_request=request,
            renditions=tuple(plans.renditions_of_exhibits(session, [exhibit_id])),
            jobs=tuple(job for job in found if job is not None and job.state in ("queued", "running")),
            checkpoint=heads.latest_checkpoint(session),
        )


def _plan_request(session: Session, asked: EntryView | None, suggested: EntryView | None) -> JobView | None:
    """The last request for suggestions, while no plan has come of it."""
    if asked is None or (suggested is not None and suggested.seq > asked.seq):
        return None
    return jobs.latest(session, f"plan:{asked.data['plan']}")


def names_in(session: Session, entries: Iterable[EntryView], more: Iterable[UUID] = ()) -> dict[UUID, str]:
    """Display names of everyone in these events: who acted, and to whom something was done."""
    ids = {entry.actor_id for entry in entries if entry.actor_id} | set(more)
    told = (entry.data.get(field) for entry in entries for field in _PEOPLE)
    return reads.names_of(session, list(ids | {UUID(one) for one in told if one}))


_PEOPLE = ("account", "recipient", "submitted_by")
"""Fields of events that hold an account's id."""


def things_in(session: Session, case_id: UUID, entries: Collection[EntryView]) -> dict[UUID, Thing]:
    """Exhibits in these events, everything that was burned from them, and the rounds of the case."""
    items = {entry.item for entry in entries if entry.item.startswith("exhibit:")}
    exhibits = [reads.get_exhibit(session, UUID(item.partition(":")[2])) for item in items]
    numbers = {exhibit.id: exhibit.number for exhibit in exhibits}
    things = {exhibit_id: Thing(number) for exhibit_id, number in numbers.items()}
    for one in plans.renditions_of_exhibits(session, list(numbers)):
        things[one.id] = Thing(numbers[one.exhibit_id], one.kind)
    for entry in entries:
        if "transcript" in entry.data and "exhibit" in entry.data:
            things[UUID(entry.data["transcript"])] = Thing(numbers[UUID(entry.data["exhibit"])], "spoken")
    rounds = disclosures.of_case(session, case_id)
    return things | {one.id: Thing(one.round, ROUND) for one in rounds if one.round}


def names_of(services: Services, account_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Display names by account id; None and unknown ids are left out."""
    with services.database.read() as session:
        return reads.names_of(session, [one for one in account_ids if one is not None])


def officer_exhibits(services: Services, case_id: UUID, account_id: UUID, since: datetime) -> list[Exhibit]:
    """What an officer has delivered to a case since a moment, by number."""
    with services.database.read() as session:
        page = reads.list_exhibits(session, case_id, limit=10_000)
    return [one for one in page.items if one.registered_by == account_id and one.registered_at >= since]


def count_exhibits(services: Services, case_id: UUID) -> int:
    """How many exhibits a case has, in whatever state."""
    with services.database.read() as session:
        return sum(reads.count_exhibits(session, case_id).values())
