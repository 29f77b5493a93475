"""A database restored from a backup of before the destruction: what the ledger says was destroyed stays destroyed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from custody.kernel.errors import NotFound
from evidence_api import prepare, stored_care
from evidence_api.use_cases import recovering
from storage import key_records
from storage.ports import KEYS
from tests import ended
from tests.databases import conninfo
from tests.whole import until


@pytest.fixture
def gone(system):
    """A destroyed exhibit: its id, its blob, the wrapped key and the record it had before. Put back as it was: the
    system is shared, and others check all of it.
    """
    case_id, store = system.case(), system.services.store
    exhibit_id = ended.sealed_briefly(system, case_id, os.urandom(100), "gone.bin")
    ((blob_id, wrapped),) = system.rows(
        "SELECT b.id, b.wrapped_key FROM exhibits e JOIN blobs b ON b.id = e.blob_id WHERE e.id = :id", id=exhibit_id
    )
    record = store.read(KEYS, key_records.name_of(blob_id))
    ended.wait_for_end(system, exhibit_id)
    ended.destroyed(system, case_id, exhibit_id)
    until(lambda: not system.rows("SELECT 1 FROM event_outbox LIMIT 1"))
    with _owner(system) as owner:
        owner.execute("CREATE TABLE before_restore AS SELECT * FROM blobs WHERE id = %s", (blob_id,))
    yield exhibit_id, blob_id, wrapped, record
    with _owner(system) as owner:
        owner.execute("INSERT INTO blobs SELECT * FROM before_restore ON CONFLICT (id) DO NOTHING")
        owner.execute("DROP TABLE before_restore")


@pytest.mark.parametrize("has_row", [True, False], ids=["of after its seal", "of before its seal"])
def test_a_destroyed_key_does_not_come_back(system, gone, has_row: bool) -> None:
    exhibit_id, blob_id, wrapped, record = gone
    store, name = system.services.store, key_records.name_of(blob_id)
    assert blob_id not in recovering.recover(system.services, prepare.OPERATOR, dry_run=True).destroyed
    # the backup has the key, and so has a store that kept its record
    store.put(KEYS, name, record)
    with _owner(system) as owner:
        owner.execute("UPDATE uploads SET wrapped_key = %s WHERE blob_id = %s", (wrapped, blob_id))
        if has_row:
            owner.execute("UPDATE blobs SET wrapped_key = %s, destroyed_at = NULL WHERE id = %s", (wrapped, blob_id))
        else:
            owner.execute("DELETE FROM blobs WHERE id = %s", (blob_id,))
    seen = recovering.recover(system.services, prepare.OPERATOR, dry_run=True)
    assert blob_id in seen.destroyed
    assert blob_id not in {*seen.restored, *seen.rewrapped, *seen.missing}
    assert store.read(KEYS, name) == record, "a dry run changes nothing"
    said: list[str] = []
    stored_care.recover(system.settings, said.append, dry_run=False)
    assert any("keys that the ledger says were destroyed were here" in line for line in said)
    rows = "SELECT wrapped_key FROM blobs WHERE id = :id UNION ALL SELECT wrapped_key FROM uploads WHERE blob_id = :id"
    assert {row[0] for row in system.rows(rows, id=blob_id)} == {b""}
    with pytest.raises(NotFound):
        store.read(KEYS, name)
    assert len(system.events(f"exhibit:{exhibit_id}", "key.destroyed")) == 2
    assert blob_id not in recovering.recover(system.services, prepare.OPERATOR, dry_run=False).destroyed
    assert len(system.events(f"exhibit:{exhibit_id}", "key.destroyed")) == 2


@contextmanager
def _owner(system) -> Iterator[psycopg.Connection]:
    """Only the database's owner can do this, with the law's triggers off."""
    with psycopg.connect(conninfo(system.owner_url)) as owner:
        owner.execute("ALTER TABLE blobs DISABLE TRIGGER USER")
        yield owner
        owner.execute("ALTER TABLE blobs ENABLE TRIGGER USER")
