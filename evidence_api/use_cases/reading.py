"""Reading content: no byte is given out before the event that says so is durable (law 2)."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from custody import event
from custody.kernel.errors import Unavailable
from custody.kernel.outbox import Actor
from evidence_api.jobs import WORKER
from evidence_api.registry import reads
from evidence_api.registry.facts import Exhibit
from evidence_api.services import Services
from storage import service as storage
from storage.blob import BlobFacts
from storage.reader import BlobReader

VIEWED, DOWNLOADED, PRINTED = "content.viewed", "content.downloaded", "content.printed"


def original(services: Services, exhibit_id: UUID) -> tuple[Exhibit, BlobReader]:
    """A sealed exhibit and its original, opened but not read: call `record` before the first byte.

    Raises NotFound `exhibit.not_found`, Conflict `exhibit.not_sealed`, Gone `exhibit.destroyed`.
    """
    with services.database.look() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
        facts = storage.blob_facts(session, exhibit.check_content())
    return exhibit, _opened(services, facts)


def exhibit_of(session: Session, exhibit_id: UUID) -> Exhibit:
    """An exhibit's facts. Raises NotFound `exhibit.not_found`."""
    return reads.get_exhibit(session, exhibit_id)


def blob(services: Services, blob_id: UUID) -> BlobReader:
    """Any blob, opened but not read: call `record` before the first byte.

    Raises NotFound `blob.not_found`, Gone `blob.destroyed`.
    """
    with services.database.look() as session:
        facts = storage.blob_facts(session, blob_id)
    return _opened(services, facts)


def _opened(services: Services, facts: BlobFacts) -> BlobReader:
    try:
        return storage.open_blob(services.store, services.keys, facts)
    except Unavailable:
        # It may have been wrapped anew, and the old version of the key retired, since the row was read.
        with services.database.look() as session:
            present = storage.blob_facts(session, facts.blob_id)
        if present.key_id == facts.key_id:
            raise
        return storage.open_blob(services.store, services.keys, present)


def record(
    services: Services,
    actor: Actor,
    how: str,
    *,
    item: str,
    case_id: UUID,
    subject: UUID,
    sha256: str,
    span: str | None = None,
    pages: int | None = None,
) -> None:
    """Make a read durable on the chain `item`. `subject` is what was read, `span` which of its bytes, `pages` how many
    of them were printed.
    """
    said: dict[str, Any] = {"subject": subject, "sha256": sha256, "range": span, "pages": pages}
    with services.database.begin(actor) as work:
        work.record(event.draft(how, item=item, case_id=case_id, **said))
        work.commit()


def record_by_worker(services: Services, exhibit: Exhibit, sha256: str) -> None:
    """A worker's read of an original is an event like any other's."""
    record(
        services,
        WORKER,
        VIEWED,
        item=f"exhibit:{exhibit.id}",
        case_id=exhibit.case_id,
        subject=exhibit.id,
        sha256=sha256,
    )
