"""Intake: an exhibit is registered, its bytes arrive, it is sealed or refused. Nothing is accepted in silence (U3)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from custody import event
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, Gone
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.access import upload_tokens
from evidence_api.jobs import WORKER, Job
from evidence_api.registry import reads
from evidence_api.registry import service as registry
from evidence_api.registry.facts import Exhibit, Page
from evidence_api.registry.model import ExhibitForm
from evidence_api.services import Services
from evidence_api.use_cases import examining
from storage import retention, seal
from storage import service as storage
from storage.blob import FileName, FolderPath
from storage.intake import Appender
from storage.media_type import claims_another
from storage.seal import SealFacts
from storage.service import NewUpload, Upload
from storage.upload import OPEN, Checksum, Limits, State

SEAL, DISCARD = "exhibit.seal", "upload.discard"


def limits(services: Services) -> Limits:
    """What is announced before the first byte."""
    settings = services.settings
    return Limits(settings.upload_limit_bytes, timedelta(seconds=settings.upload_lifetime_seconds))


def begin(services: Services, actor: Actor, case_id: UUID, form: ExhibitForm) -> tuple[Upload, str]:
    """Register an exhibit under the case's next number and announce its upload; returns it and its upload token.

    Raises Invalid for a form that says too little or too much (`retention.…`, `upload.bad_name`, `exhibit.…`),
    TooLarge `upload.too_large`, Conflict `exhibit.duplicate` naming the exhibit that has the same bytes already.
    """
    form = form.check(services.settings.upload_limit_bytes)
    name, folder, term = FileName(form.filename), FolderPath.parse(form.folder), form.term
    with services.database.begin(actor) as work:
        number = registry.reserve_number(work, case_id, form.sha256)
        exhibit_id = work.ids.new()
        registered = event.draft(
            "exhibit.registered",
            item=f"exhibit:{exhibit_id}",
            case_id=case_id,
            personal={"filename": form.filename},
            exhibit=exhibit_id,
            number=number,
            sha256=form.sha256,
            size_bytes=form.size_bytes,
            basis=term.basis.value,
            purpose=term.purpose.value,
            retain_days=term.retain_days,
        )
        event_id = work.record(registered)
        registry.register_exhibit(work, exhibit_id, case_id=case_id, number=number, form=form, event_id=event_id)
        new = NewUpload(
            exhibit_id=exhibit_id,
            case_id=case_id,
            account_id=_person(actor),
            name=name,
            folder=folder,
            size_bytes=form.size_bytes,
            sha256=form.sha256,
            retain_until=retention.retain_until(work.clock.now(), term),
        )
        upload = storage.create_upload(work, services.keys, new, limits(services))
        registry.start_receiving(work, exhibit_id, upload.id, event_id)
        # Twice the lifetime: the token never ends before the upload that is still being fed.
        token = upload_tokens.issue(work, upload.id, expires_at=upload.expires_at + limits(services).lifetime)
        work.commit()
    return upload, token


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
    work.enqueue(SEAL, subject=f"exhibit:{upload.exhibit_id}", upload=upload.id)


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


class SealUpload:
    """Job `exhibit.seal`: re-read, compare, recognize, lock; then sealed and its event, or refused and its event."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises what `seal.inspect` raises; what no retry mends is recorded by `fail`."""
        upload_id = job.facts.uuid("upload")
        with self._services.database.read() as session:
            plan = storage.seal_plan(session, upload_id)
            case_id = storage.get_upload(session, upload_id).case_id
        job.step("inspecting")
        facts = seal.inspect(self._services.store, self._services.keys, plan)
        job.step("inspected and locked")
        with job.conclude() as work:
            event_id = work.record(_sealed(facts, case_id))
            storage.record_seal(work, facts, event_id)
            registry.seal_exhibit(
                work,
                facts.exhibit_id,
                blob_id=facts.blob.blob_id,
                media_type=facts.media_type,
                retain_until=facts.blob.retain_until,
                event_id=event_id,
            )
            examining.enqueue(work, facts.exhibit_id, scanning=self._services.scanner is not None)

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
