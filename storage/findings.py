"""What was found out about originals, and their light copies: append only; a later finding does not change an earlier.

Rows stay here; others get frozen values. The use cases record the events whose ids the rows carry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from custody.kernel.errors import NotFound
from custody.kernel.unit_of_work import UnitOfWork
from custody.proof import canonical
from storage.blob import BlobFacts
from storage.clamd import INFECTED, ScanFacts
from storage.tables import ExaminationRow, LightCopyRow, ScanRow


@dataclass(frozen=True)
class Examination:
    """The claims of a file (`storage.identify.model`), or why they could not be read."""

    id: UUID
    claims: Mapping[str, Any] | None
    sha256: str | None
    reason: str | None
    made_at: datetime


@dataclass(frozen=True)
class Scan:
    """What the scanner said, and when."""

    facts: ScanFacts
    made_at: datetime

    @property
    def infected(self) -> bool:
        """Whether the original must not be opened here."""
        return self.facts.result == INFECTED


@dataclass(frozen=True)
class LightCopy:
    """A light copy (`storage.light.recipes`), or without a blob why there is none."""

    id: UUID
    exhibit_id: UUID
    kind: str
    source_sha256: str
    blob_id: UUID | None
    sha256: str | None
    size_bytes: int | None
    tool: str | None
    tool_version: str | None
    parameters: Mapping[str, Any]
    details: Mapping[str, Any]
    reason: str | None
    made_at: datetime


def record_examination(
    work: UnitOfWork, exhibit_id: UUID, claims: bytes | None, sha256: str | None, reason: str | None, event_id: UUID
) -> None:
    """Keep the canonical claims, or the reason why there are none."""
    work.session.add(
        ExaminationRow(
            id=work.ids.new(),
            exhibit_id=exhibit_id,
            facts=claims,
            facts_sha256=sha256,
            reason=reason,
            made_at=work.clock.now(),
            event_id=event_id,
        )
    )


def record_scan(work: UnitOfWork, exhibit_id: UUID, facts: ScanFacts, event_id: UUID) -> None:
    """Keep what the scanner said."""
    work.session.add(
        ScanRow(id=work.ids.new(), exhibit_id=exhibit_id, made_at=work.clock.now(), event_id=event_id, **vars(facts))
    )


def record_light_copy(
    work: UnitOfWork,
    copy_id: UUID,
    exhibit_id: UUID,
    *,
    kind: str,
    source_sha256: str,
    blob: BlobFacts | None,
    made: Mapping[str, Any],
    reason: str | None,
    event_id: UUID,
) -> None:
    """Keep a copy whose blob was recorded, or the reason why there is none. `made` as the sandbox's task told it."""
    work.session.add(
        LightCopyRow(
            id=copy_id,
            exhibit_id=exhibit_id,
            kind=kind,
            source_sha256=source_sha256,
            blob_id=blob.blob_id if blob else None,
            sha256=blob.sha256 if blob else None,
            size_bytes=blob.size_bytes if blob else None,
            tool=made.get("tool"),
            tool_version=made.get("tool_version"),
            parameters=made.get("parameters", {}),
            details=made.get("details", {}),
            reason=reason,
            made_at=work.clock.now(),
            event_id=event_id,
        )
    )


def erase(work: UnitOfWork, exhibit_id: UUID, event_id: UUID) -> int:
    """The claims of a destroyed exhibit go with it; their digests stay. Returns how many readings lost theirs."""
    rows = work.session.scalars(
        select(ExaminationRow).where(ExaminationRow.exhibit_id == exhibit_id, ExaminationRow.facts.is_not(None))
    ).all()
    for row in rows:
        row.facts, row.reason, row.event_id = None, "exhibit.destroyed", event_id
    return len(rows)


def examination(session: Session, exhibit_id: UUID) -> Examination | None:
    """The latest; None while there is none."""
    row = session.scalar(
        select(ExaminationRow)
        .where(ExaminationRow.exhibit_id == exhibit_id)
        .order_by(ExaminationRow.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    claims = canonical.decode(row.facts) if row.facts is not None else None
    return Examination(row.id, claims, row.facts_sha256, row.reason, row.made_at)


def scan(session: Session, exhibit_id: UUID) -> Scan | None:
    """The latest; None while there is none."""
    row = session.scalar(select(ScanRow).where(ScanRow.exhibit_id == exhibit_id).order_by(ScanRow.id.desc()).limit(1))
    if row is None:
        return None
    return Scan(ScanFacts(row.result, row.signature, row.engine, row.definitions), row.made_at)


def light_copies(session: Session, exhibit_id: UUID) -> tuple[LightCopy, ...]:
    """The latest of each kind, copies before what only comes with them."""
    rows: Sequence[LightCopyRow] = session.scalars(
        # Their ids come of their jobs' and say nothing of time.
        select(LightCopyRow)
        .where(LightCopyRow.exhibit_id == exhibit_id)
        .order_by(LightCopyRow.made_at, LightCopyRow.id)
    ).all()
    latest = {row.kind: row for row in rows}
    return tuple(
        _light_copy(row) for row in sorted(latest.values(), key=lambda row: (row.kind[:5] != "light", row.kind))
    )


def light_copy(session: Session, copy_id: UUID) -> LightCopy:
    """One copy. Raises NotFound `light.not_found`."""
    row = session.get(LightCopyRow, copy_id)
    if row is None:
        raise NotFound("light.not_found")
    return _light_copy(row)


def _light_copy(row: LightCopyRow) -> LightCopy:
    return LightCopy(
        id=row.id,
        exhibit_id=row.exhibit_id,
        kind=row.kind,
        source_sha256=row.source_sha256,
        blob_id=row.blob_id,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        tool=row.tool,
        tool_version=row.tool_version,
        parameters=dict(row.parameters),
        details=dict(row.details),
        reason=row.reason,
        made_at=row.made_at,
    )
