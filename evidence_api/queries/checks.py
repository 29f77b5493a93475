"""The checks of the whole ledger as auditors read them."""

from dataclasses import dataclass
from uuid import UUID

from custody.checking import service
from custody.checking.service import KeptReport, Report
from evidence_api import jobs
from evidence_api.access.policy import NOTHING, Viewer, refusal
from evidence_api.jobs import JobView
from evidence_api.services import Services

__all__ = ["KeptReport", "LedgerChecks", "Report", "report", "state"]
_SUBJECT = "ledger"
_OPEN = ("queued", "running")


@dataclass(frozen=True)
class LedgerChecks:
    """What this viewer may know of checks: the last reports, newest first, and the one under way.

    `may_check` is false, and the rest empty, for whoever may not ask for one.
    """

    may_check: bool
    reports: tuple[KeptReport, ...] = ()
    running: JobView | None = None
    failed: str | None = None


def state(services: Services, viewer: Viewer) -> LedgerChecks:
    """The checks so far. Raises Corrupt `ledger.report_malformed` when a kept report was changed."""
    if refusal(viewer, "ledger.check", NOTHING) is not None:
        return LedgerChecks(may_check=False)
    with services.database.read() as session:
        last = jobs.latest(session, _SUBJECT)
        kept = tuple(service.reports(session, limit=10))
    running = last if last is not None and last.state in _OPEN else None
    return LedgerChecks(True, kept, running, last.error_code if last is not None else None)


def report(services: Services, check_id: UUID) -> KeptReport:
    """One report. Raises NotFound `ledger.no_such_report`, Corrupt `ledger.report_malformed`."""
    with services.database.read() as session:
        return service.report(session, check_id)
