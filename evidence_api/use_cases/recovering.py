"""After the database was restored from an old backup: wrapped data keys come back from the records beside the objects.

The ledger must be whole first (`dalel ledger rebuild`): a record is believed only where an event of the ledger names
its blob with the same digests and sizes, and only if its key opens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from custody import audit, event
from custody.audit import EntryView, TrailFilter
from custody.kernel.errors import Corrupt, NotFound
from custody.kernel.outbox import Actor
from evidence_api.services import Services
from storage import key_records
from storage import service as storage
from storage.blob import BlobFacts
from storage.routed import home

STORED = ("exhibit.sealed", "rendition.burned", "rendition.made", "disclosure.packaged")
_PAGE = 500


@dataclass(frozen=True)
class Recovered:
    """What was found by blob: rows made again, wraps replaced, records that are not there, records not to be believed.

    `missing` may be destroyed on purpose (disposal) or lost with the store.
    """

    restored: tuple[UUID, ...] = ()
    rewrapped: tuple[UUID, ...] = ()
    missing: tuple[UUID, ...] = ()
    unbelieved: tuple[UUID, ...] = ()


def recover(services: Services, actor: Actor, *, dry_run: bool) -> Recovered:
    """Restore what the database no longer knows, under one event. Again changes nothing.

    Raises Unavailable when the store or the key service does not answer: nothing was changed then.
    """
    alive = set(services.keys.versions())
    restored: list[tuple[BlobFacts, UUID]] = []
    rewrapped: list[BlobFacts] = []
    missing, unbelieved = [], []
    for entry in _entries(services):
        blob_id = UUID(str(entry.data["blob"]))
        known = _known(services, blob_id)
        if known is not None and (not known.wrapped_key or known.key_id in alive):
            continue
        try:
            record = key_records.read(services.store, blob_id)
            _believe(services, record, entry)
        except NotFound:
            missing.append(blob_id)
        except Corrupt:
            unbelieved.append(blob_id)
        else:
            if known is None:
                restored.append((record, entry.id))
            else:
                rewrapped.append(replace(known, wrapped_key=record.wrapped_key, key_id=record.key_id))
    if not dry_run and (restored or rewrapped):
        _write(services, actor, restored, rewrapped)
    return Recovered(
        tuple(facts.blob_id for facts, _ in restored),
        tuple(facts.blob_id for facts in rewrapped),
        tuple(missing),
        tuple(unbelieved),
    )


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


def _entries(services: Services) -> Iterator[EntryView]:
    after: int | None = -1
    while after is not None:
        with services.database.read() as session:
            page = audit.trail(session, TrailFilter(types=STORED), after_seq=after, limit=_PAGE)
        yield from (entry for entry in page.entries if "blob" in entry.data)
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
