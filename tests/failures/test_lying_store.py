"""A store that does not hold what it was given, or forgets its locks: nothing is sealed, and the record says so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.ports import EVIDENCE, Stored
from storage.seal import evidence_key
from tests import acts


class Lying:
    """The real store, but for one lie."""

    def __init__(self, store) -> None:
        self.store = store

    def __getattr__(self, name):
        return getattr(self.store, name)

    def read_version(self, bucket, key, version_id, size_bytes) -> tuple[Stored, bytes]:
        pieces = self.get(bucket, key, version_id, 0, size_bytes)
        return self.head(bucket, key, version_id), b"".join(pieces)


class Flipping(Lying):
    """Gives one byte other than it was given."""

    def get(self, *where) -> Iterator[bytes]:
        pieces = iter(self.store.get(*where))
        first = next(pieces)
        yield bytes([first[0] ^ 1]) + first[1:]
        yield from pieces


class Short(Lying):
    """Keeps the last byte to itself and says the right size."""

    def get(self, *where) -> Iterator[bytes]:
        for piece in self.store.get(*where):
            yield piece[:-1]


class Shrunk(Lying):
    """Has lost a byte and says so."""

    def head(self, *where) -> Stored:
        found = self.store.head(*where)
        return replace(found, size_bytes=found.size_bytes - 1)


class Forgetful(Lying):
    """Says «locked» and locks nothing."""

    def lock(self, *where) -> None:
        pass


class Hasty(Lying):
    """Locks for a day less than it was asked."""

    def head(self, *where) -> Stored:
        found = self.store.head(*where)
        return replace(found, locked_until=found.locked_until and found.locked_until - timedelta(days=1))


LIES = [
    (Flipping, "store.corrupt"),
    (Short, "store.corrupt"),
    (Shrunk, "store.corrupt"),
    (Forgetful, "store.not_locked"),
    (Hasty, "store.not_locked"),
]
each_lie = pytest.mark.parametrize(("lie", "code"), LIES, ids=[lie.__name__ for lie, _ in LIES])


@each_lie
@pytest.mark.parametrize("whole", [False, True], ids=["in parts", "whole"])
def test_an_original_is_never_sealed(system, lie, code, whole):
    case_id = system.case()
    api = system.api("investigator")
    if whole:
        created = api.create_whole(case_id, b"entrusted to a liar", "entrusted.bin")
        exhibit_id = created.headers["Dalel-Exhibit"]
    else:
        exhibit_id = api.upload(case_id, b"entrusted to a liar", "entrusted.bin")
    subject = f"exhibit:{exhibit_id}"
    assert system.work_off(subject, system.variant(store=lie(system.services.store))) == ["failed"]
    api = system.api("prosecutor")
    exhibit = api.get(f"/api/v1/exhibits/{exhibit_id}")
    assert (exhibit["state"], exhibit["reason"], exhibit["sealed_at"]) == ("refused", code, None)
    (event,) = system.events(subject, "exhibit.seal_failed")
    assert event["data"] == {"exhibit": exhibit_id, "reason": code}
    assert system.events(subject, "exhibit.sealed") == []
    assert api("GET", f"/api/v1/exhibits/{exhibit_id}/content").status_code == 409
    ((blob_id, state),) = system.rows("SELECT blob_id, state FROM uploads WHERE exhibit_id = :id", id=exhibit_id)
    assert state == "refused"
    assert system.rows("SELECT count(*) FROM blobs WHERE id = :id", id=blob_id) == [(0,)]
    # What it holds is left for whoever looks into it.
    assert len(list(system.services.store.list(EVIDENCE, evidence_key(blob_id)))) == 1
    # The same file may be sent again, to a store that keeps its word.
    assert system.sealed(case_id, b"entrusted to a liar", "entrusted.bin")


@pytest.mark.parametrize(("lie", "code"), [LIES[0], LIES[3]], ids=["Flipping", "Forgetful"])
def test_a_package_is_never_handed_out(system, lie, code):
    case_id = system.case()
    renditions = acts.burned(system, system.sealed(case_id, acts.picture(), "scene.png"))
    disclosure_id = acts.released(system, case_id, renditions)
    subject = f"disclosure:{disclosure_id}"
    assert system.work_off(subject, system.variant(store=lie(system.services.store))) == ["failed"]
    (event,) = system.events(subject, "disclosure.failed")
    assert event["data"]["reason"] == code
    assert system.api("prosecutor").get(f"/api/v1/disclosures/{disclosure_id}")["state"] == "failed"
    assert system.api("defence")("GET", f"/api/v1/disclosures/{disclosure_id}/package").status_code in (404, 409)


def test_a_rendition_is_never_recorded(system):
    exhibit_id = system.sealed(system.case(), acts.picture(), "scene.png")
    plan_id = acts.approved(system, exhibit_id)
    forgetful = system.variant(store=Forgetful(system.services.store))
    assert system.work_off(f"plan:{plan_id}", forgetful) == ["failed"]
    (event,) = system.events(f"exhibit:{exhibit_id}", "rendition.failed")
    assert event["data"] == {"exhibit": exhibit_id, "plan": plan_id, "reason": "store.not_locked"}
    assert system.rows("SELECT count(*) FROM redaction_renditions WHERE plan_id = :id", id=plan_id) == [(0,)]
