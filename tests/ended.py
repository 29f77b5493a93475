"""Exhibits whose term is over, for tests: registered two days ago, and locked in the store for a moment only.

The store's lock goes by real time, so the seal is made through a store that asks for a short one instead: a real
COMPLIANCE lock, which really ends.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from custody.kernel.outbox import Actor
from evidence_api.registry.model import ExhibitForm
from evidence_api.use_cases import disposing, intake
from storage.ports import ObjectStore, Stored
from tests.whole import System

BRIEF = timedelta(seconds=2)


class BriefLocks:
    """Locks for a moment whatever it is asked for, and says that it locked for as long as it was asked."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._asked: dict[tuple[str, ...], datetime] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def lock(self, *where: Any) -> None:
        *place, until = where
        self._asked[tuple(place)] = until
        self._store.lock(*place, datetime.now(UTC).replace(microsecond=0) + BRIEF)

    def head(self, *place: str) -> Stored:
        found = self._store.head(*place)
        return replace(found, locked_until=self._asked.get(place) or found.locked_until)

    def read_version(self, *where: Any) -> tuple[Stored, bytes]:
        *place, size_bytes = where
        return self.head(*place), self._store.read_version(*place, size_bytes)[1]


def sealed_briefly(system: System, case_id: str, data: bytes, name: str) -> str:
    """A sealed exhibit whose term of one day ended yesterday."""
    settings = system.settings.model_copy(update={"upload_lifetime_seconds": 7 * 86_400})
    services = system.variant(moved=-timedelta(days=2), settings=settings)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    form = ExhibitForm(name, "", digest, len(data), "seizure", "pretrial", 1)
    upload, _ = intake.begin(services, person(system, "investigator"), UUID(case_id), form)
    services.database.close()
    sent = system.api("investigator").append(f"/api/v1/uploads/{upload.id}", data)
    assert sent.status_code == 204, sent.text
    exhibit_id = str(upload.exhibit_id)
    brief: Any = BriefLocks(system.services.store)
    assert system.work_off(f"exhibit:{exhibit_id}", system.variant(store=brief)) == ["done"]
    with system.services.database.unit() as unit:  # nobody looks into it: its acts are about the original alone
        query = "UPDATE jobs SET state = 'done' WHERE task = 'exhibit.identify' AND args ->> 'exhibit' = :exhibit"
        unit.session.execute(text(query), {"exhibit": exhibit_id})
        unit.commit()
    return exhibit_id


def person(system: System, role: str) -> Actor:
    """A member as use cases see it: sessions do not live as long as terms."""
    return Actor(UUID(system.members[role].account_id), role, "api")


def place_of(system: System, exhibit_id: str) -> tuple[str, str, str]:
    """Where an exhibit's original lies in the store: bucket, key, version."""
    query = (
        "SELECT bucket, key, version_id FROM blobs JOIN exhibits ON exhibits.blob_id = blobs.id WHERE exhibits.id = :id"
    )
    ((bucket, key, version),) = system.rows(query, id=exhibit_id)
    return bucket, key, version


def wait_for_end(system: System, *exhibit_ids: str) -> None:
    """Until the store's locks of these have really ended."""
    wait_for_locks(system, [place_of(system, one) for one in exhibit_ids])


def wait_for_locks(system: System, places: Iterable[Sequence[str]]) -> None:
    """Until the store lets go of what lies at these places: bucket, key, version."""
    for place in places:
        until = system.services.store.head(*place).locked_until
        left = until - datetime.now(UTC) if until else timedelta()
        time.sleep(max(left.total_seconds(), 0) + 0.1)


def approved(system: System, case_id: str, *exhibit_ids: str) -> dict[str, Any]:
    """An act over these, signed by the prosecutor and approved by the supervising one; its job waits."""
    prosecutor = system.api("prosecutor")
    act = prosecutor.post(f"/api/v1/cases/{case_id}/disposals", exhibits=list(exhibit_ids))
    path, seen = f"/api/v1/disposals/{act['id']}", {"act_sha256": act["act_sha256"]}
    prosecutor.post(f"{path}/sign", **seen)
    return dict(system.api("supervising_prosecutor").post(f"{path}/approve", **seen))


def destroyed(system: System, case_id: str, *exhibit_ids: str) -> dict[str, Any]:
    """An act over these that was carried out."""
    act = approved(system, case_id, *exhibit_ids)
    assert system.work_off(f"disposal:{act['id']}") == ["done"]
    return dict(system.api("prosecutor").get(f"/api/v1/disposals/{act['id']}"))


def propose_due(system: System, moved: timedelta = timedelta()) -> int:
    """What the beat does every hour, so much later."""
    services = system.variant(moved=moved)
    made = disposing.propose_due(services)
    services.database.close()
    return made
