"""Checking the whole ledger: rows, tiles, private copies, stored files; as a command, and as a job with progress."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, event
from custody.audit import EntryView, TrailFilter
from custody.checking import entries, rows, service
from custody.checking.difference import Differs, Step
from custody.checking.entries import Position, Walk
from custody.checking.service import Report
from custody.kernel.clock import to_ms
from custody.kernel.errors import DalelError, NotFound
from custody.kernel.outbox import Actor
from custody.proof import merkle, policy
from custody.proof.policy import Policy
from evidence_api.jobs import Job
from evidence_api.services import Services
from storage import service as storage
from storage.blob import BlobFacts
from storage.ports import BUNDLES
from storage.routed import home
from storage.tiles import StoreTiles

CHECK = "ledger.check"
SUBJECT = "ledger"
_STORED = ("exhibit.sealed", "rendition.burned", "rendition.made", "disclosure.packaged")
_PAGE = 500


def request(services: Services, actor: Actor, *, deep: bool) -> UUID:
    """Ask for a check of the whole ledger; the job's id. It may be asked for while the ledger is halted."""
    with services.database.begin(actor) as work:
        job_id = work.enqueue(CHECK, subject=SUBJECT, deep=deep, requested_by=str(actor.id) if actor.id else None)
        work.commit()
        return job_id


class CheckLedger:
    """The job. A worker that dies leaves the batches that held behind it; the next begins after them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, job: Job) -> None:
        """Check, then keep the report under its event. What differs is the report's business, not the job's failure."""
        with self._services.database.read() as session:
            position = service.position_of(session, job.facts.id)

        def keep(position: Position) -> None:
            with self._services.database.unit() as unit:
                service.keep_position(unit, job.facts.id, position)
                unit.commit()
            job.progress(position.seq, position.end, "entries")
            job.step(f"checked {position.seq}")

        found = check(self._services, deep=bool(job.facts.args["deep"]), position=position, keep=keep)
        requested_by = job.facts.args.get("requested_by")
        with job.conclude() as work:
            checked = event.draft(
                "ledger.checked",
                item="system",
                result=found.result,
                deep=found.deep,
                size=found.size,
                root=found.root,
                report_sha256=found.sha256,
                code=found.difference.code if found.difference else None,
                requested_by=requested_by,
            )
            service.keep_report(work, job.facts.id, found, event_id=work.record(checked))

    def fail(self, job: Job, code: str) -> None:
        """The check could not be made: nothing was found, so nothing is recorded but the job's end."""
        with job.conclude("failed", code):
            pass


def check(
    services: Services,
    *,
    deep: bool,
    position: Position | None = None,
    keep: Callable[[Position], None] = lambda _: None,
) -> Report:
    """Check everything, from `position` on if a check was cut off there.

    `deep` reads every stored file. Raises NotFound `log.no_policy` where nothing says whose signature counts,
    Unavailable when the database or the store does not answer.
    """
    if not services.policy:
        raise NotFound("log.no_policy")
    trusted = policy.parse(services.policy.encode())
    register = _register(services)
    began = services.database.clock.now()
    report = Report(
        origin=services.settings.log_origin,
        size=0,
        root="sha256:" + merkle.EMPTY_ROOT.hex(),
        deep=deep,
        register=register is not None,
        began_ms=to_ms(began),
        ended_ms=0,
        entries=0,
        objects=0,
        rows=0,
        difference=None,
    )
    try:
        for held in _steps(services, trusted, register, report, position, keep):
            report = held
    except Differs as differs:
        report = replace(report, difference=differs.difference)
    return replace(report, ended_ms=to_ms(services.database.clock.now()))


def _steps(
    services: Services,
    trusted: Policy,
    register: bytes | None,
    report: Report,
    position: Position | None,
    keep: Callable[[Position], None],
) -> Iterator[Report]:
    """The report after each thing that held. Raises Differs."""
    position = position or entries.begin(services.database, trusted, register)
    if position.head:
        head = entries.head_of(position.head, trusted)
        report = replace(report, origin=head.origin, size=head.size, root="sha256:" + head.root.hex())
    yield report
    walk = Walk(services.database, services.tiles, StoreTiles(services.store, BUNDLES), trusted)
    walk.run(position, keep)
    report = replace(report, entries=position.end)
    yield report
    for entry in _stored(services, position.end):
        stored_as_said(services, entry, deep=report.deep)
        report = replace(report, objects=report.objects + 1)
        yield report
    with services.database.read() as session:
        for _, count in rows.check_rows(session):
            report = replace(report, rows=report.rows + count)
            yield report


def _register(services: Services) -> bytes | None:
    """The register's bytes, where this process can read them."""
    path = services.settings.register_file
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError:
        return None


def _stored(services: Services, end: int) -> Iterator[EntryView]:
    """The entries below `end` that say that something was stored, in order."""
    after: int | None = -1
    while after is not None:
        with services.database.read() as session:
            page = audit.trail(session, TrailFilter(types=_STORED), after_seq=after, limit=_PAGE)
        for entry in page.entries:
            if entry.seq >= end:
                return
            if "blob" in entry.data:
                yield entry
        after = page.next_seq


def stored_as_said(services: Services, entry: EntryView, *, deep: bool) -> None:
    """Step 5 for one entry: its row, object version, size, lock, and with `deep` its bytes. Raises Differs."""
    with services.database.read() as session:
        facts = _facts(session, entry)
    place = f"{facts.bucket}/{facts.key} {facts.version_id}"
    if facts.destroyed_at is not None:
        _destroyed(services, entry, place)
        return
    try:
        stored = services.store.head(facts.bucket, facts.key, facts.version_id)
    except NotFound as error:
        raise Differs(Step.OBJECTS, "objects.missing", place, facts.ciphertext_bytes, "nothing") from error
    if stored.size_bytes != facts.ciphertext_bytes:
        raise Differs(Step.OBJECTS, "objects.missing", place, facts.ciphertext_bytes, stored.size_bytes)
    until = stored.locked_until
    # a hold may have made it longer than the seal said; nothing may make it shorter
    sealed = datetime.fromtimestamp(entry.data.get("retain_until_ms", 0) / 1000, UTC)
    wanted = max(facts.retain_until.astimezone(UTC), sealed)
    if wanted > services.database.clock.now() and (until is None or until < wanted):
        raise Differs(Step.OBJECTS, "objects.lock", place, wanted.isoformat(), until.isoformat() if until else "none")
    if deep:
        _bytes(services, facts, place)


def _destroyed(services: Services, entry: EntryView, place: str) -> None:
    """What is said to be destroyed must be in the chain as destroyed: a row alone could hide a loss. Raises Differs."""
    blob = str(entry.data["blob"])
    with services.database.read() as session:
        chain = audit.chain(session, entry.item)
    if not any(one.type == "key.destroyed" and one.data["key"] == blob for one in chain):
        raise Differs(Step.OBJECTS, "objects.missing", place, "key.destroyed", "nothing")


def _facts(session: Session, entry: EntryView) -> BlobFacts:
    """The blob an entry names, its row found to say what the entry says. Raises Differs."""
    blob = str(entry.data["blob"])
    try:
        facts = storage.blob_facts(session, UUID(blob))
    except NotFound as error:
        raise Differs(Step.OBJECTS, "objects.row", entry.seq, blob) from error
    data = entry.data
    plain = data["package_sha256"] if entry.type == "disclosure.packaged" else data["sha256"]
    said = {"sha256": plain, "size_bytes": data["size_bytes"]}
    if entry.type == "exhibit.sealed":
        said |= {name: data[name] for name in ("ciphertext_sha256", "ciphertext_bytes")}
        said |= {name: data[name] for name in ("object", "version") if name in data}
    row = vars(facts) | {
        "object": f"{home(facts.bucket)}/{facts.key}",
        "version": facts.sealed_version or facts.version_id,
    }
    for name, value in said.items():
        shown = row[name]
        if shown != value:
            raise Differs(Step.OBJECTS, "objects.digest", f"{entry.seq} {name}", value, shown)
    return facts


def _bytes(services: Services, facts: BlobFacts, place: str) -> None:
    digest = sha256()
    try:
        for piece in services.store.get(facts.bucket, facts.key, facts.version_id, 0, facts.ciphertext_bytes):
            digest.update(piece)
        found = "sha256:" + digest.hexdigest()
    except DalelError as error:
        if error.code not in ("store.corrupt", "store.missing"):
            raise
        found = error.code
    if found != facts.ciphertext_sha256:
        raise Differs(Step.OBJECTS, "objects.bytes", place, facts.ciphertext_sha256, found)
