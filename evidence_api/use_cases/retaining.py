"""Keeping: the rules of terms, longer terms, holds, and the job that makes the store follow them (R8)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, Invalid
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.disclosure import service as disclosures
from evidence_api.jobs import WORKER, Job
from evidence_api.registry import holds, reads
from evidence_api.registry import service as registry
from evidence_api.registry.facts import Exhibit, Hold
from evidence_api.registry.model import TEXT_CHARACTERS, ExhibitForm, parse_text
from evidence_api.retention import blobs, model
from evidence_api.retention import service as retention
from evidence_api.retention.model import INDIVIDUAL, Rule, RuleSet, State
from evidence_api.services import Services
from storage import disposal as storage
from storage import service as stored
from storage.retention import MAX_RETAIN_DAYS, whole_seconds

PROTECT = "exhibit.protect"
SETTING = "retention_rules"
_AT_ONCE = 500
"""Jobs that one look of the chore asks for: the others come at the next."""


# rules


def set_rules(services: Services, actor: Actor, rules: tuple[Rule, ...]) -> RuleSet:
    """Make these the rules in force from now on, as a new version. Exhibits keep the version they were put under.

    Raises Conflict `rules.unchanged`.
    """
    with services.database.begin(actor) as work:
        version = retention.next_version(work)
        if version > 1 and retention.current_rules(work.session).rules == rules:
            raise Conflict("rules.unchanged")
        made = RuleSet(version, rules)
        changed = event.draft("config.changed", item="system", setting=f"{SETTING}/{version}", sha256=made.sha256)
        retention.keep_rules(work, made, work.record(changed))
        work.commit()
    return made


def deliver_rules(services: Services, actor: Actor) -> None:
    """Set the delivered rules where there are none yet. Safe to run again."""
    with services.database.read() as session:
        if retention.all_rules(session):
            return
    set_rules(services, actor, model.delivered().rules)


# terms


def under_rule(services: Services, form: ExhibitForm) -> ExhibitForm:
    """A new exhibit's form with the term and the version of its category's rule; without a category as it is.

    Raises Invalid `retention.unknown_category`, `retention.below_minimum`, Conflict `retention.not_extendable`.
    """
    return ruled(form, current_rules(services)) if form.category else form


def current_rules(services: Services) -> RuleSet:
    """The rules as they stand now."""
    with services.database.read() as session:
        return retention.current_rules(session)


def ruled(form: ExhibitForm, rules: RuleSet) -> ExhibitForm:
    """As `under_rule`, under these rules, of a form that names a category."""
    return replace(form, retain_days=rules.rule(form.category).days(form.retain_days), rule_version=rules.version)


def categorize(services: Services, actor: Actor, exhibit_id: UUID, category: str) -> Exhibit:
    """Put a sealed exhibit under the rule of a category as it stands now. A term that is longer already stays.

    Raises Conflict `exhibit.not_sealed`, Gone `exhibit.destroyed`, Invalid `retention.unknown_category`.
    """
    with services.database.begin(actor) as work:
        rules = retention.current_rules(work.session)
        exhibit = _categorize(work, registry.lock_exhibit(work, exhibit_id), rules, rules.rule(category))
        work.commit()
    return exhibit


def categorize_case(services: Services, actor: Actor, case_id: UUID, category: str) -> int:
    """Put every sealed exhibit of a case under a category; returns how many. Raises as `categorize`."""
    with services.database.begin(actor) as work:
        registry.lock_case(work, case_id)
        rules = retention.current_rules(work.session)
        rule = rules.rule(category)
        kept = [one for one in reads.sealed_exhibits(work.session, case_id) if one.destroyed_at is None]
        for exhibit in kept:
            _categorize(work, registry.lock_exhibit(work, exhibit.id), rules, rule)
        work.commit()
    return len(kept)


def _categorize(work: UnitOfWork, exhibit: Exhibit, rules: RuleSet, rule: Rule) -> Exhibit:
    end = whole_seconds(exhibit.registered_at + timedelta(days=rule.term_days))
    return _retain(work, exhibit, max(end, _end(exhibit)), rule.code, rules.version)


def extend(services: Services, actor: Actor, exhibit_id: UUID, until: datetime) -> Exhibit:
    """Keep an exhibit for longer. The store's lock follows by a job.

    Raises Conflict `retention.shorter`, `retention.not_extendable` where its rule says so, Invalid
    `retention.bad_until` beyond a hundred years, and as `categorize`.
    """
    with services.database.begin(actor) as work:
        exhibit = registry.lock_exhibit(work, exhibit_id)
        if until.tzinfo is None or until > work.clock.now() + timedelta(days=MAX_RETAIN_DAYS):
            raise Invalid("retention.bad_until")
        if whole_seconds(until) <= _end(exhibit):
            raise Conflict("retention.shorter")
        if exhibit.category and exhibit.rule_version:
            rule = retention.rules(work.session, exhibit.rule_version).rules.rule(exhibit.category)
            if not rule.extendable:
                raise Conflict("retention.not_extendable")
        exhibit = _retain(work, exhibit, whole_seconds(until), exhibit.category, exhibit.rule_version)
        work.commit()
    return exhibit


def _end(exhibit: Exhibit) -> datetime:
    exhibit.check_content()
    if exhibit.retain_until is None:
        raise Conflict("exhibit.not_sealed")
    return exhibit.retain_until


def _retain(work: UnitOfWork, exhibit: Exhibit, until: datetime, category: str | None, version: int | None) -> Exhibit:
    event_id = work.record(_retained(exhibit, until, category, version))
    longer = until > _end(exhibit)
    kept = registry.retain_exhibit(
        work, exhibit.id, category=category, rule_version=version, until=until, event_id=event_id
    )
    if longer:
        _stop_acts(work, [exhibit.id], "retention.extended", event_id)
        _ask(work, [exhibit.id])
    return kept


def _retained(exhibit: Exhibit, until: datetime, category: str | None, version: int | None) -> Any:
    return event.draft(
        "exhibit.retained",
        item=f"exhibit:{exhibit.id}",
        case_id=exhibit.case_id,
        exhibit=exhibit.id,
        retain_until_ms=to_ms(until),
        rule=category or INDIVIDUAL,
        rule_version=version or 0,
    )


# holds


def hold_exhibit(services: Services, actor: Actor, exhibit_id: UUID, *, ground: str, note: str) -> Hold:
    """Let nothing of an exhibit be destroyed. Acts that are open over it are stopped for good.

    Raises Invalid `hold.bad_ground`, `text.invalid`, Conflict `exhibit.not_sealed`, Gone `exhibit.destroyed`.
    """
    why, words = model.parse_hold(ground), _note(note)
    with services.database.begin(actor) as work:
        case_id = reads.get_exhibit(work.session, exhibit_id).case_id
        registry.lock_case(work, case_id)
        registry.lock_exhibit(work, exhibit_id).check_content()
        hold_id = work.ids.new()
        held = event.draft(
            "exhibit.held",
            item=f"exhibit:{exhibit_id}",
            case_id=case_id,
            exhibit=exhibit_id,
            hold=hold_id,
            ground=why.value,
        )
        event_id = work.record(held)
        hold = holds.place(
            work, hold_id, case_id=case_id, exhibit_id=exhibit_id, ground=why, note=words, event_id=event_id
        )
        _stop_acts(work, [exhibit_id], "disposal.held", event_id)
        _stop_packages(work, case_id, exhibit_id, event_id)
        _ask(work, [exhibit_id])
        work.commit()
    return hold


def hold_case(services: Services, actor: Actor, case_id: UUID, *, ground: str, note: str) -> Hold:
    """Let nothing of a case be destroyed, what will be sealed in it included. Raises as `hold_exhibit`."""
    why, words = model.parse_hold(ground), _note(note)
    with services.database.begin(actor) as work:
        registry.lock_case(work, case_id)
        hold_id = work.ids.new()
        held = event.draft("case.held", item=f"case:{case_id}", case_id=case_id, hold=hold_id, ground=why.value)
        event_id = work.record(held)
        hold = holds.place(work, hold_id, case_id=case_id, exhibit_id=None, ground=why, note=words, event_id=event_id)
        covered = _kept(work.session, case_id)
        _stop_acts(work, covered, "disposal.held", event_id)
        _stop_packages(work, case_id, None, event_id)
        _ask(work, covered)
        work.commit()
    return hold


def lift(services: Services, actor: Actor, hold_id: UUID, *, ground: str) -> Hold:
    """End one hold. Raises NotFound `hold.not_found`, Conflict `hold.lifted`, Invalid `hold.bad_ground`."""
    why = model.parse_lift(ground)
    with services.database.begin(actor) as work:
        hold = holds.get(work.session, hold_id)
        registry.lock_case(work, hold.case_id)
        if hold.exhibit_id is None:
            item = f"case:{hold.case_id}"
            lifted = event.draft("case.hold_lifted", item=item, case_id=hold.case_id, hold=hold_id, ground=why.value)
        else:
            lifted = event.draft(
                "exhibit.hold_lifted",
                item=f"exhibit:{hold.exhibit_id}",
                case_id=hold.case_id,
                exhibit=hold.exhibit_id,
                hold=hold_id,
                ground=why.value,
            )
        hold = holds.lift(work, hold_id, ground=why, event_id=work.record(lifted))
        _ask(work, [hold.exhibit_id] if hold.exhibit_id else _kept(work.session, hold.case_id))
        work.commit()
    return hold


def _note(text: str) -> str:
    """A line about the ground (number and date of a decision), or nothing. It stays out of the ledger (law 10)."""
    if len(text) > TEXT_CHARACTERS:
        raise Invalid("text.invalid", field="note", limit=TEXT_CHARACTERS)
    return parse_text(text, "note") if text.strip() else ""


def _kept(session: Session, case_id: UUID) -> list[UUID]:
    return [one.id for one in reads.sealed_exhibits(session, case_id) if one.destroyed_at is None]


def _stop_acts(work: UnitOfWork, exhibit_ids: Iterable[UUID], reason: str, event_id: UUID) -> None:
    """A hold or a longer term ends every act over these exhibits, under its own event: nobody signed for that."""
    for exhibit_id in exhibit_ids:
        act = retention.open_act(work.session, exhibit_id)
        if act is not None and act.state in model.OPEN:
            retention.end(work, act.id, state=State.STOPPED, reason=reason, event_id=event_id)
            work.session.flush()


def _stop_packages(work: UnitOfWork, case_id: UUID, exhibit_id: UUID | None, event_id: UUID) -> None:
    """A hold ends the acts over packages of the case, or over those that hold something of the exhibit."""
    for act in retention.of_case(work.session, case_id):
        rounds = [disclosures.get(work.session, one) for one in act.rounds] if act.state in model.OPEN else []
        if any(exhibit_id is None or exhibit_id in one.exhibits for one in rounds):
            retention.end(work, act.id, state=State.STOPPED, reason="disposal.held", event_id=event_id)
            work.session.flush()


# the store follows


def _ask(work: UnitOfWork, exhibit_ids: Iterable[UUID]) -> None:
    for exhibit_id in exhibit_ids:
        work.enqueue(PROTECT, subject=f"exhibit:{exhibit_id}", exhibit=exhibit_id)


def follow(services: Services) -> int:
    """Ask for the store to follow where it does not yet: what was stored while a hold stood. For the beat."""
    with services.database.begin(WORKER) as work:
        behind = blobs.behind(work.session, _AT_ONCE)
        _ask(work, behind)
        work.commit()
    return len(behind)


class ProtectExhibit:
    """Job `exhibit.protect`: every object of an exhibit is locked to the end of its term, and held or not, as the
    record says; read back from the store.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises Corrupt `store.not_locked`, `store.not_held`, Conflict `exhibit.not_sealed` where nothing is kept."""
        exhibit_id = job.facts.uuid("exhibit")
        with self._services.database.read() as session:
            exhibit = reads.get_exhibit(session, exhibit_id)
            facts = [stored.blob_facts(session, blob_id) for blob_id in blobs.of_exhibit(session, exhibit_id)]
        until = exhibit.retain_until
        if until is None or exhibit.destroyed_at is not None:
            raise Conflict("exhibit.not_sealed")
        job.step("read")
        for one in facts:
            storage.protect(self._services.store, one, until, held=exhibit.held)
        job.step("protected")
        with job.conclude() as work:
            stood = [one for one in facts if storage.still_there(work, one)]
            if len(stood) < len(facts):
                _ask(work, [exhibit_id])  # some were moved to another store meanwhile, as they were before
            storage.record_protection(work, [one.blob_id for one in stood], held=exhibit.held)
            if lengthened := [one for one in stood if one.retain_until < until]:
                event_id = work.record(_retained(exhibit, until, exhibit.category, exhibit.rule_version))
                for one in lengthened:
                    storage.lengthen(work, one.blob_id, until, event_id)

    def fail(self, job: Job, code: str) -> None:
        """The record stands, the store does not follow it; the job's row, which the pages read, says why."""
        with job.conclude("failed", code):
            pass
