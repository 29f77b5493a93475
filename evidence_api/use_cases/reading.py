"""Reading content: the bytes are opened only after the event that says so is durable (law 2)."""

from uuid import UUID

from custody import event
from custody.kernel.errors import Conflict
from custody.kernel.outbox import Actor
from evidence_api.registry import reads
from evidence_api.services import Services
from storage import service as storage
from storage.reader import BlobReader

VIEWED, DOWNLOADED = "content.viewed", "content.downloaded"


def open_exhibit(
    services: Services, actor: Actor, exhibit_id: UUID, *, how: str = VIEWED, span: str | None = None
) -> BlobReader:
    """Open a sealed exhibit's original. `span` is the range asked for, as in the request.

    Raises NotFound `exhibit.not_found`, Conflict `exhibit.not_sealed`.
    """
    with services.database.read() as session:
        exhibit = reads.get_exhibit(session, exhibit_id)
    if exhibit.blob_id is None:
        raise Conflict("exhibit.not_sealed")
    return open_blob(
        services,
        actor,
        exhibit.blob_id,
        subject=exhibit_id,
        item=f"exhibit:{exhibit_id}",
        case_id=exhibit.case_id,
        how=how,
        span=span,
    )


def open_blob(
    services: Services,
    actor: Actor,
    blob_id: UUID,
    *,
    subject: UUID,
    item: str,
    case_id: UUID,
    how: str = VIEWED,
    span: str | None = None,
) -> BlobReader:
    """Open any blob after its read event on the chain `item`; `subject` is what the reader knows it as."""
    with services.database.begin(actor) as work:
        facts = storage.blob_facts(work.session, blob_id)
        work.record(event.draft(how, item=item, case_id=case_id, subject=subject, sha256=facts.sha256, range=span))
        work.commit()
    return storage.open_blob(services.store, services.keys, facts)
