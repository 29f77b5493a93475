"""A small file that came whole, in the request that announced it: one transaction for all that intake does."""

from uuid import UUID

from custody import event
from custody.kernel.errors import Conflict, DalelError
from custody.kernel.outbox import Actor
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.jobs import SMALL
from evidence_api.registry import service as registry
from evidence_api.registry.model import ExhibitForm
from evidence_api.services import Services
from evidence_api.use_cases import intake, retaining
from storage import whole
from storage.intake import append
from storage.service import Upload
from storage.whole import Put


def take_whole(services: Services, actor: Actor, case_id: UUID, form: ExhibitForm, data: bytes) -> Upload:
    """Register an exhibit, its upload and all of its bytes at once; it waits for its seal.

    For at most `storage.whole.MOST_BYTES`. Raises what `begin` raises, Invalid `upload.digest_mismatch` before anything
    is stored, Unavailable `store.unreachable`.
    """
    form = retaining.under_rule(services, form).check(services.settings.upload_limit_bytes)
    ids = services.database.ids
    exhibit_id, upload_id = ids.new(), ids.new()
    put = whole.put_whole(services.store, services.keys, ids.new(), data, form.sha256)
    try:
        with services.database.begin(actor) as work:
            try:
                number = registry.reserve_number(work, case_id, form.sha256)
            except Conflict as same:
                twin = intake.half_sent(work, case_id, form, same)
            else:
                return _record_whole(services, work, number, exhibit_id, upload_id, case_id, form, put)
    except DalelError:
        whole.take_back(services.store, put)
        raise
    whole.take_back(services.store, put)
    rest = intake.receive(services, actor, twin.id, offset_bytes=twin.offset_bytes, declared_bytes=None, checksum=None)
    return append(rest, [data[twin.offset_bytes :]])


def _record_whole(
    services: Services,
    work: UnitOfWork,
    number: int,
    exhibit_id: UUID,
    upload_id: UUID,
    case_id: UUID,
    form: ExhibitForm,
    put: Put,
) -> Upload:
    finished = event.draft(
        "upload.finished",
        item=f"exhibit:{exhibit_id}",
        case_id=case_id,
        exhibit=exhibit_id,
        upload=upload_id,
        size_bytes=form.size_bytes,
    )
    last = work.record_all([intake.registered(exhibit_id, case_id, number, form), finished])[-1]
    registry.register_exhibit(
        work, exhibit_id, case_id=case_id, number=number, form=form, event_id=last, received=upload_id
    )
    new = intake.new_upload(work, exhibit_id, case_id, form)
    upload = whole.create_received(work, upload_id, put, new, intake.limits(services))
    work.enqueue(intake.SEAL, subject=f"exhibit:{exhibit_id}", upload=upload_id, **{SMALL: True})
    work.commit()
    return upload
