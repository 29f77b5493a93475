"""The record as auditors and prosecutors read it."""

from collections.abc import Sequence
from uuid import UUID

from custody import audit
from custody.audit import EntryView, LedgerHealth, TrailFilter, TrailPage
from evidence_api.services import Services


def of_case(
    services: Services, case_id: UUID, *, types: Sequence[str] = (), before: int | None = None, limit: int = 50
) -> TrailPage:
    """A page of a case's events, newest first."""
    with services.database.read() as session:
        return audit.trail(session, TrailFilter(case_id=case_id, types=types), before_seq=before, limit=limit)


def of_exhibit(services: Services, exhibit_id: UUID) -> list[EntryView]:
    """An exhibit's whole chain, oldest first. Raises Corrupt `ledger.…` when it is not what it was."""
    with services.database.read() as session:
        audit.check_chain(session, f"exhibit:{exhibit_id}")
        return audit.chain(session, f"exhibit:{exhibit_id}")


def health(services: Services) -> LedgerHealth:
    """How the ledger stands."""
    with services.database.read() as session:
        return audit.health(session)
