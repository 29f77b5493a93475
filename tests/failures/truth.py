"""What must be true of an upload after any fault, once everything works again."""

from datetime import timedelta
from uuid import UUID

from storage.ports import EVIDENCE, STAGING
from storage.seal import evidence_key
from storage.sweep import sweep
from tests.whole import System

AT_ONCE = timedelta(seconds=-30)
"""A grace that makes the sweep look at what is a moment old; in life it is a day."""


def offset_of(system: System, location: str) -> int:
    """What a sender is told when it asks how far its upload is."""
    answer = system.api("investigator")("HEAD", location)
    assert answer.status_code == 200, answer.headers
    return int(answer.headers["Upload-Offset"])


def goes_on_to_the_seal(system: System, location: str, data: bytes, acknowledged: int) -> str:
    """No acknowledged byte is lost: the upload goes on where it durably is, is sealed, and gives back what was sent.
    The store then holds exactly the object that the row names, and nothing besides.
    """
    api = system.api("investigator")
    offset = offset_of(system, location)
    assert offset >= acknowledged
    if offset < len(data):
        assert api.append(location, data[offset:], offset).status_code == 204
    ((exhibit_id, blob_id),) = system.rows(
        "SELECT exhibit_id, blob_id FROM uploads WHERE id = :id", id=UUID(location.rpartition("/")[2])
    )
    assert system.work_off(f"exhibit:{exhibit_id}") in (["done"], [])
    assert_sealed(system, str(exhibit_id), blob_id, data)
    return str(exhibit_id)


def assert_sealed(system: System, exhibit_id: str, blob_id: UUID, data: bytes) -> None:
    """One exhibit, one row, one object, one event; the bytes are those that were sent."""
    sweep(system.services.database, system.services.store, grace=AT_ONCE)
    api = system.api("prosecutor")
    assert api.get(f"/api/v1/exhibits/{exhibit_id}")["state"] == "sealed"
    assert api("GET", f"/api/v1/exhibits/{exhibit_id}/content").content == data
    assert len(system.events(f"exhibit:{exhibit_id}", "exhibit.sealed")) == 1
    assert len(system.events(f"exhibit:{exhibit_id}", "upload.finished")) == 1
    ((version,),) = system.rows("SELECT version_id FROM blobs WHERE id = :id", id=blob_id)
    store, key = system.services.store, evidence_key(blob_id)
    assert [stored.version_id for stored in store.list(EVIDENCE, key)] == [version]
    assert store.head(EVIDENCE, key, version).locked_until
    assert [begun for begun in store.begun(EVIDENCE) if begun.key == key] == []
    assert list(store.list(STAGING, f"{blob_id}/")) == []


def assert_nothing_kept(system: System, before: set[str]) -> None:
    """What was not accepted left no object, once the sweep was there."""
    sweep(system.services.database, system.services.store, grace=AT_ONCE)
    assert held(system) == before


def held(system: System) -> set[str]:
    """Every object, tail and unfinished multipart upload of originals."""
    store = system.services.store
    objects = {f"{one.key} {one.version_id}" for one in store.list(EVIDENCE, "")}
    return objects | {one.key for one in store.list(STAGING, "")} | {one.upload_id for one in store.begun(EVIDENCE)}
