"""Everything stored moves to another store: resumable, at a rate, while people read and send.

An object is read where its row says. Its row is changed, with its event, in one commit after its copy was read back and
locked there; the source is never changed. `docs/storage.md` says in which steps an installation moves.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from custody import audit, event
from custody.kernel.errors import Conflict, Corrupt, Invalid, NotFound, Unavailable
from custody.kernel.outbox import Actor, EventDraft
from custody.kernel.unit_of_work import UnitOfWork
from evidence_api.services import Services
from storage import fixity_records, key_records, moving
from storage.blob import BlobFacts
from storage.moving import Left
from storage.ports import EVIDENCE
from storage.routed import elsewhere
from storage.worm import worm_self_test

PAGE = 100
_LOCK = 0x6D6F7665
"""The advisory lock of whoever moves."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Moved:
    """What was done and what is left. `damaged`: blob and why it was not moved. `log_differs`: files of the ledger."""

    objects: int
    size_bytes: int
    log_files: int
    damaged: tuple[tuple[UUID, str], ...]
    log_differs: tuple[str, ...]
    left: Left

    @property
    def complete(self) -> bool:
        """Whether nothing is needed any more from the store that is left."""
        return not (self.damaged or self.log_differs or self.left.objects or self.left.uploads)


def migrate(services: Services, actor: Actor, target: str, say: Say, *, rate: int) -> Moved:
    """Move what is not there yet; run again, it goes on. `rate`: bytes a second, of reading.

    Raises Invalid `store.no_next` for a store that is not the configured next one; Conflict `store.migrating` while
    another process does it; Unavailable `store.worm_broken` when it does not hold what it locks, `store.unreachable`.
    """
    if target != services.settings.s3_next_name:
        raise Invalid("store.no_next", store=target)
    pace = _Pace(rate)
    with services.database.alone(_LOCK) as alone:
        if not alone:
            raise Conflict("store.migrating")
        tried = worm_self_test(services.store, services.database.clock, elsewhere(target, EVIDENCE))
        if tried.failed:
            raise Unavailable("store.worm_broken", what=tried.detail)
        moving.tidy(services.store, target)
        objects, size_bytes, damaged = _objects(services, actor, target, say, pace)
        files, differs = moving.copy_log(services.store, target, pace)
        with services.database.read() as session:
            remains = moving.left(session, target)
        return Moved(objects, size_bytes, files, tuple(damaged), differs, remains)


def _objects(
    services: Services, actor: Actor, target: str, say: Say, pace: "_Pace"
) -> tuple[int, int, list[tuple[UUID, str]]]:
    after: UUID | None = None
    objects, size_bytes, damaged = 0, 0, list[tuple[UUID, str]]()
    while True:
        with services.database.read() as session:
            page = moving.following(session, target, after, PAGE)
        if not page:
            return objects, size_bytes, damaged
        for blob_id in page:
            after = blob_id
            try:
                there = _one(services, actor, target, blob_id, pace)
            except (Corrupt, NotFound) as fault:
                damaged.append((blob_id, f"{fault.code} {fault.params.get('what', '')}".strip()))
                continue
            if there is not None:
                objects, size_bytes = objects + 1, size_bytes + there.ciphertext_bytes
        say(f"moved {objects}, {size_bytes} bytes")


def _one(services: Services, actor: Actor, target: str, blob_id: UUID, pace: "_Pace") -> BlobFacts | None:
    """Copy, verify, and only then point there. None for what was destroyed meanwhile."""
    while True:
        with services.database.read() as session:
            try:
                expected = fixity_records.expected(session, blob_id)
            except NotFound:
                return None
        there = moving.copy(services.store, expected, target, services.database.clock.now(), pace)
        with services.database.begin(actor) as work:
            if not moving.lock_row(work, expected.facts) or not moving.same_hold(services.store, expected.facts, there):
                continue  # it is to be kept for longer now, was held or let go, or was destroyed: look again
            facts = moving.record(work, there, work.record(_moved(work, target, there)))
            key_records.keep(services.store, facts)
            work.commit()
        return there


def _moved(work: UnitOfWork, target: str, there: BlobFacts) -> EventDraft:
    place = audit.place_of(work.session, fixity_records.made_by(work.session, there.blob_id))
    item, case_id = place if place else ("system", None)
    return event.draft(
        "exhibit.moved",
        item=item,
        case_id=case_id,
        blob=there.blob_id,
        ciphertext_sha256=there.ciphertext_sha256,
        destination=target,
        exhibit=item.partition(":")[2] if item.startswith("exhibit:") else None,
        version=there.version_id,
    )


class _Pace:
    """Waits so that no more than `rate` bytes a second are read."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._free_at = time.monotonic()

    def __call__(self, size_bytes: int) -> None:
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + size_bytes / self._rate
        if self._free_at - now > 1:
            time.sleep(self._free_at - now - 1)
