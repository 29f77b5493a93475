"""Destruction (R22): the end of a term proposes an act, two prosecutors sign it, a worker destroys keys, then objects.

Nothing is destroyed by a clock. A hold or a longer term stops an act whoever signed it; what was destroyed keeps its
row, its digests, its number and its whole chain.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, DalelError, Invalid, Unavailable
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from custody.proof import canonical
from evidence_api import jobs
from evidence_api.jobs import WORKER, Job
from evidence_api.registry import reads
from evidence_api.registry import service as registry
from evidence_api.registry.facts import Exhibit
from evidence_api.retention import blobs, model
from evidence_api.retention import service as retention
from evidence_api.retention.model import MAX_EXHIBITS, TERM_OVER, State
from evidence_api.retention.service import Disposal, Item
from evidence_api.services import Services
from redaction import queries as plans
from redaction import service as redaction
from storage import disposal as storage
from storage import findings
from storage import service as stored
from storage.blob import BlobFacts
from transcription import service as transcripts

DESTROY = "disposal.destroy"
PATIENCE = timedelta(days=90)
"""How long after a prosecutor's no an exhibit is not proposed again."""

_WORK_ON = """
    SELECT EXISTS (
        SELECT FROM jobs WHERE state IN ('queued', 'running') AND task <> 'disposal.destroy'
            AND (args ->> 'exhibit' = :exhibit OR subject = 'exhibit:' || :exhibit)
    ) OR EXISTS (
        SELECT FROM disclosures WHERE state = 'releasing' AND renditions ?| CAST(:renditions AS text[])
    )
"""


def propose(services: Services, actor: Actor, case_id: UUID, exhibit_ids: Sequence[UUID]) -> Disposal:
    """Propose to destroy exhibits of a case whose term is over; nothing happens before two people signed.

    Raises Invalid `disposal.empty`, `disposal.too_many`, `disposal.foreign_exhibit`; Conflict `disposal.term_stands`,
    `disposal.held`, `disposal.in_an_act`, `exhibit.not_sealed`; Gone `exhibit.destroyed`.
    """
    wanted = list(dict.fromkeys(exhibit_ids))
    if not wanted:
        raise Invalid("disposal.empty")
    if len(wanted) > MAX_EXHIBITS:
        raise Invalid("disposal.too_many", most=MAX_EXHIBITS)
    with services.database.begin(actor) as work:
        case = registry.lock_case(work, case_id)
        exhibits = sorted((registry.lock_exhibit(work, one) for one in wanted), key=lambda one: one.number)
        for exhibit in exhibits:
            if exhibit.case_id != case_id:
                raise Invalid("disposal.foreign_exhibit")
            _check_over(exhibit, work.clock.now())
            if retention.open_act(work.session, exhibit.id) is not None:
                raise Conflict("disposal.in_an_act", number=exhibit.number)
        disposal_id, number = work.ids.new(), retention.next_number(work.session, case_id)
        head = {"disposal": str(disposal_id), "number": number, "case": str(case_id), "erdr": case.erdr}
        body = _act(work.session, head, exhibits)
        sha256 = model.digest(body)
        proposed = [
            _draft("disposal.proposed", one, disposal=disposal_id, act_sha256=sha256, ground=TERM_OVER)
            for one in exhibits
        ]
        events = dict(zip((one.id for one in exhibits), work.record_all(proposed), strict=True))
        retention.propose(
            work,
            disposal_id,
            case_id=case_id,
            number=number,
            ground=TERM_OVER,
            body=body.decode(),
            act_sha256=sha256,
            events=events,
        )
        made = retention.get(work.session, disposal_id)
        work.commit()
    return made


def propose_due(services: Services) -> int:
    """One act per case for what has come to the end of its term; returns how many acts. For the beat."""
    now = services.database.clock.now()
    with services.database.read() as session:
        due = retention.due(session, now, now - PATIENCE, MAX_EXHIBITS)
    made = 0
    for case_id, exhibit_ids in due.items():
        try:
            propose(services, WORKER, case_id, exhibit_ids)
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

    def act(work: UnitOfWork, disposal: Disposal, exhibits: Sequence[Exhibit]) -> None:
        signed = [_draft("disposal.signed", one, disposal=disposal_id, act_sha256=act_sha256) for one in exhibits]
        retention.sign(work, disposal_id, work.record_all(signed)[0])

    return _signature(services, actor, disposal_id, act_sha256, act)


def approve(services: Services, actor: Actor, disposal_id: UUID, act_sha256: str) -> Disposal:
    """The second signature, another person's; destruction begins. Raises Denied `disposal.self_approval`, as `sign`."""

    def act(work: UnitOfWork, disposal: Disposal, exhibits: Sequence[Exhibit]) -> None:
        by = {"disposal": disposal_id, "act_sha256": act_sha256, "signed_by": disposal.signed_by}
        if disposal.state is not State.SIGNED:
            raise Conflict("disposal.wrong_state", state=disposal.state)
        approved = [_draft("disposal.approved", one, **by) for one in exhibits]
        retention.approve(work, disposal_id, work.record_all(approved)[0])
        work.enqueue(DESTROY, subject=f"disposal:{disposal_id}", disposal=disposal_id)

    return _signature(services, actor, disposal_id, act_sha256, act)


def _signature(
    services: Services,
    actor: Actor,
    disposal_id: UUID,
    act_sha256: str,
    act: Callable[[UnitOfWork, Disposal, Sequence[Exhibit]], None],
) -> Disposal:
    with services.database.begin(actor) as work:
        disposal, exhibits = _locked(work, disposal_id)
        if act_sha256 != disposal.act_sha256:
            raise Conflict("disposal.other_act")
        if disposal.state in (State.PROPOSED, State.SIGNED):
            _check(work.session, disposal, exhibits, work.clock.now())
        act(work, disposal, exhibits)
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
        disposal, exhibits = _locked(work, disposal_id)
        if disposal.state not in (State.PROPOSED, State.SIGNED):
            raise Conflict("disposal.wrong_state", state=disposal.state)
        _end(work, disposal, exhibits, why)
        done = retention.get(work.session, disposal_id)
        work.commit()
    return done


def _end(work: UnitOfWork, disposal: Disposal, exhibits: Sequence[Exhibit], reason: str) -> None:
    rejected = [_draft("disposal.rejected", one, disposal=disposal.id, reason=reason) for one in exhibits]
    event_id = work.record_all(rejected)[0]
    retention.end(work, disposal.id, state=State.REJECTED, reason=reason, event_id=event_id)
    work.session.flush()


def _locked(work: UnitOfWork, disposal_id: UUID) -> tuple[Disposal, list[Exhibit]]:
    """An act and its exhibits. The case is locked first, as holds lock it, so that one waits for the other."""
    registry.lock_case(work, retention.get(work.session, disposal_id).case_id)
    disposal = retention.locked(work, disposal_id)
    return disposal, [registry.lock_exhibit(work, one) for one in disposal.exhibits]


def obstacle(session: Session, disposal: Disposal, now: datetime) -> tuple[str, dict[str, str | int | None]] | None:
    """The code, with its parameters, of what speaks against an open act now; None when it may go on."""
    if disposal.state not in model.OPEN:
        return None
    try:
        _check(session, disposal, [reads.get_exhibit(session, one) for one in disposal.exhibits], now)
    except DalelError as refusal:
        # Carried out in this moment: the keys are gone, the objects go.
        return None if refusal.code == "exhibit.destroyed" else (refusal.code, refusal.params)
    return None


def _check(session: Session, disposal: Disposal, exhibits: Sequence[Exhibit], now: datetime) -> None:
    """Whatever speaks against destroying now, asked again at each signature and before the keys go."""
    for exhibit in exhibits:
        _check_over(exhibit, now)
        if _work_on(session, exhibit.id):
            raise Conflict("disposal.busy", number=exhibit.number)
    told = canonical.decode(disposal.body.encode())
    head = {name: told[name] for name in ("disposal", "number", "case", "erdr")}
    if _act(session, head, exhibits) != disposal.body.encode():
        raise Conflict("disposal.changed")


def _check_over(exhibit: Exhibit, now: datetime) -> None:
    exhibit.check_content()
    if exhibit.held:
        raise Conflict("disposal.held", number=exhibit.number)
    if exhibit.retain_until is None or exhibit.retain_until > now:
        until = exhibit.retain_until.astimezone(UTC).date().isoformat() if exhibit.retain_until else None
        raise Conflict("disposal.term_stands", number=exhibit.number, until=until)


def _work_on(session: Session, exhibit_id: UUID) -> bool:
    """Whether a job is under way that reads the exhibit or makes something of it, or a package that holds a part."""
    renditions = [str(one.id) for one in plans.renditions_of_exhibits(session, [exhibit_id])]
    values: dict[str, Any] = {"exhibit": str(exhibit_id), "renditions": renditions}
    return bool(session.execute(text(_WORK_ON), values).scalar_one())


def _act(session: Session, head: dict[str, Any], exhibits: Sequence[Exhibit]) -> bytes:
    """The act's canonical bytes: what is destroyed, down to every stored object. The same facts give the same bytes."""
    told = [
        {
            "exhibit": str(one.id),
            "number": one.number,
            "filename": one.filename,
            "sha256": one.sha256,
            "size_bytes": one.size_bytes,
            "basis": one.basis,
            "purpose": one.purpose,
            "category": one.category,
            "rule_version": one.rule_version,
            "registered_ms": to_ms(one.registered_at),
            "retain_until_ms": to_ms(one.retain_until) if one.retain_until else None,
            "objects": [
                {"blob": str(blob.blob_id), "sha256": blob.sha256, "ciphertext_sha256": blob.ciphertext_sha256}
                for blob in _facts(session, one.id)
            ],
        }
        for one in exhibits
    ]
    act = {"v": 1, "type": "dalel-disposal-act", **head, "ground": TERM_OVER, "exhibits": told}
    return canonical.encode(act)


def _facts(session: Session, exhibit_id: UUID) -> list[BlobFacts]:
    return [stored.blob_facts(session, blob_id) for blob_id in blobs.of_exhibit(session, exhibit_id)]


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
            found = {one: _facts(session, one) for one in disposal.exhibits}
        outcomes = [self._remove(item, found[item.exhibit_id]) for item in disposal.items]
        job.step("objects removed")
        with job.conclude() as work:
            _, exhibits = _locked(work, disposal_id)
            numbered = {one.id: one for one in exhibits}
            for before, after in zip(disposal.items, outcomes, strict=True):
                if after != before:
                    event_id = work.record(_done(disposal, numbered[after.exhibit_id], before, after))
                    retention.record_outcome(work, disposal_id, after, event_id)

    def _destroy_keys(self, disposal_id: UUID) -> None:
        """Only under an approved act; once done, again does nothing."""
        with self._services.database.begin(WORKER) as work:
            disposal, exhibits = _locked(work, disposal_id)
            standing = [one for one in exhibits if one.destroyed_at is None]
            if not standing:
                return
            if disposal.state is not State.APPROVED:
                raise Conflict("disposal.wrong_state", state=disposal.state)
            try:
                _check(work.session, disposal, exhibits, work.clock.now())
            except Conflict as refusal:
                if refusal.code == "disposal.busy":
                    raise Unavailable("disposal.waits") from refusal
                raise
            for exhibit in standing:
                _destroy(work, disposal, exhibit)
            work.commit()

    def _remove(self, item: Item, facts: Sequence[BlobFacts]) -> Item:
        locked = [one for blob in facts for one in storage.remove(self._services.store, blob)]
        ends = [one.until for one in locked if one.until is not None]
        return Item(
            exhibit_id=item.exhibit_id,
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
            disposal, exhibits = _locked(work, job.facts.uuid("disposal"))
            if disposal.state is State.APPROVED and all(one.destroyed_at is None for one in exhibits):
                _end(work, disposal, exhibits, code)


def _destroy(work: UnitOfWork, disposal: Disposal, exhibit: Exhibit) -> None:
    """Keys, words and claims of one exhibit; its row becomes the tombstone. The last event is that of the original."""
    facts = sorted(_facts(work.session, exhibit.id), key=lambda one: one.blob_id == exhibit.blob_id)
    gone = [_draft("key.destroyed", exhibit, key=one.blob_id, purpose="data") for one in facts]
    events = work.record_all(gone)
    registry.destroy_exhibit(work, exhibit.id, disposal_id=disposal.id, number=disposal.number, event_id=events[-1])
    work.session.flush()
    for blob, event_id in zip(facts, events, strict=True):
        storage.destroy_key(work, blob.blob_id, event_id)
    transcripts.erase(work, exhibit.id, events[-1])
    redaction.erase(work, exhibit.id, events[-1])
    findings.erase(work, exhibit.id, events[-1])
    storage.record_protection(work, [one.blob_id for one in facts], held=False)


def _done(disposal: Disposal, exhibit: Exhibit, before: Item, after: Item) -> EventDraft:
    """What this run did: a later one that removes what was locked destroys no key again."""
    removed = (after.objects_removed or 0) - (before.objects_removed or 0)
    keys = (after.keys_destroyed or 0) - (before.keys_destroyed or 0)
    return _draft(
        "disposal.done",
        exhibit,
        disposal=disposal.id,
        act_sha256=disposal.act_sha256,
        sha256=exhibit.sha256,
        keys_destroyed=keys,
        objects_removed=removed,
        objects_locked=len(after.locked) or None,
    )


def _draft(type: str, exhibit: Exhibit, **data: Any) -> EventDraft:
    return event.draft(
        type,
        item=f"exhibit:{exhibit.id}",
        case_id=exhibit.case_id,
        personal=None,
        **{"exhibit": exhibit.id, **data},
    )
