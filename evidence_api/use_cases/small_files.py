"""Small files that came whole, in the request that announced them: one transaction for all that intake does."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from custody import event
from custody.kernel.errors import Conflict, DalelError
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.jobs import SMALL
from evidence_api.registry import service as registry
from evidence_api.registry.model import ExhibitForm
from evidence_api.registry.service import NewExhibit
from evidence_api.services import Services
from evidence_api.use_cases import intake, retaining
from storage import whole
from storage.intake import append
from storage.service import Upload
from storage.whole import Put, Received

AT_ONCE = 4
"""How many files are put at the same time: the store's answers take longer than our own work."""


@dataclass(frozen=True)
class SmallFile:
    """What is said of a file, and all of its bytes (at most `storage.whole.MOST_BYTES`)."""

    form: ExhibitForm
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class _Stored:
    """A file that lies in the store and that no row names yet. `place` is its place in the request."""

    place: int
    form: ExhibitForm
    put: Put


def take_whole(services: Services, actor: Actor, case_id: UUID, form: ExhibitForm, data: bytes) -> Upload:
    """Register an exhibit, its upload and all of its bytes at once; it waits for its seal.

    Raises what `intake.begin` raises, Invalid `upload.digest_mismatch` before anything is stored, Unavailable
    `store.unreachable`.
    """
    (taken,) = take_all(services, actor, case_id, [SmallFile(form, data)])
    if isinstance(taken, Conflict) and taken.code == "exhibit.duplicate":
        return _go_on(services, actor, case_id, form, data, taken)
    if isinstance(taken, DalelError):
        raise taken
    return taken


def take_all(services: Services, actor: Actor, case_id: UUID, files: Sequence[SmallFile]) -> list[Upload | DalelError]:
    """As `take_whole`, of many in one transaction; what became of each, in their order: its upload or its refusal.

    One that is refused stops no other. The same bytes twice: the second is `exhibit.duplicate` of the first. An upload
    that is half sent is not gone on with (`exhibit.duplicate`): send it alone. Raises NotFound `case.not_found`,
    Unavailable; then nothing was taken.
    """
    found: list[Upload | DalelError | _Stored] = list(_put_all(services, files))
    stored = [one for one in found if isinstance(one, _Stored)]
    if not stored:
        return [one for one in found if not isinstance(one, _Stored)]
    try:
        with services.database.begin(actor) as work:
            taken = _record(services, work, case_id, stored)
            work.commit()
    except DalelError:
        _take_back(services, stored)
        raise
    _take_back(services, [one for one in stored if isinstance(taken[one.place], DalelError)])
    return [taken[place] if isinstance(one, _Stored) else one for place, one in enumerate(found)]


def _put_all(services: Services, files: Sequence[SmallFile]) -> list[_Stored | DalelError]:
    rules = retaining.current_rules(services) if any(file.form.category for file in files) else None

    def put(place: int, file: SmallFile) -> _Stored | DalelError:
        try:
            form = retaining.ruled(file.form, rules) if rules and file.form.category else file.form
            form = form.check(services.settings.upload_limit_bytes)
            new = services.database.ids.new()
            return _Stored(place, form, whole.put_whole(services.store, services.keys, new, file.data, form.sha256))
        except DalelError as refusal:
            return refusal

    if len(files) == 1:
        return [put(0, files[0])]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="put") as pool:
        return list(pool.map(put, range(len(files)), files))


def _take_back(services: Services, stored: Sequence[_Stored]) -> None:
    for one in stored:
        whole.take_back(services.store, one.put)


def _record(
    services: Services, work: UnitOfWork, case_id: UUID, stored: Sequence[_Stored]
) -> dict[int, Upload | DalelError]:
    """Exhibits, uploads, events and seal jobs of all that the case does not have yet; by place."""
    number, numbers = registry.reserve_numbers(work, case_id, [one.form.sha256 for one in stored])
    taken: dict[int, Upload | DalelError] = {}
    fresh: list[tuple[_Stored, int, Received]] = []
    for one in stored:
        twin = numbers.get(one.form.sha256)
        if twin is not None:
            taken[one.place] = Conflict("exhibit.duplicate", number=twin)
            continue
        numbers[one.form.sha256] = number
        new = intake.new_upload(work, work.ids.new(), case_id, one.form)
        fresh.append((one, number, Received(work.ids.new(), one.put, new)))
        number += 1
    drafts = [draft for one, number, received in fresh for draft in _drafts(case_id, one.form, number, received)]
    finished = work.record_all(drafts)[1::2] if drafts else []
    registry.register_exhibits(
        work,
        case_id,
        [
            NewExhibit(received.new.exhibit_id, number, one.form, event_id, received.upload_id)
            for (one, number, received), event_id in zip(fresh, finished, strict=True)
        ],
    )
    uploads = whole.create_received(work, [received for _, _, received in fresh], intake.limits(services))
    for (one, _, _), upload in zip(fresh, uploads, strict=True):
        work.enqueue(intake.SEAL, subject=f"exhibit:{upload.exhibit_id}", upload=upload.id, **{SMALL: True})
        taken[one.place] = upload
    return taken


def _drafts(case_id: UUID, form: ExhibitForm, number: int, received: Received) -> tuple[EventDraft, EventDraft]:
    exhibit_id = received.new.exhibit_id
    finished = event.draft(
        "upload.finished",
        item=f"exhibit:{exhibit_id}",
        case_id=case_id,
        exhibit=exhibit_id,
        upload=received.upload_id,
        size_bytes=form.size_bytes,
    )
    return intake.registered(exhibit_id, case_id, number, form), finished


def _go_on(services: Services, actor: Actor, case_id: UUID, form: ExhibitForm, data: bytes, same: Conflict) -> Upload:
    """The rest of the same file, which the same person has half sent before. Raises `same` where it is not so."""
    form = retaining.under_rule(services, form).check(services.settings.upload_limit_bytes)
    with services.database.begin(actor) as work:
        twin = intake.half_sent(work, case_id, form, same)
    rest = intake.receive(services, actor, twin.id, offset_bytes=twin.offset_bytes, declared_bytes=None, checksum=None)
    return append(rest, [data[twin.offset_bytes :]])
