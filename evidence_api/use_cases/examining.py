"""What is it: after the seal a file is asked what it says about itself, and a scanner what it says about the file.

Both answers are claims. They are kept beside the exhibit, under an event with their digest, and change nothing of it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from custody.kernel.errors import Conflict, Corrupt, Unavailable
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import UnitOfWork
from custody.proof import canonical
from evidence_api import jobs
from evidence_api.jobs import WORKER, Job
from evidence_api.queries import scanning
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from evidence_api.use_cases import reading
from evidence_api.use_cases.transcribing import draft
from storage import findings
from storage.identify.model import ANCHORS, checked
from storage.light.recipes import facts_limits, recipe_of
from storage.media_type import OPAQUE
from storage.sandbox import launch
from storage.sandbox.launch import Room

IDENTIFY, SCAN, LIGHT = "exhibit.identify", "exhibit.scan", "rendition.light"
OPEN = ("queued", "running")
BACKLOG = 300
"""How many scans wait at most when a scanner is switched on: what is uploaded meanwhile stands behind them."""
AGAIN_AFTER = timedelta(days=1)


def subject(task: str, exhibit_id: UUID) -> str:
    """Whose job it is: one of its own per task, so that each has its own progress on the page."""
    return f"{task.rpartition('.')[2]}:{exhibit_id}"


def enqueue(work: UnitOfWork, exhibit_id: UUID, *, scanned: bool) -> None:
    """Ask for the reading, and where there is a scanner for the scan; light copies follow the reading."""
    work.enqueue(IDENTIFY, subject=subject(IDENTIFY, exhibit_id), exhibit=exhibit_id)
    if scanned:
        work.enqueue(SCAN, subject=subject(SCAN, exhibit_id), exhibit=exhibit_id)


def scan_the_unseen(services: Services) -> int:
    """For the beat: what was sealed while there was no scanner, or while it was away, is scanned without being asked
    for one by one. So many wait at most at a time; a scan that failed is tried again after a day. Returns how many
    scans were asked for.
    """
    if services.scanner is None:
        return 0
    with services.database.begin(WORKER) as work:
        room = BACKLOG - scanning.waiting(work.session, SCAN)
        found = scanning.unseen(work.session, room, work.clock.now() - AGAIN_AFTER) if room > 0 else ()
        for exhibit_id in found:
            work.enqueue(SCAN, subject=subject(SCAN, exhibit_id), exhibit=exhibit_id)
        if found:
            work.commit()
    return len(found)


def again(services: Services, actor: Actor, exhibit_id: UUID) -> None:
    """A person asks once more: after a failure, or because a program was installed since.

    Raises NotFound `exhibit.not_found`, Conflict `exhibit.not_sealed`, `exhibit.being_examined`, Gone
    `exhibit.destroyed`.
    """
    with services.database.begin(actor) as work:
        reads.get_exhibit(work.session, exhibit_id).check_content()
        last = [jobs.latest(work.session, subject(task, exhibit_id)) for task in (IDENTIFY, SCAN, LIGHT)]
        if any(job is not None and job.state in OPEN for job in last):
            raise Conflict("exhibit.being_examined")
        enqueue(work, exhibit_id, scanned=services.scanner is not None)
        work.commit()


def refuse_infected(services: Services, exhibit_id: UUID) -> None:
    """Raises Conflict `exhibit.infected` for what is given out with a warning only; it is kept all the same."""
    _check_scan(services, exhibit_id, unseen=False)


def refuse_unseen(services: Services, exhibit_id: UUID) -> None:
    """What is shown here, the original or its light copy, was found clean or there is no scanner.

    Raises Conflict `exhibit.infected`; Unavailable `exhibit.not_scanned` while a configured scanner has not spoken.
    What it spoke of and could not read to its end (`not_scanned`, too large for it) is shown, and said so.
    """
    _check_scan(services, exhibit_id, unseen=True)


def _check_scan(services: Services, exhibit_id: UUID, *, unseen: bool) -> None:
    with services.database.look() as session:
        scan = findings.scan(session, exhibit_id)
    if scan is not None and scan.infected:
        raise Conflict("exhibit.infected", signature=scan.facts.signature)
    if unseen and scan is None and services.scanner is not None:
        raise Unavailable("exhibit.not_scanned")


@contextmanager
def at_hand(services: Services, exhibit: Exhibit, more_bytes: int) -> Iterator[Room]:
    """An original in a room of its own, its read recorded; `more_bytes` is what may be made of it there.

    Raises TooLarge `sandbox.no_space`, and what reading raises.
    """
    with launch.room(services.settings.work_dir, exhibit.size_bytes + more_bytes) as room:
        _, blob = reading.original(services, exhibit.id)
        reading.record_by_worker(services, exhibit, blob.sha256)
        blob.spool(room.source)
        yield room


def sealed(services: Services, exhibit_id: UUID) -> Exhibit:
    """A sealed exhibit. Raises NotFound `exhibit.not_found`, Conflict `exhibit.not_sealed`."""
    with services.database.read() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
    if exhibit.blob_id is None:
        raise Conflict("exhibit.not_sealed")
    return exhibit


class IdentifyExhibit:
    """Job `exhibit.identify`: the file's own claims, read in the sandbox; then its light copies are asked for.

    Whose signatures are trusted is read once: another list is for workers that start with it.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        listed = services.settings.c2pa_anchors_file
        self._anchors = listed.read_bytes() if listed else None

    def run(self, job: Job) -> None:
        """Raises what the sandbox raises: `fail` records it."""
        exhibit = sealed(self._services, job.facts.uuid("exhibit"))
        limits = facts_limits(exhibit.size_bytes)
        with at_hand(self._services, exhibit, limits.disk_bytes) as room:
            job.step("spooled")
            if self._anchors is not None:
                listed = room.source.with_name(ANCHORS)
                listed.write_bytes(self._anchors)
                listed.chmod(0o444)  # for whom the child becomes, whatever this process's mask
            args = {"media_type": exhibit.media_type or OPAQUE, "filename": exhibit.filename}
            told, held = launch.run(room, "identify", args, limits)
        job.step("read")
        try:
            claims = checked(told) | {"confined": [str(layer)[:40] for layer in held]}
            facts = canonical.encode(claims)
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt("sandbox.crashed", how=0) from error
        facts_sha256 = "sha256:" + hashlib.sha256(facts).hexdigest()
        signed = claims["c2pa"]
        identified = draft(
            "exhibit.identified",
            exhibit,
            facts_sha256=facts_sha256,
            media_type=claims["media_type"],
            tool="+".join(claims["tools"]) or "dalel",
            tool_version="+".join(claims["tools"].values()) or "1",
            c2pa=signed["verdict"] if signed else None,
            flags=" ".join(claims["flags"]) or None,
        )
        with job.conclude() as work:
            reads.get_exhibit(work.session, exhibit.id).check_content()  # it may have been destroyed meanwhile
            findings.record_examination(work, exhibit.id, facts, facts_sha256, None, work.record(identified))
            _ask_for_copies(work, exhibit)

    def fail(self, job: Job, code: str) -> None:
        """The file stays what it was sealed as; its chain says that it could not be read."""
        exhibit = sealed(self._services, job.facts.uuid("exhibit"))
        with job.conclude("failed", code) as work:
            event_id = work.record(draft("exhibit.not_identified", exhibit, reason=code))
            findings.record_examination(work, exhibit.id, None, None, code, event_id)
            _ask_for_copies(work, exhibit)


class ScanExhibit:
    """Job `exhibit.scan`: the original is streamed to the scanner. A scanner that is away is waited for."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Raises Unavailable `scanner.unreachable`, Conflict `scanner.not_configured` once there is none any more."""
        scanner = self._services.scanner
        if scanner is None:
            raise Conflict("scanner.not_configured")
        scanner.about()  # before the read is recorded: waiting for it reads nothing
        exhibit, blob = reading.original(self._services, job.facts.uuid("exhibit"))
        reading.record_by_worker(self._services, exhibit, blob.sha256)
        job.step("begun")
        facts = scanner.scan(blob.read())
        job.step("scanned")
        with job.conclude() as work:
            scanned = draft("exhibit.scanned", exhibit, **vars(facts))
            findings.record_scan(work, exhibit.id, facts, work.record(scanned))

    def fail(self, job: Job, code: str) -> None:
        """Nothing is known of the file; the page says «not scanned»."""
        with job.conclude("failed", code):
            pass


def _ask_for_copies(work: UnitOfWork, exhibit: Exhibit) -> None:
    if recipe_of(exhibit.media_type or OPAQUE) is not None:
        work.enqueue(LIGHT, subject=subject(LIGHT, exhibit.id), exhibit=exhibit.id)
