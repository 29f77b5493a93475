"""Plans: the machine suggests, a person decides each suggestion on a ground, a second person approves (R27)."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, Denied
from custody.kernel.outbox import Actor
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from evidence_api.use_cases.transcribing import SPOKEN, draft
from redaction import queries as plans
from redaction import service as redaction
from redaction.model import Suggestion
from redaction.plan import Addition, Decision, decisions_sha256
from redaction.queries import PlanView, RenditionView
from transcription import service as transcripts

SUGGEST, BURN = "plan.suggest", "rendition.burn"
SOUND, PDF, PICTURE = "sound", "pdf", "picture"
PSEUDONYM_LANGUAGE = "ru"


def material(media_type: str | None) -> str:
    """What an original is to redaction: sound, pdf or picture. Raises Conflict `plan.unsupported_type`."""
    kind = media_type or ""
    if kind.startswith(SPOKEN):
        return SOUND
    if kind == "application/pdf":
        return PDF
    if kind.startswith("image/"):
        return PICTURE
    raise Conflict("plan.unsupported_type", media_type=media_type)


def request(services: Services, actor: Actor, exhibit_id: UUID) -> UUID:
    """Ask for suggestions; returns the id of the plan they will be in.

    Raises Gone `exhibit.destroyed`, Conflict `exhibit.not_sealed`, `plan.unsupported_type`, and
    `plan.transcript_unconfirmed` for a recording whose words nobody stands behind yet.
    """
    with services.database.begin(actor) as work:
        exhibit = reads.get_exhibit(work.session, exhibit_id)
        exhibit.check_content()
        if material(exhibit.media_type) == SOUND and transcripts.confirmed(work.session, exhibit_id) is None:
            raise Conflict("plan.transcript_unconfirmed")
        plan_id = work.ids.new()
        work.record(draft("plan.requested", exhibit, plan=plan_id))
        work.enqueue(SUGGEST, subject=f"plan:{plan_id}", plan=plan_id, exhibit=exhibit_id)
        work.commit()
    return plan_id


def decide(
    services: Services,
    actor: Actor,
    plan_id: UUID,
    *,
    version: int,
    decisions: Sequence[Decision],
    additions: Sequence[Addition] = (),
) -> PlanView:
    """One person's decisions, all or none. An accepted name gets its person's pseudonym unless one was given (U7).

    Raises what `redaction.service.decide` raises.
    """
    with services.database.begin(actor) as work:
        exhibit = _exhibit_of(work.session, plan_id)
        accepted = sum(decision.accept for decision in decisions)
        event_id = work.record(
            draft(
                "plan.decided",
                exhibit,
                plan=plan_id,
                decisions_sha256=decisions_sha256(decisions, additions),
                accepted=accepted,
                rejected=len(decisions) - accepted,
                added=len(additions),
            )
        )
        named = _names(decisions, plans.suggestions_of(work.session, plan_id))
        pseudonyms = redaction.assign_pseudonyms(
            work, exhibit.case_id, named.values(), language=PSEUDONYM_LANGUAGE, event_id=event_id
        )
        labelled = [
            replace(one, replacement=pseudonyms[named[one.suggestion]]) if one.suggestion in named else one
            for one in decisions
        ]
        view = redaction.decide(
            work,
            plan_id,
            version=version,
            decisions=labelled,
            additions=additions,
            by=_person(actor),
            event_id=event_id,
        )
        work.commit()
    return view


def submit(services: Services, actor: Actor, plan_id: UUID, *, version: int) -> PlanView:
    """Put the plan before a second person. Raises what `redaction.service.submit` raises."""
    with services.database.begin(actor) as work:
        exhibit = _exhibit_of(work.session, plan_id)
        plan = plans.preview(work.session, plan_id)
        event_id = work.record(draft("plan.submitted", exhibit, plan=plan_id, plan_sha256=plan.sha256))
        view, submitted = redaction.submit(work, plan_id, version=version, by=_person(actor), event_id=event_id)
        if submitted.sha256 != plan.sha256:
            raise Conflict("plan.stale", version=view.version)
        work.commit()
    return view


def send_back(services: Services, actor: Actor, plan_id: UUID, *, version: int, reason: str) -> PlanView:
    """Return a submitted plan with words for its author; the words stay out of the ledger (law 10).

    Raises what `redaction.service.return_plan` raises.
    """
    with services.database.begin(actor) as work:
        exhibit = _exhibit_of(work.session, plan_id)
        event_id = work.record(draft("plan.returned", exhibit, plan=plan_id, reason="returned"))
        view = redaction.return_plan(
            work, plan_id, version=version, by=_person(actor), reason=reason, event_id=event_id
        )
        work.commit()
    return view


def approve(services: Services, actor: Actor, plan_id: UUID, *, version: int) -> PlanView:
    """A second person's yes; the renditions are burned from here on without further asking.

    Raises Denied `plan.self_approval`, Conflict `plan.not_submitted`, `plan.stale`.
    """
    with services.database.begin(actor) as work:
        exhibit = _exhibit_of(work.session, plan_id)
        exhibit.check_content()
        before = plans.get_plan(work.session, plan_id)
        if before.plan_sha256 is None or before.submitted_by is None:
            raise Conflict("plan.not_submitted", state=before.state)
        approved = draft(
            "plan.approved",
            exhibit,
            plan=plan_id,
            plan_sha256=before.plan_sha256,
            submitted_by=before.submitted_by,
        )
        view = redaction.approve(work, plan_id, version=version, by=_person(actor), event_id=work.record(approved))
        kind = material(exhibit.media_type)
        for burn in ("transcript", SOUND) if kind == SOUND else (kind,):
            work.enqueue(BURN, subject=f"plan:{plan_id}", plan=plan_id, exhibit=exhibit.id, burn=burn)
        work.commit()
    return view


def plan(services: Services, plan_id: UUID) -> tuple[PlanView, list[Suggestion]]:
    """A plan and its suggestions. Raises NotFound `plan.not_found`."""
    with services.database.read() as session:
        return plans.get_plan(session, plan_id), plans.suggestions_of(session, plan_id)


def plans_of(services: Services, exhibit_id: UUID) -> list[PlanView]:
    """Every plan of an exhibit, the newest first."""
    with services.database.read() as session:
        return plans.plans_of_exhibit(session, exhibit_id)


def renditions_of(services: Services, exhibit_id: UUID) -> list[RenditionView]:
    """Every rendition of an exhibit."""
    with services.database.read() as session:
        return plans.renditions_of_exhibits(session, [exhibit_id])


def rendition(services: Services, rendition_id: UUID) -> RenditionView:
    """One rendition. Raises NotFound `rendition.not_found`."""
    with services.database.read() as session:
        return plans.get_rendition(session, rendition_id)


def _names(decisions: Sequence[Decision], suggestions: Sequence[Suggestion]) -> dict[UUID, str]:
    """The accepted names that were given no replacement, by suggestion."""
    texts = {one.id: one.text for one in suggestions if one.entity == "PERSON" and one.text}
    return {
        one.suggestion: texts[one.suggestion]
        for one in decisions
        if one.accept and one.replacement is None and one.suggestion in texts
    }


def _exhibit_of(session: Session, plan_id: UUID) -> Exhibit:
    return reads.get_exhibit(session, plans.get_plan(session, plan_id).exhibit_id)


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise Denied("actor.person_needed")
    return actor.id
