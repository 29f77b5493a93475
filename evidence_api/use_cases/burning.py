"""Jobs `plan.suggest` and `rendition.burn`: the machine's part of redaction. It suggests, burns, attacks; no more."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid5

from custody.kernel.errors import Conflict
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.jobs import Job
from evidence_api.queries.desks import spoken_words
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from evidence_api.use_cases import reading
from evidence_api.use_cases.drafting import spooled
from evidence_api.use_cases.redacting import PDF, PICTURE, SOUND, material
from evidence_api.use_cases.transcribing import draft
from redaction import queries as plans
from redaction import service as redaction
from redaction.burn.facts import BurnFacts
from redaction.burn.pdf import burn_pdf
from redaction.burn.picture import burn_picture
from redaction.burn.sound import burn_sound
from redaction.burn.transcript import burn_transcript
from redaction.leak.forbidden import Forbidden
from redaction.leak.pdf import attack_pdf
from redaction.leak.picture import attack_picture
from redaction.leak.report import LeakReport, rendition_name
from redaction.leak.sound import attack_sound
from redaction.leak.texts import attack_text, attack_transcript
from redaction.model import Proposal
from redaction.plan import Plan
from redaction.suggest.pages import suggest_pdf, suggest_picture
from redaction.suggest.spoken import suggest_words
from storage import service as storage
from storage.blob import BlobFacts
from storage.ports import RENDITIONS
from transcription import service as transcripts
from transcription.model import Transcript
from transcription.service import Reading

_SHORTEST_LOCK = timedelta(days=1)


class SuggestPlan:
    """What may have to be hidden, found in the confirmed words or on the pages, as a drafted plan."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises what the recognizers raise, Conflict `plan.transcript_unconfirmed`."""
        plan_id, exhibit_id = job.facts.uuid("plan"), job.facts.uuid("exhibit")
        suggester = self._services.suggester()
        with spooled(self._services, exhibit_id) as (exhibit, path):
            job.step("spooled")
            proposals, unread, text_sha256 = self._find(exhibit, path)
        job.step("suggested")
        with job.conclude() as work:
            suggested = draft(
                "plan.suggested",
                exhibit,
                plan=plan_id,
                suggestions=len(proposals),
                rules=suggester.rules.version,
                rules_sha256=suggester.rules.sha256,
                source_sha256=exhibit.sha256,
            )
            redaction.create_plan(
                work,
                plan_id=plan_id,
                exhibit_id=exhibit_id,
                case_id=exhibit.case_id,
                source_sha256=exhibit.sha256,
                text_sha256=text_sha256,
                rules=(suggester.rules.version, suggester.rules.sha256),
                proposals=proposals,
                unread_pages=unread,
                event_id=work.record(suggested),
            )

    def _find(self, exhibit: Exhibit, path: Path) -> tuple[tuple[Proposal, ...], tuple[int, ...], str | None]:
        find = self._services.suggester().suggest
        match material(exhibit.media_type):
            case "sound":
                said = confirmed(self._services, exhibit.id)
                return tuple(suggest_words(find, spoken_words(said.said))), (), said.revision.sha256
            case "pdf":
                found = suggest_pdf(find, path)
            case _:
                found = suggest_picture(find, path)
        return found.proposals, found.unread_pages, None

    def fail(self, job: Job, code: str) -> None:
        """Nothing was suggested; the job's row, which the plan's page reads, says why."""
        with job.conclude("failed", code):
            pass


@dataclass(frozen=True)
class _Burned:
    """One burned file with its attack report, stored and locked."""

    rendition_id: UUID
    facts: BurnFacts
    report: LeakReport
    blob: BlobFacts


class BurnRendition:
    """Burns one kind under an approved plan, attacks the result, stores it, records both in one unit of work."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises what burning raises; a leak is no error but a recorded result that blocks the release."""
        plan_id = job.facts.uuid("plan")
        with self._services.database.read() as session:
            if plans.get_plan(session, plan_id).state != "approved":
                raise Conflict("plan.not_approved")
            plan = plans.preview(session, plan_id)
            forbidden = plans.forbidden_terms(session, plan_id)
        with spooled(self._services, job.facts.uuid("exhibit")) as (exhibit, path):
            job.step("spooled")
            made = self._burn(job, exhibit, path, path.parent, plan, forbidden)
            job.step("burned and attacked")
            burned = [self._store(exhibit, *one) for one in made]
        job.step("stored")
        with job.conclude() as work:
            for one in burned:
                _record(work, exhibit, plan, one)

    def _burn(
        self, job: Job, exhibit: Exhibit, path: Path, room: Path, plan: Plan, forbidden: Forbidden
    ) -> list[tuple[UUID, BurnFacts, LeakReport]]:
        def target(kind: str, extension: str) -> tuple[UUID, Path]:
            # The same job makes the same rendition however often it runs.
            rendition_id = uuid5(job.facts.id, kind)
            return rendition_id, room / rendition_name(exhibit.number, rendition_id, extension)

        match job.facts.args["burn"]:
            case "transcript":
                said = confirmed(self._services, exhibit.id, plan.text_sha256)
                (told_id, told), (text_id, text) = target("transcript", "json"), target("text", "txt")
                first, second = burn_transcript(
                    spoken_words(said.said), speakers(said.said), said.said.duration_ms, plan, said.content, told, text
                )
                return [
                    (told_id, first, attack_transcript(told, plan, forbidden)),
                    (text_id, second, attack_text(text, plan, forbidden)),
                ]
            case "sound":
                made_id, made = target(SOUND, "flac")
                return [(made_id, burn_sound(path, made, plan), attack_sound(made, path, plan, forbidden))]
            case "pdf":
                made_id, made = target(PDF, "pdf")
                return [(made_id, burn_pdf(path, made, plan), attack_pdf(made, path, plan, forbidden))]
            case _:
                made_id, made = target(PICTURE, "png")
                return [(made_id, burn_picture(path, made, plan), attack_picture(made, plan, forbidden))]

    def _store(self, exhibit: Exhibit, rendition_id: UUID, facts: BurnFacts, report: LeakReport) -> _Burned:
        if exhibit.retain_until is None:
            raise Conflict("exhibit.not_sealed")
        # After the end of the term (a hold may keep the exhibit for years) a store refuses a lock that has ended.
        at_least = self._services.database.clock.now() + _SHORTEST_LOCK
        blob = storage.put_derived(
            self._services.store,
            self._services.keys,
            rendition_id,
            facts.path,
            bucket=RENDITIONS,
            retain_until=max(exhibit.retain_until, at_least),
        )
        return _Burned(rendition_id, facts, report, blob)

    def fail(self, job: Job, code: str) -> None:
        """The exhibit's chain says that no rendition came of the plan."""
        plan_id = job.facts.uuid("plan")
        with self._services.database.read() as session:
            exhibit = reading.exhibit_of(session, job.facts.uuid("exhibit"))
        with job.conclude("failed", code) as work:
            work.record(draft("rendition.failed", exhibit, plan=plan_id, reason=code))


def _record(work: UnitOfWork, exhibit: Exhibit, plan: Plan, one: _Burned) -> None:
    facts = one.facts
    burned = draft(
        "rendition.burned",
        exhibit,
        plan=plan.id,
        plan_sha256=plan.sha256,
        rendition=one.rendition_id,
        kind=facts.kind,
        sha256=facts.sha256,
        size_bytes=facts.size_bytes,
        source_sha256=facts.source_sha256,
        tool=facts.tool,
        tool_version=facts.tool_version,
        parameters_sha256=facts.parameters_sha256,
        blob=one.blob.blob_id,
    )
    event_id = work.record(burned)
    storage.record_blob(work, one.blob, event_id)
    redaction.record_rendition(
        work, plan.id, facts, rendition_id=one.rendition_id, blob_id=one.blob.blob_id, event_id=event_id
    )
    checked = draft(
        "rendition.leak_checked",
        exhibit,
        rendition=one.rendition_id,
        sha256=facts.sha256,
        result=one.report.result,
        report_sha256=one.report.sha256,
        checks=len(one.report.checks),
    )
    redaction.record_leak(work, one.rendition_id, one.report, event_id=work.record(checked))


def confirmed(services: Services, exhibit_id: UUID, sha256: str | None = None) -> Reading:
    """The confirmed words of an exhibit; with `sha256`, exactly those. Raises Conflict `plan.transcript_unconfirmed`
    or `plan.transcript_changed`.
    """
    with services.database.read() as session:
        said = transcripts.confirmed(session, exhibit_id)
    if said is None:
        raise Conflict("plan.transcript_unconfirmed")
    if sha256 is not None and said.revision.sha256 != sha256:
        raise Conflict("plan.transcript_changed")
    return said


def speakers(said: Transcript) -> list[str]:
    """Who speaks, by turn, as a number by first appearance: a speaker's name never leaves with a rendition."""
    numbers = {name: str(place) for place, name in enumerate(said.speakers, 1)}
    return [numbers[turn.speaker] for turn in said.turns]
