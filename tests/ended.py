"""Exhibits whose term is over, for tests: the clock is put back for their registration, so that even the store's lock,
which goes by the real time, ends in a moment.
"""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from custody.kernel.outbox import Actor
from evidence_api.registry.model import ExhibitForm
from evidence_api.use_cases import disposing, intake
from tests.whole import System

LEAD = timedelta(seconds=5)
"""How long the store's lock of an exhibit lasts: it must be in the future when the exhibit is sealed."""


def sealed_briefly(system: System, case_id: str, data: bytes, name: str, lead: timedelta = LEAD) -> str:
    """A sealed exhibit whose term of one day ends in `lead`."""
    settings = system.settings.model_copy(update={"upload_lifetime_seconds": 7 * 86_400})
    services = system.variant(moved=lead - timedelta(days=1), settings=settings)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    form = ExhibitForm(name, "", digest, len(data), "seizure", "pretrial", 1)
    upload, _ = intake.begin(services, person(system, "investigator"), UUID(case_id), form)
    services.database.close()
    sent = system.api("investigator").append(f"/api/v1/uploads/{upload.id}", data)
    assert sent.status_code == 204, sent.text
    exhibit_id = str(upload.exhibit_id)
    assert system.work_off(f"exhibit:{exhibit_id}") == ["done"]
    return exhibit_id


def person(system: System, role: str) -> Actor:
    """A member as use cases see it: sessions do not live as long as terms."""
    return Actor(UUID(system.members[role].account_id), role, "api")


def wait_for_end(system: System, *exhibit_ids: str) -> None:
    """Until the terms of these are over by the real clock, and with them the store's locks."""
    for exhibit_id in exhibit_ids:
        until = system.api("prosecutor").get(f"/api/v1/exhibits/{exhibit_id}")["retain_until"]
        left = datetime.fromisoformat(until) - datetime.now(UTC)
        time.sleep(max(left.total_seconds(), 0) + 0.1)


def approved(system: System, case_id: str, *exhibit_ids: str, services: Any = None) -> dict[str, Any]:
    """An act over these, signed by the prosecutor and approved by the supervising one; its job waits."""
    prosecutor = system.api("prosecutor", services)
    act = prosecutor.post(f"/api/v1/cases/{case_id}/disposals", exhibits=list(exhibit_ids))
    path, seen = f"/api/v1/disposals/{act['id']}", {"act_sha256": act["act_sha256"]}
    prosecutor.post(f"{path}/sign", **seen)
    return dict(system.api("supervising_prosecutor", services).post(f"{path}/approve", **seen))


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
