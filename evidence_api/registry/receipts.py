"""Receipts as rows: written once, read as frozen facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from custody.kernel.errors import NotFound
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.registry.tables import ReceiptRow


@dataclass(frozen=True)
class Receipt:
    """A receipt that was issued. `sha256` is the PDF's, `size_bytes` the sum of the files; `body` is what it says."""

    id: UUID
    case_id: UUID
    issued_by: UUID
    issued_at: datetime
    files: int
    size_bytes: int
    blob_id: UUID
    sha256: str
    body: Mapping[str, Any] = field(repr=False)


def add(work: UnitOfWork, receipt: Receipt, event_id: UUID) -> None:
    """Keep a receipt under its event `receipt.issued`."""
    work.session.add(
        ReceiptRow(
            id=receipt.id,
            case_id=receipt.case_id,
            issued_by=receipt.issued_by,
            issued_at=receipt.issued_at,
            files=receipt.files,
            size_bytes=receipt.size_bytes,
            blob_id=receipt.blob_id,
            sha256=receipt.sha256,
            body=dict(receipt.body),
            event_id=event_id,
        )
    )


def get(session: Session, receipt_id: UUID) -> Receipt:
    """Raises NotFound `receipt.not_found`."""
    row = session.get(ReceiptRow, receipt_id)
    if row is None:
        raise NotFound("receipt.not_found")
    return _receipt(row)


def of_case(session: Session, case_id: UUID, limit: int) -> tuple[Receipt, ...]:
    """The last receipts of a case, newest first."""
    query = select(ReceiptRow).where(ReceiptRow.case_id == case_id).order_by(ReceiptRow.issued_at.desc()).limit(limit)
    return tuple(_receipt(row) for row in session.scalars(query))


def _receipt(row: ReceiptRow) -> Receipt:
    return Receipt(
        id=row.id,
        case_id=row.case_id,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
        files=row.files,
        size_bytes=row.size_bytes,
        blob_id=row.blob_id,
        sha256=row.sha256,
        body=dict(row.body),
    )
