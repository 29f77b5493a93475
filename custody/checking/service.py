"""Reports of checks: made, kept, read again. Writing functions do not commit and record no event."""

from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from custody.checking.difference import Difference, Step
from custody.checking.entries import Position
from custody.checking.tables import CheckPositionRow, LedgerCheckRow
from custody.kernel.errors import Corrupt, NotFound
from custody.kernel.unit_of_work import Unit, UnitOfWork
from custody.proof import canonical

TYPE = "dalel-ledger-check"
SAME, DIFFERS = "same", "differs"


@dataclass(frozen=True)
class Report:
    """What a check has looked at and found. Times are milliseconds since 1970.

    `size` and `root` are the published head it was held against; `entries`, `objects` and `rows` count what was
    compared before the end or the first difference. `deep`: every object was read; `register`: the register was.
    """

    origin: str
    size: int
    root: str
    deep: bool
    register: bool
    began_ms: int
    ended_ms: int
    entries: int
    objects: int
    rows: int
    difference: Difference | None

    @property
    def result(self) -> str:
        """`same` or `differs`."""
        return DIFFERS if self.difference else SAME

    def encode(self) -> bytes:
        """The canonical bytes."""
        difference = asdict(self.difference) | {"step": int(self.difference.step)} if self.difference else None
        return canonical.encode({"v": 1, "type": TYPE, **asdict(self), "difference": difference})

    @property
    def sha256(self) -> str:
        """Of the canonical bytes, as the event names it."""
        return "sha256:" + sha256(self.encode()).hexdigest()


@dataclass(frozen=True)
class KeptReport:
    """A report as it lies in the database. `text` is what its digest, and the digest in its event, is over."""

    id: UUID
    report: Report
    sha256: str
    text: str
    checked_at: datetime
    event_id: UUID


def decode(data: bytes) -> Report:
    """The report whose canonical bytes these are. Raises Corrupt `ledger.report_malformed`."""
    try:
        value: dict[str, Any] = canonical.decode(data)
        if (value.pop("v"), value.pop("type")) != (1, TYPE):
            raise Corrupt("ledger.report_malformed")
        found = value.pop("difference")
        difference = Difference(**{**found, "step": Step(found["step"])}) if found else None
        return Report(**value, difference=difference)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Corrupt("ledger.report_malformed") from error


def keep_position(unit: Unit, job_id: UUID, position: Position) -> None:
    """Note how far a check has come."""
    row = insert(CheckPositionRow).values(job_id=job_id, position=position.encode())
    change = row.on_conflict_do_update(index_elements=["job_id"], set_={"position": row.excluded.position})
    unit.session.execute(change)


def position_of(session: Session, job_id: UUID) -> Position | None:
    """How far the check of a job has come; None when it has not begun."""
    row = session.get(CheckPositionRow, job_id)
    return None if row is None else Position.decode(row.position)


def keep_report(work: UnitOfWork, check_id: UUID, report: Report, *, event_id: UUID) -> None:
    """Keep what a check has found, under its event, and forget how far it had come."""
    row = LedgerCheckRow(
        id=check_id,
        report=report.encode().decode(),
        report_sha256=report.sha256,
        checked_at=work.clock.now(),
        event_id=event_id,
    )
    work.session.add(row)
    work.session.execute(delete(CheckPositionRow).where(CheckPositionRow.job_id == check_id))


def reports(session: Session, limit: int = 20) -> list[KeptReport]:
    """The last checks, newest first. Raises Corrupt `ledger.report_malformed` for one that was changed."""
    rows = session.scalars(select(LedgerCheckRow).order_by(LedgerCheckRow.checked_at.desc()).limit(limit))
    return [_kept(row) for row in rows]


def report(session: Session, check_id: UUID) -> KeptReport:
    """One report. Raises NotFound `ledger.no_such_report`, Corrupt `ledger.report_malformed`."""
    row = session.get(LedgerCheckRow, check_id)
    if row is None:
        raise NotFound("ledger.no_such_report")
    return _kept(row)


def _kept(row: LedgerCheckRow) -> KeptReport:
    data = row.report.encode()
    if "sha256:" + sha256(data).hexdigest() != row.report_sha256:
        raise Corrupt("ledger.report_malformed")
    return KeptReport(row.id, decode(data), row.report_sha256, row.report, row.checked_at, row.event_id)
