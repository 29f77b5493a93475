"""Intake: an exhibit is registered, its bytes arrive, it is sealed or refused. Nothing is accepted in silence (U3)."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, Gone
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.access import upload_tokens
from evidence_api.jobs import SMALL, WORKER, Job
from evidence_api.registry import reads
from evidence_api.registry import service as registry
from evidence_api.registry.facts import Exhibit, Page, Sealed
from evidence_api.registry.model import ExhibitForm, ExhibitState
from evidence_api.registry.service import NewExhibit
from evidence_api.services import Services
from evidence_api.use_cases import examining, retaining
from storage import key_records, retention, seal, whole
from storage import service as storage
from storage import sweep as storage_sweep
from storage.blob import FileName, FolderPath
from storage.intake import Appender
from storage.media_type import claims_another
from storage.seal import SealFacts, SealPlan
from storage.service import NewUpload, Upload
from storage.sweep import Swept
from storage.upload import OPEN, Checksum, Limits, State

SEAL, DISCARD = "exhibit.seal", "upload.discard"
TOLD_AT_MOST = 20
"""How many keys a log line names; they are ids and say nothing of a case."""

AT_ONCE = 4
"""How many small files a worker seals at the same time."""
STILL_SENDING = timedelta(minutes=15)
"""Bytes that came so lately say that somebody sends; a slow line fills a segment of 8 MiB in less."""

log = logging.getLogger(__name__)


def limits(services: Services) -> Limits:
    """What is announced before the first byte."""
    settings = services.settings
    return Limits(settings.upload_limit_bytes, timedelta(seconds=settings.upload_lifetime_seconds))


def begin(services: Services, actor: Actor, case_id: UUID, form: ExhibitForm) -> tuple[Upload, str]:
    """Register an exhibit under the case's next number and announce its upload; returns it and its upload token.

    A category puts it under the rule of the day: its term where the form names none, at least its minimum otherwise.
    The same person who announces the very same file again is given the upload that is half sent, as from another
    computer. Raises Invalid for a form that says too little or too much (`retention.…`, `upload.bad_name`,
    `exhibit.…`), TooLarge `upload.too_large`, Conflict `exhibit.duplicate` naming the exhibit that has the same bytes
    already, Conflict `exhibit.half_sent` when that one was begun otherwise and left alone.
    """
    form = retaining.under_rule(services, form).check(services.settings.upload_limit_bytes)
    with services.database.begin(actor) as work:
        exhibit_id = work.ids.new()
        try:
            number = registry.reserve_number(work, case_id, form.sha256)
        except Conflict as same:
            upload = half_sent(work, case_id, form, same)
        else:
            event_id = work.record(registered(exhibit_id, case_id, number, form))
            registry.register_exhibits(work, case_id, [NewExhibit(exhibit_id, number, form, event_id)])
            new = new_upload(work, exhibit_id, case_id, form)
            upload = storage.create_upload(work, services.keys, new, limits(services))
            registry.start_receiving(work, exhibit_id, upload.id, event_id)
        # Twice the lifetime: the token never ends before the upload that is still being fed.
        token = upload_tokens.issue(work, upload.id, expires_at=upload.expires_at + limits(services).lifetime)
        work.commit()
    return upload, token


def half_sent(work: UnitOfWork, case_id: UUID, form: ExhibitForm, same: Conflict) -> Upload:
    """The upload of the exhibit with the same bytes, when it is this person's, half sent, and said the same.

    Raises `same` when that exhibit is all there or bytes still come; `exhibit.half_sent` when nobody sends any more:
    its sender may give `upload` up (DELETE) and begin anew, another person may ask them or wait until it expires.
    """
    number = same.params.get("number")
    twin = reads.find_exhibit(work.session, case_id, number) if isinstance(number, int) else None
    if twin is None or twin.state is not ExhibitState.RECEIVING or twin.upload_id is None:
        raise same
    upload = storage.get_upload(work.session, twin.upload_id)
    mine = twin.registered_by == work.actor.id
    now = work.clock.now()
    if mine and twin.announced == form.announced and upload.state in OPEN and now < upload.expires_at:
        return upload
    if now - upload.moved_at < STILL_SENDING:
        raise same
    raise Conflict(
        "exhibit.half_sent",
        number=twin.number,
        received_bytes=upload.offset_bytes,
        size_bytes=upload.size_bytes,
        upload=str(upload.id) if mine else None,
    )


def registered(exhibit_id: UUID, case_id: UUID, number: int, form: ExhibitForm) -> EventDraft:
    """The event `exhibit.registered`."""
    return event.draft(
        "exhibit.registered",
        item=f"exhibit:{exhibit_id}",
        case_id=case_id,
        personal={"filename": form.filename},
        exhibit=exhibit_id,
        number=number,
        sha256=form.sha256,
        size_bytes=form.size_bytes,
        basis=form.term.basis.value,
        purpose=form.term.purpose.value,
        retain_days=form.term.retain_days,
        category=form.category or None,
        rule_version=form.rule_version,
    )


def new_upload(work: UnitOfWork, exhibit_id: UUID, case_id: UUID, form: ExhibitForm) -> NewUpload:
    """What the storage room must know before the first byte."""
    return NewUpload(
        exhibit_id=exhibit_id,
        case_id=case_id,
        account_id=_person(work.actor),
        name=FileName(form.filename),
        folder=FolderPath.parse(form.folder),
        size_bytes=form.size_bytes,
        sha256=form.sha256,
        retain_until=retention.retain_until(work.clock.now(), form.term),
    )


def receive(
    services: Services,
    actor: Actor,
    upload_id: UUID,
    *,
    offset_bytes: int,
    declared_bytes: int | None,
    checksum: Checksum | None,
) -> Appender:
    """Take over an upload to append to it; the last byte registers `upload.finished` and asks for the seal."""
    return Appender(
        services.database,
        actor,
        services.store,
        services.keys,
        upload_id,
        offset_bytes=offset_bytes,
        on_received=_finished,
        declared_bytes=declared_bytes,
        checksum=checksum,
    )


def _finished(work: UnitOfWork, upload: Upload) -> None:
    finished = _draft(
        "upload.finished", upload, exhibit=upload.exhibit_id, upload=upload.id, size_bytes=upload.size_bytes
    )
    registry.start_checking(work, upload.exhibit_id, work.record(finished))
    small = upload.size_bytes <= whole.MOST_BYTES
    work.enqueue(SEAL, subject=f"exhibit:{upload.exhibit_id}", upload=upload.id, **({SMALL: True} if small else {}))


def progress(services: Services, upload_id: UUID) -> Upload:
    """How far an upload durably is. Raises NotFound `upload.not_found`; Gone `upload.expired`, `upload.terminated`:
    nobody may go on with it (tus 1.0, sections «HEAD» and «Expiration»).
    """
    with services.database.read() as session:
        upload = storage.get_upload(session, upload_id)
    if upload.state is State.TERMINATED:
        raise Gone("upload.terminated")
    late = upload.state in OPEN and services.database.clock.now() >= upload.expires_at
    if late or upload.state is State.EXPIRED:
        raise Gone("upload.expired")
    return upload


def terminate(services: Services, actor: Actor, upload_id: UUID) -> None:
    """The sender gives up: the exhibit is discarded, its number stays taken, the parts are removed."""
    with services.database.begin(actor) as work:
        upload = storage.terminate_upload(work, upload_id)
        discarded = event.draft(
            "exhibit.discarded",
            item=f"exhibit:{upload.exhibit_id}",
            case_id=upload.case_id,
            exhibit=upload.exhibit_id,
            reason="upload.terminated",
        )
        registry.discard_exhibit(work, upload.exhibit_id, "upload.terminated", work.record(discarded))
        work.enqueue(DISCARD, subject=f"exhibit:{upload.exhibit_id}", upload=upload.id)
        work.commit()


def expire(services: Services) -> int:
    """Discard what was left alone too long; returns how many. For the beat."""
    with services.database.begin(WORKER) as work:
        expired = storage.expire_uploads(work)
        for upload in expired:
            draft = _draft("upload.expired", upload, upload=upload.id, received_bytes=upload.offset_bytes)
            registry.discard_exhibit(work, upload.exhibit_id, "upload.expired", work.record(draft))
            work.enqueue(DISCARD, subject=f"exhibit:{upload.exhibit_id}", upload=upload.id)
        work.commit()
    return len(expired)


def sweep(services: Services) -> Swept:
    """Remove from the store what killed processes left there. For the beat; its log says what was found."""
    found = storage_sweep.sweep(services.database, services.store)
    if found.removed or found.locked:
        log.warning(
            "sweep: removed %d multipart uploads, %d tails, %d versions; %d are locked and stay: %s",
            found.multiparts,
            found.tails,
            found.versions,
            len(found.locked),
            ", ".join(found.locked[:TOLD_AT_MOST]),
        )
    return found


class SealUpload:
    """Job `exhibit.seal`: re-read, compare, recognize, lock; then sealed and its event, or refused and its event.

    Small files that wait are sealed together: each is read back, compared, locked and its lock read, as if alone; only
    the database is asked once for all.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises what `seal.inspect` raises; what no retry mends is recorded by `fail`."""
        (found,) = self._plans([job])
        job.step("inspecting")
        facts = self._inspect(found)
        job.step("inspected and locked")
        with job.conclude() as work:
            self.record(work, [facts])

    def look(self, jobs: Sequence[Job]) -> list[tuple[SealFacts, UUID] | Exception]:
        """Each inspected, a few at a time, for the store's answers take longer than our own work."""

        def attempt(found: tuple[SealPlan, UUID]) -> tuple[SealFacts, UUID] | Exception:
            try:
                return self._inspect(found)
            except Exception as fault:
                return fault

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="seal") as pool:
            return list(pool.map(attempt, self._plans(jobs)))

    def record(self, work: UnitOfWork, found: Sequence[tuple[SealFacts, UUID]]) -> None:
        """Upload, blob and exhibit of each, under its event `exhibit.sealed`."""
        event_ids = work.record_all([_sealed(facts, case_id) for facts, case_id in found])
        sealed = [(facts, event_id) for (facts, _), event_id in zip(found, event_ids, strict=True)]
        for blob in storage.record_seals(work, sealed):
            key_records.keep(self._services.store, blob)
        registry.seal_exhibits(
            work,
            [
                Sealed(facts.exhibit_id, facts.blob.blob_id, facts.media_type, facts.blob.retain_until, event_id)
                for facts, event_id in sealed
            ],
        )
        for facts, _ in found:
            examining.enqueue(work, facts.exhibit_id, scanned=self._services.scanner is not None)

    def _plans(self, jobs: Sequence[Job]) -> list[tuple[SealPlan, UUID]]:
        """How to seal the upload of each job, and the case it belongs to."""
        with self._services.database.read() as session:
            plans = storage.seal_plans(session, [job.facts.uuid("upload") for job in jobs])
        return [(plan, upload.case_id) for plan, upload in plans]

    def _inspect(self, found: tuple[SealPlan, UUID]) -> tuple[SealFacts, UUID]:
        plan, case_id = found
        return seal.inspect(self._services.store, self._services.keys, plan), case_id

    def fail(self, job: Job, code: str) -> None:
        """The sender's bytes are refused and removed; a store that lies keeps what it holds, for whoever looks."""
        upload_id = job.facts.uuid("upload")
        with job.conclude("failed", code) as work:
            upload = storage.record_refusal(work, upload_id, code)
            lying = not code.startswith("upload.")
            draft = (
                _draft("exhibit.seal_failed", upload, exhibit=upload.exhibit_id, reason=code)
                if lying
                else _draft("upload.refused", upload, exhibit=upload.exhibit_id, upload=upload.id, reason=code)
            )
            registry.refuse_exhibit(work, upload.exhibit_id, code, work.record(draft))
            if not lying:
                work.enqueue(DISCARD, subject=f"exhibit:{upload.exhibit_id}", upload=upload.id)


class DiscardUpload:
    """Job `upload.discard`: what a refused, expired or terminated upload left in the store is removed."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Removing again does nothing. Raises Conflict `store.locked` if it was sealed after all."""
        with self._services.database.read() as session:
            plan = storage.seal_plan(session, job.facts.uuid("upload"))
        seal.discard(self._services.store, plan)
        with job.conclude():
            pass

    def fail(self, job: Job, code: str) -> None:
        """Nothing was removed; the job's row says why."""
        with job.conclude("failed", code):
            pass


def _sealed(facts: SealFacts, case_id: UUID) -> EventDraft:
    blob = facts.blob
    return event.draft(
        "exhibit.sealed",
        item=f"exhibit:{facts.exhibit_id}",
        case_id=case_id,
        exhibit=facts.exhibit_id,
        blob=blob.blob_id,
        sha256=blob.sha256,
        size_bytes=blob.size_bytes,
        ciphertext_sha256=blob.ciphertext_sha256,
        ciphertext_bytes=blob.ciphertext_bytes,
        retain_until_ms=to_ms(blob.retain_until),
        media_type=facts.media_type,
        object=f"{blob.bucket}/{blob.key}",
        version=blob.version_id,
    )


def _draft(type: str, about: Upload, **data: Any) -> EventDraft:
    return event.draft(type, item=f"exhibit:{about.exhibit_id}", case_id=about.case_id, **data)


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise Conflict("actor.person_needed")
    return actor.id


def exhibit(services: Services, exhibit_id: UUID) -> Exhibit:
    """An exhibit's facts. Raises NotFound `exhibit.not_found`."""
    with services.database.read() as session:
        return reads.get_exhibit(session, exhibit_id)


def name_mismatch(exhibit: Exhibit) -> bool:
    """Whether the name of a sealed exhibit claims another type than its content has."""
    return exhibit.media_type is not None and claims_another(FileName(exhibit.filename), exhibit.media_type)


def exhibits(services: Services, case_id: UUID, *, after: tuple[str | int, ...] | None, limit: int) -> Page[Exhibit]:
    """The exhibits of a case by number."""
    with services.database.read() as session:
        return reads.list_exhibits(session, case_id, after=after, limit=limit)
