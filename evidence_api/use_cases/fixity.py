"""Are the stored files still what was sealed? Rounds over everything, one exhibit on demand, the store's lock.

A round is slices of a job: each reads what the rate allows for the time since the last one and gives its worker back.
The first time an object differs it is an event on its chain and an alarm that stays until a check that a person asked
for finds the object the same. Nothing is ever removed or mended here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, event
from custody.kernel.errors import Conflict, NotFound
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api import jobs
from evidence_api.jobs import WORKER, Job
from evidence_api.retention import blobs
from evidence_api.services import Services
from storage import fixity
from storage import fixity_records as records
from storage.fixity import Difference, Expected
from storage.fixity_records import Round
from storage.ports import EVIDENCE
from storage.worm import WormFacts, worm_self_test

SCRUB, CHECK = "fixity.scrub", "fixity.check"
ROUND = "fixity"
"""The subject of a round's jobs."""
SLICE = timedelta(minutes=1)
PAGE = 50
_SEEN_WITH_KEYS = ("key", "content")


def begin(services: Services, actor: Actor, *, deep: bool) -> UUID:
    """Begin a round now. Raises Conflict `fixity.round_open` while one is under way."""
    with services.database.begin(actor) as work:
        if records.open_round(work.session) is not None:
            raise Conflict("fixity.round_open")
        round_id = work.ids.new()
        records.begin_round(work, round_id, work.clock.now(), deep=deep)
        work.enqueue(SCRUB, subject=ROUND, round=round_id)
        work.commit()
        return round_id


def tick(services: Services) -> None:
    """For the beat: begin the round that is due, or the next slice of the one under way."""
    settings = services.settings
    with services.database.begin(WORKER) as work:
        now, present = work.clock.now(), records.open_round(work.session)
        if present is None:
            oldest = records.totals(work.session).oldest
            deep_due = _due(work, settings.fixity_deep_days, deep=True)
            if oldest is None or not (deep_due or _due(work, settings.fixity_light_days, deep=False)):
                return
            round_id = work.ids.new()
            records.begin_round(work, round_id, now, deep=deep_due)
        elif now < present.next_at or _busy(work):
            return
        else:
            round_id = present.id
        work.enqueue(SCRUB, subject=ROUND, round=round_id)
        work.commit()


def _due(work: UnitOfWork, days: int, *, deep: bool) -> bool:
    """Whether so many days have passed since the last such round began, or since the first file was sealed."""
    last = [one.began_at for one in records.rounds(work.session, 100) if one.deep or not deep]
    since = last[0] if last else records.first_made(work.session)
    return since is not None and work.clock.now() - since >= timedelta(days=days)


def _busy(work: UnitOfWork) -> bool:
    last = jobs.latest(work.session, ROUND)
    return last is not None and last.state in ("queued", "running")


class Scrub:
    """Job `fixity.scrub`: one slice of a round. Killed, it begins again after the last page that was kept."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Read what the rate allows for a slice, note what was found, say when the next slice may begin."""
        services = self._services
        round_id = job.facts.uuid("round")
        with services.database.read() as session:
            present = records.get_round(session, round_id)
        began = services.database.clock.now()
        limit = int(services.settings.fixity_bytes_per_second * SLICE.total_seconds())
        before, whole = present.size_bytes, present.ended_at is not None
        while not whole and present.size_bytes - before < limit:
            present, whole = self._page(present, limit - (present.size_bytes - before))
            job.step(f"checked {present.checked}")
        spent = timedelta(seconds=(present.size_bytes - before) / services.settings.fixity_bytes_per_second)
        with job.conclude() as work:
            again = records.get_round(work.session, round_id)
            if again.ended_at is None:
                ended = work.clock.now() if whole else None
                records.keep_round(work, replace(present, next_at=began + spent, ended_at=ended))
                if whole:
                    work.record(_swept(present))

    def fail(self, job: Job, code: str) -> None:
        """The slice could not be made: the next one tries again."""
        with job.conclude("failed", code):
            pass

    def _page(self, present: Round, limit: int) -> tuple[Round, bool]:
        """Check some objects, keep the results and the place; whether the round is at its end."""
        services, database = self._services, self._services.database
        with database.read() as session:
            page = records.following(session, present.after, PAGE)
        if not page:
            return present, True
        results: list[tuple[UUID, Difference | None]] = []
        read = 0
        for expected in page:
            found, progress = _check(services, expected, present, lambda more: read + more >= limit)  # noqa: B023
            read += progress.read_bytes
            blob_id = expected.facts.blob_id
            if found is None and not progress.whole:
                present = replace(present, segment=progress.segment)
                break
            results.append((blob_id, found))
            if found is not None:
                note(services, WORKER, expected, found, deep=present.deep)
            present = replace(
                present,
                after=blob_id,
                segment=0,
                checked=present.checked + 1,
                differences=present.differences + (found is not None),
            )
            if read >= limit:
                break
        present = replace(present, size_bytes=present.size_bytes + read)
        with database.begin(WORKER) as work:
            records.keep(work, results, work.clock.now(), deep=present.deep)
            records.keep_round(work, present)
            work.commit()
        return present, False


def _check(
    services: Services, expected: Expected, present: Round, enough: Callable[[int], bool]
) -> tuple[Difference | None, fixity.Progress]:
    facts = expected.facts
    everything = fixity.Progress(expected.layout.count, facts.ciphertext_bytes, whole=True)
    found = fixity.check_place(services.store, facts, services.database.clock.now())
    if found is not None:
        return found, replace(everything, read_bytes=0)
    if present.deep:
        return fixity.check_deep(services.store, services.keys, expected), everything
    return fixity.check_light(services.store, expected, present.segment, enough)


def _swept(present: Round) -> EventDraft:
    return event.draft(
        "fixity.swept",
        item="system",
        checked=present.checked,
        deep=present.deep,
        differences=present.differences,
        size_bytes=present.size_bytes,
    )


def request(services: Services, actor: Actor, exhibit_id: UUID, *, deep: bool) -> None:
    """Ask for a check of an exhibit's files now. Nothing more while one is under way."""
    with services.database.begin(actor) as work:
        last = jobs.latest(work.session, subject(exhibit_id))
        if last is None or last.state not in ("queued", "running"):
            asked_by = str(actor.id) if actor.id else None
            work.enqueue(CHECK, subject=subject(exhibit_id), exhibit=exhibit_id, deep=deep, requested_by=asked_by)
            work.commit()


def subject(exhibit_id: UUID) -> str:
    """The subject of jobs that check an exhibit."""
    return f"fixity:{exhibit_id}"


class CheckExhibit:
    """Job `fixity.check`: every file of an exhibit, because a person asked. What is the same is recorded as well."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Check, then record each result on the exhibit's chain."""
        services, deep = self._services, bool(job.facts.args["deep"])
        exhibit_id = job.facts.uuid("exhibit")
        found = []
        for expected in files_of(services, exhibit_id):
            difference = fixity.check_place(services.store, expected.facts, services.database.clock.now())
            if difference is None and deep:
                difference = fixity.check_deep(services.store, services.keys, expected)
            elif difference is None:
                difference, _ = fixity.check_light(services.store, expected)
            found.append((expected, difference))
            job.step(f"checked {len(found)}")
        with job.conclude() as work:
            for expected, difference in found:
                _record(work, expected, difference, deep=deep, asked=True)
            results = [(one.facts.blob_id, difference) for one, difference in found]
            records.keep(work, results, work.clock.now(), deep=deep)

    def fail(self, job: Job, code: str) -> None:
        """Nothing was learnt."""
        with job.conclude("failed", code):
            pass


def files_of(services: Services, exhibit_id: UUID) -> list[Expected]:
    """The original and everything made from it that is stored and was not disposed of."""
    with services.database.read() as session:
        return list(_alive(session, blobs.of_exhibit(session, exhibit_id)))


def _alive(session: Session, blob_ids: Sequence[UUID]) -> Iterator[Expected]:
    for blob_id in blob_ids:
        try:
            yield records.expected(session, blob_id)
        except NotFound:
            continue


def note(services: Services, actor: Actor, expected: Expected, found: Difference, *, deep: bool) -> None:
    """A difference is durable before the check goes on. One that is known already is not recorded again."""
    with services.database.begin(actor) as work:
        _record(work, expected, found, deep=deep, asked=False)
        work.commit()


def _record(work: UnitOfWork, expected: Expected, found: Difference | None, *, deep: bool, asked: bool) -> None:
    """The event of a result, and the alarm it raises or clears. Only a check that was asked for clears one."""
    facts = expected.facts
    standing = records.standing(work.session, facts.blob_id)
    known = any(one.difference == found for one in standing)
    if not asked and (found is None or known):
        return
    place = audit.place_of(work.session, records.made_by(work.session, facts.blob_id))
    item, case_id = place if place else ("system", None)
    result = "intact" if found is None else "missing" if found.what == "missing" else "damaged"
    checked = event.draft(
        "fixity.checked",
        item=item,
        case_id=case_id,
        blob=facts.blob_id,
        exhibit=item.partition(":")[2] if item.startswith("exhibit:") else None,
        ciphertext_sha256=facts.ciphertext_sha256,
        result=result,
        deep=deep,
        what=found.what if found else None,
        place=found.place if found else None,
        expected=found.expected if found else None,
        found=found.found if found else None,
    )
    event_id = work.record(checked)
    if found is not None and not known:
        records.raise_alarm(work, facts.blob_id, item, case_id, found, event_id)
    if found is None:
        for one in standing:
            if deep or one.difference.what not in _SEEN_WITH_KEYS:
                records.clear(work, one.id, event_id)


def try_lock(services: Services) -> bool:
    """A person wants to know now whether the store holds a lock; whether it did."""
    return not self_test(services, WORKER, asked=True).failed


def self_test(services: Services, actor: Actor, *, asked: bool = False) -> WormFacts:
    """Lock a canary in the store, attack it, record the outcome; a broken lock is an alarm. Raises Unavailable."""
    facts = worm_self_test(services.store, services.database.clock, EVIDENCE)
    with services.database.begin(actor) as work:
        tested = event.draft("store.self_tested", item="system", result=facts.result, detail=facts.detail or None)
        event_id = work.record(tested)
        standing = records.standing(work.session, None)
        found = Difference("worm", "store", "held", facts.detail)
        if facts.failed and all(one.difference != found for one in standing):
            records.raise_alarm(work, None, "system", None, found, event_id)
        if asked and not facts.failed:
            for one in standing:
                records.clear(work, one.id, event_id)
        work.commit()
    return facts
