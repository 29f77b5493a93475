"""Around the sending itself: what is asked before the first byte, how far the seals are, and the receipt at the end."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from custody import audit, event, heads
from custody.audit import EntryView
from custody.heads import CheckpointView
from custody.kernel.clock import to_ms
from custody.kernel.errors import Conflict, DalelError, Denied, Invalid, TooLarge
from custody.kernel.outbox import Actor
from evidence_api.access.policy import Resource
from evidence_api.registry import hashlists, reads, receipts
from evidence_api.registry.facts import Exhibit
from evidence_api.registry.hashlists import Comparison
from evidence_api.registry.model import ExhibitState, Role
from evidence_api.registry.receipts import Receipt
from evidence_api.services import Services
from evidence_api.use_cases import reading, receipt_paper
from storage import service as storage
from storage.blob import FileName, FolderPath
from storage.ports import PACKAGES
from storage.reader import BlobReader
from storage.upload import OPEN

MOST_FILES = 10_000
_RETAIN = timedelta(days=3650)


@dataclass(frozen=True)
class Candidate:
    """A file somebody thinks of sending. Without `sha256` only its name, folder and size are looked at."""

    filename: str
    folder: str
    size_bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class Finding:
    """What awaits a candidate, and the exhibit that holds the same bytes where there is one.

    `state` is `new`, `refused` (with `refusal`), `sealed` (the case has it), `checking` or `begun` (one's own, with the
    upload to go on with), or `elsewhere` (another person is sending the same bytes). `destroyed` is the exhibit of a
    new one's bytes that the case held until it was destroyed: sent again, they become another exhibit.
    """

    state: str
    exhibit: Exhibit | None = None
    refusal: DalelError | None = None
    destroyed: Exhibit | None = None


@dataclass(frozen=True)
class Survey:
    """Findings in the order of the candidates; `free_bytes` is None where the store's room is not known."""

    findings: tuple[Finding, ...]
    free_bytes: int | None


@dataclass(frozen=True)
class HashList:
    """A provider's list as it came. `root` is the folder that its paths are relative to, `name` its own file name."""

    text: str
    form: str
    root: str = ""
    name: str = ""


@dataclass(frozen=True)
class Delivery:
    """What a receipt shall tell. `failed` are paths and codes of what was chosen and could not be stored, the sender's
    word; `already` are exhibits that the case held before.
    """

    exhibits: tuple[UUID, ...]
    already: tuple[UUID, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    hash_list: HashList | None = None


def survey(services: Services, actor: Actor, case_id: UUID, candidates: Sequence[Candidate]) -> Survey:
    """What would become of these files, before a byte is sent. Promises nothing: the creation decides."""
    digests = [one.sha256 for one in candidates if one.sha256]
    free_bytes = _free_bytes(services)
    with services.database.read() as session:
        twins = reads.find_duplicates(session, case_id, digests)
        gone = reads.find_destroyed(session, case_id, digests)
        now = services.database.clock.now()
        resumable = {
            exhibit.id
            for exhibit in twins.values()
            if exhibit.state is ExhibitState.RECEIVING
            and exhibit.upload_id is not None
            and (upload := storage.get_upload(session, exhibit.upload_id)).state in OPEN
            and now < upload.expires_at
        }
    found = []
    for one in candidates:
        refusal = _refusal(one, services.settings.upload_limit_bytes, free_bytes)
        twin, before = (twins.get(one.sha256), gone.get(one.sha256)) if one.sha256 else (None, None)
        found.append(Finding("refused", refusal=refusal) if refusal else _finding(actor, twin, before, resumable))
    return Survey(tuple(found), free_bytes)


def states(services: Services, actor: Actor, case_id: UUID, exhibit_ids: Sequence[UUID]) -> tuple[Exhibit, ...]:
    """How far these exhibits of the case are; those of another case, and for a device those of others, are left out."""
    with services.database.read() as session:
        found = reads.find_exhibits(session, case_id, exhibit_ids)
    return tuple(one for one in found if actor.role != Role.DEVICE or one.registered_by == actor.id)


def issue(
    services: Services, actor: Actor, case_id: UUID, delivery: Delivery, language: str, reason: Callable[[str], str]
) -> Receipt:
    """Issue a signed receipt for what this person delivered, comparing it with the provider's list where one is given.

    `reason` says a code in `language`.

    Raises Invalid `receipt.empty`, `receipt.not_deliverable` (not sealed, of another case, or another's), `hashlist.…`;
    TooLarge `receipt.too_many`; Conflict `receipt.not_ready` until a published head covers every seal: ask again.
    Killed between the store and the commit it leaves a PDF in the store that no row names, and no receipt.
    """
    if not (delivery.exhibits or delivery.already or delivery.failed):
        raise Invalid("receipt.empty")
    if len(delivery.exhibits) + len(delivery.already) + len(delivery.failed) > MOST_FILES:
        raise TooLarge("receipt.too_many", most=MOST_FILES)
    receipt_id, now = services.database.ids.new(), services.database.clock.now()
    with services.database.read() as session:
        stored = _delivered(session, actor, case_id, delivery.exhibits)
        held = reads.find_exhibits(session, case_id, delivery.already)
        entries, head = _recorded(session, stored)
        case = reads.get_case(session, case_id)
        officer = reads.get_account(session, _person(actor)).display_name
    checked = _compared(delivery.hash_list, [*stored, *held])
    body: dict[str, Any] = {
        "v": 1,
        "type": "dalel-receipt",
        "receipt": str(receipt_id),
        "case": str(case_id),
        "erdr": case.erdr,
        "title": case.title,
        "officer": officer,
        "issued_ms": to_ms(now),
        "failed": [{"path": path, "code": code} for path, code in delivery.failed],
        "list": _told(delivery.hash_list, checked),
    }
    body |= _held(stored, held, entries, head)
    pdf = _paper(services, body, language, reason)
    blob = storage.put_derived(
        services.store, services.keys, services.database.ids.new(), pdf, bucket=PACKAGES, retain_until=now + _RETAIN
    )
    total = body["total_bytes"]
    done = Receipt(receipt_id, case_id, _person(actor), now, len(stored), total, blob.blob_id, blob.sha256, body)
    with services.database.begin(actor) as work:
        if delivery.hash_list and checked:
            work.record(_checked_event(case_id, receipt_id, delivery.hash_list, checked))
        issued = event.draft(
            "receipt.issued",
            item=f"case:{case_id}",
            case_id=case_id,
            receipt=receipt_id,
            files=done.files,
            sha256=done.sha256,
            size_bytes=done.size_bytes,
        )
        event_id = work.record(issued)
        storage.record_blob(work, blob, event_id)
        receipts.add(work, done, event_id)
        work.commit()
    return done


def receipt(services: Services, receipt_id: UUID) -> Receipt:
    """A receipt that was issued. Raises NotFound `receipt.not_found`."""
    with services.database.read() as session:
        return receipts.get(session, receipt_id)


def receipts_of(services: Services, case_id: UUID, limit: int = 20) -> tuple[Receipt, ...]:
    """The last receipts of a case, newest first."""
    with services.database.read() as session:
        return receipts.of_case(session, case_id, limit)


def receipt_resource(session: Session, receipt_id: UUID) -> Resource:
    """What the policy must know of a receipt. Raises NotFound `receipt.not_found`."""
    found = receipts.get(session, receipt_id)
    return Resource(case_id=found.case_id, owner=found.issued_by)


def receipt_pdf(services: Services, receipt_id: UUID) -> tuple[Receipt, BlobReader]:
    """The PDF as it was signed, byte for byte. A receipt holds no evidence: reading it is no custody event."""
    found = receipt(services, receipt_id)
    return found, reading.blob(services, found.blob_id)


def _refusal(one: Candidate, limit_bytes: int, free_bytes: int | None) -> DalelError | None:
    try:
        FileName(one.filename)
        FolderPath.parse(one.folder)
        if one.size_bytes <= 0:
            raise Invalid("exhibit.empty")
        if one.size_bytes > limit_bytes:
            raise TooLarge("exhibit.too_large", limit_bytes=limit_bytes)
        if free_bytes is not None and one.size_bytes > free_bytes:
            raise TooLarge("upload.no_room", free_bytes=free_bytes)
    except DalelError as refusal:
        return refusal
    return None


def _finding(actor: Actor, twin: Exhibit | None, before: Exhibit | None, resumable: set[UUID]) -> Finding:
    if twin is None:
        return Finding("new", destroyed=before)
    if twin.state is ExhibitState.SEALED:
        return Finding("sealed", twin)
    if twin.registered_by != actor.id:
        return Finding("elsewhere", twin)
    if twin.state is ExhibitState.CHECKING:
        return Finding("checking", twin)
    return Finding("begun", twin) if twin.id in resumable else Finding("elsewhere", twin)


def _free_bytes(services: Services) -> int | None:
    volume = services.settings.store_volume
    if volume is None:
        return None
    return max(0, shutil.disk_usage(volume).free - services.settings.store_reserve_bytes)


def _delivered(session: Session, actor: Actor, case_id: UUID, wanted: Sequence[UUID]) -> tuple[Exhibit, ...]:
    found = reads.find_exhibits(session, case_id, wanted)
    theirs = [one for one in found if one.registered_by == actor.id and one.state is ExhibitState.SEALED]
    if len(theirs) != len(set(wanted)):
        raise Invalid("receipt.not_deliverable", count=len(set(wanted)) - len(theirs))
    return tuple(theirs)


def _recorded(session: Session, stored: Sequence[Exhibit]) -> tuple[Mapping[str, EntryView], CheckpointView | None]:
    """The places of the seals in the ledger, and the head that covers them. Raises Conflict `receipt.not_ready`."""
    if not stored:
        return {}, heads.latest_checkpoint(session)
    items = [f"exhibit:{one.id}" for one in stored]
    entries = audit.positions(session, "exhibit.sealed", items)
    if len(entries) < len(items):
        raise Conflict("receipt.not_ready")
    head = heads.checkpoint_covering(session, max(entry.seq for entry in entries.values()))
    if head is None:
        raise Conflict("receipt.not_ready")
    return entries, head


def _paper(services: Services, body: Mapping[str, Any], language: str, reason: Callable[[str], str]) -> bytes:
    """The receipt as PDF, signed by the office; without an office's key it is unsigned and says so."""
    from evidence_api.paper import setting  # noqa: PLC0415  a second of imports, for acts only

    office = services.office()
    pdf = setting.render(receipt_paper.act(body, language, reason, signed=office is not None))
    return office.sign(pdf, f"receipt {body['receipt']}") if office else pdf


def _held(
    stored: Sequence[Exhibit],
    already: Sequence[Exhibit],
    entries: Mapping[str, EntryView],
    head: CheckpointView | None,
) -> dict[str, Any]:
    """What the case holds now, with the places of the seals in the ledger and the head that covers them."""
    return {
        "files": [_line(exhibit, entries[f"exhibit:{exhibit.id}"]) for exhibit in stored],
        "already": [{"number": one.number, "name": one.filename, "sha256": one.sha256} for one in already],
        "total_bytes": sum(exhibit.size_bytes for exhibit in stored),
        "checkpoint": {"size": head.size, "root": head.root.hex(), "note": head.note} if head else None,
    }


def _line(exhibit: Exhibit, entry: EntryView) -> dict[str, Any]:
    return {
        "exhibit": str(exhibit.id),
        "number": exhibit.number,
        "name": exhibit.filename,
        "folder": exhibit.folder,
        "size_bytes": exhibit.size_bytes,
        "sha256": exhibit.sha256,
        "recorded_at": exhibit.recorded_at,
        "registered_ms": to_ms(exhibit.registered_at),
        "sealed_ms": entry.time_ms,
        "ledger_index": entry.seq,
    }


def _compared(given: HashList | None, arrived: Sequence[Exhibit]) -> Comparison | None:
    if given is None:
        return None
    top = f"{given.root}/" if given.root else ""
    paths = {f"{one.folder}/{one.filename}" if one.folder else one.filename: one.sha256 for one in arrived}
    below = {path.removeprefix(top): digest for path, digest in paths.items() if path.startswith(top)}
    return hashlists.compare(hashlists.parse(given.text, given.form), below, given.form, given.name)


def _told(given: HashList | None, checked: Comparison | None) -> dict[str, Any] | None:
    if given is None or checked is None:
        return None
    return {
        "format": given.form,
        "name": given.name,
        "sha256": _digest(given),
        "listed": checked.listed,
        "matched": checked.matched,
        "differing": [{"path": one.path, "expected": one.expected, "found": one.found} for one in checked.differing],
        "missing": list(checked.missing),
        "extra": list(checked.extra),
    }


def _checked_event(case_id: UUID, receipt_id: UUID, given: HashList, checked: Comparison) -> Any:
    return event.draft(
        "intake.checked",
        item=f"case:{case_id}",
        case_id=case_id,
        intake=receipt_id,
        format=given.form,
        manifest_sha256=_digest(given),
        listed=checked.listed,
        matched=checked.matched,
        differing=len(checked.differing),
        missing=len(checked.missing),
        extra=len(checked.extra),
    )


def _digest(given: HashList) -> str:
    return "sha256:" + hashlib.sha256(given.text.encode()).hexdigest()


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise Denied("actor.person_needed")
    return actor.id
