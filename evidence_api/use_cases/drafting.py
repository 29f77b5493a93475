"""Job `transcript.draft`: a worker reads the sound, the engine hears it, the draft is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from evidence_api.jobs import Job
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from evidence_api.use_cases import reading
from evidence_api.use_cases.transcribing import draft
from storage import workroom
from transcription import service as transcripts
from transcription.draft import make_draft

_PROGRESS_EVERY_MS = 5_000


@contextmanager
def spooled(services: Services, exhibit_id: UUID) -> Iterator[tuple[Exhibit, Path]]:
    """An original as a private local file for a worker, its read recorded; the file is gone afterwards.

    Its directory is the worker's as well, for what is made of it. Raises TooLarge `sandbox.no_space`.
    """
    exhibit, blob = reading.original(services, exhibit_id)
    with workroom.room(services.settings.work_dir, 2 * exhibit.size_bytes) as directory:
        reading.record_by_worker(services, exhibit, blob.sha256)
        path = directory / "original"
        blob.spool(path)
        yield exhibit, path


class DraftTranscript:
    """Reads, hears, records. Hearing may be repeated: the same sound gives the same text."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises what `transcription.draft.make_draft` raises."""
        transcript_id = job.facts.uuid("transcript")
        with spooled(self._services, job.facts.uuid("exhibit")) as (exhibit, path):
            job.step("spooled")
            facts = make_draft(path, self._services.engine(), _Progress(job), self._services.database.clock)
        job.step("heard")
        with job.conclude() as work:
            drafted = draft(
                "transcript.drafted",
                exhibit,
                transcript=transcript_id,
                revision=1,
                sha256=facts.sha256,
                audio_sha256=facts.audio_sha256,
                engine=f"{facts.engine.engine} {facts.engine.version}",
                model=facts.engine.model,
                model_sha256=facts.engine.model_sha256,
                parameters_sha256=facts.engine.parameters_sha256,
                duration_ms=facts.duration_ms,
                machine_ms=facts.machine_ms,
            )
            transcripts.record_draft(work, transcript_id, facts, work.record(drafted))

    def fail(self, job: Job, code: str) -> None:
        """The transcript says why there is none; another may be asked for."""
        transcript_id = job.facts.uuid("transcript")
        with self._services.database.read() as session:
            exhibit = reading.exhibit_of(session, transcripts.get(session, transcript_id).exhibit_id)
        with job.conclude("failed", code) as work:
            failed = draft("transcript.failed", exhibit, transcript=transcript_id, reason=code)
            transcripts.record_failure(work, transcript_id, code, work.record(failed))


class _Progress:
    """Tells the job's row now and then, not with every window."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._told = -_PROGRESS_EVERY_MS

    def __call__(self, done_ms: int, total_ms: int) -> None:
        if done_ms - self._told >= _PROGRESS_EVERY_MS or done_ms == total_ms:
            self._told = done_ms
            self._job.progress(done_ms, total_ms, "ms")
