"""After the database was restored from an old backup: wrapped data keys come back from the records beside the objects.

The ledger must be whole first (`dalel ledger rebuild`): a record is believed only where an event of the ledger names
its blob with the same digests and sizes, and only if its key opens. A key that the ledger says was destroyed never
comes back: where the backup or a store still has it, it is destroyed again, with what is left of its object.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from custody import audit, event
from custody.audit import EntryView, TrailFilter
from custody.kernel.errors import Corrupt, NotFound
from custody.kernel.outbox import Actor
from evidence_api.services import Services
from storage import disposal, key_records
from storage import service as storage
from storage.blob import BlobFacts
from storage.routed import home

DESTROYED = "key.destroyed"
STORED = ("exhibit.sealed", "rendition.burned", "rendition.made", "disclosure.packaged")
_PAGE = 500


@dataclass(frozen=True)
class Recovered:
    """What was found by blob: rows made again, wraps replaced, records that are not there, records not to be believed,
    keys that were here although the ledger says they were destroyed.
    """

    restored: tuple[UUID, ...] = ()
    rewrapped: tuple[UUID, ...] = ()
    missing: tuple[UUID, ...] = ()
    unbelieved: tuple[UUID, ...] = ()
    destroyed: tuple[UUID, ...] = ()


def recover(services: Services, actor: Actor, *, dry_run: bool) -> Recovered:
    """Restore what the database no longer knows, under one event; destroy again what was destroyed, each under its own.
    Again changes nothing.

    Raises Unavailable when the store or the key service does not answer: run it again.
    """
    gone = _destroyed(services)
    came_back = [blob_id for blob_id in gone if _here(services, blob_id)]
    if not dry_run:
        for blob_id in came_back:
            _destroy(services, actor, gone[blob_id], blob_id)
    found = _search(services, set(gone))
    if not dry_run and (found.restored or found.rewrapped):
        _write(services, actor, found.restored, found.rewrapped)
    return Recovered(
        tuple(facts.blob_id for facts, _ in found.restored),
        tuple(facts.blob_id for facts in found.rewrapped),
        tuple(found.missing),
        tuple(found.unbelieved),
        tuple(came_back),
    )


@dataclass
class _Found:
    """Rows to make again, each with the event that it came into being under; wraps to replace; the rest by blob."""

    restored: list[tuple[BlobFacts, UUID]] = field(default_factory=list)
    rewrapped: list[BlobFacts] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)
    unbelieved: list[UUID] = field(default_factory=list)


def _search(services: Services, gone: Container[UUID]) -> _Found:
    alive, found = set(services.keys.versions()), _Found()
    for entry in _entries(services, STORED):
        if "blob" not in entry.data or (blob_id := UUID(str(entry.data["blob"]))) in gone:
            continue
        known = _known(services, blob_id)
        if known is not None and (not known.wrapped_key or known.key_id in alive):
            continue
        try:
            record = key_records.read(services.store, blob_id)
            _believe(services, record, entry)
        except NotFound:
            found.missing.append(blob_id)
        except Corrupt:
            found.unbelieved.append(blob_id)
        else:
            if known is None:
                found.restored.append((record, entry.id))
            else:
                found.rewrapped.append(replace(known, wrapped_key=record.wrapped_key, key_id=record.key_id))
    return found


def _destroyed(services: Services) -> dict[UUID, EntryView]:
    """The data keys that were destroyed, by blob, each with the event that says so."""
    entries = _entries(services, (DESTROYED,))
    return {UUID(entry.data["key"]): entry for entry in entries if entry.data["purpose"] == "data"}


def _here(services: Services, blob_id: UUID) -> bool:
    """Whether a key that was destroyed is in the database, or its record in the store."""
    with services.database.read() as session:
        if disposal.has_key(session, blob_id):
            return True
    try:
        key_records.read(services.store, blob_id)
    except NotFound:
        return False
    except Corrupt:
        pass  # a record all the same
    return True


def _destroy(services: Services, actor: Actor, entry: EntryView, blob_id: UUID) -> None:
    """First the database's copies, under the same event once more; then the record and the object."""
    with services.database.begin(actor) as work:
        if disposal.has_key(work.session, blob_id):
            again = event.draft(DESTROYED, item=entry.item, case_id=entry.case_id, personal=None, **entry.data)
            disposal.destroy_key(work, blob_id, work.record(again))
            work.commit()
    known = _known(services, blob_id)
    if known is None:
        key_records.drop(services.store, blob_id)  # its object, which no row names, is the sweep's
    else:
        disposal.remove(services.store, known)


def _write(
    services: Services, actor: Actor, restored: list[tuple[BlobFacts, UUID]], rewrapped: list[BlobFacts]
) -> None:
    with services.database.begin(actor) as work:
        count = len(restored) + len(rewrapped)
        recovered = event.draft("key.recovered", item="system", key=services.keys.key_id, count=count)
        event_id = work.record(recovered)
        for facts, made_event_id in restored:
            storage.restore_blob(work, facts, made_event_id=made_event_id, event_id=event_id)
        for facts in rewrapped:
            storage.replace_key(work, facts, event_id)
        work.commit()


def _entries(services: Services, types: tuple[str, ...]) -> Iterator[EntryView]:
    after: int | None = -1
    while after is not None:
        with services.database.read() as session:
            page = audit.trail(session, TrailFilter(types=types), after_seq=after, limit=_PAGE)
        yield from page.entries
        after = page.next_seq


def _known(services: Services, blob_id: UUID) -> BlobFacts | None:
    with services.database.read() as session:
        try:
            return storage.blob_facts(session, blob_id)
        except NotFound:
            return None


def _believe(services: Services, record: BlobFacts, entry: EntryView) -> None:
    """Raises Corrupt: `keys.record_differs` from what the ledger says, `keys.corrupt` when its key does not open."""
    data = entry.data
    plain = data["package_sha256"] if entry.type == "disclosure.packaged" else data["sha256"]
    said = {"sha256": plain, "size_bytes": data["size_bytes"]}
    more = ("ciphertext_sha256", "ciphertext_bytes", "object", "version")
    said |= {name: data[name] for name in more if name in data}
    found = vars(record) | {
        "object": f"{home(record.bucket)}/{record.key}",
        "version": record.sealed_version or record.version_id,
    }
    if any(found[name] != value for name, value in said.items()):
        raise Corrupt("keys.record_differs")
    services.keys.unwrap(record.wrapped_key, record.key_id, record.blob_id)
