"""Job `disclosure.package`: once a published head covers the release, files and proofs become one package."""

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from custody import audit, event, heads
from custody.audit import EntryView
from custody.heads import CheckpointView
from custody.kernel.errors import Conflict, Unavailable
from custody.proof import bundle
from custody.proof import disclosure as manifests
from custody.proof.bundle import ClosedLog, FileDigest, ProvenLeaf
from custody.proof.disclosure import DisclosedFile, Manifest
from evidence_api.disclosure import package, verifier
from evidence_api.disclosure import service as disclosures
from evidence_api.disclosure.model import RELEASING
from evidence_api.disclosure.package import DataFile
from evidence_api.disclosure.reader import render_reader
from evidence_api.disclosure.service import Disclosure
from evidence_api.jobs import WORKER, Job
from evidence_api.services import Services
from evidence_api.use_cases import proving, reading
from redaction import queries as plans
from storage import service as storage
from storage import workroom
from storage.ports import PACKAGES

_RETAIN = timedelta(days=3650)
_PATIENCE_S, _POLL_S = 10.0, 0.1


class PackageDisclosure:
    """Waits for the ledger, gathers chains and proofs, writes, seals."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises Unavailable `disclosure.not_published` until a head covers the release, `disclosure.not_witnessed`
        until the policy's witnesses stand behind it; the job then comes again. Without their quorum every reader would
        refuse the package, so none is made.
        """
        disclosure_id = job.facts.uuid("disclosure")
        with self._services.database.read() as session:
            disclosure = disclosures.get(session, disclosure_id)
        if disclosure.state != RELEASING or disclosure.manifest is None:
            raise Conflict("disclosure.not_releasing", state=disclosure.state)
        manifest = manifests.parse(disclosure.manifest.encode())
        entries, head = self._published(disclosure, manifest)
        job.step("published")
        with self._services.database.read() as session:
            plan = proving.plan(session, entries, head)
        leaves = proving.proven(self._services.tiles, plan, entries)
        files_bytes = sum(file.size_bytes for file in manifest.files)
        with workroom.room(self._services.settings.work_dir, files_bytes) as directory:
            target = directory / "package.zip"
            sha256 = self._build(target, disclosure, manifest, leaves, head)
            job.step("built")
            blob = storage.put_derived(
                self._services.store,
                self._services.keys,
                uuid5(job.facts.id, "package"),
                target,
                bucket=PACKAGES,
                retain_until=self._services.database.clock.now() + _RETAIN,
            )
        job.step("stored")
        with job.conclude() as work:
            packaged = event.draft(
                "disclosure.packaged",
                item=f"disclosure:{disclosure_id}",
                case_id=disclosure.case_id,
                disclosure=disclosure_id,
                package_sha256=sha256,
                size_bytes=blob.size_bytes,
                checkpoint_size=head.tree_size,
                blob=blob.blob_id,
            )
            event_id = work.record(packaged)
            storage.record_blob(work, blob, event_id)
            disclosures.packaged(
                work,
                disclosure_id,
                blob_id=blob.blob_id,
                sha256=sha256,
                size_bytes=blob.size_bytes,
                checkpoint_size=head.tree_size,
                event_id=event_id,
            )

    def _published(self, disclosure: Disclosure, manifest: Manifest) -> tuple[list[EntryView], CheckpointView]:
        """The chains and a head that covers them, waited for as long as publishing usually takes.

        Where authorities stamp the log a stamped head is waited for as well, and done without when none comes.
        """
        end = time.monotonic() + _PATIENCE_S
        while True:
            stamped = bool(self._services.tsa_roots) and time.monotonic() < end
            try:
                with self._services.database.read() as session:
                    entries = _entries(session, disclosure, manifest)
                    return entries, _head(session, entries, stamped=stamped)
            except Unavailable:
                if not stamped and time.monotonic() > end:
                    raise
                time.sleep(_POLL_S)

    def _build(
        self,
        target: Path,
        disclosure: Disclosure,
        manifest: Manifest,
        proven: tuple[list[ProvenLeaf], list[ClosedLog]],
        head: CheckpointView,
    ) -> str:
        files = [
            DataFile(file.path, file.sha256, file.size_bytes, partial(self._read, disclosure.case_id, file))
            for file in manifest.files
        ]
        digests = [FileDigest(file.path, file.sha256.removeprefix("sha256:"), file.size_bytes) for file in files]
        name = f"dalel-{manifest.erdr}-{manifest.round}"
        extra = {
            "index.html": render_reader(manifest, f"dalel-disclosure-{manifest.round}-{disclosure.id.hex[-8:]}.zip"),
            "verify.html": verifier.page(),
        }
        tokens = [stamp.token for stamp in head.timestamps]
        leaves, closed = proven
        note = head.note.encode()
        tags = bundle.write(manifest.encode(), leaves, note, digests, extra, timestamps=tokens, closed=closed)
        return package.build(target, name, tags, files)

    def _read(self, case_id: UUID, file: DisclosedFile) -> Iterator[memoryview]:
        """A rendition's bytes, its read by the worker recorded first."""
        rendition_id = UUID(file.rendition)
        with self._services.database.read() as session:
            blob_id = plans.get_rendition(session, rendition_id).blob_id
        if blob_id is None:
            raise Conflict("disclosure.rendition_not_stored", number=file.number)
        reading.record(
            self._services,
            WORKER,
            reading.VIEWED,
            item=f"exhibit:{file.exhibit}",
            case_id=case_id,
            subject=rendition_id,
            sha256=file.sha256,
        )
        return reading.blob(self._services, blob_id).read()

    def fail(self, job: Job, code: str) -> None:
        """The release stands in the ledger; that it could not be packaged is said there too."""
        disclosure_id = job.facts.uuid("disclosure")
        with job.conclude("failed", code) as work:
            disclosure = disclosures.get(work.session, disclosure_id)
            failed = event.draft(
                "disclosure.failed",
                item=f"disclosure:{disclosure_id}",
                case_id=disclosure.case_id,
                disclosure=disclosure_id,
                reason=code,
            )
            disclosures.failed(work, disclosure_id, event_id=work.record(failed))


def _entries(session: Session, disclosure: Disclosure, manifest: Manifest) -> list[EntryView]:
    """Every disclosed exhibit's chain up to this disclosure, and the disclosure's own.

    Raises Unavailable `disclosure.not_published` while the release has no place in the ledger.
    """
    entries = _up_to(audit.chain(session, f"disclosure:{disclosure.id}"), "disclosure.released", disclosure.id)
    for exhibit in manifest.exhibits:
        entries += _up_to(audit.chain(session, f"exhibit:{exhibit}"), "exhibit.disclosed", disclosure.id)
    return entries


def _up_to(chain: list[EntryView], last: str, disclosure_id: UUID) -> list[EntryView]:
    """A chain up to what this disclosure did to it: later looks and rounds are not this package's business."""
    for place, entry in enumerate(chain):
        if entry.type == last and entry.data["disclosure"] == str(disclosure_id):
            return chain[: place + 1]
    raise Unavailable("disclosure.not_published")


def _head(session: Session, entries: list[EntryView], *, stamped: bool) -> CheckpointView:
    last = max(entry.seq for entry in entries)
    head = heads.latest_checkpoint(session)
    if head is None or head.size <= last:
        raise Unavailable("disclosure.not_published")
    witnessed = heads.latest_witnessed(session)
    if witnessed is None or witnessed.size <= last:
        raise Unavailable("disclosure.not_witnessed")
    if stamped:
        witnessed = heads.latest_witnessed(session, stamped=True)
        if witnessed is None or witnessed.size <= last:
            raise Unavailable("disclosure.not_stamped")
    return witnessed
