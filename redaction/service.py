"""Changes of plans and renditions. Each takes the unit of work first, neither commits nor records events: the use case
records the event and hands over its id, which every changed row then carries (law 1).

A change names the `version` of the plan it was made on; a plan changed meanwhile refuses with Conflict `plan.stale`.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select

from custody.kernel.errors import Conflict, Invalid, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from redaction import pseudonyms
from redaction.burn.facts import BurnFacts
from redaction.leak.report import LeakReport
from redaction.model import Proposal, region_to_json
from redaction.plan import Addition, Decision, Plan, check_approval, check_decision, check_open
from redaction.queries import PlanView, RenditionView, persons_of, plan_view, preview, rendition_view
from redaction.reasons import REASONS, Reasons
from redaction.tables import PersonRow, PlanRow, RenditionRow, SuggestionRow


def create_plan(
    work: UnitOfWork,
    *,
    plan_id: UUID,
    exhibit_id: UUID,
    case_id: UUID,
    source_sha256: str,
    text_sha256: str | None,
    rules: tuple[str, str],
    proposals: Sequence[Proposal],
    unread_pages: Sequence[int] = (),
    event_id: UUID,
) -> PlanView:
    """A drafted plan with its open suggestions. `rules` are the version and digest of the recognizers.

    Not guaranteed to be the only plan of the exhibit. The same `plan_id` a second time returns what is there.
    """
    there = work.session.get(PlanRow, plan_id)
    if there is not None:
        return plan_view(there)
    row = PlanRow(
        id=plan_id,
        exhibit_id=exhibit_id,
        case_id=case_id,
        source_sha256=source_sha256,
        text_sha256=text_sha256,
        rules_version=rules[0],
        rules_sha256=rules[1],
        unread_pages=list(unread_pages),
        state="drafted",
        version=1,
        created_at=work.clock.now(),
        event_id=event_id,
    )
    work.session.add(row)
    work.session.flush()
    _add_proposals(work, plan_id, proposals, 0, event_id)
    return plan_view(row)


def _add_proposals(
    work: UnitOfWork, plan_id: UUID, proposals: Iterable[Proposal], first: int, event_id: UUID
) -> list[UUID]:
    rows = [
        SuggestionRow(
            id=work.ids.new(),
            plan_id=plan_id,
            position=position,
            entity=one.entity,
            regions=[region_to_json(region) for region in one.regions],
            text=one.text,
            score_ppm=one.score_ppm,
            recognizer=one.recognizer,
            state="open",
            event_id=event_id,
        )
        for position, one in enumerate(proposals, first)
    ]
    work.session.add_all(rows)
    return [row.id for row in rows]


def _locked(work: UnitOfWork, plan_id: UUID, version: int) -> PlanRow:
    row = work.session.scalar(select(PlanRow).where(PlanRow.id == plan_id).with_for_update())
    if row is None:
        raise NotFound("plan.not_found")
    if row.version != version:
        raise Conflict("plan.stale", version=row.version)
    return row


def _next_position(work: UnitOfWork, plan_id: UUID) -> int:
    last = work.session.scalar(select(func.max(SuggestionRow.position)).where(SuggestionRow.plan_id == plan_id))
    return 0 if last is None else last + 1


def decide(
    work: UnitOfWork,
    plan_id: UUID,
    *,
    version: int,
    decisions: Sequence[Decision],
    additions: Sequence[Addition] = (),
    by: UUID,
    event_id: UUID,
    reasons: Reasons = REASONS,
) -> PlanView:
    """One person's decisions, all or none. A decision may be taken again while the plan is open.

    Raises Conflict `plan.stale`, `plan.closed`, `plan.no_reason`, Invalid `plan.unknown_reason`,
    `plan.bad_replacement`, `plan.bad_region`, NotFound `plan.suggestion_not_found`.
    """
    row = _locked(work, plan_id, version)
    check_open(row.state)
    now = work.clock.now()
    wanted = {one.suggestion: one for one in decisions}
    found = work.session.scalars(
        select(SuggestionRow).where(SuggestionRow.plan_id == plan_id, SuggestionRow.id.in_(wanted))
    ).all()
    if len(found) != len(wanted):
        raise NotFound("plan.suggestion_not_found")
    for suggestion in found:
        decision = wanted[suggestion.id]
        check_decision(decision, reasons)
        suggestion.state = "accepted" if decision.accept else "rejected"
        suggestion.reason = decision.reason if decision.accept else None
        suggestion.replacement = decision.replacement if decision.accept else None
        suggestion.decided_by = by
        suggestion.decided_at = now
        suggestion.event_id = event_id
    for position, addition in enumerate(additions, _next_position(work, plan_id)):
        check_decision(addition, reasons)
        work.session.add(
            SuggestionRow(
                id=work.ids.new(),
                plan_id=plan_id,
                position=position,
                entity=addition.entity,
                regions=[region_to_json(region) for region in addition.regions],
                text=addition.text,
                score_ppm=1_000_000,
                recognizer="person",
                state="accepted",
                reason=addition.reason,
                replacement=addition.replacement,
                decided_by=by,
                decided_at=now,
                event_id=event_id,
            )
        )
    _touch(row, event_id)
    work.session.flush()
    return plan_view(row)


def suggest_more(
    work: UnitOfWork, plan_id: UUID, *, version: int, proposals: Sequence[Proposal], event_id: UUID
) -> PlanView:
    """Further open suggestions, such as the other places of an accepted name.

    Raises Conflict `plan.closed`, `plan.stale`, NotFound `plan.not_found`.
    """
    row = _locked(work, plan_id, version)
    check_open(row.state)
    _add_proposals(work, plan_id, proposals, _next_position(work, plan_id), event_id)
    _touch(row, event_id)
    work.session.flush()
    return plan_view(row)


def _touch(row: PlanRow, event_id: UUID) -> None:
    row.version += 1
    row.event_id = event_id


def submit(work: UnitOfWork, plan_id: UUID, *, version: int, by: UUID, event_id: UUID) -> tuple[PlanView, Plan]:
    """Put a decided plan before a second person; its canonical bytes are fixed here.

    Raises Conflict `plan.undecided`, `plan.no_reason`, `plan.closed`, `plan.stale`. The event needs the digest before
    the call: it is that of `queries.preview` in the same unit of work, and a different one refuses as stale.
    """
    row = _locked(work, plan_id, version)
    check_open(row.state)
    plan = preview(work.session, plan_id)
    row.state = "submitted"
    row.submitted_by = by
    row.submitted_at = work.clock.now()
    row.body = plan.encode()
    row.plan_sha256 = plan.sha256
    _touch(row, event_id)
    work.session.flush()
    return plan_view(row), plan


def return_plan(work: UnitOfWork, plan_id: UUID, *, version: int, by: UUID, reason: str, event_id: UUID) -> PlanView:
    """Send a submitted plan back with a reason in words.

    Raises Conflict `plan.not_submitted`, `plan.stale`, Invalid `plan.no_words`.
    """
    row = _locked(work, plan_id, version)
    if row.state != "submitted":
        raise Conflict("plan.not_submitted", state=row.state)
    if not reason.strip():
        raise Invalid("plan.no_words")
    row.state = "returned"
    row.returned_by = by
    row.return_reason = reason.strip()
    row.body = None
    row.plan_sha256 = None
    _touch(row, event_id)
    work.session.flush()
    return plan_view(row)


def approve(work: UnitOfWork, plan_id: UUID, *, version: int, by: UUID, event_id: UUID) -> PlanView:
    """A second person's yes. From here on the plan never changes.

    Raises Denied `plan.self_approval` to the submitter and to anyone whose decision is in the plan, Conflict
    `plan.not_submitted`, `plan.stale`.
    """
    row = _locked(work, plan_id, version)
    deciders = work.session.scalars(
        select(SuggestionRow.decided_by).where(SuggestionRow.plan_id == plan_id).distinct()
    ).all()
    check_approval(row.state, by, row.submitted_by, {one for one in deciders if one is not None})
    row.state = "approved"
    row.approved_by = by
    row.approved_at = work.clock.now()
    _touch(row, event_id)
    work.session.flush()
    return plan_view(row)


def assign_pseudonyms(
    work: UnitOfWork, case_id: UUID, names: Iterable[str], *, language: str, event_id: UUID
) -> Mapping[str, str | None]:
    """The pseudonym for each accepted name, one person one number throughout the case; longest names first.

    None for a name that could be two persons: then a person chooses, or it is hidden without a pseudonym.
    """
    known = persons_of(work.session, case_id)
    given: dict[str, str | None] = {}
    for name in sorted(set(names), key=lambda one: (-len(pseudonyms.name_words(one)), one)):
        if not pseudonyms.name_words(name) or pseudonyms.is_ambiguous(name, known):
            given[name] = None
            continue
        person = pseudonyms.who(name, known)
        if person is None:
            person = pseudonyms.Person(max((one.number for one in known), default=0) + 1, (name,))
            known.append(person)
            work.session.add(
                PersonRow(case_id=case_id, number=person.number, names=list(person.names), event_id=event_id)
            )
        given[name] = pseudonyms.label(person.number, language)
    work.session.flush()
    return given


def record_rendition(
    work: UnitOfWork, plan_id: UUID, facts: BurnFacts, *, rendition_id: UUID, blob_id: UUID | None, event_id: UUID
) -> RenditionView:
    """A burned file of an approved plan; for a kind that was burned already it returns what is there (law 8).

    Raises Conflict `plan.not_approved`, NotFound `plan.not_found`.
    """
    plan = work.session.scalar(select(PlanRow).where(PlanRow.id == plan_id).with_for_update())
    if plan is None:
        raise NotFound("plan.not_found")
    if plan.state != "approved" or plan.plan_sha256 is None:
        raise Conflict("plan.not_approved")
    there = work.session.scalar(
        select(RenditionRow).where(RenditionRow.plan_id == plan_id, RenditionRow.kind == facts.kind)
    )
    if there is not None:
        return rendition_view(there)
    row = RenditionRow(
        id=rendition_id,
        plan_id=plan_id,
        exhibit_id=plan.exhibit_id,
        kind=facts.kind,
        blob_id=blob_id,
        sha256=facts.sha256,
        size_bytes=facts.size_bytes,
        source_sha256=facts.source_sha256,
        plan_sha256=plan.plan_sha256,
        tool=facts.tool,
        tool_version=facts.tool_version,
        parameters=dict(facts.parameters),
        burned_at=work.clock.now(),
        event_id=event_id,
    )
    work.session.add(row)
    work.session.flush()
    return rendition_view(row)


def record_leak(work: UnitOfWork, rendition_id: UUID, report: LeakReport, *, event_id: UUID) -> RenditionView:
    """The result of the leak check on a rendition. A second result is refused: burn a new rendition instead.

    Raises NotFound `rendition.not_found`, Conflict `rendition.already_checked`, Invalid `rendition.other_file`.
    """
    row = work.session.scalar(select(RenditionRow).where(RenditionRow.id == rendition_id).with_for_update())
    if row is None:
        raise NotFound("rendition.not_found")
    if row.leak_result is not None:
        raise Conflict("rendition.already_checked")
    if report.sha256_checked != row.sha256 or report.plan_sha256 != row.plan_sha256:
        raise Invalid("rendition.other_file")
    row.leak_result = report.result
    row.leak_sha256 = report.sha256
    row.leak_report = report.encode()
    row.checked_at = work.clock.now()
    row.event_id = event_id
    work.session.flush()
    return rendition_view(row)


def erase(work: UnitOfWork, exhibit_id: UUID, event_id: UUID) -> int:
    """The words that were found in a destroyed exhibit go with it; what was decided, and every digest, stays.

    Returns how many suggestions lost their text.
    """
    plans = select(PlanRow.id).where(PlanRow.exhibit_id == exhibit_id)
    rows = work.session.scalars(
        select(SuggestionRow).where(SuggestionRow.plan_id.in_(plans), SuggestionRow.text != "")
    ).all()
    for row in rows:
        row.text, row.event_id = "", event_id
    return len(rows)
