"""Writing and reading disclosures. Functions take a unit of work, do not commit and do not record events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from custody.kernel.errors import Conflict, Gone, NotFound
from custody.kernel.unit_of_work import UnitOfWork
from custody.proof import disclosure as manifests
from custody.proof.disclosure import Manifest, Previous, Withheld
from evidence_api.disclosure.model import DRAFT, FAILED, READY, RELEASING
from evidence_api.disclosure.tables import DisclosureRow


@dataclass(frozen=True)
class Disclosure:
    """One round to one recipient, as stored. `manifest` is the canonical text once released."""

    id: UUID
    case_id: UUID
    round: int | None
    recipient_id: UUID
    state: str
    drafted_by: UUID
    drafted_at: datetime
    renditions: tuple[UUID, ...]
    withheld: tuple[Withheld, ...]
    released_by: UUID | None
    released_at: datetime | None
    manifest: str | None
    manifest_sha256: str | None
    package_blob_id: UUID | None
    package_sha256: str | None
    package_bytes: int | None
    checkpoint_size: int | None
    opened_at: datetime | None
    received_at: datetime | None
    disposal_id: UUID | None = None
    disposal_number: int | None = None
    destroyed_at: datetime | None = None

    @property
    def exhibits(self) -> tuple[UUID, ...]:
        """The exhibits of which something is inside; none before the release."""
        files = manifests.parse(self.manifest.encode()).files if self.manifest else ()
        return tuple({UUID(file.exhibit) for file in files})

    def check_package(self, *, destroyed: bool = False) -> UUID:
        """The blob of its package; one that is `destroyed` only if that is asked for.

        Raises Conflict `disclosure.not_ready` while it is being made, Gone `disclosure.destroyed` naming the act.
        """
        if self.state != READY or self.package_blob_id is None:
            raise Conflict("disclosure.not_ready", state=self.state)
        if self.destroyed_at is not None and not destroyed:
            on = f"{self.destroyed_at.astimezone(UTC):%Y-%m-%d}"
            raise Gone("disclosure.destroyed", on=on, act=self.disposal_number)
        return self.package_blob_id

    @property
    def released(self) -> bool:
        """Whether its recipient may know of it: from the release on, packaged or not."""
        return self.state in (RELEASING, READY)


def draft(
    work: UnitOfWork,
    *,
    disclosure_id: UUID,
    case_id: UUID,
    recipient_id: UUID,
    author_id: UUID,
    renditions: Sequence[UUID],
    withheld: Sequence[Withheld],
    event_id: UUID,
) -> None:
    """Store a draft. It gets its round number when it is released, so that thrown-away drafts leave no gap."""
    work.session.add(
        DisclosureRow(
            id=disclosure_id,
            case_id=case_id,
            recipient_id=recipient_id,
            state=DRAFT,
            drafted_by=author_id,
            drafted_at=work.clock.now(),
            renditions=[str(rendition) for rendition in renditions],
            withheld=[_withheld_json(item) for item in withheld],
            event_id=event_id,
        )
    )


def hold_rounds(work: UnitOfWork, case_id: UUID, recipient_id: UUID) -> None:
    """Let no other release to this recipient in this case count its round until the unit of work ends."""
    key = (case_id.int ^ recipient_id.int) & (2**63 - 1)
    work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def next_round(session: Session, case_id: UUID, recipient_id: UUID) -> int:
    """The number of the next round to this recipient, right while `hold_rounds` holds."""
    last = select(func.max(DisclosureRow.round)).where(
        DisclosureRow.case_id == case_id, DisclosureRow.recipient_id == recipient_id
    )
    return (session.scalar(last) or 0) + 1


def last_released(session: Session, case_id: UUID, recipient_id: UUID) -> Previous | None:
    """The last round released to this recipient in this case."""
    rows = select(DisclosureRow).where(
        DisclosureRow.case_id == case_id,
        DisclosureRow.recipient_id == recipient_id,
        DisclosureRow.round.is_not(None),
    )
    row = session.scalar(rows.order_by(DisclosureRow.round.desc()).limit(1))
    return Previous(str(row.id), str(row.manifest_sha256)) if row else None


def release(
    work: UnitOfWork, disclosure_id: UUID, *, manifest: Manifest, manifest_sha256: str, author_id: UUID, event_id: UUID
) -> None:
    """Bind the manifest to the round. Raises Conflict `disclosure.already_released`."""
    row = _locked(work, disclosure_id)
    if row.state != DRAFT:
        raise Conflict("disclosure.already_released")
    row.state, row.round = RELEASING, manifest.round
    row.manifest, row.manifest_sha256 = manifest.encode().decode(), manifest_sha256
    row.released_by, row.released_at = author_id, work.clock.now()
    row.event_id = event_id


def packaged(
    work: UnitOfWork,
    disclosure_id: UUID,
    *,
    blob_id: UUID,
    sha256: str,
    size_bytes: int,
    checkpoint_size: int,
    event_id: UUID,
) -> None:
    """Note the sealed package of a released round."""
    row = _locked(work, disclosure_id)
    row.state = READY
    row.package_blob_id, row.package_sha256, row.package_bytes = blob_id, sha256, size_bytes
    row.checkpoint_size = checkpoint_size
    row.event_id = event_id


def destroyed(work: UnitOfWork, disclosure_id: UUID, *, disposal_id: UUID, number: int, event_id: UUID) -> None:
    """The package can no longer be read, by an act; the round and its manifest stay."""
    row = _locked(work, disclosure_id)
    row.disposal_id, row.disposal_number, row.destroyed_at = disposal_id, number, work.clock.now()
    row.event_id = event_id


def failed(work: UnitOfWork, disclosure_id: UUID, *, event_id: UUID) -> None:
    """Note that the package could not be made; the release itself stands in the ledger."""
    row = _locked(work, disclosure_id)
    row.state, row.event_id = FAILED, event_id


def opened(work: UnitOfWork, disclosure_id: UUID, *, event_id: UUID) -> None:
    """Note the recipient's first look at the contents."""
    row = _locked(work, disclosure_id)
    row.opened_at, row.event_id = work.clock.now(), event_id


def received(work: UnitOfWork, disclosure_id: UUID, *, event_id: UUID) -> None:
    """Note the recipient's receipt. Raises Conflict `disclosure.already_received`."""
    row = _locked(work, disclosure_id)
    if row.received_at is not None:
        raise Conflict("disclosure.already_received")
    row.received_at, row.event_id = work.clock.now(), event_id


def locked(work: UnitOfWork, disclosure_id: UUID) -> Disclosure:
    """A round, held until the unit of work ends. Raises NotFound `disclosure.not_found`."""
    return _value(_locked(work, disclosure_id))


def get(session: Session, disclosure_id: UUID) -> Disclosure:
    """Raises NotFound `disclosure.not_found`."""
    row = session.get(DisclosureRow, disclosure_id)
    if row is None:
        raise NotFound("disclosure.not_found")
    return _value(row)


def of_case(session: Session, case_id: UUID) -> tuple[Disclosure, ...]:
    """Every round of a case, newest first."""
    rows = select(DisclosureRow).where(DisclosureRow.case_id == case_id).order_by(DisclosureRow.drafted_at.desc())
    return tuple(_value(row) for row in session.scalars(rows))


def released_to(session: Session, account_id: UUID) -> tuple[Disclosure, ...]:
    """Every round released to this recipient, newest first: all that the defence may see."""
    rows = select(DisclosureRow).where(
        DisclosureRow.recipient_id == account_id, DisclosureRow.state.in_((RELEASING, READY))
    )
    return tuple(_value(row) for row in session.scalars(rows.order_by(DisclosureRow.released_at.desc())))


def _locked(work: UnitOfWork, disclosure_id: UUID) -> DisclosureRow:
    row = work.session.get(DisclosureRow, disclosure_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("disclosure.not_found")
    return row


def _withheld_json(item: Withheld) -> dict[str, Any]:
    return {"exhibit": item.exhibit, "number": item.number, "ground": item.ground}


def _value(row: DisclosureRow) -> Disclosure:
    withheld = (Withheld(item["exhibit"], item["number"], item["ground"]) for item in row.withheld)
    stored = {name: getattr(row, name) for name in Disclosure.__dataclass_fields__}
    return Disclosure(
        **stored | {"renditions": tuple(UUID(one) for one in row.renditions), "withheld": tuple(withheld)}
    )
