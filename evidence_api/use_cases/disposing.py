"""Destruction (R22): the end of a term proposes an act, two prosecutors sign it, a worker destroys keys, then objects.

Nothing is destroyed by a clock. A hold or a longer term stops an act whoever signed it; what was destroyed keeps its
row, its digests, its number and its whole chain.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, DalelError, Invalid, Unavailable
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from custody.proof import canonical
from evidence_api import jobs
from evidence_api.jobs import WORKER, Job
from evidence_api.registry import service as registry
from evidence_api.retention import model
from evidence_api.retention import service as retention
from evidence_api.retention.model import MAX_EXHIBITS, TERM_OVER, State
from evidence_api.retention.service import Disposal, Item
from evidence_api.services import Services
from evidence_api.use_cases import disposable
from evidence_api.use_cases.disposable import OfExhibit, OfPackage, Thing
from storage import disposal as storage
from storage.blob import BlobFacts

DESTROY = "disposal.destroy"
PATIENCE = timedelta(days=90)
"""How long after a prosecutor's no an exhibit is not proposed again."""


def propose(
    services: Services, actor: Actor, case_id: UUID, exhibit_ids: Sequence[UUID], packages: Sequence[UUID] = ()
) -> Disposal:
    """Propose to destroy exhibits of a case, and packages of its rounds, whose term is over; nothing happens before two
    people signed.

    Raises Invalid `disposal.empty`, `disposal.too_many`, `disposal.foreign_exhibit`; Conflict `disposal.term_stands`,
    `disposal.held`, `disposal.in_an_act`, `exhibit.not_sealed`; Gone `exhibit.destroyed`; of packages
    `disposal.package_…`, `disclosure.not_ready`, Gone `disclosure.destroyed`.
    """
    wanted, rounds = list(dict.fromkeys(exhibit_ids)), list(dict.fromkeys(packages))
    if not wanted and not rounds:
        raise Invalid("disposal.empty")
    if len(wanted) + len(rounds) > MAX_EXHIBITS:
        raise Invalid("disposal.too_many", most=MAX_EXHIBITS)
    with services.database.begin(actor) as work:
        case = registry.lock_case(work, case_id)
        things = disposable.locked(work, wanted, rounds)
        for thing in things:
            if thing.case_id != case_id:
                raise Invalid("disposal.foreign_exhibit")
            thing.check_over(work.session, work.clock.now())
            thing.check_free(work.session)
        disposal_id, number = work.ids.new(), retention.next_number(work.session, case_id)
        head = {"disposal": str(disposal_id), "number": number, "case": str(case_id), "erdr": case.erdr}
        body = _act(work.session, head, things)
        sha256 = model.digest(body)
        proposed = [
            one.draft("disposal.proposed", disposal=disposal_id, act_sha256=sha256, ground=TERM_OVER) for one in things
        ]
        events = dict(zip((one.id for one in things), work.record_all(proposed), strict=True))
        retention.propose(
            work,
            disposal_id,
            case_id=case_id,
            number=number,
            ground=TERM_OVER,
            body=body.decode(),
            act_sha256=sha256,
            exhibits={one.id: events[one.id] for one in things if isinstance(one, OfExhibit)},
            packages={one.id: events[one.id] for one in things if isinstance(one, OfPackage)},
        )
        made = retention.get(work.session, disposal_id)
        work.commit()
    return made


def propose_due(services: Services) -> int:
    """One act per case for what has come to the end of its term; returns how many acts. For the beat."""
    now = services.database.clock.now()
    with services.database.read() as session:
        due = retention.due(session, now, now - PATIENCE, MAX_EXHIBITS)
        rounds = retention.due_packages(session, now, now - PATIENCE, MAX_EXHIBITS)
    made = 0
    for case_id in due.keys() | rounds.keys():
        exhibits = due.get(case_id, [])
        try:
            propose(services, WORKER, case_id, exhibits, rounds.get(case_id, [])[: MAX_EXHIBITS - len(exhibits)])
        except DalelError:
            continue  # somebody held or extended one meanwhile: the next look proposes the others
        made += 1
    return made


def sign(services: Services, actor: Actor, disposal_id: UUID, act_sha256: str) -> Disposal:
    """The first signature, for exactly these bytes.

    Raises Conflict `disposal.wrong_state`, `disposal.other_act` for another digest than was seen, `disposal.changed`
    when the facts are no longer those of the act, `disposal.busy` while a job works on one of its exhibits,
    `disposal.held`, `disposal.term_stands`.
    """

    def act(work: UnitOfWork, disposal: Disposal, things: Sequence[Thing]) -> None:
        signed = [one.draft("disposal.signed", disposal=disposal_id, act_sha256=act_sha256) for one in things]
        retention.sign(work, disposal_id, work.record_all(signed)[0])

    return _signature(services, actor, disposal_id, act_sha256, act)


def approve(services: Services, actor: Actor, disposal_id: UUID, act_sha256: str) -> Disposal:
    """The second signature, another person's; destruction begins. Raises Denied `disposal.self_approval`, as `sign`."""

    def act(work: UnitOfWork, disposal: Disposal, things: Sequence[Thing]) -> None:
        by = {"disposal": disposal_id, "act_sha256": act_sha256, "signed_by": disposal.signed_by}
        if disposal.state is not State.SIGNED:
            raise Conflict("disposal.wrong_state", state=disposal.state)
        approved = [one.draft("disposal.approved", **by) for one in things]
        retention.approve(work, disposal_id, work.record_all(approved)[0])
        work.enqueue(DESTROY, subject=f"disposal:{disposal_id}", disposal=disposal_id)

    return _signature(services, actor, disposal_id, act_sha256, act)


def _signature(
    services: Services,
    actor: Actor,
    disposal_id: UUID,
    act_sha256: str,
    act: Callable[[UnitOfWork, Disposal, Sequence[Thing]], None],
) -> Disposal:
    with services.database.begin(actor) as work:
        disposal, things = _locked(work, disposal_id)
        if act_sha256 != disposal.act_sha256:
            raise Conflict("disposal.other_act")
        if disposal.state in (State.PROPOSED, State.SIGNED):
            _check(work.session, disposal, things, work.clock.now())
        act(work, disposal, things)
        work.session.flush()
        done = retention.get(work.session, disposal_id)
        work.commit()
    return done


def reject(services: Services, actor: Actor, disposal_id: UUID, reason: str) -> Disposal:
    """A prosecutor's no. The term is over all the same: after 90 days it is proposed again, at once when the act was
    out of date. Raises Invalid `disposal.bad_reason`, Conflict `disposal.wrong_state`.
    """
    why = model.parse_rejection(reason)
    with services.database.begin(actor) as work:
        disposal, things = _locked(work, disposal_id)
        if disposal.state not in (State.PROPOSED, State.SIGNED):
            raise Conflict("disposal.wrong_state", state=disposal.state)
        _end(work, disposal, things, why)
        done = retention.get(work.session, disposal_id)
        work.commit()
    return done


def _end(work: UnitOfWork, disposal: Disposal, things: Sequence[Thing], reason: str) -> None:
    rejected = [one.draft("disposal.rejected", disposal=disposal.id, reason=reason) for one in things]
    event_id = work.record_all(rejected)[0]
    retention.end(work, disposal.id, state=State.REJECTED, reason=reason, event_id=event_id)
    work.session.flush()


def _locked(work: UnitOfWork, disposal_id: UUID) -> tuple[Disposal, list[Thing]]:
    """An act and what it is about. The case is locked first, as holds lock it, so that one waits for the other."""
    registry.lock_case(work, retention.get(work.session, disposal_id).case_id)
    disposal = retention.locked(work, disposal_id)
    return disposal, disposable.locked(work, disposal.exhibits, disposal.rounds)


def obstacle(session: Session, disposal: Disposal, now: datetime) -> tuple[str, dict[str, str | int | None]] | None:
    """The code, with its parameters, of what speaks against an open act now; None when it may go on."""
    if disposal.state not in model.OPEN:
        return None
    try:
        _check(session, disposal, disposable.seen(session, disposal.exhibits, disposal.rounds), now)
    except DalelError as refusal:
        # Carried out in this moment: the keys are gone, the objects go.
        gone = refusal.code in ("exhibit.destroyed", "disclosure.destroyed")
        return None if gone else (refusal.code, refusal.params)
    return None


def _check(session: Session, disposal: Disposal, things: Sequence[Thing], now: datetime) -> None:
    """Whatever speaks against destroying now, asked again at each signature and before the keys go."""
    for thing in things:
        thing.check_over(session, now)
        thing.check_idle(session)
    told = canonical.decode(disposal.body.encode())
    head = {name: told[name] for name in ("disposal", "number", "case", "erdr")}
    if _act(session, head, things) != disposal.body.encode():
        raise Conflict("disposal.changed")


def _act(session: Session, head: dict[str, Any], things: Sequence[Thing]) -> bytes:
    """The act's canonical bytes: what is destroyed, down to every stored object. The same facts give the same bytes."""
    exhibits = [one.told(session) for one in things if isinstance(one, OfExhibit)]
    packages = [one.told(session) for one in things if isinstance(one, OfPackage)]
    act = {"v": 1, "type": "dalel-disposal-act", **head, "ground": TERM_OVER, "exhibits": exhibits}
    return canonical.encode(act | ({"packages": packages} if packages else {}))


def carry_on(services: Services) -> int:
    """Ask again for acts that were approved and not carried out, and for objects whose lock has ended since.

    For the beat; returns how many.
    """
    with services.database.begin(WORKER) as work:
        waiting = [
            disposal_id
            for disposal_id in retention.unfinished(work.session, work.clock.now())
            if not _under_way(work.session, disposal_id)
        ]
        for disposal_id in waiting:
            work.enqueue(DESTROY, subject=f"disposal:{disposal_id}", disposal=disposal_id)
        work.commit()
    return len(waiting)


def _under_way(session: Session, disposal_id: UUID) -> bool:
    job = jobs.latest(session, f"disposal:{disposal_id}")
    return job is not None and job.state in ("queued", "running")


class DestroyExhibits:
    """Job `disposal.destroy`: first the keys and the words, all exhibits in one commit; then the objects, one by one;
    then what came of it. Killed anywhere and run again it ends the same: what is gone is gone.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises Conflict for what speaks against it, as `sign`; Unavailable `disposal.waits` while a job is busy."""
        disposal_id = job.facts.uuid("disposal")
        job.step("begun")
        self._destroy_keys(disposal_id)
        job.step("keys destroyed")
        with self._services.database.read() as session:
            disposal = retention.get(session, disposal_id)
            things = disposable.seen(session, disposal.exhibits, disposal.rounds)
            found = {one.id: one.facts(session) for one in things}
        before = {one.thing_id: one for one in (*disposal.items, *disposal.packages)}
        outcomes = [self._remove(before[one.id], found[one.id]) for one in things]
        job.step("objects removed")
        with job.conclude() as work:
            _locked(work, disposal_id)
            for thing, after in zip(things, outcomes, strict=True):
                if after != before[thing.id]:
                    event_id = work.record(_done(disposal, thing, before[thing.id], after))
                    retention.record_outcome(work, disposal_id, after, event_id)

    def _destroy_keys(self, disposal_id: UUID) -> None:
        """Only under an approved act; once done, again does nothing."""
        with self._services.database.begin(WORKER) as work:
            disposal, things = _locked(work, disposal_id)
            standing = [one for one in things if one.destroyed_at is None]
            if not standing:
                return
            if disposal.state is not State.APPROVED:
                raise Conflict("disposal.wrong_state", state=disposal.state)
            try:
                _check(work.session, disposal, things, work.clock.now())
            except Conflict as refusal:
                if refusal.code == "disposal.busy":
                    raise Unavailable("disposal.waits") from refusal
                raise
            for thing in standing:
                disposable.destroy(work, disposal, thing)
            work.commit()

    def _remove(self, item: Item, facts: Sequence[BlobFacts]) -> Item:
        locked = [one for blob in facts for one in storage.remove(self._services.store, blob)]
        ends = [one.until for one in locked if one.until is not None]
        return Item(
            thing_id=item.thing_id,
            keys_destroyed=len(facts),
            objects_removed=len(facts) - len({one.key for one in locked}),
            locked=tuple(
                {
                    "object": f"{one.bucket}/{one.key}",
                    "version": one.version_id,
                    "until_ms": to_ms(one.until) if one.until else None,
                }
                for one in locked
            ),
            free_at=min(ends) if ends else None,
        )

    def fail(self, job: Job, code: str) -> None:
        """An act that may not be carried out is at its end. One whose keys are gone is carried on later."""
        with job.conclude("failed", code) as work:
            disposal, things = _locked(work, job.facts.uuid("disposal"))
            if disposal.state is State.APPROVED and all(one.destroyed_at is None for one in things):
                _end(work, disposal, things, code)


def _done(disposal: Disposal, thing: Thing, before: Item, after: Item) -> EventDraft:
    """What this run did: a later one that removes what was locked destroys no key again."""
    removed = (after.objects_removed or 0) - (before.objects_removed or 0)
    keys = (after.keys_destroyed or 0) - (before.keys_destroyed or 0)
    return thing.draft(
        "disposal.done",
        disposal=disposal.id,
        act_sha256=disposal.act_sha256,
        sha256=thing.sha256,
        keys_destroyed=keys,
        objects_removed=removed,
        objects_locked=len(after.locked) or None,
    )
